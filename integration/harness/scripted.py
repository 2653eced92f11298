"""A server below HTTP libraries: it keeps every byte, and what it answers can be scripted to the byte."""

from __future__ import annotations

import gzip
import json
import socketserver
import threading
import time
import zlib
from collections import deque
from contextlib import suppress
from dataclasses import dataclass

from providers.raw import ThreadedServer

DECODERS = {"gzip": gzip.decompress, "deflate": zlib.decompress}


@dataclass
class Received:
    """A request, byte for byte."""

    head: bytes
    body: bytes

    @property
    def line(self) -> bytes:
        """The request line."""
        return self.head.split(b"\r\n", 1)[0]

    def values(self, name: str) -> list[str]:
        """All values of a header."""
        fields = [line.partition(b":") for line in self.head.split(b"\r\n")[1:]]
        return [value.strip().decode("latin-1") for key, _, value in fields if key.lower() == name.encode()]


@dataclass(frozen=True)
class Answer:
    """Bytes to send in pieces, with a rest before each; `hold` keeps the connection open after the last."""

    pieces: list[bytes]
    rest: float = 0
    hold: float = 0


class ScriptedServer(ThreadedServer):
    """`then` scripts answers, one per request, and after them all is ordinary again."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self._ran: list[dict] = []
        self.hung_up = threading.Event()
        """The other side closed a connection that an answer held open."""
        self._answers: deque[Answer] = deque()
        server = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                server._talk(self.request)

        super().__init__(Handler)

    def ran(self) -> list[dict]:
        """What it did since the last `forget`, as servers on SDKs tell it."""
        return list(self._ran)

    def forget(self) -> None:
        """As new."""
        self.received.clear()
        self._ran.clear()
        self._answers.clear()
        self.hung_up.clear()

    def then(self, *answers: Answer) -> None:
        """The next requests are answered so, one each; their bodies run all the same."""
        self._answers.extend(answers)

    def _talk(self, connection) -> None:
        reader = connection.makefile("rb")
        try:
            while (request := _read(reader)) is not None:
                self.received.append(request)
                answer = self._answer(request)
                if self._answers:
                    answer = self._answers.popleft()
                for piece in answer.pieces:
                    time.sleep(answer.rest)
                    connection.sendall(piece)
                if answer.hold:
                    connection.settimeout(answer.hold)
                    if connection.recv(1) == b"":
                        self.hung_up.set()
                    return
        except OSError:
            self.hung_up.set()

    def _answer(self, request: Received) -> Answer:
        """What is ordinary."""
        raise NotImplementedError


# Answers to script.


def response(
    body: bytes, content_type: str = "application/json", status: str = "200 OK", headers: tuple[str, ...] = ()
) -> bytes:
    """An answer with a length; `headers` are whole lines."""
    lines = [f"HTTP/1.1 {status}", *([f"content-type: {content_type}"] if body else []), *headers]
    return "\r\n".join([*lines, f"content-length: {len(body)}", "", ""]).encode("latin-1") + body


def plain(body: bytes | dict | list, content_type: str = "application/json", headers: tuple[str, ...] = ()) -> Answer:
    """One body, as it is."""
    return Answer([response(_bytes(body), content_type, headers=headers)])


def gzipped(body: bytes | dict, content_type: str = "application/json") -> Answer:
    """One body, compressed although nobody may have asked for it."""
    return plain(gzip.compress(_bytes(body)), content_type, ("content-encoding: gzip",))


def events(*messages: bytes | dict, end: bytes = b"\n", before: bytes = b"", **answer: float) -> Answer:
    """A stream of events, one piece each; bytes are written as they are, `before` comes first of all."""
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    written = [one if isinstance(one, bytes) else b"data: " + _bytes(one) + end + end for one in messages]
    pieces = [_chunk(before + written[0]), *map(_chunk, written[1:])] if written else []
    return Answer([head, *pieces, *([] if answer.get("hold") else [b"0\r\n\r\n"])], **answer)


def _bytes(body: bytes | dict | list) -> bytes:
    return body if isinstance(body, bytes) else json.dumps(body).encode()


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


# Requests, as forgiving as can be.


def understood(request: Received) -> object:
    """Whatever a forgiving reader can make of the body."""
    body = request.body
    for encoding in request.values("content-encoding"):
        with suppress(KeyError, OSError, zlib.error):
            body = DECODERS[encoding.lower()](body)
    for charset in (json.detect_encoding(body), "utf-8-sig", "latin-1"):
        try:
            return json.loads(body.decode(charset, "surrogatepass"))
        except (ValueError, RecursionError):
            continue
    return None



def _read(reader) -> Received | None:
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        line = reader.readline()
        if not line:
            return None
        head += line
    request = Received(head[:-4], b"")
    if any("chunked" in value.lower() for value in request.values("transfer-encoding")):
        try:
            request.body = _dechunked(reader)
        except ValueError:
            return None  # it was broken off
    elif lengths := request.values("content-length"):
        request.body = reader.read(int(lengths[-1]))
    return request


def _dechunked(reader) -> bytes:
    body = b""
    while size := int(reader.readline().split(b";")[0], 16):
        body += reader.read(size)
        reader.readline()
    while reader.readline().strip():
        pass
    return body
