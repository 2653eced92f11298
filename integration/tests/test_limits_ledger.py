"""Ten thousand requests of every kind, over all workers, against a ledger that the test keeps for itself: of what the
providers were asked and have answered, at prices worked out on its own."""

from __future__ import annotations

import itertools
import random
import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from harness import teams
from harness.money import nano_usd
from providers import Usage
from providers.faults import Answer, Fault
from providers.model import reply_to

REQUESTS = 10_000
CLIENTS = 12
LIMITS = [
    {"name": "usd", "per": ["team"], "usd": 1000, "every": "month"},
    {"name": "tokens", "per": ["team", "model"], "tokens": 10**9, "every": "month"},
    {"name": "requests", "requests": 10**6, "every": "month"},
    {"name": "provider", "per": ["provider"], "usd": 1000, "every": "month"},
]
TEAMS = ["support", "research"]
PRICES = {
    ("openai", "gpt-4o-mini"): teams.GPT_4O_MINI,
    ("openai", "gpt-4o"): teams.GPT_4O,
    ("anthropic", "claude-sonnet-5-5"): teams.SONNET,
}


class EveryTenth(Fault):
    """An outage that comes and goes."""

    def __init__(self):
        self._turns = itertools.count(1)

    def on_answer(self, answer: Answer, dialect) -> Answer:
        if next(self._turns) % 10:
            return answer
        headers, body = dialect.error(503)
        return replace(answer, status=503, headers=headers, parts=[body], stream=False)


@dataclass(frozen=True)
class Kind:
    """What one request is to be."""

    client: str
    model: str
    team: str
    stream: bool
    abort: bool
    again: bool

    @classmethod
    def any(cls, dice: random.Random) -> Kind:
        """One of all there are."""
        stream, again = dice.random() < 0.5, dice.random() < 0.1
        return cls(
            client=dice.choice(["openai", "anthropic"]),
            model="gpt-4o-mini" if again else dice.choice(["claude-sonnet", "gpt-4o"]),
            team="support" if again else dice.choice(TEAMS),
            stream=stream,
            abort=stream and not again and dice.random() < 0.1,
            again=again,
        )

    def text(self, number: int) -> str:
        """What it says; its own number, or what others say too."""
        return f"request {number % 50 + REQUESTS if self.again else number} " + "word " * (number % (5 if self.again else 40))


def make(gateway, kind: Kind, number: int) -> int | None:
    """Makes it; the status that the client got, if it waited for it."""
    text, trace = kind.text(number), [("traceparent", f"00-{number:032x}-0000000000000001-01")]
    if kind.abort:
        with gateway.stream(kind.client, kind.model, text, trace, kind.team, max_tokens=100) as stream:
            next(stream.chunks(), None)
        return None
    more = ({"stream": True} if kind.stream else {}) | ({"temperature": 0} if kind.again else {})
    return gateway.post(kind.client, kind.model, text, trace, kind.team, max_tokens=100, **more).status


def billed(provider) -> dict[int, tuple[str, Usage]]:
    """What a provider has billed, by the number of the request: the model, and what it used."""
    bills = {}
    for request in provider.requests:
        if request.prompt and not any(b'"error"' in part for _, part in request.sent):
            number = int(re.search(r"request (\d+) ", request.prompt.text)[1])
            assert number not in bills or number >= REQUESTS, f"request {number} was answered twice"
            bills[number] = (request.json["model"], reply_to(request.prompt).usage)
    return bills


def test_no_charge_is_lost_and_none_is_made_twice(start):
    models = teams.MODELS | {"gpt-4o-mini": {"targets": [teams.MINI], "cache": {}}}
    gateway = start(lambda bootstrap: bootstrap.gate(limits=LIMITS), models=models, concurrency=4)
    for provider in gateway.providers:
        provider.always(EveryTenth())
    dice = random.Random(20261126)
    kinds = [Kind.any(dice) for _ in range(REQUESTS)]
    with ThreadPoolExecutor(CLIENTS) as pool:
        statuses = list(pool.map(lambda number: make(gateway, kinds[number], number), range(REQUESTS)))
    records = gateway.envoy.wait_records(REQUESTS, 30)
    assert len(records) == REQUESTS
    assert Counter(statuses).keys() <= {200, None, 503}

    bills = {provider.NAME: billed(provider) for provider in gateway.providers}
    totals, reported, hits = Counter(), Counter(), 0
    for record in records:
        number = int(record["trace"], 16)
        kind = kinds[number]
        if kind.again:
            number = int(kind.text(number).split()[1])
        charges = {
            provider: (nano_usd(usage, PRICES[provider, model]), usage.all_input + usage.all_output)
            for provider, (model, usage) in ((name, of[number]) for name, of in bills.items() if number in of)
        }
        if kind.abort:
            # The provider's own figure may have come or not; without it what is charged is an estimate, and never nothing.
            served = {a["provider"]: a for a in record["attempts"] if a["status"] == 200}
            assert all(attempt["cost_nano_usd"] > 0 for attempt in served.values()), record
            charges = {name: (a["cost_nano_usd"], sum_of(a["usage"])) for name, a in served.items()}
        hit = record.get("cache", {}).get("status") == "hit"
        hits += hit
        refused = kind.again and not hit and record["attempts"][0]["status"] != 200
        charges = {} if hit or refused else charges
        expected = {
            "limits.usd": sum(cost for cost, _ in charges.values()),
            "limits.tokens": sum(tokens for _, tokens in charges.values()),
            "limits.requests": 1,
        }
        if hit:
            # It is a request, and nothing else.
            expected = {"limits.requests": 1}
            assert record["cost"]["nano_usd"] == 0 and record["attempts"] == []
        entries = [entry for entry in record["limits"] if entry["limit"] != "limits.provider"]
        assert {entry["limit"]: entry["used"] for entry in entries} == expected, record
        of_providers = [entry["used"] for entry in record["limits"] if entry["limit"] == "limits.provider"]
        assert sorted(of_providers, reverse=True)[:1] == ([] if hit else [expected["limits.usd"]]), record
        for entry in entries:
            counter = (entry["limit"], {"limits.usd": kind.team, "limits.tokens": (kind.team, kind.model)}.get(entry["limit"]))
            totals[counter] += entry["used"]
            reported[counter] = max(reported[counter], entry["total"])
    # What the counters say in the end is the sum of all that was charged, to the billionth of a dollar.
    assert reported == totals
    assert hits > REQUESTS / 50 and sum(kind.abort for kind in kinds) > REQUESTS / 50 and Counter(statuses)[200] > REQUESTS * 0.9


def sum_of(usage: dict) -> int:
    """All tokens of an attempt."""
    return sum(count for name, count in usage.items() if name.startswith(("input_", "output_")))
