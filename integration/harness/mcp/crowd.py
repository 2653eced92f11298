"""Many agents: every kind of request, each from another agent, in another session, with other arguments."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from ..answering import answering
from ..bootstrap import key_hash
from .wire import Header, basic, legacy, meta, modern, rpc

REVISION = "2025-11-25"
PATH = "/crm/mcp"
AGENTS = 500
TOOLS = 20
THREADS = 4
# As many requests as one visit makes.
REQUESTS = 10

RULES = [
    {"deny": {"tools": ["*.drop_*"], "reason": "nobody drops tables here"}},
    {"confirm": {"tools": ["*.delete_*"], "by": "approver", "approvers": {"teams": ["dba"]}}},
    {"allow": {"tools": ["*"]}},
    {"allow": {"methods": ["*"]}},
]
LIMITS = [
    {"name": "calls", "per": ["agent", "tool"], "calls": 10**9, "every": "minute", "burst": 10**9},
    {"name": "sessions", "per": ["session"], "calls": 10**9, "every": "hour"},
    {"name": "bytes", "per": ["team"], "result_bytes": 10**12, "every": "day"},
    {"name": "at-once", "per": ["user"], "concurrent": 10**6},
]
RUNAWAY = {"repeats": {"times": 5, "within": "1m"}, "errors": {"streak": 5, "rest": "1s"}}


def parts() -> dict[str, object]:
    """Of the gate's configuration, but for its servers."""
    return {"keys": [_key(number) for number in range(AGENTS)], "rules": RULES, "limits": LIMITS, "runaway": RUNAWAY}


def server() -> dict:
    """The config of an Envoy that answers all of this by itself: what is asked for is in `user-agent`."""
    return answering(list(_routes()))


def visit(port: int, count: int, first: int = 0) -> None:
    """About `count` requests; `first` is the number of the first visitor, of which each does other things."""
    visitors = range(first, first + count // REQUESTS)
    with ThreadPoolExecutor(THREADS) as pool:
        for done in [pool.submit(_visits, port, visitors[start::THREADS]) for start in range(THREADS)]:
            done.result()


def _visits(port: int, visitors: range) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    for number in visitors:
        _Visitor(connection, number).come()
    connection.close()


class _Visitor:
    def __init__(self, connection: http.client.HTTPConnection, number: int):
        self._connection, self._number = connection, number

    def come(self) -> None:
        """In both eras: what goes well and what does not."""
        search = f"search_{self._number % TOOLS}"
        self._modern("tools/list", None, "list", 200)
        self._modern("tools/call", search, "call", 200)
        self._modern("tools/call", search, "fails", 200)
        self._modern("tools/call", "drop_table", "call", 200)
        self._modern("tools/call", "delete_row", "call", 200)
        self._send("POST", basic(), b'{"jsonrpc":', "call", 400)
        client = {"protocolVersion": REVISION, "capabilities": {}, "clientInfo": {"name": "crowd", "version": "1"}}
        session = self._send("POST", basic(), rpc("initialize", client), "initialize", 200)
        call = rpc("tools/call", {"name": search, "arguments": self._arguments()})
        self._send("POST", legacy(REVISION, session), call, "call", 200)
        self._send("DELETE", legacy(REVISION, session), b"", "call", 200)
        self._send("POST", legacy(REVISION, "nobody's"), call, "call", 404)

    def _arguments(self) -> dict:
        return {"query": f"customer {self._number}"}

    def _modern(self, method: str, name: str | None, answer: str, status: int) -> None:
        params = {"_meta": meta()} | ({} if name is None else {"name": name, "arguments": self._arguments()})
        self._send("POST", modern(method, name), rpc(method, params), answer, status)

    def _send(self, method: str, headers: list[Header], body: bytes, answer: str, status: int) -> str | None:
        """The session of the answer."""
        own = {"authorization": f"Bearer {_secret(self._number % AGENTS)}", "user-agent": answer}
        self._connection.request(method, PATH, body, dict(headers) | own)
        response = self._connection.getresponse()
        said = response.read()
        assert response.status == status, f"{method} for {answer}: {response.status} {said!r}"
        return response.getheader("mcp-session-id")


def _secret(number: int) -> str:
    return f"tg_agent-{number}_0123456789abcdef0123456789abcdef"


def _key(number: int) -> dict:
    subject = {"team": f"team-{number % 20}", "user": f"user-{number % 50}@example.org", "agent": f"agent-{number}"}
    return {"id": f"agent-{number}", "sha256": [key_hash(_secret(number))], "subject": subject}


def _routes() -> Iterator[dict]:
    tools = [{"name": f"search_{number}", "inputSchema": {"type": "object"}} for number in range(TOOLS)]
    text = {"content": [{"type": "text", "text": "found"}]}
    opened = {"protocolVersion": REVISION, "capabilities": {}, "serverInfo": {"name": "crowd", "version": "1"}}
    results = {"list": {"tools": tools}, "call": text, "fails": text | {"isError": True}, "initialize": opened}
    for name, result in results.items():
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "result": {"resultType": "complete"} | result})
        # Another session each time.
        session = {"mcp-session-id": "%REQ(X-REQUEST-ID)%"} if name == "initialize" else {}
        headers = {"content-type": "application/json"} | session
        yield {
            "match": {"prefix": "/", "headers": [{"name": "user-agent", "string_match": {"exact": name}}]},
            "direct_response": {"status": 200, "body": {"inline_string": body}},
            "response_headers_to_add": [
                {"header": {"key": key, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
                for key, value in headers.items()
            ],
        }
