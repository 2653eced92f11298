"""MCP byte by byte."""

from __future__ import annotations

import json

from ..gateway import Response
from ..wire import SECONDS, Exchange, Header
from ..wire import Wire as Bytes
from .servers import MODERN

META = "io.modelcontextprotocol/"


class Wire(Bytes):
    """An MCP server at a port and path, spoken to byte by byte."""

    def __init__(self, port: int, path: str = "/mcp", authority: str | None = None, seconds: float = SECONDS):
        super().__init__(port, path, authority, seconds)

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
