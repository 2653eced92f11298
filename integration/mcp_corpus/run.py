"""Makes an attempt and tells what became of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from harness import http2
from harness.gateway import Response
from harness.mcp.wire import Wire

from .attack import LEGACY, REVISION, Attempt


@dataclass(frozen=True)
class Outcome:
    """What became of an attempt."""

    answer: Response | None
    """None where the connection was closed without one."""
    ran: bool
    """What must not run did."""

    def __str__(self) -> str:
        return "ran" if self.ran else str(self.answer.status if self.answer else "closed")


class Watched(Protocol):
    """A server that tells what it ran."""

    def ran(self) -> list[dict]:
        """The calls of tools since the last `forget`."""

    def forget(self) -> None:
        """As new."""


def attempt(made: Attempt, wire: Wire, session: str, server: Watched) -> Outcome:
    """Sends it to a server, or to what is in front of it."""
    return _outcome(made, server, lambda: wire.send(made.exchange(session, wire.path)))


def attempt_http2(made: Attempt, port: int, path: str, session: str, server: Watched) -> Outcome:
    """The same over HTTP/2, trailers and all, to what is in front of a server."""
    exchange = made.exchange(session, path)
    send = (
        partial(http2.post_with_trailers, trailers=list(made.attack.trailers)) if made.attack.trailers else http2.post
    )
    return _outcome(made, server, lambda: send(port, exchange.path, exchange.headers, exchange.body))


def _outcome(made: Attempt, server: Watched, send: Callable[[], Response]) -> Outcome:
    server.forget()
    try:
        answer = send()
    except (OSError, EOFError):
        answer = None
    return Outcome(answer, any(call["tool"] == made.attack.tool for call in server.ran()))


def open_session(made: Attempt, wire: Wire) -> str:
    """A session for an attempt of the era with sessions."""
    return wire.open_session(REVISION) if made.era == LEGACY else ""
