"""Keys, card numbers and addresses: in no record and, where that is configured, in no answer, however it comes."""

import json

import pytest

from harness.mcp import ALLOW_ALL, CLIENTS, MODERN, Exchange, McpGateway, Wire, bearer
from harness.mcp.approvals import BY_APPROVER, Approver, waiting
from harness.mcp.servers import SESSIONS
from harness.mcp.wire import basic, legacy, messages, meta, modern, rpc
from harness.scripted import Answer, events, gzipped, plain, response
from mcp_servers.weak import WeakServer

REVISION = SESSIONS[-1]
ERAS = [REVISION, MODERN]
KEY = "sk-ant-api03-abcdefghijABCDEFGHIJ0123456789"
CARD = "4111 1111 1111 1111"
EMAIL = "grace@example.com"
EMPLOYEE = "EMP-4711"
SECRETS = [KEY, CARD, EMAIL, EMPLOYEE]
MARKS = ["keys", "card_numbers", "email", "also"]
REDACT = {"patterns": ["keys", "card_numbers", "email"], "also": ["EMP-*"]}
BOTH = REDACT | {"in": ["records", "results"]}
ARGUMENTS = {"text": f"{KEY} {CARD}", "to": [EMAIL, {"by": EMPLOYEE}], CARD: 4111111111111111, "table": "users"}
REDACTED = {
    "text": "[redacted:keys] [redacted:card_numbers]",
    "to": ["[redacted:email]", {"by": "[redacted:also]"}],
    "[redacted:card_numbers] 2": "[redacted:card_numbers]",
    "table": "users",
}
CONTENT = [{"type": "text", "text": json.dumps(ARGUMENTS)}]
RESULT = {"content": CONTENT, "structuredContent": ARGUMENTS, "_meta": {"a": KEY}}
COMPLETE = {"ref": {"type": "ref/prompt", "name": "greet"}, "argument": {"name": "a", "value": "b"}}


def parts(redact=BOTH, **more):
    """A change of the gate."""
    return lambda bootstrap: bootstrap.gate(redact=redact, record={"arguments": True}, **more)


def redacted(result):
    """The same as its client reads it."""
    text = json.dumps(ARGUMENTS).replace("4111111111111111", "[redacted:card_numbers]")
    for secret, mark in zip(SECRETS, MARKS, strict=True):
        text = text.replace(secret, f"[redacted:{mark}]")
    content = [{"type": "text", "text": text}]
    return result | {"content": content, "structuredContent": REDACTED, "_meta": {"a": "[redacted:keys]"}}


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """Behind `crm` a gate that redacts records and results."""
    with WeakServer() as server:
        directory = tmp_path_factory.mktemp("redaction")
        with McpGateway(directory, parts(bounds={"answer_bytes": 4096}), rules=ALLOW_ALL, crm=server) as gateway:
            yield server, gateway


@pytest.fixture
def server(running):
    running[0].forget()
    return running[0]


@pytest.fixture
def wire(running):
    return Wire(running[1].envoy.port, "/crm/mcp")


def ask(wire, era, method, params, name=None):
    if era == MODERN:
        return wire.send(Exchange(modern(method, name), rpc(method, params | {"_meta": meta()})))
    return wire.send(Exchange([*basic(), ("mcp-protocol-version", era)], rpc(method, params)))


def call(wire, era=MODERN, arguments=None):
    return ask(wire, era, "tools/call", {"name": "crm.search", "arguments": arguments or {}}, "crm.search")


def result(value, id=1):
    return {"jsonrpc": "2.0", "id": id, "result": value}


def is_clean(body):
    text = body.decode() if isinstance(body, bytes) else body
    return not [secret for secret in (*SECRETS, "4111111111111111") if secret in text]


def last(gateway, count=1):
    return gateway.envoy.wait_records(count)[-1]


@pytest.mark.parametrize("era", ERAS)
def test_arguments_in_records_are_redacted_and_the_server_gets_them_as_they_were(running, server, wire, era):
    seen = running[1].seen()
    call(wire, era, ARGUMENTS)
    record = last(running[1], seen + 1)
    assert json.loads(record["asked"]["gen_ai.tool.call.arguments"]) == REDACTED
    assert server.ran() == [{"tool": "crm.search", "arguments": ARGUMENTS}]
    escaped = rpc("tools/call", {"name": "crm.search", "arguments": {"a": "@"}}).replace(b"@", b"\\u0045MP\\u002d4711")
    wire.send(Exchange([*basic(), ("mcp-protocol-version", REVISION)], escaped))
    record = last(running[1], seen + 2)
    assert json.loads(record["asked"]["gen_ai.tool.call.arguments"]) == {"a": "[redacted:also]"}


def test_nothing_else_in_a_record_has_what_is_redacted(running, server, wire):
    seen = running[1].seen()
    uri = f"https://crm.example/{KEY}?to={EMAIL}"
    ask(wire, REVISION, "resources/read", {"uri": uri})
    ask(wire, REVISION, "resources/read", {"uri": f"card:{CARD.replace(' ', '-')}"})
    ask(wire, REVISION, "tools/call", {"name": EMPLOYEE, "arguments": {}})
    ask(wire, REVISION, KEY, {})
    call = rpc("tools/call", {"name": "crm.search", "arguments": {}}, id=f"{EMAIL} {KEY}")
    wire.send(Exchange([*basic(), ("mcp-protocol-version", REVISION)], call))
    records = running[1].envoy.wait_records(seen + 5)[seen:]
    audit = (running[1].bootstrap.directory / "audit.jsonl").read_text()
    assert is_clean(audit.replace(CARD.replace(" ", "-"), CARD))
    asked = [record["asked"] for record in records]
    assert asked[0]["mcp.resource.uri"] == "https://crm.example/[redacted:keys]?to=[redacted:email]"
    assert asked[1]["mcp.resource.uri"] == "card:[redacted:card_numbers]"
    assert asked[2]["gen_ai.tool.name"] == "crm.[redacted:also]"
    assert asked[3]["mcp.method.name"] == "[redacted:keys]"
    assert asked[4]["jsonrpc.request.id"] == "[redacted:email] [redacted:keys]"
    # Who asks is proven, and is told.
    assert records[0]["subject"]["user"] == "ada@example.org"


@pytest.mark.parametrize("answer", [plain, events], ids=["json", "sse"])
@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize(
    ("method", "params", "name"),
    [
        ("tools/call", {"name": "crm.search", "arguments": {}}, "crm.search"),
        ("prompts/get", {"name": "greet"}, "greet"),
        ("resources/read", {"uri": "file:///a"}, "file:///a"),
        ("completion/complete", COMPLETE, None),
    ],
)
def test_results_are_redacted_whatever_was_asked(running, server, wire, era, answer, method, params, name):
    seen = running[1].seen()
    server.then(answer(result(RESULT)))
    told = ask(wire, era, method, params, name)
    assert messages(told) == [result(redacted(RESULT))] and is_clean(told.body)
    record = last(running[1], seen + 1)
    assert record["answer"]["redacted"] == 7 and record["answer"]["outcome"] == "result"


def test_errors_and_what_servers_say_and_ask_are_redacted(server, wire):
    said = {"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": "info", "data": KEY}}
    asked = {"jsonrpc": "2.0", "id": 9, "method": "sampling/createMessage", "params": {"messages": [EMAIL]}}
    error = {"jsonrpc": "2.0", "id": 1, "error": {"code": -32050, "message": f"no {CARD}", "data": [EMPLOYEE]}}
    server.then(events(said, asked, error))
    told = messages(call(wire, REVISION))
    assert [message.get("method") for message in told] == ["notifications/message", "sampling/createMessage", None]
    assert told[0]["params"]["data"] == "[redacted:keys]" and told[1]["params"]["messages"] == ["[redacted:email]"]
    assert told[2]["error"] == {"code": -32050, "message": "no [redacted:card_numbers]", "data": ["[redacted:also]"]}


def test_what_is_heard_on_the_sessions_stream_is_redacted(server, wire):
    session = wire.open_session(REVISION)
    said = {"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": "info", "data": KEY}}
    server.then(events(said, result(RESULT, 5)))
    told = wire.send(Exchange(legacy(REVISION, session), b"", method="GET"))
    heard = said | {"params": {"level": "info", "data": "[redacted:keys]"}}
    assert messages(told) == [heard, result(redacted(RESULT), 5)]


def test_what_a_client_hands_back_stays(server, wire):
    token = "eyJhbGciOiJIUzI1NiJ9.eyJhIjoiYSJ9.abcdefghijABCDEFGHIJ0123456789"
    state = {"resultType": "input_required", "inputRequests": {}, "requestState": token, "text": token}
    server.then(plain(result(state)), plain(result({"tools": [], "nextCursor": token})))
    assert messages(call(wire))[0]["result"] == state | {"text": "[redacted:keys]"}
    assert messages(ask(wire, REVISION, "tools/list", {}))[0]["result"]["nextCursor"] == token


SHORT = {"content": [{"type": "text", "text": f"a {KEY} b {CARD} c {EMAIL} d"}]}
SHORTER = "a [redacted:keys] b [redacted:card_numbers] c [redacted:email] d"


@pytest.mark.parametrize("form", ["json", "sse"])
def test_no_cut_lets_a_secret_through(server, wire, form):
    message = json.dumps(result(SHORT)).encode()
    raw = message if form == "json" else b"event: message\r\ndata: " + message + b"\r\n\r\n"
    head = response(b"", "text/event-stream" if form == "sse" else "application/json")
    kind = b"text/event-stream" if form == "sse" else b"application/json"
    head = b"HTTP/1.1 200 OK\r\ncontent-type: " + kind + b"\r\ncontent-length: %d\r\n\r\n" % len(raw)
    cuts = [[raw[:at], raw[at:]] for at in range(1, len(raw))]
    for pieces in [*cuts, [raw[at : at + 1] for at in range(len(raw))]]:
        server.then(Answer([head, *pieces], rest=0.001))
        told = call(wire)
        assert is_clean(told.body)
        assert messages(told)[0]["result"]["content"][0]["text"] == SHORTER, pieces[0]


def test_a_stream_is_not_held_for_it(server, wire):
    said = {"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": "info", "data": KEY}}
    server.then(events(said, hold=5))
    params = {"name": "crm.search", "arguments": {}, "_meta": meta()}
    with wire.open(Exchange(modern("tools/call", "crm.search"), rpc("tools/call", params))) as answer:
        assert b"[redacted:keys]" in answer.read1(1000), "while the server still holds it open"


@pytest.mark.parametrize("form", ["json", "sse"])
def test_what_cannot_be_redacted_is_not_let_through(running, server, wire, form):
    def refused(answer, expected, code, **told):
        seen = running[1].seen()
        server.then(answer)
        got = call(wire)
        (message,) = messages(got)
        assert (got.status, message["id"], message["error"]["code"]) == (expected, 1, code)
        assert is_clean(got.body) and not got.header("content-encoding")
        record = last(running[1], seen + 1)
        assert told.items() <= (record["answer"] | record["decision"]).items()

    large = result({"content": [{"type": "text", "text": f"{KEY} {'x' * 5000}"}]})
    answer = plain if form == "json" else events
    kind = "application/json" if form == "json" else "text/event-stream"
    refused(answer(large), 200, -31004, fault="too_large", verdict="allow")
    refused(gzipped(result(RESULT), kind), 502, -31004, reason="answer_encoded", verdict="deny")
    refused(plain(result(RESULT), "text/plain"), 502, -31004, reason="answer_content_type", verdict="deny")
    for status in ("500 Oops", "404 Not Found"):
        failed = Answer([response(KEY.encode(), "text/plain", status)])
        refused(failed, int(status[:3]), -31004, status=int(status[:3]), end="failed", verdict="allow")
    refused(Answer([response(json.dumps({"a": KEY}).encode(), kind, "400 Bad")]), 400, -31004, end="failed")


def test_without_it_no_byte_of_an_answer_changes(tmp_path):
    with WeakServer() as server:
        with McpGateway(tmp_path, parts(REDACT), crm=server) as gateway:
            wire = Wire(gateway.envoy.port, "/crm/mcp")
            body = json.dumps(result(RESULT)).encode()
            server.then(plain(body), Answer([response(KEY.encode(), "text/plain", "500 Oops")]))
            assert call(wire).body == body
            assert call(wire).body == KEY.encode()
            assert "redacted" not in last(gateway, 2)["answer"]


@pytest.fixture(scope="module", params=["sse", "json"])
def official(request, mcp_servers, tmp_path_factory):
    """The same gate before an official server."""
    server = mcp_servers("python", request.param)
    with McpGateway(tmp_path_factory.mktemp("official"), parts(), crm=server) as gateway:
        yield server, gateway


@pytest.mark.parametrize("era", ["legacy", "modern"])
@pytest.mark.parametrize("client", CLIENTS)
def test_clients_read_what_is_left(official, client, era):
    server, gateway = official
    server.forget()
    with CLIENTS[client](gateway.url(), era) as user:
        assert len(user.tools()) > 5
        told = user.call("mail.send", to=EMAIL, body=f"pay with {CARD}")
        assert json.loads(told.text.removeprefix("ran mail.send ")) == {
            "to": "[redacted:email]",
            "body": "pay with [redacted:card_numbers]",
        }
        assert user.call("crm.read_customer", id=7).text == '{"id":7,"name":"Ada"}'
    assert server.ran()[0] == {"tool": "mail.send", "arguments": {"to": EMAIL, "body": f"pay with {CARD}"}}


def test_who_approves_sees_what_records_do_not_tell(tmp_path):
    with WeakServer() as server:
        with McpGateway(tmp_path, parts(), rules=BY_APPROVER, who=None, crm=server) as gateway:
            headers = [*modern("tools/call", "database.delete_row"), *bearer("support").items()]
            params = {"name": "database.delete_row", "arguments": {"table": "users", "of": EMAIL}, "_meta": meta()}
            Wire(gateway.envoy.port, "/crm/mcp").send(Exchange(headers, rpc("tools/call", params)))
            approver = Approver(gateway)
            entry = waiting(approver)
            assert any(EMAIL in line for line in entry["arguments"])
            approver.say(entry["id"], "approve", f"as {EMAIL} wanted")
            said = gateway.envoy.wait_records(3)[-1]
            assert said["approval"]["reason"] == "as [redacted:email] wanted"
            assert is_clean((tmp_path / "audit.jsonl").read_text())
