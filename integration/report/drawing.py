"""Who called whom, drawn."""

from __future__ import annotations

from .edges import Call, Drawn, callee_of
from .terminal import bold, columns, green, red, say


def graph(edges: dict[str, list[Drawn]]) -> None:
    """A line for each edge."""
    widths = [-10, 16, -4, 14, 7, 17, 0]
    say(bold(columns(["caller", "     callee", "", "for", "verdict", "reason", "rule"], widths)))
    for caller, lines in edges.items():
        for at, (line, branch) in enumerate(zip(lines, branches(len(lines)), strict=True)):
            edge = line.edge
            shares = [f"{name(user)} {times}" for user, times in line.users.items()]
            users = ", ".join(shares) if len(shares) > 1 else name(*line.users)
            cells = [caller if at == 0 else "", f"{branch} {edge.callee}", f"{line.times}×", users, edge.verdict]
            paint = green if edge.verdict == "allow" else red
            say(paint(columns([*cells, edge.reason, edge.rule], widths)))


def branches(count: int) -> list[str]:
    """What leads from one to so many."""
    return ["────>"] if count == 1 else ["──┬─>", *["  ├─>"] * (count - 2), "  └─>"]


def ring(stop: dict) -> None:
    """Who called whom until a call was refused."""
    say(f"      {' ──> '.join(stop['callers'])} ──> {red(callee_of(stop))}")


def tree(calls: list[Call]) -> None:
    """Each call below the one that it was made for."""
    for call in calls:
        line = f"{'   ' * (call.hop - 1)}└─ {call.caller} ──> {call.callee}"
        came = f"{green(call.verdict)} {call.rule:<9} {call.outcome:<10} {call.ms:>4} ms"
        say(f"      {line:<38} {call.operation:<20} {came}")


def name(user: str) -> str:
    """As people say it."""
    return user.partition("@")[0].capitalize()
