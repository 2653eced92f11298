"""The same by another version, binding, path or tenant; what is beside A2A; what is too much."""

from __future__ import annotations

import json

from harness.a2a.wire import message

from ..attack import Attack, Right
from .requests import REST, VERSIONS, call, each, evil, send, sent

PLAIN = [
    *each("A13", "plain", evil, Right.DENIED),
    *(
        Attack("A13", "plain-http", Right.DENIED, "cancel", "{}", version, path=f"{REST[version]}/tasks/$task:cancel")
        for version in VERSIONS
    ),
]

CONFUSED = [
    Attack(
        "A12", "header-0.3-method-1.0", Right.VERSION, "cancel", evil("CancelTask"), headers={"a2a-version": ["0.3"]}
    ),
    Attack("A12", "no-header-method-1.0", Right.VERSION, "cancel", evil("CancelTask"), headers={"a2a-version": []}),
    Attack(
        "A12", "empty-header-method-1.0", Right.VERSION, "cancel", evil("CancelTask"), headers={"a2a-version": [""]}
    ),
    Attack(
        "A12",
        "header-1.0-method-0.3",
        Right.VERSION,
        "cancel",
        evil("tasks/cancel"),
        "0.3",
        headers={"a2a-version": ["1.0"]},
    ),
    Attack("A12", "header-1.7", Right.VERSION, "cancel", evil("CancelTask"), headers={"a2a-version": ["1.7"]}),
    Attack(
        "A12", "header-1.0-with-letters", Right.VERSION, "cancel", evil("CancelTask"), headers={"a2a-version": ["v1.0"]}
    ),
    Attack("A12", "header-99", Right.VERSION, "cancel", evil("CancelTask"), headers={"a2a-version": ["99.0"]}),
    Attack("A12", "header-twice", Right.UNPARSEABLE, "cancel", evil("CancelTask"), headers={"a2a-version": ["0.3", "1.0"]}),
    Attack("A12", "header-list", Right.VERSION, "cancel", evil("CancelTask"), headers={"a2a-version": ["1.0, 0.3"]}),
    Attack("A12", "query-0.3", Right.VERSION, "cancel", evil("CancelTask"), path="?A2A-Version=0.3"),
    Attack(
        "A12",
        "query-1.0",
        Right.DENIED,
        "cancel",
        evil("CancelTask"),
        path="?A2A-Version=1.0",
        headers={"a2a-version": []},
    ),
    Attack("A12", "query-twice", Right.UNPARSEABLE, "cancel", evil("CancelTask"), path="?A2A-Version=1.0&a2a-version=0.3"),
    Attack(
        "A12",
        "http-0.3-path-header-1.0",
        Right.VERSION,
        "cancel",
        "{}",
        "0.3",
        path="/v1/tasks/$task:cancel",
        headers={"a2a-version": ["1.0"]},
    ),
    Attack(
        "A12",
        "http-1.0-path-header-0.3",
        Right.VERSION,
        "cancel",
        "{}",
        path="/tasks/$task:cancel",
        headers={"a2a-version": ["0.3"]},
    ),
]

BINDINGS = [
    Attack("A13", "rpc-at-http-path", Right.NO_AGENT, "cancel", evil("CancelTask"), path="/tasks"),
    Attack("A13", "http-body-at-rpc-path", Right.UNPARSEABLE, "send", json.dumps(message("say hi"))),
    Attack(
        "A13",
        "http-cancel-with-rpc-body",
        Right.INVALID,
        "cancel",
        call("GetTask", '"id": "$task"'),
        path="/tasks/$task:cancel",
    ),
    Attack(
        "A13",
        "http-cancel-body-of-another",
        Right.INVALID,
        "cancel",
        '{"name": "tasks/mine"}',
        "0.3",
        path="/v1/tasks/$task:cancel",
    ),
    Attack("A13", "http-cancel-by-get", Right.NO_AGENT, "cancel", method="GET", path="/tasks/$task:cancel"),
    Attack(
        "A13",
        "method-override",
        Right.INVALID,
        "cancel",
        "{}",
        path="/tasks/$task:cancel",
        headers={"x-http-method-override": ["GET"]},
    ),
    Attack(
        "A13",
        "grpc",
        Right.NO_GRPC,
        "cancel",
        b"\0\0\0\0\0",
        headers={"content-type": ["application/grpc"], "te": ["trailers"]},
        path="/lf.a2a.v1.A2AService/CancelTask",
        authority="billing.example",
    ),
    Attack(
        "A13",
        "grpc-web",
        Right.MEDIA,
        "cancel",
        b"\0\0\0\0\0",
        headers={"content-type": ["application/grpc-web"]},
        path="/lf.a2a.v1.A2AService/CancelTask",
        authority="billing.example",
    ),
]

PATHS = [
    *(
        Attack("A14", name, right, "cancel", "{}", path=path)
        for name, right, path in [
            ("colon-encoded", Right.INVALID, "/tasks/$task%3Acancel"),
            ("verb-encoded", Right.DENIED, "/tasks/$task:%63ancel"),
            ("dots", Right.DENIED, "/message:send/../tasks/$task:cancel"),
            ("dots-encoded", Right.DENIED, "/message:send/%2e%2e/tasks/$task:cancel"),
            ("double-slash", Right.DENIED, "//tasks//$task:cancel"),
            ("slash-encoded", Right.NOT_HTTP, "/tasks%2F$task:cancel"),
            ("slash-in-task", Right.NOT_HTTP, "/tasks/x%2F..%2F$task:cancel"),
            ("backslash", Right.DENIED, "/tasks\\$task:cancel"),
            ("semicolon", Right.NO_AGENT, "/tasks;x=1/$task:cancel"),
            ("trailing-slash", Right.NO_AGENT, "/tasks/$task:cancel/"),
            ("capitals", Right.NO_AGENT, "/TASKS/$task:cancel"),
            ("fragment", Right.NOT_HTTP, "/tasks/$task:cancel#x"),
            ("question-encoded", Right.NO_AGENT, "/tasks/$task:cancel%3Fx"),
            ("line-break-in-task", Right.NO_AGENT, "/tasks/x%0d%0ay:cancel"),
            ("task-of-8-kib", Right.NO_AGENT, f"/tasks/{'x' * 8192}:cancel"),
        ]
    ),
    Attack("A14", "prefix-of-another", Right.NO_AGENT, "said result", evil("CancelTask"), path="x"),
    Attack("A14", "side-entrance", Right.NO_AGENT, "said [", method="GET", path="/test"),
]

TENANTS = [
    Attack("A15", "in-path", Right.DENIED, "cancel", "{}", path="/acme/tasks/$task:cancel"),
    Attack("A15", "in-path-twice", Right.NO_AGENT, "cancel", "{}", path="/acme/acme/tasks/$task:cancel"),
    Attack("A15", "in-path-named-v1", Right.VERSION, "cancel", "{}", path="/v1/tasks/$task:cancel"),
    Attack(
        "A15",
        "in-body",
        Right.DENIED,
        "text other-tenant",
        sent("1.0").replace('"params": {', '"params": {"tenant": "other-tenant", '),
    ),
    Attack(
        "A15",
        "path-and-body",
        Right.INVALID,
        "text other-tenant",
        json.dumps({"tenant": "other-tenant"} | message("say hi")),
        path="/acme/message:send",
    ),
    Attack("A15", "in-query", Right.INVALID, "text other-tenant", method="GET", path="/tasks?tenant=other-tenant"),
]

EXTENSIONS = [
    send("A16", "unknown", Right.DENIED, "send", headers={"a2a-extensions": ["https://evil.example/x"]}),
    send(
        "A16", "unknown-in-0.3", Right.DENIED, "send", "0.3", headers={"x-a2a-extensions": ["https://evil.example/x"]}
    ),
    send(
        "A16",
        "unknown-twice",
        Right.DENIED,
        "send",
        headers={"a2a-extensions": ["https://good.example/x", "https://evil.example/x"]},
    ),
    Attack("A16", "unknown-in-message", Right.DENIED, "send", sent("1.0", extensions=["https://evil.example/x"])),
    Attack("A16", "method", Right.DENIED, "said result", call("traceability/get", "")),
    Attack("A16", "method-of-rpc", Right.DENIED, "said result", call("rpc.discover", "")),
]

EXHAUSTION = [
    Attack("A18", "history-of-everything", Right.INVALID, "times 999", call("ListTasks", '"pageSize": 2147483647')),
    Attack("A18", "references-10000", Right.INVALID, "send", sent("1.0", referenceTaskIds=["x"] * 10000)),
    Attack("A18", "headers-of-50-kib", Right.ALLOWED, "times 999", sent("1.0"), headers={"x-much": ["x" * 50_000]}),
]

AUDIT = [
    Attack("A19", "line-break-in-context", Right.INVALID, "send", sent("1.0", contextId='x\n{"decision": "allowed"}')),
    Attack("A19", "line-break-in-method", Right.UNPARSEABLE, "said result", call('x\\n{\\"decision\\": 1}', "")),
    Attack("A19", "context-of-64-kib", Right.INVALID, "send", sent("1.0", contextId="x" * 65536)),
    Attack("A19", "control-in-task", Right.INVALID, "get", call("GetTask", '"id": "x\\u0000y"')),
]
