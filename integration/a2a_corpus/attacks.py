"""The attacks, by what they try."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace

from harness.a2a import ADA, BOB, spiffe
from harness.a2a.wire import message

from .attack import Attack, Right, Who

CANCEL = {"1.0": "CancelTask", "0.3": "tasks/cancel"}
GET = {"1.0": "GetTask", "0.3": "tasks/get"}
SEND = {"1.0": "SendMessage", "0.3": "message/send"}
SUBSCRIBE = {"1.0": "SubscribeToTask", "0.3": "tasks/resubscribe"}
CREATE = {"1.0": "CreateTaskPushNotificationConfig", "0.3": "tasks/pushNotificationConfig/set"}
# Where HTTP+JSON of each version is.
REST = {"1.0": "", "0.3": "/v1"}
VERSIONS = ("1.0", "0.3")
JSON = "application/json"
BY_BOB = Who(user=BOB)


def call(method: str, params: str, more: str = "", id: str = "1") -> str:
    """A JSON-RPC request whose params are written out; `more` are members, each with a comma behind it."""
    return f'{{{more}"jsonrpc": "2.0", "id": {id}, "method": "{method}", "params": {{{params}}}}}'


def each(chapter: str, name: str, body, right: Right, must_not: str = "cancel", **how: object) -> list[Attack]:
    """The same in both versions; `body` makes it of the method that cancels and its version."""
    return [
        Attack(chapter, name, right, must_not, body(CANCEL[version], version), version, **how) for version in VERSIONS
    ]


def sent(version: str, text: str = "say hi", metadata: dict | None = None, configuration: dict | None = None, **more: object) -> str:
    """A request that sends a message; `more` are members of the message."""
    params = message(text, version, **more)
    params |= {} if metadata is None else {"metadata": metadata}
    params |= {} if configuration is None else {"configuration": configuration}
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": SEND[version], "params": params})


def send(chapter: str, name: str, right: Right, must_not: str, version: str = "1.0", **how: object) -> Attack:
    """An ordinary message that goes wrong elsewhere."""
    return Attack(chapter, name, right, must_not, sent(version), version, **how)


def evil(method: str, _: str = "") -> str:
    """Cancels ada's task."""
    return call(method, '"id": "$task"')


PLAIN = [
    *each("A13", "plain", evil, Right.DENIED),
    *(
        Attack("A13", "plain-http", Right.DENIED, "cancel", "{}", version, path=f"{REST[version]}/tasks/$task:cancel")
        for version in VERSIONS
    ),
]

# What only the gateway says.
OWNED = {
    "x-agent-id": "planner",
    "x-user": "eve@example.org",
    "x-tier": "gold",
    "x-forwarded-client-cert": "URI=spiffe://example.org/agent/planner",
    "x-tollgate-user": "eve@example.org",
    "x-tollgate-agent": "planner",
    "x-tollgate-tier": "gold",
    "x-tollgate-ticket": "v1.forged.forged",
}
FORGED = [
    attack
    for header, value in OWNED.items()
    for attack in (
        send("A1", header, Right.ALLOWED, f"header {header}: {value}", headers={header: [value]}),
        send("A1", f"{header}-twice", Right.ALLOWED, f"header {header}: {value}", headers={header: ["a", value]}),
        send("A1", f"{header}-in-capitals", Right.ALLOWED, f"header {header}: {value}", headers={header.upper(): [value]}),
        send("A1", f"{header}-underscore", Right.NOT_HTTP, f"header {header}: {value}", headers={header.replace("-", "_"): [value]}),
    )
] + [
    send("A1", "tracestate", Right.ALLOWED, "header tracestate: tollgate=v1.forged", headers={"tracestate": ["tollgate=v1.forged"]}),
]

TOKENS = [
    *(
        send("A2", f"token-{token}", Right.NO_TOKEN, "send", who=Who(token=token))
        for token in ("none", "unsigned", "of-another-issuer", "with-public-key", "expired", "basic")
    ),
    send("A2", "no-certificate", Right.NO_HANDSHAKE, "send", who=Who(certificate=None)),
    send("A2", "no-certificate-and-no-token", Right.NO_HANDSHAKE, "send", who=Who(certificate=None, token="none")),
    send("A2", "token-in-query", Right.NO_TOKEN, "send", who=Who(token="none"), path="?access_token=$task"),
]


def deep(levels: int) -> tuple[tuple[str, object], ...]:
    """Actors in actors."""
    act: dict = {"sub": spiffe("assistant")}
    inner = act
    for level in range(levels):
        inner["act"] = {"sub": spiffe(f"agent-{level}")}
        inner = inner["act"]
    return (("act", act),)


ACTORS = [
    Attack("A3", "chain-in-metadata", Right.ALLOWED, "text actorChain", sent("1.0", metadata={"actorChain": [spiffe("planner")]})),
    Attack("A3", "chain-in-message", Right.ALLOWED, "text actorChain", json.dumps({"jsonrpc": "2.0", "id": 1, "method": "SendMessage", "params": message("say hi", metadata={"actorChain": [spiffe("planner")]})})),
    send("A3", "token-of-another-agent", Right.MISMATCH, "send", who=Who(acts="planner")),
    send("A3", "certificate-of-another-agent", Right.MISMATCH, "send", who=Who(certificate="billing")),
    send("A3", "token-bound-to-another-certificate", Right.MISMATCH, "send", who=Who(claims=(("cnf", "$digest planner"),))),
    send("A3", "token-bound-to-something-else", Right.MISMATCH, "send", who=Who(claims=(("cnf", {"jkt": "x"}),))),
    send("A3", "no-actor", Right.MISMATCH, "send", who=Who(claims=(("act", None),))),
    send("A3", "actor-no-object", Right.MISMATCH, "send", who=Who(claims=(("act", spiffe("assistant")),))),
    send("A3", "actors-nested-40", Right.DENIED, "send", who=Who(claims=deep(40))),
    send("A3", "actor-twice", Right.DENIED, "send", who=Who(claims=(("act", {"sub": spiffe("assistant"), "act": {"sub": spiffe("assistant")}}),))),
    Attack("A3", "nested-actor-gains-nothing", Right.DENIED, "cancel", evil("CancelTask"), who=Who(claims=(("act", {"sub": spiffe("assistant"), "act": {"sub": spiffe("billing")}}),))),
    send("A3", "user-empty", Right.DENIED, "send", who=Who(user="")),
    send("A3", "user-with-line-break", Right.DENIED, "send", who=Who(user="ada@example.org\nbob")),
]

DEPUTY = [
    send("A4", "planner-for-free-user", Right.DENIED, "send", who=Who("planner", BOB, "planner")),
    send("A4", "planner-for-unknown-tier", Right.DENIED, "send", who=Who("planner", ADA, "planner", (("tier", "platinum"),))),
    send("A4", "planner-for-no-tier", Right.DENIED, "send", who=Who("planner", ADA, "planner", (("tier", None),))),
    send("A4", "token-for-others", Right.ALLOWED, "header authorization: Bearer", who=Who(claims=(("aud", ["elsewhere"]),))),
]

LOOPS = [Attack("A6", "ring", Right.LOOP, "times 3", sent("1.0", "ring 8")), Attack("A6", "ring-0.3", Right.LOOP, "times 3", sent("0.3", "ring 8"), "0.3")]

# Of ada, by bob.
HIJACKS = [
    *(
        Attack("A7", name, Right.NOT_THERE, operation, body, version, who=BY_BOB)
        for version in VERSIONS
        for name, operation, body in [
            ("get", "get", call(GET[version], '"id": "$task"')),
            ("subscribe", "subscribe", call(SUBSCRIBE[version], '"id": "$task"')),
            ("send-task", "send", sent(version, taskId="$task")),
            ("send-context", "send", sent(version, contextId="$context")),
            ("send-task-and-context", "send", sent(version, taskId="$task", contextId="$context")),
            ("send-reference", "send", sent(version, referenceTaskIds=["$task"])),
            ("push-create", "push_create", call(CREATE[version], '"taskId": "$task", "id": "c", "url": "https://hooks.example.org/x"' if version == "1.0" else '"taskId": "$task", "pushNotificationConfig": {"url": "https://hooks.example.org/x"}')),
        ]
    ),
    *(
        Attack("A7", name, Right.NOT_THERE, operation, body, "1.0", who=BY_BOB)
        for name, operation, body in [
            ("push-get", "push_get", call("GetTaskPushNotificationConfig", '"taskId": "$task", "id": "c"')),
            ("push-list", "push_list", call("ListTaskPushNotificationConfigs", '"taskId": "$task"')),
            ("push-delete", "push_delete", call("DeleteTaskPushNotificationConfig", '"taskId": "$task", "id": "c"')),
            ("send-context-snake", "send", sent("1.0", context_id="$context")),
            ("send-task-snake", "send", sent("1.0", task_id="$task")),
            ("send-references-snake", "send", sent("1.0", reference_task_ids=["$task"])),
            ("push-list-snake", "push_list", call("ListTaskPushNotificationConfigs", '"task_id": "$task"')),
        ]
    ),
    Attack("A7", "list", Right.EMPTY, "said $task", call("ListTasks", ""), who=BY_BOB),
    Attack("A7", "list-context", Right.EMPTY, "said $task", call("ListTasks", '"contextId": "$context"'), who=BY_BOB),
    Attack("A7", "http-list", Right.EMPTY, "said $task", method="GET", path="/tasks", who=BY_BOB),
    Attack("A7", "http-list-context", Right.EMPTY, "said $task", method="GET", path="/tasks?contextId=$context", who=BY_BOB),
    Attack("A7", "http-list-context-snake", Right.EMPTY, "said $task", method="GET", path="/tasks?context_id=$context", who=BY_BOB),
    *(
        Attack("A7", f"http-{name}", Right.NOT_THERE, operation, body, version, method=method, path=REST[version] + path, who=BY_BOB)
        for version in VERSIONS
        for name, operation, method, path, body in [
            ("get", "get", "GET", "/tasks/$task", b""),
            ("subscribe", "subscribe", "GET", "/tasks/$task:subscribe", b""),
            ("push-list", "push_list", "GET", "/tasks/$task/pushNotificationConfigs", b""),
            ("push-get", "push_get", "GET", "/tasks/$task/pushNotificationConfigs/c", b""),
        ]
    ),
    Attack("A7", "http-send-context", Right.NOT_THERE, "send", json.dumps(message("say hi", contextId="$context")), path="/message:send", who=BY_BOB),
    # HTTP+JSON of 0.3 has names of its own, in either spelling, and two for the message.
    *(
        Attack("A7", f"http-send-{name}", Right.NOT_THERE, "send", json.dumps({member: {"content": [{"text": "say hi"}], "role": "ROLE_USER", **ids}}), "0.3", path="/v1/message:send", who=BY_BOB)
        for name, member, ids in [
            ("message", "message", {"messageId": "m-1", "contextId": "$context"}),
            ("request-snake", "request", {"message_id": "m-1", "context_id": "$context"}),
            ("request-task", "request", {"message_id": "m-1", "task_id": "$task"}),
        ]
    ),
    Attack("A10", "get-of-nobody", Right.NOT_THERE, "said result", call("GetTask", '"id": "00000000-0000-0000-0000-000000000000"'), who=BY_BOB),
    Attack("A10", "get-empty", Right.NOT_THERE, "said result", call("GetTask", '"id": ""'), who=BY_BOB),
]

URLS = {
    "other-host": "https://evil.example.org/x",
    "plain-http": "http://hooks.example.org/x",
    "loopback": "https://127.0.0.1/x",
    "localhost": "https://localhost/x",
    "decimal": "https://2130706433/x",
    "octal": "https://0177.0.0.1/x",
    "hex": "https://0x7f.1/x",
    "mapped": "https://[::ffff:127.0.0.1]/x",
    "zone": "https://[fe80::1%25eth0]/x",
    "metadata-service": "http://169.254.169.254/latest/meta-data",
    "user-info": "https://hooks.example.org@evil.example.org/x",
    "user-info-back": "https://evil.example.org\\@hooks.example.org/x",
    "trailing-dot": "https://hooks.example.org./x",
    "suffix": "https://hooks.example.org.evil.example/x",
    "punycode": "https://xn--hooks-9za.example.org/x",
    "full-width": "https://\uff48ooks.example.org/x",
    "port": "https://hooks.example.org:22/x",
    "line-break": "https://hooks.example.org/x\r\nhost: evil",
    "tab": "https://ho\toks.example.org/x",
    "file": "file:///etc/passwd",
    "empty": "",
    "relative": "//evil.example.org/x",
}


def inline(version: str, url: str, token: str = "t") -> str:
    """A message with an address for notifications in it."""
    member = "taskPushNotificationConfig" if version == "1.0" else "pushNotificationConfig"
    return sent(version, "make a", configuration={member: {"url": url, "token": token}})


PUSHES = [
    *(
        attack
        for name, url in URLS.items()
        for attack in [
            *(Attack("A8", f"inline-{name}", Right.DENIED, f"push {url}", inline(version, url), version) for version in VERSIONS),
            Attack("A8", f"create-{name}", Right.DENIED, f"push {url}", call("CreateTaskPushNotificationConfig", f'"taskId": "$task", "id": "c", "url": {json.dumps(url)}')),
        ]
    ),
    *(
        attack
        for name, url in list(URLS.items())[:4]
        for attack in [
            Attack("A8", f"set-{name}", Right.DENIED, f"push {url}", call("tasks/pushNotificationConfig/set", f'"taskId": "$task", "pushNotificationConfig": {{"url": {json.dumps(url)}}}'), "0.3"),
            Attack("A8", f"http-create-{name}", Right.DENIED, f"push {url}", json.dumps({"url": url}), path="/tasks/$task/pushNotificationConfigs"),
            Attack("A8", f"http-create-{name}", Right.DENIED, f"push {url}", json.dumps({"parent": "tasks/$task", "config_id": "c", "config": {"name": "tasks/$task/pushNotificationConfigs/c", "push_notification_config": {"url": url}}}), "0.3", path="/v1/tasks/$task/pushNotificationConfigs"),
            Attack("A8", f"http-inline-{name}", Right.DENIED, f"push {url}", json.dumps(message("make a") | {"configuration": {"taskPushNotificationConfig": {"url": url}}}), path="/message:send"),
            Attack("A8", f"http-inline-{name}", Right.DENIED, f"push {url}", json.dumps({"request": {"message_id": "m-1", "role": "ROLE_USER", "content": [{"text": "make a"}]}, "configuration": {"push_notification": {"url": url}}}), "0.3", path="/v1/message:send"),
            Attack("A8", f"inline-snake-{name}", Right.DENIED, f"push {url}", sent("1.0", "make a", configuration={"task_push_notification_config": {"url": url}})),
        ]
    ),
    Attack("A8", "token-line-break", Right.DENIED, "push t\r\nx-evil: 1", inline("1.0", "https://hooks.example.org/x", "t\r\nx-evil: 1")),
    Attack("A8", "no-task", Right.INVALID, "push_create", call("CreateTaskPushNotificationConfig", '"taskId": "", "url": "https://hooks.example.org/x"')),
]

CARDS = [
    Attack("A9", "public", Right.CARD, "said http://localhost:", method="GET", path="/.well-known/agent-card.json"),
    Attack("A9", "public-0.3", Right.CARD, "said http://localhost:", method="GET", path="/.well-known/agent-card.json", version="0.3"),
    Attack("A9", "old-path", Right.NO_AGENT, "said http://localhost:", method="GET", path="/.well-known/agent.json", version="0.3"),
    Attack("A9", "extended", Right.CARD, "said http://localhost:", call("GetExtendedAgentCard", "")),
    Attack("A9", "extended-0.3", Right.CARD, "said http://localhost:", call("agent/getAuthenticatedExtendedCard", ""), "0.3"),
    Attack("A9", "http-extended", Right.CARD, "said http://localhost:", method="GET", path="/extendedAgentCard"),
    Attack("A9", "http-extended-0.3", Right.CARD, "said http://localhost:", method="GET", path="/v1/card", version="0.3"),
    Attack("A9", "not-modified", Right.CARD, "said http://localhost:", method="GET", path="/.well-known/agent-card.json", headers={"if-none-match": ["*"]}),
    Attack("A9", "accepts-gzip", Right.CARD, "said http://localhost:", method="GET", path="/.well-known/agent-card.json", headers={"accept-encoding": ["gzip, br"]}),
]


def both_ways(name: str, change, right: Right, **how: object) -> list[Attack]:
    """The same change to a body's bytes in each version."""
    return each("A11", name, lambda method, _: change(evil(method).encode()), right, **how)


def chunked(body: bytes) -> bytes:
    """A byte a chunk, which splits every key."""
    return b"".join(b"1\r\n%b\r\n" % bytes([byte]) for byte in body) + b"0\r\n\r\n"


AMBIGUOUS = [
    *each("A11", "method-twice", lambda method, version: f'{{"jsonrpc": "2.0", "id": 1, "method": "{GET[version]}", "params": {{"id": "$task"}}, "method": "{method}"}}', Right.UNPARSEABLE),
    *each("A11", "method-twice-first", lambda method, version: f'{{"jsonrpc": "2.0", "id": 1, "method": "{method}", "params": {{"id": "$task"}}, "method": "{GET[version]}"}}', Right.UNPARSEABLE),
    *each("A11", "method-twice-escaped", lambda method, version: f'{{"jsonrpc": "2.0", "id": 1, "method": "{GET[version]}", "params": {{"id": "$task"}}, "m\\u0065thod": "{method}"}}', Right.UNPARSEABLE),
    *each("A11", "params-twice", lambda method, _: f'{{"jsonrpc": "2.0", "id": 1, "method": "{method}", "params": {{"id": "x"}}, "params": {{"id": "$task"}}}}', Right.UNPARSEABLE),
    *each("A11", "task-twice", lambda method, _: call(method, '"id": "x", "id": "$task"'), Right.UNPARSEABLE),
    *each("A11", "method-escaped", lambda method, _: evil(method.replace("ancel", "\\u0061ncel")), Right.DENIED),
    *each("A11", "method-in-capitals", lambda method, _: evil(method.upper()), Right.UNKNOWN),
    *each("A11", "method-with-space", lambda method, _: evil(method + " "), Right.UNKNOWN),
    *each("A11", "method-behind-1-mib", lambda method, _: f'{{"jsonrpc": "2.0", "id": 1, "params": {{"id": "$task", "metadata": {{"x": "{"x" * (1 << 20)}"}}}}, "method": "{method}"}}', Right.DENIED),
    *each("A11", "of-9-mib", lambda method, _: call(method, f'"id": "$task", "metadata": {{"x": "{"x" * (9 << 20)}"}}'), Right.TOO_LARGE),
    *each("A11", "nested-100", lambda method, _: call(method, f'"id": "$task", "metadata": {{"x": {"[" * 100}{"]" * 100}}}'), Right.UNPARSEABLE),
    *each("A11", "nested-20000", lambda method, _: call(method, f'"id": "$task", "metadata": {{"x": {"[" * 20000}{"]" * 20000}}}'), Right.UNPARSEABLE),
    *each("A11", "nan", lambda method, _: call(method, '"id": "$task", "metadata": {"x": NaN}'), Right.UNPARSEABLE),
    *each("A11", "lone-surrogate", lambda method, _: call(method, '"id": "$task", "metadata": {"x": "\\ud800"}'), Right.UNPARSEABLE),
    *each("A11", "batch", lambda method, _: f"[{evil(method)}]", Right.UNPARSEABLE),
    *each("A11", "second-object", lambda method, _: evil(method) * 2, Right.UNPARSEABLE),
    *each("A11", "garbage-behind", lambda method, _: evil(method) + " x", Right.UNPARSEABLE),
    *each("A11", "no-version", lambda method, _: evil(method).replace('"jsonrpc": "2.0", ', ""), Right.UNPARSEABLE),
    *each("A11", "id-object", lambda method, _: call(method, '"id": "$task"', id="{}"), Right.UNPARSEABLE),
    *each("A11", "no-id", lambda method, _: evil(method).replace('"id": 1, ', ""), Right.UNPARSEABLE),
    *each("A11", "params-array", lambda method, _: f'{{"jsonrpc": "2.0", "id": 1, "method": "{method}", "params": ["$task"]}}', Right.UNPARSEABLE),
    Attack("A11", "context-in-both-spellings", Right.INVALID, "send", sent("1.0", contextId="mine", context_id="$context"), who=BY_BOB),
    Attack("A11", "task-in-both-spellings", Right.INVALID, "send", sent("1.0", task_id="mine", taskId="$task"), who=BY_BOB),
    *both_ways("byte-order-mark", lambda body: b"\xef\xbb\xbf" + body, Right.UNPARSEABLE),
    *both_ways("utf-16", lambda body: body.decode().replace("$task", "x").encode("utf-16"), Right.UNPARSEABLE),
    *both_ways("utf-8-broken", lambda body: body[:-2] + b', "metadata": {"x": "\xff"}}}', Right.UNPARSEABLE),
    *both_ways("gzip", lambda body: gzip.compress(body.replace(b"$task", b"x")), Right.MEDIA, headers={"content-encoding": ["gzip"]}),
    *both_ways("gzip-only-said", lambda body: body, Right.MEDIA, headers={"content-encoding": ["gzip"]}),
    *both_ways("type-text", lambda body: body, Right.MEDIA, headers={"content-type": ["text/plain"]}),
    *both_ways("type-missing", lambda body: body, Right.MEDIA, headers={"content-type": []}),
    *both_ways("type-twice", lambda body: body, Right.MEDIA, headers={"content-type": [JSON, "text/plain"]}),
    *both_ways("charset-latin-1", lambda body: body, Right.MEDIA, headers={"content-type": [f"{JSON}; charset=iso-8859-1"]}),
    *both_ways("type-a2a", lambda body: body, Right.DENIED, headers={"content-type": ["application/a2a+json"]}),
    *both_ways("chunks-of-one", lambda body: chunked(body.replace(b"$task", b"x")), Right.DENIED, headers={"transfer-encoding": ["chunked"]}),
    *both_ways("chunks-and-length", lambda body: chunked(body.replace(b"$task", b"x")), Right.NOT_HTTP, headers={"transfer-encoding": ["chunked"], "content-length": ["5"]}),
    *both_ways("empty", lambda body: b"", Right.UNPARSEABLE),
]

CONFUSED = [
    Attack("A12", "header-0.3-method-1.0", Right.VERSION, "cancel", evil("CancelTask"), headers={"a2a-version": ["0.3"]}),
    Attack("A12", "no-header-method-1.0", Right.VERSION, "cancel", evil("CancelTask"), headers={"a2a-version": []}),
    Attack("A12", "empty-header-method-1.0", Right.VERSION, "cancel", evil("CancelTask"), headers={"a2a-version": [""]}),
    Attack("A12", "header-1.0-method-0.3", Right.VERSION, "cancel", evil("tasks/cancel"), "0.3", headers={"a2a-version": ["1.0"]}),
    Attack("A12", "header-1.7", Right.VERSION, "cancel", evil("CancelTask"), headers={"a2a-version": ["1.7"]}),
    Attack("A12", "header-1.0-with-letters", Right.VERSION, "cancel", evil("CancelTask"), headers={"a2a-version": ["v1.0"]}),
    Attack("A12", "header-99", Right.VERSION, "cancel", evil("CancelTask"), headers={"a2a-version": ["99.0"]}),
    Attack("A12", "header-twice", Right.VERSION, "cancel", evil("CancelTask"), headers={"a2a-version": ["0.3", "1.0"]}),
    Attack("A12", "header-list", Right.VERSION, "cancel", evil("CancelTask"), headers={"a2a-version": ["1.0, 0.3"]}),
    Attack("A12", "query-0.3", Right.VERSION, "cancel", evil("CancelTask"), path="?A2A-Version=0.3"),
    Attack("A12", "query-1.0", Right.DENIED, "cancel", evil("CancelTask"), path="?A2A-Version=1.0", headers={"a2a-version": []}),
    Attack("A12", "query-twice", Right.VERSION, "cancel", evil("CancelTask"), path="?A2A-Version=1.0&a2a-version=0.3"),
    Attack("A12", "http-0.3-path-header-1.0", Right.VERSION, "cancel", "{}", "0.3", path="/v1/tasks/$task:cancel", headers={"a2a-version": ["1.0"]}),
    Attack("A12", "http-1.0-path-header-0.3", Right.VERSION, "cancel", "{}", path="/tasks/$task:cancel", headers={"a2a-version": ["0.3"]}),
]

BINDINGS = [
    Attack("A13", "rpc-at-http-path", Right.NO_AGENT, "cancel", evil("CancelTask"), path="/tasks"),
    Attack("A13", "http-body-at-rpc-path", Right.UNPARSEABLE, "send", json.dumps(message("say hi"))),
    Attack("A13", "http-cancel-with-rpc-body", Right.DENIED, "cancel", call("GetTask", '"id": "$task"'), path="/tasks/$task:cancel"),
    Attack("A13", "http-cancel-body-of-another", Right.DENIED, "cancel", '{"name": "tasks/mine"}', "0.3", path="/v1/tasks/$task:cancel"),
    Attack("A13", "http-cancel-by-get", Right.NO_AGENT, "cancel", method="GET", path="/tasks/$task:cancel"),
    Attack("A13", "method-override", Right.DENIED, "cancel", "{}", path="/tasks/$task:cancel", headers={"x-http-method-override": ["GET"]}),
    Attack("A13", "grpc", Right.NO_GRPC, "cancel", b"\0\0\0\0\0", headers={"content-type": ["application/grpc"], "te": ["trailers"]}, path="/lf.a2a.v1.A2AService/CancelTask", authority="billing.example"),
    Attack("A13", "grpc-web", Right.NO_AGENT, "cancel", b"\0\0\0\0\0", headers={"content-type": ["application/grpc-web"]}, path="/lf.a2a.v1.A2AService/CancelTask", authority="billing.example"),
]

PATHS = [
    *(
        Attack("A14", name, right, "cancel", "{}", path=path)
        for name, right, path in [
            ("colon-encoded", Right.DENIED, "/tasks/$task%3Acancel"),
            ("verb-encoded", Right.DENIED, "/tasks/$task:%63ancel"),
            ("dots", Right.DENIED, "/message:send/../tasks/$task:cancel"),
            ("dots-encoded", Right.DENIED, "/message:send/%2e%2e/tasks/$task:cancel"),
            ("double-slash", Right.DENIED, "//tasks//$task:cancel"),
            ("slash-encoded", Right.NOT_HTTP, "/tasks%2F$task:cancel"),
            ("slash-in-task", Right.NOT_HTTP, "/tasks/x%2F..%2F$task:cancel"),
            ("backslash", Right.NO_AGENT, "/tasks\\$task:cancel"),
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
    Attack("A14", "side-entrance", Right.NO_AGENT, "said operation", method="GET", path="/test"),
]

TENANTS = [
    Attack("A15", "in-path", Right.DENIED, "cancel", "{}", path="/acme/tasks/$task:cancel"),
    Attack("A15", "in-path-twice", Right.NO_AGENT, "cancel", "{}", path="/acme/acme/tasks/$task:cancel"),
    Attack("A15", "in-path-named-v1", Right.VERSION, "cancel", "{}", path="/v1/tasks/$task:cancel"),
    Attack("A15", "in-body", Right.DENIED, "text other-tenant", sent("1.0").replace('"params": {', '"params": {"tenant": "other-tenant", ')),
    Attack("A15", "path-and-body", Right.DENIED, "text other-tenant", json.dumps({"tenant": "other-tenant"} | message("say hi")), path="/acme/message:send"),
    Attack("A15", "in-query", Right.DENIED, "text other-tenant", method="GET", path="/tasks?tenant=other-tenant"),
]

EXTENSIONS = [
    send("A16", "unknown", Right.DENIED, "send", headers={"a2a-extensions": ["https://evil.example/x"]}),
    send("A16", "unknown-in-0.3", Right.DENIED, "send", "0.3", headers={"x-a2a-extensions": ["https://evil.example/x"]}),
    send("A16", "unknown-twice", Right.DENIED, "send", headers={"a2a-extensions": ["https://good.example/x", "https://evil.example/x"]}),
    Attack("A16", "unknown-in-message", Right.DENIED, "send", sent("1.0", extensions=["https://evil.example/x"])),
    Attack("A16", "method", Right.UNKNOWN, "said result", call("traceability/get", "")),
    Attack("A16", "method-of-rpc", Right.UNKNOWN, "said result", call("rpc.discover", "")),
]

EXHAUSTION = [
    Attack("A18", "history-of-everything", Right.ALLOWED, "times 999", call("ListTasks", '"pageSize": 2147483647')),
    Attack("A18", "references-10000", Right.INVALID, "send", sent("1.0", referenceTaskIds=["x"] * 10000)),
    Attack("A18", "headers-of-50-kib", Right.ALLOWED, "times 999", sent("1.0"), headers={"x-much": ["x" * 50_000]}),
]

AUDIT = [
    Attack("A19", "line-break-in-context", Right.INVALID, "send", sent("1.0", contextId='x\n{"decision": "allowed"}')),
    Attack("A19", "line-break-in-method", Right.UNKNOWN, "said result", call('x\\n{\\"decision\\": 1}', "")),
    Attack("A19", "context-of-64-kib", Right.INVALID, "send", sent("1.0", contextId="x" * 65536)),
    Attack("A19", "control-in-task", Right.INVALID, "get", call("GetTask", '"id": "x\\u0000y"')),
]

ATTACKS = [
    *PLAIN, *FORGED, *TOKENS, *ACTORS, *DEPUTY, *LOOPS, *HIJACKS, *PUSHES, *CARDS, *AMBIGUOUS, *CONFUSED, *BINDINGS, *PATHS,
    *TENANTS, *EXTENSIONS, *EXHAUSTION, *AUDIT,
]  # fmt: skip

# What must go through, by whom it belongs to.
CONTROLS = [
    *(Attack("A13", "control-send", Right.ALLOWED, "send", sent(version), version) for version in VERSIONS),
    *(Attack("A7", "control-get", Right.ALLOWED, "get", call(GET[version], '"id": "$task"'), version) for version in VERSIONS),
    Attack("A7", "control-http-get", Right.ALLOWED, "get", method="GET", path="/tasks/$task"),
    Attack("A7", "control-list", Right.ALLOWED, "said $task", call("ListTasks", "")),
    Attack("A7", "control-snake", Right.ALLOWED, "send", sent("1.0", "say hi", context_id="$context")),
    Attack("A8", "control-inline", Right.ALLOWED, "push https://hooks.example.org/x", inline("1.0", "https://hooks.example.org/x")),
    Attack("A11", "control-method-last", Right.ALLOWED, "get", '{"params": {"id": "$task"}, "id": "x", "jsonrpc": "2.0", "method": "GetTask"}'),
    Attack("A11", "control-a2a-type", Right.ALLOWED, "send", json.dumps(message("say hi")), path="/message:send", headers={"content-type": ["application/a2a+json"]}),
    Attack("A3", "control-bound", Right.ALLOWED, "send", sent("1.0"), who=Who(claims=(("cnf", "$digest assistant"),))),
    Attack("A4", "control-planner-for-gold", Right.ALLOWED, "send", sent("1.0"), who=replace(Who(), certificate="planner", acts="planner")),
]
