"""Requests that try to get past an agent gateway, and what a filter that is right answers to each.

`attacks` has them by what they try, numbered as the threats in `CHAPTERS`. They are made for `POLICY`, for callers
with certificates and tokens of `harness.a2a.People`, and for a task that belongs to ada. What the agents do without a filter
is kept in `direct.yaml`: what has `ran` there is what a filter is for.
"""

from .attack import CHAPTERS, ELSEWHERE, POLICY, Attack, Right, Who
from .attacks import ATTACKS, CONTROLS
from .policy import protect
from .run import Outcome, Stage, attempt

__all__ = [
    "ATTACKS",
    "CHAPTERS",
    "CONTROLS",
    "ELSEWHERE",
    "POLICY",
    "Attack",
    "Outcome",
    "Right",
    "Stage",
    "Who",
    "attempt",
    "protect",
]
