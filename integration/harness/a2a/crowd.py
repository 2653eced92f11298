"""Many agents that call one: each for other users, in other contexts, about other tasks."""

from __future__ import annotations

import http.client
import json
from concurrent.futures import ThreadPoolExecutor

from ..answering import answering
from .people import People
from .wire import basic, message, rpc

AGENTS = 500
USERS = 50
SKILLS = 20
THREADS = 4
# As many requests as one visit makes.
REQUESTS = 10

RULES = [{"deny": {"callees": ["billing"]}}, {"allow": {"callees": ["*"]}}]
LIMITS = [
    {"name": "edge", "per": ["agent", "callee"], "requests": 10**9, "every": "minute", "burst": 10**9},
    {"name": "messages", "per": ["user", "skill"], "messages": 10**9, "every": "hour"},
    {"name": "bytes", "per": ["agent"], "result_bytes": 10**12, "every": "day"},
    {"name": "streams", "per": ["agent", "callee"], "streams": 10**6},
]
AGENTS_CALLED = {
    # What stands for it cannot answer in the context that it is asked in.
    "planner": {"path": "/agents/planner", "conversations": "table"},
    "billing": {"path": "/agents/billing"},
}
# Who calls is in the token alone: a crowd of certificates would be one of connections.
IDENTITY = {
    "any_of": [["jwt"]],
    "jwt": {
        "payload": "jwt_payload",
        "claims": {"user": "sub", "tier": "tier"},
        "require": ["user"],
        "actor": {"claims": ["act.sub"]},
    },
}


def parts() -> dict[str, object]:
    """Of the gate's configuration."""
    return {"agents": AGENTS_CALLED, "rules": RULES, "limits": LIMITS, "identity": IDENTITY}


def agent() -> dict:
    """The config of an Envoy that answers all of this by itself: what is asked for is in `user-agent`. Each answer is about
    another task and context."""
    told = {"messageId": "m-2", "contextId": CONTEXT, "role": "ROLE_AGENT", "parts": [{"text": "done"}]}
    task = {"id": "task-%REQ(X-REQUEST-ID)%", "contextId": CONTEXT, "status": {"state": "TASK_STATE_COMPLETED"}}
    old = task | {"kind": "task", "status": {"state": "completed"}}
    events = [{"task": task}, {"statusUpdate": {"taskId": task["id"], "contextId": CONTEXT, "status": task["status"]}}]
    unknown = {"jsonrpc": "2.0", "id": 1, "error": {"code": -32001, "message": "none"}}
    answers = {
        "message": ("application/json", _result({"message": told})),
        "task": ("application/json", _result({"task": task})),
        "old": ("application/json", _result(old)),
        "http": ("application/json", json.dumps({"task": task})),
        "unknown": ("application/json", json.dumps(unknown)),
        "stream": ("text/event-stream", "".join(f"data: {_result(event)}\n\n" for event in events)),
    }
    mappers = [
        {
            "filter": {"header_filter": {"header": _named(name)}},
            "body_format_override": {"text_format_source": {"inline_string": body}, "content_type": media},
        }
        for name, (media, body) in answers.items()
    ]
    routes = [{"match": {"prefix": "/"}, "direct_response": {"status": 200, "body": {"inline_string": "{}"}}}]
    return answering(routes, local_reply_config={"mappers": mappers})


CONTEXT = "context-%REQ(X-REQUEST-ID)%"


def visit(port: int, people: People, count: int, first: int = 0) -> None:
    """About `count` requests; `first` is the number of the first visitor, of which each says other things."""
    tokens = [_token(people, number) for number in range(AGENTS)]
    visitors = range(first, first + count // REQUESTS)
    with ThreadPoolExecutor(THREADS) as pool:
        for done in [pool.submit(_visits, port, people, tokens, visitors[start::THREADS]) for start in range(THREADS)]:
            done.result()


def _token(people: People, number: int) -> str:
    user = f"user-{number % USERS}@example.org"
    return people.token(user, act={"sub": f"agent-{number}"}, tier=("free", "gold")[number % 2])


def _visits(port: int, people: People, tokens: list[str], visitors: range) -> None:
    connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=10, context=people.tls())
    for number in visitors:
        _Visitor(connection, number, tokens[number % AGENTS]).come()
    connection.close()


class _Visitor:
    def __init__(self, connection: http.client.HTTPSConnection, number: int, token: str):
        self._connection, self._number, self._token = connection, number, token

    def come(self) -> None:
        """In all ways: what goes well and what does not."""
        skill = {"metadata": {"skill": f"skill-{self._number % SKILLS}"}}
        said, old = message(self._text, **skill), message(self._text, "0.3", **skill)
        self._rpc("SendMessage", said, "message")
        self._rpc("SendMessage", said, "task")
        self._rpc("message/send", old, "old", version="0.3")
        self._rpc("SendStreamingMessage", said, "stream")
        self._rpc("SendMessage", said, "message", own={"x-tollgate-ticket": f"forged-{self._number}"})
        self._rpc("GetTask", {"id": f"task-{self._number}"}, "unknown")
        self._rpc("CancelTask", {"id": f"task-{self._number}"}, "unknown")
        self._rpc("SendMessage", said, "message", agent="billing", status=403)
        self._send("/agents/planner", b'{"jsonrpc":', "unknown", 200)
        self._send("/agents/planner/message:send", json.dumps(said).encode(), "http", 200)

    @property
    def _text(self) -> str:
        return f"journey {self._number}"

    def _rpc(self, method, params, answer, version="1.0", agent="planner", status=200, own=None) -> None:
        self._send(f"/agents/{agent}", rpc(method, params), answer, status, version, own or {})

    def _send(self, path, body, answer, status, version="1.0", own=None) -> None:
        headers = dict(basic(version)) | {"authorization": f"Bearer {self._token}", "user-agent": answer} | (own or {})
        self._connection.request("POST", path, body, headers)
        response = self._connection.getresponse()
        said = response.read()
        fails = answer == "unknown" or status != 200
        got = response.status, b'"error"' in said
        assert got == (status, fails), f"{path} for {answer}: {response.status} {said!r}"


def _result(result: dict) -> str:
    return json.dumps({"jsonrpc": "2.0", "id": 1, "result": result})


def _named(name: str) -> dict:
    return {"name": "user-agent", "string_match": {"exact": name}}
