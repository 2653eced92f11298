"""Every exchange leaves one truthful line, and none of them a secret."""

import hashlib
import json
import re
import time

import pytest

from harness.envoy import RECORD_SECONDS, eventually
from harness.mcp import KEYS, MODERN, Exchange, McpGateway, Wire, bearer
from harness.mcp.servers import SESSIONS
from harness.mcp.wire import basic, legacy, messages, meta, modern, rpc
from harness.scripted import Answer, events, plain, response
from mcp_servers.weak import WeakServer

REVISION = SESSIONS[-1]
ERAS = [REVISION, MODERN]
RULES = [
    {"name": "reads", "allow": {"tools": ["*.crm.*"], "prompts": ["*"], "resources": ["*"]}},
    {"name": "deletions", "confirm": {"tools": ["*.delete_row"], "by": "approver", "approvers": {"teams": ["dba"]}}},
    {"name": "trial", "deny": {"tools": ["*.mail.send"]}, "shadow": True},
    {"name": "mails", "allow": {"tools": ["*.mail.send"]}},
]
SUBJECT = {"key": "support", "user": "ada@example.org", "team": "support", "agent": "triage"}
# Each stands where no record, log or stat may find it.
SECRETS = {
    "an argument": "canary-of-an-argument-7f3a",
    "a result": "canary-of-a-result-91cd",
    "a query": "canary-of-a-query-55aa",
    "a password": "canary-of-a-password-0b1e",
    "a message that is none": "canary-of-rubbish-d3d3",
    "a wrong key": "tg_support_canaryOfAWrongKey55",
    "a token of another": "canaryOfSomebodysToken77",
    "a session": "canary-session-c4f1",
} | {f"the key of {who}": key.split("_")[2] for who, key in KEYS.items()}


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """A gate before a server that can be scripted. `reports` leads nowhere, `database` gives up after a second."""

    def change(bootstrap):
        routes = bootstrap.hcm["route_config"]["virtual_hosts"][1]["routes"]
        next(one for one in routes if one["match"]["path"] == "/db/mcp")["route"]["timeout"] = "1s"

    with WeakServer() as server:
        directory, options = tmp_path_factory.mktemp("record"), {"log_level": "trace"}
        servers = {"crm": server, "database": server}
        with McpGateway(directory, change, options, RULES, who=None, **servers) as gateway:
            yield server, gateway


class Asker:
    """Asks byte by byte, and tells the one line that each request leaves."""

    def __init__(self, server, gateway):
        self.server, self.gateway, self.envoy = server, gateway, gateway.envoy
        self._seen = self.gateway.seen()

    def send(self, exchange, path="/crm/mcp", authority=None):
        return Wire(self.envoy.port, path, authority).send(exchange)

    def exchange(self, era, method, params, name=None, who="support", headers=(), id=1, session=None):
        shown = [*(bearer(who).items() if who else ()), *headers]
        if era == MODERN:
            return Exchange([*modern(method, name), *shown], rpc(method, params | {"_meta": meta()}, id))
        said = legacy(era, session) if session else [*basic(), ("mcp-protocol-version", era)]
        return Exchange([*said, *shown], rpc(method, params, id))

    def ask(self, era, method, params, name=None, path="/crm/mcp", authority=None, **how):
        return self.send(self.exchange(era, method, params, name, **how), path, authority)

    def call(self, era, tool="crm.search", arguments=None, **how):
        params = {"name": tool, "arguments": {"query": "Ada"} if arguments is None else arguments}
        return self.ask(era, "tools/call", params, tool, **how)

    def session(self, era):
        """One that is open; None where there are none."""
        if era == MODERN:
            return None
        session = Wire(self.envoy.port, "/crm/mcp").open_session(era, [*bearer("support").items()])
        self._seen = len(self.envoy.wait_records(self._seen + 2))
        return session

    def record(self):
        """The one line since the last time."""
        assert eventually(lambda: len(self.envoy.records()) > self._seen, RECORD_SECONDS)
        time.sleep(0.1)  # a second line would be there by now
        (record,) = self.envoy.records()[self._seen :]
        self._seen += 1
        return record


@pytest.fixture
def asker(running):
    running[0].forget()
    return Asker(*running)


def result(value, id=1):
    return {"jsonrpc": "2.0", "id": id, "result": value}


@pytest.mark.parametrize("answer", [plain, events], ids=["json", "sse"])
@pytest.mark.parametrize("era", ERAS)
def test_a_call_is_one_line_that_says_all_of_it(asker, era, answer):
    session = asker.session(era)
    asker.server.then(answer(result({"content": [], "isError": True}, 'a"1')))
    trace = ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
    told = asker.call(era, id='a"1', session=session, headers=[trace])
    record = asker.record()
    assert record["filter"] == "mcp" and re.fullmatch(r"[0-9a-f-]{36}", record["id"])
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", record["time"])
    assert record["trace_id"] == "4bf92f3577b34da6a3ce929d0e0e4736" and record["subject"] == SUBJECT
    asked = record["asked"]
    assert asked.pop("bytes") > 80 and ("mcp.session.id" in asked) == (session is not None)
    asked.pop("mcp.session.id", None)
    assert asked == {
        "server": "crm",
        "http.request.method": "POST",
        "mcp.protocol.version": era,
        "mcp.method.name": "tools/call",
        "jsonrpc.request.id": 'a"1',
        "gen_ai.tool.name": "crm.crm.search",
        "arguments_sha256": hashlib.sha256(b'{"query":"Ada"}').hexdigest(),
    }
    assert record["decision"] == {"verdict": "allow", "rule": "rules.reads", "reason": "rule"}
    assert 0 <= record["answer"].pop("ms") < 5000
    expected = {"status": 200, "bytes": len(told.body), "end": "complete", "outcome": "tool_error"}
    assert record["answer"] == expected | {"error.type": "tool_error"}


@pytest.mark.parametrize("era", ERAS)
def test_what_came_of_it_is_told(asker, era):
    error = {"jsonrpc": "2.0", "id": 1, "error": {"code": -32050, "message": "no"}}
    for answer, outcome, type in (
        (result({"content": []}), "result", None),
        (error, "error", "-32050"),
        (result({"resultType": "input_required", "inputRequests": {}}), "input_required", None),
    ):
        asker.server.then(plain(answer))
        asker.call(era)
        told = asker.record()["answer"]
        assert (told["outcome"], told.get("error.type")) == (outcome, type)


@pytest.mark.parametrize("era", ERAS)
def test_of_lists_it_is_told_how_much_was_hidden(asker, era):
    asker.ask(era, "tools/list", {})
    record = asker.record()
    assert record["asked"]["mcp.method.name"] == "tools/list" and "gen_ai.tool.name" not in record["asked"]
    assert record["answer"]["shown"] > 2 and record["answer"]["hidden"] > 2


@pytest.mark.parametrize("era", ERAS)
def test_every_refusal_is_a_line_with_its_reason(asker, era):
    def refused(asking, status, verdict, rule, reason):
        told = asking()
        record = asker.record()
        assert record["decision"] == {"verdict": verdict, "rule": rule, "reason": reason}
        assert (told.status, record["answer"]["status"], record["answer"]["end"]) == (status, status, "refused")
        assert messages(told) and told.header("content-type") == "application/json"
        assert asker.server.ran() == []
        return record

    denied = refused(lambda: asker.call(era, "reports.read"), 200, "deny", "rules", "no_rule")
    assert denied["asked"]["gen_ai.tool.name"] == "crm.reports.read" and "arguments_sha256" in denied["asked"]
    row = {"table": "users", "id": ERAS.index(era)}
    unconfirmed = ("confirm", "rules.deletions", "approval_pending")
    waiting = refused(lambda: asker.call(era, "database.delete_row", row), 200, *unconfirmed)
    assert waiting["approval"]["state"] == "asked" and len(waiting["approval"]["id"]) == 32
    refused(lambda: asker.call(era, who=None), 401, "deny", "request", "missing_key")
    wrong = [("authorization", f"Bearer {SECRETS['a wrong key']}")]
    refused(lambda: asker.call(era, who=None, headers=wrong), 401, "deny", "keys", "unknown_key")
    refused(lambda: asker.call(era, path="/none"), 404, "deny", "servers", "unknown_path")
    twice = [("mcp-name", "crm.search"), ("mcp-name", "mail.send")]
    refused(lambda: asker.call(era, headers=twice), 400, "deny", "request", "repeated_header")


@pytest.mark.parametrize("era", ERAS)
def test_what_cannot_be_read_is_a_line_too(asker, era):
    headers = [*(modern("tools/call", "crm.search") if era == MODERN else basic()), *bearer("support").items()]
    for body, reason in (
        (b"", "incomplete"),
        (b'{"a":1,"a":1}', "duplicate_key"),
        (b"[]", "batch"),
        (b'{"jsonrpc":"2.0","id":1}', "ambiguous"),
        (SECRETS["a message that is none"].encode(), "unexpected"),
    ):
        told = asker.send(Exchange(headers, body))
        record = asker.record()
        assert (told.status, record["decision"]["verdict"], record["answer"]["end"]) == (400, "deny", "refused")
        assert record["decision"]["reason"] == reason
        assert record["asked"]["bytes"] == len(body) and record["subject"] == SUBJECT
    told = asker.send(Exchange([("content-type", "text/plain"), *bearer("support").items()], b"{}"))
    assert (told.status, asker.record()["decision"]["reason"]) == (415, "unsupported_content_type")


@pytest.mark.parametrize("era", ERAS)
def test_who_hangs_up_is_a_line_too(asker, era):
    asker.server.then(events({"jsonrpc": "2.0", "method": "notifications/progress"}, hold=5))
    params = {"name": "crm.search", "arguments": {}}
    with Wire(asker.envoy.port, "/crm/mcp").open(asker.exchange(era, "tools/call", params, "crm.search")) as answer:
        assert answer.read1(100)
    record = asker.record()
    assert record["answer"]["end"] == "client_gone" and record["answer"]["notifications"] == 1
    assert record["decision"]["verdict"] == "allow" and "outcome" not in record["answer"]


@pytest.mark.parametrize("era", ERAS)
def test_a_server_that_is_not_there_or_too_slow_is_json_rpc_and_a_line(asker, era):
    down = asker.ask(era, "prompts/get", {"name": "a"}, "a", path="/mcp", authority="reports.example")
    record = asker.record()
    assert (down.status, down.json["id"], down.json["error"]["code"]) == (503, 1, -31004)
    assert (record["answer"]["status"], record["answer"]["end"]) == (503, "failed")
    assert record["answer"]["details"].startswith("upstream_reset") and record["decision"]["verdict"] == "allow"
    asker.server.then(Answer([], hold=5))
    late = asker.call(era, path="/db/mcp")
    record = asker.record()
    assert (late.status, late.json["id"], late.json["error"]["code"]) == (504, 1, -31004)
    assert (record["answer"]["details"], record["answer"]["end"]) == ("response_timeout", "failed")
    assert 900 <= record["answer"]["ms"] < 5000


def test_what_is_said_in_a_session_besides_calls_is_a_line_too(asker):
    session = asker.session(REVISION)
    headers = [*legacy(REVISION, session), *bearer("support").items()]
    said = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}}
    answered = {"jsonrpc": "2.0", "id": 5, "result": {}}
    names = set()
    for method, body, reason in (
        ("POST", json.dumps(said).encode(), "not_ruled"),
        ("POST", json.dumps(answered).encode(), "answer"),
        ("GET", b"", "session"),
        ("DELETE", b"", "session"),
    ):
        asker.send(Exchange(headers, body, method=method))
        record = asker.record()
        assert record["asked"]["http.request.method"] == method
        assert (record["decision"]["verdict"], record["decision"]["reason"]) == ("allow", reason)
        names.add(record["asked"]["mcp.session.id"])
    (name,) = names
    assert name not in session and "weak" not in name


def test_a_rule_in_shadow_is_told_and_counted(asker):
    asker.call(MODERN, "mail.send", {"to": "a", "body": "b"})
    record = asker.record()
    assert record["decision"]["shadow"] == {"rule": "rules.trial", "verdict": "deny"}
    assert record["decision"]["rule"] == "rules.mails"
    labels = {"team": "support", "server": "crm", "verdict": "deny"}
    assert counted(asker, "tollgate_mcp_shadow_total", **labels) >= 1


def counted(asker, name, **labels):
    """The sum of the series with these labels."""
    return sum(value for own, value in asker.envoy.metrics(name) if labels.items() <= own.items())


def test_counters_say_the_same_as_the_lines(asker):
    def counts():
        ours = {"team": "support", "server": "crm"}
        durations = {"server": "crm", "method": "tools/call", "outcome": "tool_error"}
        return [
            counted(asker, "tollgate_mcp_requests_total", **ours, outcome="complete"),
            counted(asker, "tollgate_mcp_requests_total", **ours, outcome="refused"),
            counted(asker, "tollgate_mcp_refusals_total", **ours, reason="no_rule"),
            counted(asker, "tollgate_mcp_approvals_total", server="crm", state="asked"),
            counted(asker, "tollgate_mcp_hidden_total", server="crm"),
            counted(asker, "mcp_server_operation_duration_milliseconds_count", **durations),
        ]

    before = counts()
    asker.server.then(plain(result({"isError": True})))
    asker.call(MODERN)
    asker.call(MODERN, "reports.read")
    asker.call(MODERN, "database.delete_row", {"table": "users", "id": 99})
    asker.ask(MODERN, "tools/list", {})
    hidden = asker.envoy.wait_records(asker._seen + 4)[-1]["answer"]["hidden"]
    expected = [2, 2, 1, 1, hidden, 1]

    def since():
        return [now - was for now, was in zip(counts(), before, strict=True)]

    assert eventually(lambda: since() == expected, 10), since()


@pytest.fixture(scope="module")
def busy(running):
    """The same gate, which has seen all that can happen to a secret; and what the server got of it."""
    running[0].forget()
    asker = Asker(*running)
    stranger = [("authorization", f"Bearer {SECRETS['a token of another']}")]
    secret = {"query": SECRETS["an argument"], SECRETS["an argument"]: 1}
    told = {"content": [{"type": "text", "text": SECRETS["a result"]}], "structuredContent": {SECRETS["a result"]: 1}}
    server = {"name": "a", "version": "1"}
    initialized = result({"protocolVersion": REVISION, "capabilities": {}, "serverInfo": server}, 0)
    header = f"mcp-session-id: {SECRETS['a session']}"
    asker.server.then(plain(initialized, headers=(header,)))
    session = Wire(asker.envoy.port, "/crm/mcp").open_session(REVISION, [*bearer("support").items()])
    uri = f"https://ada:{SECRETS['a password']}@crm.example/a?token={SECRETS['a query']}"
    for era in ERAS:
        opened = session if era == REVISION else None
        for answer in (plain, events):
            asker.server.then(answer(result(told)))
            asker.call(era, arguments=secret, session=opened)
        asker.server.then(Answer([response(SECRETS["a result"].encode(), "text/plain", "500 Oops")]))
        asker.call(era, arguments=secret)
        for tool in ("reports.read", "database.delete_row", "mail.send"):
            asker.call(era, tool, secret)
        asker.ask(era, "resources/read", {"uri": uri}, uri)
        asker.call(era, arguments=secret, who=None, headers=stranger)
        asker.call(era, arguments=secret, who=None, headers=[("authorization", f"Bearer {SECRETS['a wrong key']}")])
        asker.call(era, arguments=secret, path=f"/{SECRETS['a query']}/mcp?{SECRETS['a query']}")
        headers = [*(modern("tools/call", "crm.search") if era == MODERN else basic()), *bearer("dba").items()]
        asker.send(Exchange(headers, b'{"' + SECRETS["a message that is none"].encode()))
        asker.send(Exchange(headers, rpc("tools/call", {"name": "crm.search", "arguments": SECRETS["an argument"]})))
        asker.call(era, who="research", arguments=secret, session=opened)
    asker.envoy.wait_records(asker._seen + 2 + 2 * 13)
    return asker


@pytest.mark.parametrize("secret", SECRETS)
def test_no_record_log_or_stat_has_a_secret(busy, secret):
    secret = SECRETS[secret]
    assert busy.server.ran() and busy.server.received
    audit = (busy.gateway.bootstrap.directory / "audit.jsonl").read_text()
    assert secret not in audit and audit.count("\n") >= 28
    ours = [line for line in busy.envoy.log().splitlines() if "[wasm]" in line]
    assert ours and not [line for line in ours if secret in line]
    assert secret not in busy.envoy.admin("/stats") and secret not in busy.envoy.prometheus()


def test_where_it_is_configured_a_line_has_what_was_called_with(tmp_path):
    uri = f"https://ada:{SECRETS['a password']}@crm.example/a?page=2"
    with WeakServer() as server:
        change = lambda bootstrap: bootstrap.gate(record={"arguments": True})  # noqa: E731
        with McpGateway(tmp_path, change, rules=RULES, who=None, crm=server) as gateway:
            asker = Asker(server, gateway)
            asker.call(MODERN, arguments={"query": "a\nb", "n": 1.50})
            assert json.loads(asker.record()["asked"]["gen_ai.tool.call.arguments"]) == {"query": "a\nb", "n": 1.5}
            asker.call(MODERN, "reports.read", {"bytes": 7})
            assert asker.record()["asked"]["gen_ai.tool.call.arguments"] == '{"bytes": 7}', "refused or not"
            asker.call(MODERN, arguments={"query": "x" * 100_000})
            asked = asker.record()["asked"]
            told = asked["gen_ai.tool.call.arguments"]
            assert told.startswith('{"query": "xxx') and told.endswith("x… (100013 bytes)") and len(told) < 4200
            assert len(asked["arguments_sha256"]) == 64, "of all of it"
            asker.ask(MODERN, "prompts/get", {"name": "greet", "arguments": {"name": "Ada"}}, "greet")
            assert asker.record()["asked"]["arguments"] == '{"name": "Ada"}'
            asker.ask(MODERN, "resources/read", {"uri": uri}, uri)
            assert asker.record()["asked"]["mcp.resource.uri"] == "https://…@crm.example/a?page=2"
            assert "gate.record.arguments is true, and gate.redact is not for records" in gateway.envoy.log()
