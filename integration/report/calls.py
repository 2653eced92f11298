"""Who called what and what came of it: audit records of the MCP gateway, as rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby


@dataclass(frozen=True)
class Row:
    """What exchanges that are told as one have in common."""

    who: str
    asked: str
    decision: str
    rule: str
    approval: str
    outcome: str


@dataclass(frozen=True)
class Told:
    """A row, how often it was so, and the longest of its milliseconds."""

    row: Row
    times: int
    ms: int


def told(records: Iterable[dict]) -> list[Told]:
    """In the order in which it happened; what somebody asked for again and again is told once for each thing that came of it."""
    rows = []
    for _, again in groupby(records, key=lambda record: (row(record).who, row(record).asked)):
        alike: dict[Row, list[int]] = {}
        for record in again:
            alike.setdefault(row(record), []).append(record["answer"]["ms"])
        rows += [Told(what, len(ms), max(ms)) for what, ms in alike.items()]
    return rows


def row(record: dict) -> Row:
    """One exchange."""
    asked, decision, answer = record["asked"], record["decision"], record["answer"]
    approval = record.get("approval", {})
    what = asked.get("gen_ai.tool.name") or asked.get("mcp.method.name") or "approval page"
    is_refused = answer["end"] == "refused" or decision["verdict"] == "deny"
    outcome = decision["reason"] if is_refused else answer.get("outcome") or str(answer["status"])
    return Row(
        record.get("subject", {}).get("team", ""),
        what,
        decision["verdict"],
        decision.get("rule", ""),
        approval.get("state", ""),
        outcome,
    )
