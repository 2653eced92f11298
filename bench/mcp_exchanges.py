"""What is asked of an MCP server and what it answers: calls of a tool in both eras, small and large results, a list."""

from __future__ import annotations

import json
from dataclasses import replace

from exchanges import Case, prose
from harness.mcp import bearer
from harness.mcp.wire import basic, legacy, meta, modern, rpc

PATH = "/crm/mcp"
REVISION = "2025-11-25"
SESSION = "6f1c3a52-93b8-4d07-8a41-5e2b7c9d0f36"
TOOL = "search"
TOOLS = 50
LARGE = 1_000_000
# The field that none of the cases has, so that no rule of the policy denies them.
ARGUMENTS = {"query": "Ada Lovelace", "limit": 10, "fields": ["name", "email", "orders"]}


def cases() -> list[Case]:
    """All of them; the first two are those that the goal is about."""
    params = {"name": TOOL, "arguments": ARGUMENTS}
    call = rpc("tools/call", params | {"_meta": meta()})
    calls = {
        "call": "call",
        "call, answer as an event": "call-event",
        "call, 1 MB of JSON": "large",
        "call, 1 MB as an event": "large-event",
    }
    made = [_case(name, call, dict(modern("tools/call", TOOL)), answer) for name, answer in calls.items()]
    in_session = _case("call in a session", rpc("tools/call", params), dict(legacy(REVISION, SESSION)), "call")
    listed = _case(f"list of {TOOLS} tools", rpc("tools/list", {"_meta": meta()}), dict(modern("tools/list")), "list")
    return [made[0], in_session, *made[1:], listed]


def opening() -> Case:
    """What opens a session."""
    client = {"name": "bench", "version": "1"}
    params = {"protocolVersion": REVISION, "capabilities": {}, "clientInfo": client}
    return _case("initialize", rpc("initialize", params), dict(basic()), "initialize")


def within(case: Case, session: str) -> Case:
    """The same in a session that was opened, if it is in one."""
    name = "mcp-session-id"
    return replace(case, headers=case.headers | {name: session}) if name in case.headers else case


def answers() -> dict[str, tuple[str, bytes]]:
    """By the name that the client asks for in its `user-agent`: media type and body."""
    small, large = (_result({"content": [{"type": "text", "text": text}], "isError": False}) for text in _texts())
    info = {"name": "bench", "version": "1"}
    opened = {"protocolVersion": REVISION, "capabilities": {"tools": {}}, "serverInfo": info}
    listed = {"tools": [_tool(number) for number in range(TOOLS)], "ttlMs": 60_000, "cacheScope": "public"}
    return {
        "call": (JSON, small),
        "call-event": (EVENTS, _event(small)),
        "large": (JSON, large),
        "large-event": (EVENTS, _event(large)),
        "list": (JSON, _result(listed)),
        "initialize": (JSON, _result(opened)),
    }


JSON, EVENTS = "application/json", "text/event-stream"


def _case(name: str, body: bytes, headers: dict[str, str], answer: str) -> Case:
    return Case(name, PATH, body, headers | bearer("support") | {"user-agent": answer}, ends=(b'"result"',))


def _texts() -> tuple[str, str]:
    return prose(300), "".join(prose(1_000, seed).ljust(1_000) for seed in range(LARGE // 1_000))


def _result(result: dict) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": 1, "result": {"resultType": "complete"} | result}).encode()


def _event(message: bytes) -> bytes:
    return b"event: message\ndata: " + message + b"\n\n"


def _tool(number: int) -> dict:
    text = {"type": "string", "description": prose(60, number)}
    schema = {"type": "object", "properties": {"query": text, "limit": {"type": "integer"}}, "required": ["query"]}
    return {"name": f"search_{number}", "description": prose(200, number), "inputSchema": schema}
