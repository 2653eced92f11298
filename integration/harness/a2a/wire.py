"""A2A byte by byte."""

from __future__ import annotations

import json

from ..gateway import Response
from ..wire import Exchange, Header, Wire

__all__ = ["Exchange", "Header", "Wire", "basic", "message", "messages", "rpc"]


def rpc(method: str, params: dict | None = None, id: object = 1) -> bytes:
    """A JSON-RPC request as bytes, in the order that is written here."""
    body = {"jsonrpc": "2.0", "id": id, "method": method}
    return json.dumps(body if params is None else body | {"params": params}).encode()


def message(text: str, version: str = "1.0", **more: object) -> dict:
    """The params of a message in either version."""
    kind = {"kind": "message"} if version == "0.3" else {}
    part = {"text": text} if version == "1.0" else {"kind": "text", "text": text}
    role = "ROLE_USER" if version == "1.0" else "user"
    return {"message": {"messageId": "m-1", "role": role, "parts": [part]} | kind | more}


def basic(version: str | None = "1.0") -> list[Header]:
    """What every request has. 0.3 has no header of its own."""
    said = [("a2a-version", version)] if version is not None else []
    return [("content-type", "application/json"), ("accept", "application/json, text/event-stream"), *said]


def messages(answer: Response) -> list[dict]:
    """The JSON in an answer, plain or in events."""
    if "text/event-stream" not in (answer.header("content-type") or ""):
        return [json.loads(answer.body)] if answer.body.strip() else []
    data = [line[5:].strip() for line in answer.body.splitlines() if line.startswith(b"data:")]
    return [json.loads(line) for line in data if line]
