"""Seeds of every fuzz target: the recorded conversations, each behind the byte that says what it is."""

import json
import struct
import zlib
from pathlib import Path

HERE = Path(__file__).resolve().parent
RECORDED = HERE.parent / "filters/wire/tests/fixtures/conversations"
# As `tollgate_fuzz::format` chooses.
KINDS = {"request.json": 0, "response.json": 1, "error.json": 2, "stream.sse": 3}
# As `tollgate_fuzz::envelope` chooses.
ENDPOINTS = {"openai-chat": 0, "openai-responses": 1, "anthropic-messages": 2, "google-gemini": 3, "bedrock-converse": 4}


def seed(target: str, name: str, which: int, content: bytes) -> None:
    directory = HERE / "corpus" / target
    directory.mkdir(parents=True, exist_ok=True)
    (directory / name).write_bytes(bytes([which]) + content)


def headers(event: dict) -> bytes:
    """The headers of a frame of Bedrock's."""
    kind = "exception" if event["event"].endswith("Exception") else "event"
    named = {f":{kind}-type": event["event"], ":content-type": "application/json", ":message-type": kind}
    return b"".join(
        bytes([len(name)]) + name.encode() + b"\x07" + struct.pack(">H", len(value)) + value.encode()
        for name, value in named.items()
    )


def payload(event: dict) -> bytes:
    return json.dumps(event["payload"], separators=(",", ":"), ensure_ascii=False).encode()


def frame(event: dict) -> bytes:
    """An event of Bedrock's recordings as it is on the wire."""
    head, body = headers(event), payload(event)
    prelude = struct.pack(">II", 16 + len(head) + len(body), len(head))
    message = prelude + struct.pack(">I", zlib.crc32(prelude)) + head + body
    return message + struct.pack(">I", zlib.crc32(message))


for path in sorted(RECORDED.glob("*/*")):
    file, name = path.name, f"{path.parent.name}.{path.name}"
    format, kind = file.split(".", 1)
    content = path.read_bytes()
    if kind in KINDS:
        seed(format.replace("-", "_"), name, KINDS[kind], content)
    if kind == "request.json":
        seed("envelope", name, ENDPOINTS[format], content)
    if kind == "stream.sse":
        seed("framing", name, 0, content)
    if kind == "stream.jsonl":
        events = [json.loads(line) for line in content.splitlines() if line.strip()]
        lines = b"\n".join(event["event"].encode() + b"\t" + payload(event) for event in events)
        seed("bedrock_converse", name, KINDS["stream.sse"], lines)
        seed("framing", name, 1, b"".join(map(frame, events)))
        seed("framing", name + ".frame", 2, bytes([len(headers(events[0]))]) + headers(events[0]) + payload(events[0]))

# Over a limit: a status that is not, two that are, a header, a raw body, dynamic metadata and a quota.
OVER_LIMIT = (
    "0802120f08011204080a10031805220308a846121108021207080a10071a016e2204083b100112060802"
    "2202081e1a080a03782d611201622a01ff32100a0e0a0161120911000000000000f83f3a0508011a0171"
)
over_limit = bytes.fromhex(OVER_LIMIT)
seed("rate_limit_service", "over_limit", over_limit[0], over_limit[1:])

# Messages of MCP: with the revision that the first byte chooses, as `tollgate_fuzz::mcp` does. The reader of JSON takes them
# without that byte, and every recorded body besides.
META = {"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}}
MESSAGES = [
    (0, {"id": 1, "method": "tools/call", "params": {"name": "a.b", "arguments": {"x": [1.5e3, None, True, "\U0001f600\n"]}}}),
    (2, {"id": "1", "method": "tools/call", "params": {"name": "a", "_meta": META}}),
    (2, {"id": 1, "method": "subscriptions/listen", "params": {"notifications": {"resourceSubscriptions": ["a:b"]}, "_meta": META}}),
    (1, {"id": 1, "method": "completion/complete", "params": {"ref": {"type": "ref/prompt", "name": "p"}}}),
    (4, {"id": 1, "method": "resources/read", "params": {"uri": "file:///a"}}),
    (1, {"id": 1, "method": "tasks/get", "params": {"taskId": "t"}}),
    (0, {"method": "notifications/initialized"}),
    (1, {"id": 1, "result": {}}),
    (1, {"id": 1, "error": {"code": -1, "message": "x"}}),
]
for number, (which, message) in enumerate(MESSAGES):
    content = json.dumps({"jsonrpc": "2.0"} | message).encode()
    seed("mcp", str(number), which, content)
    seed("json", str(number), content[0], content[1:])

# What servers answer: as JSON and as an event, read in every way that `tollgate_fuzz::mcp_answer` knows.
RESULTS = [
    {"id": 1, "result": {"tools": [{"name": "a", "inputSchema": {}, "_meta": {}}, {"name": "s"}], "cacheScope": "public"}},
    {"id": 1, "result": {"resources": [{"uri": "a:b"}, {"uri": "s:b"}], "resultType": "complete"}},
    {"id": 1, "result": {"content": [{"type": "text", "text": "a\"\n"}], "isError": True}},
    {"id": 1, "error": {"code": -32602, "message": "x"}},
    {"method": "notifications/progress", "params": {"progress": 0.5}},
]
for number, message in enumerate(RESULTS):
    content = json.dumps({"jsonrpc": "2.0"} | message).encode()
    for which in range(0, 256, 2):
        seed("mcp_answer", f"{number}.{which}.json", which, content)
        seed("mcp_answer", f"{number}.{which}.sse", which + 1, b": hi\r\n\r\nid: 1\r\ndata: " + content + b"\r\n\r\n")
for path in sorted(RECORDED.glob("*/*.request.json")):
    content = path.read_bytes()
    seed("json", f"{path.parent.name}.{path.name}", content[0], content[1:])

# A2A: requests behind method and path, in the version that the first byte chooses; answers, read in every way that
# `tollgate_fuzz::a2a` knows; addresses.
MESSAGE = {"messageId": "m", "contextId": "c", "task_id": "t", "referenceTaskIds": ["r"], "metadata": {"actorChain": [1], "skill": "s"}}
PUSH = {"url": "https://a.example/x", "token": "k", "authentication": {"scheme": "Bearer", "credentials": "x"}}
ASKED = [
    (0, "POST /", {"jsonrpc": "2.0", "id": 1, "method": "SendMessage", "params": {"message": MESSAGE, "configuration": {"taskPushNotificationConfig": PUSH}}}),
    (4, "POST /?A2A-Version=0.3", {"jsonrpc": "2.0", "id": "x", "method": "message/stream", "params": {"message": {"contextId": None}}}),
    (4, "POST /", {"jsonrpc": "2.0", "id": 1, "method": "tasks/pushNotificationConfig/set", "params": {"taskId": "t", "pushNotificationConfig": PUSH}}),
    (0, "POST /acme/message:send", {"tenant": "acme", "message": MESSAGE}),
    (4, "POST /v1/message:send", {"request": {"context_id": "c"}, "configuration": {"push_notification": PUSH}}),
    (4, "POST /v1/tasks/t/pushNotificationConfigs", {"parent": "tasks/t", "config": {"name": "tasks/t/x", "push_notification_config": PUSH}}),
    (0, "POST /tasks/t:cancel", {}),
    (0, "GET /tasks/a%2Bb?historyLength=1", None),
    (0, "GET /acme/tasks?contextId=c", None),
    (0, "DELETE /tasks/t/pushNotificationConfigs/p", None),
]
for number, (which, line, body) in enumerate(ASKED):
    seed("a2a", f"request.{number}", which, line.encode() + b"\n" + (b"" if body is None else json.dumps(body).encode()))
TASK = {"id": "t", "contextId": "c", "status": {"state": "TASK_STATE_WORKING"}, "artifacts": [{}], "kind": "task"}
UPDATE = {"statusUpdate": {"taskId": "t", "contextId": "bob", "status": {"state": "TASK_STATE_AUTH_REQUIRED"}}}
LISTED = {"tasks": [TASK, TASK | {"contextId": "bob"}], "totalSize": 2}
for number, result in enumerate([TASK, {"task": TASK}, UPDATE, LISTED, {"error": {"code": 404}}, {"message": {"contextId": "c"}}]):
    for name, body in [("rpc", {"jsonrpc": "2.0", "id": 1, "result": result}), ("http", result)]:
        content = json.dumps(body).encode()
        for which in range(0, 64, 2):
            seed("a2a", f"{name}.{number}.{which}.json", which << 2 | 2, content)
            seed("a2a", f"{name}.{number}.{which}.sse", (which + 1) << 2 | 2, b": hi\r\n\r\nid: 1\r\ndata: " + content + b"\r\n\r\n")
for number, url in enumerate(["https://a.example/x?y=%20", "https://x.b.example:443", "https://c.example:81/", "https://[::1]@a.example#"]):
    seed("a2a", f"url.{number}", 3, url.encode())

# Agent cards behind a byte that says what is signed and shown.
CARD = json.loads((HERE.parent / "filters/kernel/src/a2a/card/tests/signed_by_sdk.json").read_text())
NEW, OLD = {"supportedInterfaces", "securityRequirements"}, {"url", "preferredTransport", "additionalInterfaces", "protocolVersion", "security"}
for name, without in [("both", set()), ("1.0", OLD), ("0.3", NEW)]:
    content = json.dumps({key: value for key, value in CARD.items() if key not in without}).encode()
    for which in range(8):
        seed("card", f"{name}.{which}", which, content)

# Schemas, each with a value: two lines.
SCHEMAS = [
    ({"type": ["object", "null"], "properties": {"a": {"enum": [1, "b"]}}, "required": ["a"], "additionalProperties": False}, {"a": 1.0}),
    ({"items": {"pattern": "^(?!a)[b-d\\\\w]{1,3}$", "minLength": 1}, "uniqueItems": True, "contains": {"const": "b"}}, ["b", "c"]),
    ({"anyOf": [{"minimum": 1, "multipleOf": 0.5}, {"if": {"type": "null"}, "then": True, "else": {"maxItems": 1}}]}, 1.5),
    ({"$defs": {"t": {"properties": {"t": {"$ref": "#/$defs/t"}}, "unevaluatedProperties": False}}, "$ref": "#/$defs/t"}, {"t": {}}),
    ({"oneOf": [{"prefixItems": [{"not": {"type": "string"}}], "unevaluatedItems": {"type": "array"}}, False]}, [1, []]),
    ({"patternProperties": {"^x-": {"maximum": 3}}, "propertyNames": {"maxLength": 3}, "dependentRequired": {"x-": ["a"]}}, {"x-": 1}),
]
for number, (schema, value) in enumerate(SCHEMAS):
    content = json.dumps(schema).encode() + b"\n" + json.dumps(value).encode()
    seed("schema", str(number), content[0], content[1:])

# What approvals are made of: a server's state, a slot with one call, and a form.
def text(content: bytes) -> bytes:
    return struct.pack("<H", len(content)) + content


subject = b"".join(text(field) for field in (b"", b"ada", b"", b"", b"", b"", b""))
entry = bytes(48) + struct.pack("<QQQ", 1, 2, 3) + subject + b"".join(map(text, (b"crm", b"crm.x", b"#1", b"id = 1"))) + b"\1"
seed("approvals", "state", 0, b'"requestState":"theirs"')
seed("approvals", "slot.waits", 1, b"\1" + entry + b"\0")
seed("approvals", "slot.ran", 1, b"\1" + entry + b"\3" + subject + struct.pack("<Q", 4) + text(b"fine") + struct.pack("<Q", 5))
seed("approvals", "form", 2, b"decision=approve&reason=two+words%21&token=abc-_")

# What is redacted.
SECRETS = [
    b"key: sk-0123456789abcdefghijXYZ, 4111 1111 1111 1111 ada@example.com EMP-1",
    b"-----BEGIN PRIVATE KEY-----\nMII\n-----END PRIVATE KEY----- eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.sig",
    b'{"a@b.com": [4111111111111111, "AKIAIOSFODNN7EXAMPLE", "tg_a_0123456789abcdef", "[redacted:keys]"]}',
]
for number, content in enumerate(SECRETS):
    seed("redact", str(number), content[0], content[1:])

# Tickets, what is kept of transactions, and the headers of who traces.
TRACEPARENT = b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
seed("tickets", "text", 0, b"AQE" + b"A" * 91)
seed("tickets", "slot", 1, bytes(48))
seed("tickets", "trace", 2, TRACEPARENT + b"\na=1,tollgate=T,b@c=2")
seed("tickets", "trace.long", 2, TRACEPARENT + b"\n" + b",".join(b"k%d=%s" % (at, b"v" * at) for at in range(40)))
