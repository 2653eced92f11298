"""A client below HTTP libraries: it sends exactly the bytes that it is told to."""

from __future__ import annotations

import http.client
import io
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ..gateway import Response
from .servers import MODERN

META = "io.modelcontextprotocol/"
SECONDS = 10

Header = tuple[str, str | bytes]


@dataclass(frozen=True)
class Exchange:
    """A request whose every byte is known: what is not here is not sent, but `Host` and a length if none is given."""

    headers: list[Header]
    body: bytes
    method: str = "POST"
    path: str | None = None
    """Instead of the server's own."""


class Wire:
    """A server at a port and path, spoken to byte by byte."""

    def __init__(self, port: int, path: str = "/mcp", authority: str | None = None, seconds: float = SECONDS):
        self.port, self.path, self.authority = port, path, authority or f"localhost:{port}"
        self.seconds = seconds

    def send(self, exchange: Exchange) -> Response:
        """Its answer; a stream is read until it ends or says nothing for a while."""
        with self.open(exchange) as answer:
            body = io.BytesIO()
            try:
                while piece := answer.read1(65536):
                    body.write(piece)
            except (TimeoutError, http.client.IncompleteRead):
                pass
            return Response(answer.status, answer.getheaders(), body.getvalue())

    @contextmanager
    def open(self, exchange: Exchange) -> Iterator[http.client.HTTPResponse]:
        """Its answer while it comes; leaving the block hangs up."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=self.seconds) as connection:
            connection.sendall(self.bytes(exchange))
            answer = http.client.HTTPResponse(connection, method=exchange.method)
            answer.begin()
            try:
                yield answer
            finally:
                answer.close()

    def bytes(self, exchange: Exchange) -> bytes:
        """What goes on the wire."""
        lines = [f"{exchange.method} {exchange.path or self.path} HTTP/1.1".encode()]
        names = {name.lower() for name, _ in exchange.headers}
        if "host" not in names:
            lines.append(f"host: {self.authority}".encode())
        lines += [name.encode("latin-1") + b": " + _raw(value) for name, value in exchange.headers]
        if not names & {"content-length", "transfer-encoding"}:
            lines.append(b"content-length: %d" % len(exchange.body))
        return b"\r\n".join(lines) + b"\r\n\r\n" + exchange.body

    def open_session(self, revision: str, headers: list[Header] | None = None, capabilities: dict | None = None) -> str:
        """Initializes as the revisions with sessions do and gives the session's id."""
        client = {"name": "wire", "version": "1"}
        params = {"protocolVersion": revision, "capabilities": capabilities or {}, "clientInfo": client}
        first = self.send(Exchange([*basic(), *(headers or [])], rpc("initialize", params, 0)))
        session = first.header("mcp-session-id")
        assert first.status == 200 and session, f"no session: {first.status} {first.body!r}"
        done = json.dumps({"jsonrpc": "2.0", "method": "notifications/initialized"}).encode()
        told = self.send(Exchange([*legacy(revision, session), *(headers or [])], done))
        assert told.status == 202, f"not initialized: {told.status} {told.body!r}"
        return session

    def close_session(self, revision: str, session: str) -> Response:
        """Ends it."""
        return self.send(Exchange(legacy(revision, session), b"", method="DELETE"))


def rpc(method: str, params: dict | None = None, id: object = 1) -> bytes:
    """A request as bytes, in the order that is written here."""
    body = {"jsonrpc": "2.0", "id": id, "method": method}
    return json.dumps(body if params is None else body | {"params": params}).encode()


def basic() -> list[Header]:
    """What every POST has."""
    return [("content-type", "application/json"), ("accept", "application/json, text/event-stream")]


def legacy(revision: str, session: str) -> list[Header]:
    """What a POST of a revision with sessions has."""
    return [*basic(), ("mcp-protocol-version", revision), ("mcp-session-id", session)]


def modern(method: str, name: str | None = None) -> list[Header]:
    """What a POST of 2026-07-28 has."""
    named = [("mcp-name", name)] if name is not None else []
    return [*basic(), ("mcp-protocol-version", MODERN), ("mcp-method", method), *named]


def meta(capabilities: dict | None = None, revision: str = MODERN) -> dict:
    """The `_meta` of a request of 2026-07-28."""
    return {f"{META}protocolVersion": revision, f"{META}clientCapabilities": capabilities or {}}


def messages(answer: Response) -> list[dict]:
    """The JSON-RPC messages in an answer, JSON or SSE."""
    if "text/event-stream" not in (answer.header("content-type") or ""):
        return [json.loads(answer.body)] if answer.body.strip() else []
    data = [line[5:].strip() for line in answer.body.splitlines() if line.startswith(b"data:")]
    return [json.loads(line) for line in data if line]


def _raw(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode()
