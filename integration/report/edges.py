"""Which agent called which, for whom, and was it allowed: audit records of the agent gateway, as a graph and as trees."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

# Reading a card is no call.
CARD = "AgentCard"
UNKNOWN = "?"


@dataclass(frozen=True)
class Edge:
    """What calls that are told as one have in common."""

    caller: str
    callee: str
    verdict: str
    reason: str
    rule: str


@dataclass
class Drawn:
    """An edge, how often it was so, and for whom."""

    edge: Edge
    users: Counter[str] = field(default_factory=Counter)

    @property
    def times(self) -> int:
        """How often."""
        return self.users.total()


@dataclass(frozen=True)
class Call:
    """A call in its transaction."""

    hop: int
    caller: str
    callee: str
    operation: str
    verdict: str
    reason: str
    rule: str
    outcome: str
    ms: int


def calls(records: Iterable[dict]) -> list[dict]:
    """Those that are about a call, not about a card."""
    return [record for record in records if record["asked"].get("a2a.operation") != CARD]


def graph(records: Iterable[dict]) -> dict[str, list[Drawn]]:
    """What each caller called, callees in order; callers in the order in which they first did."""
    drawn: dict[Edge, Drawn] = {}
    for record in sorted(calls(records), key=lambda record: record["time"]):
        edge = edge_of(record)
        drawn.setdefault(edge, Drawn(edge)).users[user_of(record)] += 1
    by_caller: defaultdict[str, list[Drawn]] = defaultdict(list)
    for edge, line in drawn.items():
        by_caller[edge.caller].append(line)
    return {caller: sorted(lines, key=lambda line: line.edge.callee) for caller, lines in by_caller.items()}


def tree(records: Iterable[dict], transaction: str) -> list[Call]:
    """The calls of one transaction, from the first to the deepest."""
    own = [record for record in calls(records) if record.get("transaction") == transaction]
    return sorted((call_of(record) for record in own), key=lambda call: call.hop)


def edge_of(record: dict) -> Edge:
    """One call."""
    decision = record["decision"]
    return Edge(caller_of(record), callee_of(record), decision["verdict"], decision["reason"], decision.get("rule", ""))


def call_of(record: dict) -> Call:
    """One call in its transaction."""
    edge, answer = edge_of(record), record["answer"]
    outcome = answer.get("state") or answer.get("outcome") or answer["end"]
    operation = record["asked"].get("a2a.operation", "")
    return Call(
        record["hop"], edge.caller, edge.callee, operation, edge.verdict, edge.reason, edge.rule, outcome, answer["ms"]
    )


def caller_of(record: dict) -> str:
    """Who called, as far as that is proven."""
    return record.get("subject", {}).get("agent", UNKNOWN)


def callee_of(record: dict) -> str:
    """Who was called."""
    return record["asked"].get("callee", UNKNOWN)


def user_of(record: dict) -> str:
    """For whom."""
    return record.get("subject", {}).get("user", UNKNOWN)
