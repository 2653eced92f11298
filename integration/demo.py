"""`make demo`: three teams, two models, an outage, two refusals; then who spent how much on what.

Everything is real but the two providers, which are servers on this machine that speak as OpenAI and Anthropic do:
a stock Envoy, the bootstrap that people copy (`envoy/llm.yaml`), the filter, and the official SDKs.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections import defaultdict
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness import Gateway, teams
from harness.bootstrap import ROOT
from providers import Usage, faults

WIDTH = 96
COLOUR = sys.stdout.isatty() and "NO_COLOR" not in os.environ
KEYS = [
    teams.key("support", ["*"]),
    teams.key("research", ["claude-sonnet"]),
    teams.key("finance", ["gpt-4o-mini"]),
]


@dataclass(frozen=True)
class Question:
    """One request of the scenario."""

    team: str
    sdk: str
    model: str
    stream: bool
    text: str
    answer: str
    usage: Usage


MORNING = [
    Question("support", "openai", "claude-sonnet", False, "Where is order 4711?", "It left Oslo this morning.",
             Usage(input=1840, output=96)),
    Question("support", "openai", "gpt-4o-mini", True, "Translate: good morning", "God morgen!", Usage(input=310, output=12)),
    Question("research", "anthropic", "claude-sonnet", True, "Summarise these twelve papers.", "All of them agree on one thing.",
             Usage(input=2100, output=1450, cache_read=52_000)),
    Question("finance", "openai", "gpt-4o-mini", False, "Categorise 300 invoices.", "278 are travel, 22 are not.",
             Usage(input=41_000, output=3100)),
    Question("finance", "anthropic", "gpt-4o-mini", True, "And the ones without a date?", "There are seven of those.",
             Usage(input=8200, output=420)),
]
OUTAGE = [
    Question("support", "openai", "claude-sonnet", True, "Can I return it?", "Within thirty days, yes.", Usage(input=1910, output=74)),
    Question("research", "anthropic", "claude-sonnet", False, "Which one thing?", "That more data would help.",
             Usage(input=54_200, output=380)),
    Question("research", "anthropic", "claude-sonnet", True, "How much more?", "Twice as much, at least.",
             Usage(input=54_900, output=260)),
]


def main() -> int:
    """Runs the scenario."""
    began = time.monotonic()
    title("Tollgate: one request through a real Envoy")
    with ExitStack() as running:
        directory = Path(running.enter_context(tempfile.TemporaryDirectory(prefix="tollgate-demo-")))
        with step("starting OpenAI, Anthropic (both on this machine) and Envoy with envoy/llm.yaml"):
            gateway = running.enter_context(Gateway(directory, keys=KEYS, models=None))
        scenario(gateway)
        records = gateway.envoy.records()
        spending(records)
        look_next(gateway, records)
    say(f"\nEverything is stopped again. That took {time.monotonic() - began:.1f} s.")
    return 0


# What happens.

def scenario(gateway: Gateway) -> None:
    """The day of three teams."""
    title("1  Three teams work, each with its SDK and its own key")
    for question in MORNING:
        ask(gateway, question)
    title("2  Anthropic fails: first it refuses connections, then it is overloaded inside a stream")
    gateway.anthropic.stop_listening()
    for question in OUTAGE[:2]:
        ask(gateway, question)
    gateway.anthropic.listen()
    gateway.anthropic.then(faults.ErrorInStream("overloaded"))
    ask(gateway, OUTAGE[2])
    title("3  Who may not, does not")
    refuse(gateway, "a key nobody gave out", "openai", "claude-sonnet", key="tg_support_guessed")
    refuse(gateway, "finance asks for Claude", "anthropic", "claude-sonnet", team="finance")


def ask(gateway: Gateway, question: Question) -> None:
    """One request through the SDK, and the line about it."""
    for provider in gateway.providers:
        provider.answers(question.answer, usage=question.usage)
    seen = len(gateway.envoy.records())
    said = gateway.sdk(question.sdk, question.team).ask(question.model, question.text, question.stream)
    record = gateway.envoy.wait_records(seen + 1)[-1]
    how = "streamed" if question.stream else "plain"
    say(f"  {bold(question.team):<{pad(9)}} {question.sdk + ' SDK':<14} {question.model:<14} {how:<9} {answered(record)}")
    say(dim(f"            “{question.text}”  “{said.text}”"))


def answered(record: dict) -> str:
    """By whom, and after whose failure."""
    *failed, served = record["attempts"]
    by = f"answered by {served['model']} ({served['provider']})"
    if not failed:
        return green(by)
    why = ", ".join(f"{attempt['provider']}: {attempt['reason'].replace('_', ' ')}" for attempt in failed)
    return yellow(f"{by} after {why}")


def refuse(gateway: Gateway, what: str, client: str, model: str, **who: str) -> None:
    """A request that is refused, and what the SDK makes of it."""
    sdk = gateway.sdk(client, **who)
    try:
        sdk.ask(model)
    except sdk.ERROR as error:
        reason = gateway.envoy.wait_records(len(MORNING) + len(OUTAGE) + 1)[-1]["decision"]["reason"]
        say(f"  {what:<24} {client + ' SDK':<14} {red(f'{error.status_code} {type(error).__name__}')}: {reason.replace('_', ' ')}")
    else:
        raise AssertionError(f"{what}: was served")


# What is left of it.

def spending(records: list[dict]) -> None:
    """Who spent how much on what: nothing but the audit records, added up."""
    title("4  Who spent how much on what (from the audit records)")
    sums: dict[tuple, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for record in records:
        for attempt in record["attempts"]:
            if attempt["outcome"] == "served":
                usage = attempt["usage"]
                row = sums[record["subject"]["team"], record["asked"]["model"], attempt["provider"], attempt["model"]]
                tokens = [sum(v for k, v in usage.items() if k.startswith(side)) for side in ("input", "output")]
                row[:] = [a + b for a, b in zip(row, [1, *tokens, attempt["cost_nano_usd"]], strict=True)]
    say(bold(f"  {'team':<10} {'asked for':<14} {'served by':<28} {'requests':>8} {'tokens in':>10} {'out':>7} {'dollars':>11}"))
    for (team, asked, provider, model), (count, tokens_in, tokens_out, cost) in sorted(sums.items()):
        served = f"{provider} {model}"
        say(f"  {team:<10} {asked:<14} {served:<28} {count:>8} {tokens_in:>10,} {tokens_out:>7,} {cost / 1e9:>11.6f}")
    total = [sum(column) for column in zip(*sums.values(), strict=True)]
    say("  " + "-" * (WIDTH - 3))
    say(bold(f"  {'all':<10} {'':<14} {'':<28} {total[0]:>8} {total[1]:>10,} {total[2]:>7,} {total[3] / 1e9:>11.6f}"))
    refused = sum(record["answer"]["end"] == "refused" for record in records)
    say(dim(f"  {len(records)} exchanges, {refused} of them refused; those cost nothing and are recorded too."))


def look_next(gateway: Gateway, records: list[dict]) -> None:
    """Where the same facts are for machines."""
    title("5  Where to look next")
    say("The record of the exchange that Anthropic was too busy for, one line of the audit log:")
    record = next(record for record in reversed(records) if len(record["attempts"]) > 1)
    say(dim(indent(compact(record))))
    say("\nThe counters, as Prometheus reads them:")
    lines = [line for line in gateway.envoy.prometheus().splitlines() if line.startswith("tollgate_llm_cost")]
    say(dim(indent("\n".join(lines[:3]))))
    say(f"\nThe config that ran: {os.path.relpath(ROOT / 'envoy' / 'llm.yaml')}. The way of a request: README.md.")


def compact(record: dict) -> str:
    """JSON, a line for each thing on the first levels."""
    lines = []
    for name, value in record.items():
        if isinstance(value, list):
            inner = ",\n".join("    " + json.dumps(_without_zeros(item)) for item in value)
            lines.append(f"  {json.dumps(name)}: [\n{inner}\n  ]")
        else:
            lines.append(f"  {json.dumps(name)}: {json.dumps(value)}")
    return "{\n" + ",\n".join(lines) + "\n}"


def _without_zeros(attempt: dict) -> dict:
    usage = attempt["usage"]
    return attempt | {"usage": usage and {bucket: tokens for bucket, tokens in usage.items() if tokens}}


# Plain text, coloured where someone looks at it.

def say(text: str) -> None:
    """A line, at once."""
    print(text, flush=True)


def title(text: str) -> None:
    """A heading."""
    say(f"\n{bold(text)}\n" + dim("─" * WIDTH))


@contextmanager
def step(text: str):
    """Something that takes a moment: says what, then how long."""
    print(f"  {text} ...", end="", flush=True)
    began = time.monotonic()
    yield
    say(f" {time.monotonic() - began:.1f} s")


def indent(text: str) -> str:
    """Moved in."""
    return "\n".join("  " + line for line in text.splitlines())


def styled(code: str):
    """A function that colours."""
    return lambda text: f"\033[{code}m{text}\033[0m" if COLOUR else text


bold, dim, red, green, yellow = styled("1"), styled("2"), styled("31"), styled("32"), styled("33")


def pad(width: int) -> int:
    """The width of a bold field, whose colour codes count but do not show."""
    return width + (8 if COLOUR else 0)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        say("\nStopped.")
        sys.exit(130)
