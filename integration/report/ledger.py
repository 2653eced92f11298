"""Who spent how much on what: audit records, added up."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Account:
    """What one team asked for, and who served it."""

    team: str
    asked: str
    served: str


@dataclass
class Spent:
    """What an account comes to."""

    requests: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    nano_usd: int = 0

    def add(self, other: Spent) -> None:
        """Takes another one in."""
        self.requests += other.requests
        self.tokens_in += other.tokens_in
        self.tokens_out += other.tokens_out
        self.nano_usd += other.nano_usd


def accounts(records: Iterable[dict]) -> dict[Account, Spent]:
    """One row per team, model and provider. An attempt that failed and cost something is a row of its provider too."""
    sums: defaultdict[Account, Spent] = defaultdict(Spent)
    for record in records:
        for attempt in record["attempts"]:
            usage = attempt["usage"]
            if usage is None:
                continue
            account = Account(record["subject"]["team"], record["asked"]["model"], served_by(attempt))
            sums[account].add(Spent(1, _side(usage, "input"), _side(usage, "output"), attempt["cost_nano_usd"] or 0))
    return dict(sorted(sums.items(), key=lambda row: (row[0].team, row[0].asked, row[0].served)))


def served_by(attempt: dict) -> str:
    """Provider and model, as people say it."""
    return f"{attempt['provider']} {attempt['model']}"


def total(rows: Iterable[Spent]) -> Spent:
    """All of it."""
    whole = Spent()
    for row in rows:
        whole.add(row)
    return whole


def _side(usage: dict[str, int], side: str) -> int:
    return sum(tokens for bucket, tokens in usage.items() if bucket.startswith(side))
