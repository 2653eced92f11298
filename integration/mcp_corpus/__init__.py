"""Requests that try to run a forbidden tool past a filter, and what a filter that is right answers to each.

`attacks.py` has them, by the trick they use; `corpus()` gives each in every era it exists in. They are made for a
policy that allows everything but `database.delete_row`. What the servers do to them without a filter is kept in
`direct.yaml`: what has `ran` there is what a filter is for.
"""

from .attack import LEGACY, MODERN_ERA, Attack, Attempt, Right
from .attacks import ATTACKS, CONTROLS, HTTP2
from .run import Outcome, attempt, attempt_http2, open_session

__all__ = [
    "ATTACKS",
    "CONTROLS",
    "HTTP2",
    "LEGACY",
    "MODERN_ERA",
    "Attack",
    "Attempt",
    "Outcome",
    "Right",
    "attempt",
    "attempt_http2",
    "controls",
    "corpus",
    "open_session",
]


def corpus(attacks: list[Attack] = ATTACKS) -> list[Attempt]:
    """Every attack in every era it exists in."""
    return [Attempt(attack, era) for attack in attacks for era in attack.eras]


def controls() -> list[Attempt]:
    """Calls in odd shapes that must go through."""
    return corpus(CONTROLS)
