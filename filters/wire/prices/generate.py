#!/usr/bin/env python3
"""Writes the shipped price table from the price data of the `litellm` package. `make prices` runs it.

    generate.py WHEEL VERSION DATE            writes table.txt and version.txt beside this script
    generate.py --check WHEEL VERSION DATE    only says whether they are what it would write

Only the data file is read, no code of theirs. Amounts go from decimal text to decimal text: no float is ever made.
"""

import decimal
import json
import re
import sys
import zipfile
from decimal import Decimal
from pathlib import Path

HERE = Path(__file__).parent
DATA = "litellm/model_prices_and_context_window_backup.json"
MODES = {"chat", "responses", "completion", "embedding"}
MILLION = Decimal(1_000_000)

# The data's provider -> our catalogue, and what their names have before the model's.
CATALOGUES = {
    "openai": ("openai", ""),
    "text-completion-openai": ("openai", ""),
    "azure": ("azure", "azure/"),
    "azure_ai": ("azure_ai", "azure_ai/"),
    "anthropic": ("anthropic", ""),
    "gemini": ("gemini", "gemini/"),
    "vertex_ai": ("vertex_ai", "vertex_ai/"),
    "bedrock": ("bedrock", "bedrock/"),
    "bedrock_converse": ("bedrock", "bedrock/"),
    "bedrock_mantle": ("bedrock_mantle", "bedrock_mantle/"),
    "cerebras": ("cerebras", "cerebras/"),
    "cohere": ("cohere", "cohere/"),
    "cohere_chat": ("cohere", "cohere/"),
    "deepseek": ("deepseek", "deepseek/"),
    "fireworks_ai": ("fireworks_ai", "fireworks_ai/"),
    "fireworks_ai-embedding-models": ("fireworks_ai", "fireworks_ai/"),
    "groq": ("groq", "groq/"),
    "mistral": ("mistral", "mistral/"),
    "moonshot": ("moonshot", "moonshot/"),
    "perplexity": ("perplexity", "perplexity/"),
    "together_ai": ("together_ai", "together_ai/"),
    "xai": ("xai", "xai/"),
    "zai": ("zai", "zai/"),
}

# The columns of an entry's rates: our name, and the field (or the one of two) that has it.
COLUMNS = [
    ("input", ["input_cost_per_token"]),
    ("output", ["output_cost_per_token"]),
    ("cache_read", ["cache_read_input_token_cost"]),
    ("cache_write_5m", ["cache_creation_input_token_cost"]),
    ("cache_write_1h", ["cache_creation_input_token_cost_above_1hr", "cache_creation_input_token_cost_above_12hr"]),
    ("reasoning", ["output_cost_per_reasoning_token"]),
    ("audio_input", ["input_cost_per_audio_token"]),
    ("audio_output", ["output_cost_per_audio_token"]),
    ("image_input", ["input_cost_per_image_token"]),
    ("image_output", ["output_cost_per_image_token"]),
    ("cache_read_audio", ["cache_read_input_audio_token_cost"]),
]
# What a column says anyway when nothing stands in it.
DEFAULTS = {
    "cache_read": "input", "cache_write_5m": "input", "cache_write_1h": "input", "reasoning": "output",
    "audio_input": "input", "audio_output": "output", "image_input": "input", "image_output": "output",
}
TIERS = {"batches": "batch", "flex": "flex", "priority": "priority"}

# Entries that cannot be right, and why. Better no price, which is told, than a wrong one.
WRONG = {
    "azure_ai/jais-30b-chat": "thousands of dollars a million tokens: it is their price per 1000",
    "azure_ai/Meta-Llama-3-70B-Instruct": "output cheaper than input",
    "embed-multilingual-light-v3.0": "a thousand times the price of its sisters",
}
# Names that stand for a class of models or for a deployment, not for a model that a request can name.
NO_MODELS = re.compile(
    r"^together-ai-|/container$|/[16]-month-commitment/|^bedrock/(claude_platform|invoke)/|^fireworks_ai/(?!accounts/)"
)

# Facts that the data does not hold, from the providers' price pages: https://platform.claude.com/docs/en/about-claude/pricing
# (fetching pages costs nothing but tokens), https://developers.openai.com/api/docs/pricing (2.50 dollars per 1000 searches of
# files). What a container costs stands in the data, as a model.
FEES = {
    "anthropic": {"web_fetch": Decimal(0)},
    "openai": {"file_search": Decimal("0.0025"), "code_interpreter": "openai/container"},
    "azure": {"file_search": Decimal("0.0025"), "code_interpreter": "azure/container"},
}
# Models whose every request costs a fee, which the data gives as the price of a search.
FEE_PER_REQUEST = re.compile(r"^perplexity/sonar(?!-deep-research)")

# Prices of well-known models, written by hand: the table must say the same.
GOLDEN = {
    "anthropic/claude-sonnet-4-5": "3,15,0.3,3.75,6",
    "anthropic/claude-opus-4-6": "5,25,0.5,6.25,10",
    "anthropic/claude-haiku-4-5": "1,5,0.1,1.25,2",
    "azure/gpt-5": "1.25,10,0.125",
    "azure/eu/gpt-5": "1.375,11,0.1375",
    "bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0": "3.3,16.5,0.33,4.125,6.6",
    "bedrock/amazon.nova-pro-v1:0": "0.8,3.2,0.2",
    "deepseek/deepseek-chat": "0.28,0.42,0.028",
    "gemini/gemini-2.5-pro": "1.25,10,0.125",
    "groq/openai/gpt-oss-120b": "0.15,0.6,0.075",
    "mistral/mistral-large-latest": "0.5,1.5,0.05",
    "openai/gpt-4o": "2.5,10,1.25",
    "openai/gpt-5": "1.25,10,0.125",
    "openai/text-embedding-3-small": "0.02,0",
    "vertex_ai/gemini-2.5-flash": "0.3,2.5,0.03,,,,1,,,,0.1",
}

HEADER = """\
# What models cost, as published with litellm {version} (MIT, see NOTICE), taken on {date}. Written by `make prices`: do not
# edit. Sorted by bytes, for binary search. US dollars. A line is
#   <catalogue>/[<region>/]<model> <max output tokens or -> <rates> [<scope>:<rates>].. [<name>=<number>]..
# rates per million tokens: {columns};
# an empty one costs as much as its direction. A scope is >N (the whole call, when its input is above N tokens), a service
# tier, or both (flex>N). Numbers: what a call of a tool costs, what a request costs, and factors of the token prices.
"""


class Fault(Exception):
    """The data is not what this script takes it for."""


def number(value):
    """A decimal as text: no exponent, no zeros at the end."""
    text = f"{value.normalize():f}"
    if len(text.partition(".")[2]) > 9:
        raise Fault(f"{value} has more than 9 decimals")
    return text


def rates(entry, suffix=""):
    """The listed rates, dollars per million tokens, by column."""
    found = {}
    for name, fields in COLUMNS:
        given = [entry[field + suffix] for field in fields if entry.get(field + suffix) is not None]
        if given:
            found[name] = Decimal(given[0]) * MILLION
    # Writing to a cache is nowhere cheaper than input: such a value is the price of reading, in the wrong field.
    for write in ("cache_write_5m", "cache_write_1h"):
        if write in found and found[write] < found.get("input", 0):
            del found[write]
    return found


def with_cache_writes(name, found):
    """Surcharges for writing a cache that are not listed. They are the same for all models, and on all platforms: 1.25 and
    2 times the input with Anthropic; with OpenAI, for the models that have one at all, 1.25 and 2.5 times."""
    claude = "claude" in name
    if claude and "input" in found:
        found.setdefault("cache_write_5m", found["input"] * Decimal("1.25"))
    if "cache_write_5m" in found:
        found.setdefault("cache_write_1h", found["input"] * (2 if claude else Decimal("2.5")))
    return found


def listed(found, usual=()):
    """What a column says anyway is left out, unless the usual rates say something else."""
    return {
        name: rate for name, rate in found.items()
        if name in usual or name not in DEFAULTS or rate != found[DEFAULTS[name]]
    }


def columns(found, usual=()):
    """Rates as text; `None` without the two that every model has."""
    if "input" not in found or "output" not in found:
        return None
    found = listed(found, usual)
    return ",".join(number(found[name]) if name in found else "" for name, _ in COLUMNS).rstrip(",")


def scopes(name, entry, usual, inclusive):
    """Everything but the usual rates: scope and rates as text, sorted."""
    field = re.compile(rf"^input_cost_per_token(?:_above_(\d+)k_tokens)?(?:_({'|'.join(TIERS)}))?$")
    for above, tier in sorted((match[1] or "", match[2] or "") for match in map(field.match, entry) if match):
        suffix = (f"_above_{above}k_tokens" if above else "") + (f"_{tier}" if tier else "")
        text = columns(with_cache_writes(name, rates(entry, suffix)), usual)
        if suffix and text:
            threshold = f">{int(above) * 1000 - inclusive}" if above else ""
            yield f"{TIERS.get(tier, '')}{threshold}:{text}"


def numbers(catalogue, name, entry, data):
    """Fees per call and per request, and factors."""
    fees = {}
    for fee, value in FEES.get(catalogue, {}).items():
        fees[fee] = data[value]["code_interpreter_cost_per_session"] if isinstance(value, str) else value
    search = entry.get("search_context_cost_per_query")
    if search:
        per_request = FEE_PER_REQUEST.match(name)
        fees["request" if per_request else "web_search"] = Decimal(search["search_context_size_medium"])
    if entry.get("input_cost_per_request"):
        fees["request"] = entry["input_cost_per_request"]
    special = entry.get("provider_specific_entry", {})
    uplifts = {value for field, value in entry.items() if re.match(r"^regional_(endpoint|processing)_uplift", field)}
    if len(uplifts) > 1:
        raise Fault(f"{name}: regions of different price, {uplifts}")
    factors = {"fast": special.get("fast"), "one_country": special.get("us"), "regional": next(iter(uplifts), None)}
    fees |= {factor: Decimal(value) for factor, value in factors.items() if value is not None}
    return [f"{fee}={number(Decimal(fees[fee]))}" for fee in sorted(fees)]


def row(name, entry, data):
    """The key and the rest of its line; `None` for what cannot be a model with a price."""
    provider = entry["litellm_provider"]
    known = CATALOGUES.get("vertex_ai" if provider.startswith("vertex_ai") else provider)
    if known is None or entry.get("mode") not in MODES or name in WRONG or NO_MODELS.search(name):
        return None
    catalogue, prefix = known
    base = with_cache_writes(name, rates(entry))
    # A price of zero is a price that nobody knows; and a model whose output is free does not exist.
    if not base.get("input") or not (base.get("output") or entry["mode"] == "embedding"):
        return None
    base.setdefault("output", Decimal(0))
    if base["input"] > 1000 or base["output"] > 1000:
        raise Fault(f"{name} costs {base['input']} and {base['output']}: put it into WRONG, or correct this check")
    key = f"{catalogue}/{name.removeprefix(prefix)}"
    if not re.fullmatch(r"[!-~]+", key):
        raise Fault(f"{name!r} is not printable ASCII without spaces")
    most = entry.get("max_output_tokens")
    inclusive = 1 if catalogue == "xai" else 0  # its prices are for 200000 tokens and more
    fields = [str(int(Decimal(most))) if most else "-", columns(base)]
    return key, " ".join(fields + list(scopes(name, entry, listed(base), inclusive)) + numbers(catalogue, name, entry, data))


def table(data, version, date):
    lines = {}
    for name, entry in data.items():
        if name in ("sample_spec", "fallback_generalizations"):
            continue
        made = row(name, entry, data)
        # A model may stand there twice, with and without its catalogue's name. The fuller entry counts.
        if made and len(made[1]) > len(lines.get(made[0], "")):
            lines[made[0]] = made[1]
    for key, expected in GOLDEN.items():
        found = lines.get(key, "- nothing").split(" ")[1]
        if found != expected:
            raise Fault(f"{key}: the table says {found}, not {expected}")
    header = HEADER.format(version=version, date=date, columns=", ".join(name for name, _ in COLUMNS))
    return header + "".join(f"{key} {lines[key]}\n" for key in sorted(lines, key=str.encode))


def main(arguments):
    check = "--check" in arguments
    wheel, version, date = [argument for argument in arguments if argument != "--check"]
    decimal.getcontext().traps[decimal.Inexact] = True
    with zipfile.ZipFile(wheel) as archive:
        data = json.loads(archive.read(DATA), parse_float=Decimal)
    made = {HERE / "table.txt": table(data, version, date), HERE / "version.txt": f"litellm-{version}/{date}"}
    for path, text in made.items():
        if not check:
            path.write_text(text)
        elif path.read_text() != text:
            sys.exit(f"{path} is not current: run `make prices`")
    text = made[HERE / "table.txt"]
    print(f"{text.count(chr(10)) - HEADER.count(chr(10))} models, {len(text)} bytes")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except Fault as fault:
        sys.exit(str(fault))
