"""`make demo`: three teams, two models, an outage, three refusals; then who spent how much on what.

Everything is real but the two providers, which are servers on this machine that speak as OpenAI and Anthropic do:
a stock Envoy, the bootstrap that people copy (`envoy/llm.yaml`), the filter, and the official SDKs.
"""

from __future__ import annotations

import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from harness import Gateway, teams
from harness.bootstrap import ROOT, SHIPPED
from providers import Usage, faults
from report import ledger
from report.terminal import bold, columns, dim, green, indented, pretty, red, say, step, title, yellow

# What finance may spend in a day: its morning, and not the most that one more question may cost.
BUDGET = 0.0185

KEYS = [
    teams.key("support", ["*"]),
    teams.key("research", ["claude-sonnet"]),
    teams.key("finance", ["gpt-4o-mini"], limits=[{"name": "daily", "usd": BUDGET, "every": "day"}]),
]

CONFIG = SHIPPED.relative_to(ROOT)

PLAIN, STREAMED = False, True
CLAUDE, MINI = "claude-sonnet", "gpt-4o-mini"


@dataclass(frozen=True)
class Question:
    """One request of the scenario, what the model says to it and what that takes."""

    team: str
    sdk: str
    model: str
    stream: bool
    text: str
    answer: str
    usage: Usage


MORNING = [
    Question("support", "openai", CLAUDE, PLAIN, "Where is order 4711?", "It left Oslo.", Usage(1840, 96)),
    Question("support", "openai", MINI, STREAMED, "Translate: good morning", "God morgen!", Usage(310, 12)),
    Question(
        "research", "anthropic", CLAUDE, STREAMED, "Summarise twelve papers.", "They agree.", Usage(2100, 1450, 52_000)
    ),
    Question("finance", "openai", MINI, PLAIN, "Categorise 300 invoices.", "278 are travel.", Usage(41_000, 3100)),
    Question("finance", "anthropic", MINI, STREAMED, "Which have no date?", "Seven of them.", Usage(8200, 420)),
]
REFUSED_CONNECTIONS = [
    Question("support", "openai", CLAUDE, STREAMED, "Can I return it?", "Within thirty days.", Usage(1910, 74)),
    Question("research", "anthropic", CLAUDE, PLAIN, "Agree on what?", "That data helps.", Usage(54_200, 380)),
]
OVERLOADED = Question(
    "research", "anthropic", CLAUDE, STREAMED, "How much of it?", "Twice as much.", Usage(54_900, 260)
)


def main() -> None:
    """Runs the scenario and tells it."""
    began = time.monotonic()
    title("Tollgate: what your teams spend on which model, seen and steered in a stock Envoy")
    with ExitStack() as running:
        directory = Path(running.enter_context(tempfile.TemporaryDirectory(prefix="tollgate-demo-")))
        say("  Applications keep their SDK; only its base URL and its key change. The gateway asks Anthropic")
        say("  for `claude-sonnet`, and OpenAI's gpt-4o when Anthropic cannot; `gpt-4o-mini` is OpenAI's only.\n")
        with step(f"starting stand-ins for both providers, on this machine, and Envoy with {CONFIG}"):
            gateway = running.enter_context(Gateway(directory, keys=KEYS, models=None))
        scenario(gateway)
        records = gateway.envoy.records()
        spending(records)
        look_next(gateway, records)
    say(f"\nEverything is stopped again. That took {time.monotonic() - began:.1f} s.")


def scenario(gateway: Gateway) -> None:
    """The day of three teams."""
    title("1  Three teams work, each with its SDK and its own key")
    for question in MORNING:
        ask(gateway, question)
    title("2  Anthropic fails, and nobody notices")
    say(dim("  It refuses connections:"))
    gateway.anthropic.stop_listening()
    for question in REFUSED_CONNECTIONS:
        ask(gateway, question)
    say(dim("  It is back, but its stream begins with 200 and then says `overloaded`:"))
    gateway.anthropic.listen()
    gateway.anthropic.then(faults.ErrorInStream("overloaded"))
    ask(gateway, OVERLOADED)
    title("3  Who may not ask is told so, in the words of its SDK")
    refuse(gateway, "a key nobody gave out", "openai", key="tg_support_guessed")
    refuse(gateway, "finance asks for Claude", "anthropic", team="finance")
    refuse(gateway, f"finance has ${BUDGET} a day", "openai", MINI, team="finance")


def ask(gateway: Gateway, question: Question) -> None:
    """One request through the SDK, and what became of it."""
    for provider in gateway.providers:
        provider.answers(question.answer, usage=question.usage)
    seen = len(gateway.envoy.records())
    said = gateway.sdk(question.sdk, question.team).ask(question.model, question.text, question.stream)
    record = gateway.envoy.wait_records(seen + 1)[-1]
    how = "streamed" if question.stream else "plain"
    row = columns([f"{question.sdk} SDK", question.model, how], [13, 13, 8])
    say(f"  {bold(f'{question.team:<9}')}{row}  “{question.text}” {bold(f'“{said.text}”')}")
    say(" " * 13 + fate(record))


def fate(record: dict) -> str:
    """By whom it was answered, and after whose failure."""
    *failed, served = record["attempts"]
    by = f"answered by {ledger.served_by(served)}, ${record['cost']['nano_usd'] / 1e9:.6f}"
    why = [f"{attempt['provider']} failed ({attempt['reason'].replace('_', ' ')})" for attempt in failed]
    return yellow(", ".join([*why, by])) if failed else green(by)


def refuse(gateway: Gateway, what: str, client: str, model: str = CLAUDE, **who: str) -> None:
    """A request that is refused, and what the application's SDK makes of it."""
    seen = len(gateway.envoy.records())
    sdk = gateway.sdk(client, **who)
    try:
        sdk.ask(model)
    except sdk.ERROR as error:
        reason = gateway.envoy.wait_records(seen + 1)[-1]["decision"]["reason"].replace("_", " ")
        say(
            columns([what, f"{client} SDK", f"{error.status_code} {type(error).__name__}"], [25, 14, 0])
            + f": {red(reason)}"
        )
    else:
        raise AssertionError(f"{what}: was served")


def spending(records: list[dict]) -> None:
    """The bill, from the audit records alone."""
    title("4  Who spent how much on what (the audit records, added up)")
    widths = [10, 15, 30, -9, -10, -8, -10]
    say(bold(columns(["team", "asked for", "served by", "requests", "tokens in", "out", "dollars"], widths)))
    rows = ledger.accounts(records)
    for account, spent in rows.items():
        say(columns([account.team, account.asked, account.served, *amounts(spent)], widths))
    say(bold(columns(["all", "", "", *amounts(ledger.total(rows.values()))], widths)))
    refused = sum(record["answer"]["end"] == "refused" for record in records)
    say(dim(f"  {len(records)} exchanges, {refused} of them refused: no provider saw those, and they cost nothing."))


def amounts(spent: ledger.Spent) -> list[str]:
    """The cells of a row that are figures."""
    return [f"{spent.requests}", f"{spent.tokens_in:,}", f"{spent.tokens_out:,}", f"{spent.nano_usd / 1e9:.6f}"]


def look_next(gateway: Gateway, records: list[dict]) -> None:
    """Where the same facts are for machines."""
    title("5  Where to look next")
    say("  The audit log has one line per exchange. This is the one that Anthropic was too busy for:")
    say(dim(indented(pretty(without_zeros(next(r for r in reversed(records) if len(r["attempts"]) > 1))))))
    say("\n  Envoy counts, and Prometheus reads:")
    counters = [line for line in gateway.envoy.prometheus().splitlines() if line.startswith("tollgate_llm_cost")]
    say(dim(indented("\n".join(counters[:3]))))
    say(f"\n  The config that ran: {CONFIG}. Where a request goes: README.md.")


def without_zeros(record: dict) -> dict:
    """The record with only those buckets of usage that hold tokens."""
    attempts = [
        attempt | {"usage": {bucket: tokens for bucket, tokens in (attempt["usage"] or {}).items() if tokens} or None}
        for attempt in record["attempts"]
    ]
    return record | {"attempts": attempts}


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        say("\nStopped, and everything that was started with it.")
        sys.exit(130)
