"""What can go wrong at a provider, one class per fault.

A fault changes what the model says (`on_reply`) or what goes over the wire (`on_answer`); the provider's own dialect
gives it the error bodies. Faults that a test gives as a tuple are applied to one request, one after the other.
"""

from __future__ import annotations

import gzip
import json
import math
import threading
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol

from .model import Reply

Headers = list[tuple[str, str]]
ErrorKind = Literal["rate_limit", "overloaded", "server", "invalid_request"]


@dataclass
class Answer:
    """One answer on its way to the wire: a part per event of a stream, or one part that is the JSON body."""

    status: int
    headers: Headers
    parts: list[bytes]
    stream: bool = False
    pause_before_headers: float = 0
    pauses: dict[int, float] = field(default_factory=dict)
    """Seconds to wait before part k."""
    turns: threading.Semaphore | None = None
    """Taken before each part."""
    ending: Literal["complete", "reset", "reset_before_headers"] = "complete"


class Dialect(Protocol):
    """What a fault asks of the provider's wire format."""

    def error(self, status: int) -> tuple[Headers, bytes]:
        """Headers and body of an error answer."""

    def error_object(self, kind: ErrorKind) -> dict:
        """The error object that stands in a body or an event."""

    def error_event(self, kind: ErrorKind, after: int) -> bytes:
        """An error as an event of a stream, after so many events."""

    def ping(self) -> bytes:
        """What keeps a silent stream alive."""

    def events_before_pings(self) -> int:
        """How many events come before the first ping."""


class Fault:
    """No fault: leaves everything as it is."""

    def on_reply(self, reply: Reply) -> Reply:
        """Changes what the model says."""
        return reply

    def on_answer(self, answer: Answer, dialect: Dialect) -> Answer:
        """Changes what goes over the wire."""
        del dialect
        return answer


@dataclass(frozen=True)
class Status(Fault):
    """An error status with the provider's real body for it."""

    code: int
    retry_after: int | None = None

    def on_answer(self, answer: Answer, dialect: Dialect) -> Answer:
        headers, body = dialect.error(self.code)
        if self.retry_after is not None:
            headers = [(k, v) for k, v in headers if k != "retry-after"] + [("retry-after", str(self.retry_after))]
        return Answer(self.code, headers, [body])


@dataclass(frozen=True)
class Delay(Fault):
    """Slow: before the headers, before the first event, or before each event."""

    seconds: float
    before: Literal["headers", "first_event", "each_event"] = "headers"

    def on_answer(self, answer: Answer, dialect: Dialect) -> Answer:
        if self.before == "headers":
            return replace(answer, pause_before_headers=self.seconds)
        slow = range(1 if self.before == "first_event" else len(answer.parts))
        return replace(answer, pauses={**answer.pauses, **dict.fromkeys(slow, self.seconds)})


@dataclass(frozen=True)
class InTurns(Fault):
    """Each event waits until the test gives it its turn."""

    turns: threading.Semaphore

    def on_answer(self, answer: Answer, dialect: Dialect) -> Answer:
        return replace(answer, turns=self.turns)


@dataclass(frozen=True)
class Stall(Fault):
    """Half of the answer, then nothing for so many seconds, then the rest."""

    seconds: float

    def on_answer(self, answer: Answer, dialect: Dialect) -> Answer:
        body = b"".join(answer.parts)
        half = len(body) // 2
        return replace(answer, parts=[body[:half], body[half:]], pauses={1: self.seconds})


@dataclass(frozen=True)
class ErrorInStream(Fault):
    """A stream that begins with 200 and then says error, after `after_events` good events; it ends there."""

    kind: ErrorKind = "overloaded"
    after_events: int = 0

    def on_answer(self, answer: Answer, dialect: Dialect) -> Answer:
        event = dialect.error_event(self.kind, self.after_events)
        return replace(answer, parts=[*answer.parts[: self.after_events], event])


@dataclass(frozen=True)
class Cut(Fault):
    """Headers and `after_events` events, then the connection is reset, or the body ends as if all were said (`clean`).

    Of a JSON answer half the body is sent.
    """

    after_events: int
    clean: bool = False

    def on_answer(self, answer: Answer, dialect: Dialect) -> Answer:
        body = answer.parts[0]
        parts = answer.parts[: self.after_events] if answer.stream else [body[: len(body) // 2]]
        return replace(answer, parts=parts, ending="complete" if self.clean else "reset")


@dataclass(frozen=True)
class Reset(Fault):
    """The connection is reset before anything is answered."""

    def on_answer(self, answer: Answer, dialect: Dialect) -> Answer:
        return replace(answer, ending="reset_before_headers")


@dataclass(frozen=True)
class ByteByByte(Fault):
    """Every byte is a write and an HTTP chunk of its own."""

    def on_answer(self, answer: Answer, dialect: Dialect) -> Answer:
        return replace(answer, parts=[bytes([byte]) for part in answer.parts for byte in part])


@dataclass(frozen=True)
class OneChunk(Fault):
    """The whole stream in one write."""

    def on_answer(self, answer: Answer, dialect: Dialect) -> Answer:
        return replace(answer, parts=[b"".join(answer.parts)])


@dataclass(frozen=True)
class Gzip(Fault):
    """A compressed answer, asked for or not."""

    def on_answer(self, answer: Answer, dialect: Dialect) -> Answer:
        headers = answer.headers + [("content-encoding", "gzip")]
        return replace(answer, headers=headers, parts=[gzip.compress(b"".join(answer.parts))])


@dataclass(frozen=True)
class Huge(Fault):
    """An answer of at least `size` bytes; in a stream it is one event."""

    size: int

    def on_reply(self, reply: Reply) -> Reply:
        return replace(reply, text="x" * self.size)


@dataclass(frozen=True)
class PingsOnly(Fault):
    """Nothing but signs of life for so many seconds; then the answer."""

    seconds: float
    every: float = 0.1

    def on_answer(self, answer: Answer, dialect: Dialect) -> Answer:
        first, count = dialect.events_before_pings(), math.ceil(self.seconds / self.every)
        parts = answer.parts[:first] + [dialect.ping()] * count + answer.parts[first:]
        return replace(answer, parts=parts, pauses={first + n: self.every for n in range(count)})


@dataclass(frozen=True)
class EmptyOk(Fault):
    """200 and no body."""

    def on_answer(self, answer: Answer, dialect: Dialect) -> Answer:
        return replace(answer, parts=[])


@dataclass(frozen=True)
class NotJson(Fault):
    """200 and a page of some proxy in between."""

    def on_answer(self, answer: Answer, dialect: Dialect) -> Answer:
        return Answer(200, answer.headers, [b"<html><body>Welcome to nginx!</body></html>"])


@dataclass(frozen=True)
class Body(Fault):
    """200 and this, as JSON."""

    text: str

    def on_answer(self, answer: Answer, dialect: Dialect) -> Answer:
        return Answer(200, answer.headers, [self.text.encode()])


@dataclass(frozen=True)
class ErrorIn200(Fault):
    """200 and an error object for a body, also where a stream was asked for."""

    kind: ErrorKind = "server"

    def on_answer(self, answer: Answer, dialect: Dialect) -> Answer:
        headers = [(k, v) for k, v in answer.headers if k != "content-type"] + [("content-type", "application/json")]
        return Answer(200, headers, [json.dumps(dialect.error_object(self.kind)).encode()])
