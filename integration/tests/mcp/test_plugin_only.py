"""Where Envoy cannot hold headers, as in Istio's `WasmPlugin`: they go on, and the body alone is held until it is decided."""

import json
import socket
import threading

import pytest
import yaml

from harness.bootstrap import ROOT
from harness.envoy import eventually
from harness.mcp import ALLOW_ALL, CLIENTS, Exchange, McpGateway, Refused, Wire
from harness.mcp.approvals import CALL, TOOL, YES
from harness.mcp.wire import basic, messages, meta, modern, rpc
from mcp_corpus import HTTP2, attempt, attempt_http2, controls, corpus, open_session
from mcp_servers.weak import WeakServer
from providers.raw import Listening

ERAS = ["legacy", "modern"]
DENY_ONE = [{"deny": {"tools": ["crm.database.delete_row"]}}, {"allow": {"tools": ["*"]}}]
POLICY = [
    {"confirm": {"tools": ["*.delete_row"], "by": "caller"}},
    {"allow": {"tools": ["*.search", "*.read_*"], "prompts": ["*-triage"], "resources": ["crm://*"]}},
]


def plugin_only(**parts):
    """What a mesh can set of a plugin."""

    def change(bootstrap):
        for plugin in bootstrap.plugins():
            del plugin["allow_on_headers_stop_iteration"]
        bootstrap.gate(**{"hold_headers": False} | parts)

    return change


def shipped(bootstrap):
    """What `envoy/istio/mcp-wasmplugin.yaml` makes of a proxy, with the tests' keys."""
    plugin = yaml.safe_load((ROOT / "envoy/istio/mcp-wasmplugin.yaml").read_text())["spec"]
    keys = bootstrap.gate_config["keys"]
    (made,) = bootstrap.plugins()
    del made["allow_on_headers_stop_iteration"]
    assert made["failure_policy"] == plugin["failStrategy"]
    made["configuration"]["value"] = plugin["pluginConfig"]
    variables = {variable["name"]: "k" * 32 for variable in plugin["vmConfig"]["env"]}
    made["vm_config"]["environment_variables"] = {"key_values": variables}
    bootstrap.gate(keys=keys)


def call(tool, **arguments):
    params = {"_meta": meta(), "name": tool, "arguments": arguments}
    return rpc("tools/call", params), modern("tools/call", tool)


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    """The server that runs whatever any server runs, behind a gate that denies one tool."""
    directory = tmp_path_factory.mktemp("plugin-only")
    change = plugin_only(bounds={"request_bytes": 2 << 20})
    with WeakServer() as server, McpGateway(directory, change, rules=DENY_ONE, crm=server) as gateway:
        wire = Wire(gateway.envoy.port, "/crm/mcp", seconds=2)
        assert wire.send(Exchange(modern("tools/list"), rpc("tools/list", {"_meta": meta()}))).status == 200
        yield server, wire


@pytest.mark.parametrize("made", corpus(), ids=lambda made: made.name)
def test_no_attack_gets_past_and_each_gets_the_right_answer(guarded, made):
    server, wire = guarded
    outcome = attempt(made, wire, open_session(made, wire), server)
    assert not outcome.ran
    assert made.attack.right.problems(outcome.answer) == []


@pytest.mark.parametrize("made", corpus(HTTP2), ids=lambda made: made.name)
def test_no_attack_over_http2_gets_past(guarded, made):
    server, wire = guarded
    outcome = attempt_http2(made, wire.port, "/crm/mcp", open_session(made, wire), server)
    assert not outcome.ran
    assert made.attack.right.problems(outcome.answer) == []


@pytest.mark.parametrize("made", controls(), ids=lambda made: made.name)
def test_what_is_allowed_runs_in_any_shape(guarded, made):
    server, wire = guarded
    outcome = attempt(made, wire, open_session(made, wire), server)
    assert outcome.ran
    assert made.attack.right.problems(outcome.answer) == []


@pytest.mark.parametrize("answers", ["sse", "json"])
@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("client", CLIENTS)
def test_clients_have_the_same_policy(tmp_path, mcp_servers, client, era, answers):
    server = mcp_servers("python", answers)
    with McpGateway(tmp_path, plugin_only(), rules=POLICY, crm=server) as gateway:
        with CLIENTS[client](gateway.url(), era) as user:
            listed = {tool["name"] for tool in user.tools()}
            assert listed == {"crm.search", "crm.read_customer", "database.read_rows", "database.delete_row"}
            assert [prompt["name"] for prompt in user.prompts()] == ["support-triage"]
            assert [resource["uri"] for resource in user.resources()] == ["crm://customers/7"]
            assert user.call("crm.search", query="x" * 100_000).text.startswith("ran")
            assert "reason=no_rule" in user.call("mail.send", to="eve", body="all").text
            with pytest.raises(Refused):
                user.read("test://static-text")
    assert [ran["tool"] for ran in server.ran()] == ["crm.search"]


def test_the_shipped_plugin_for_istio_works(tmp_path, mcp_servers):
    server = mcp_servers("python")
    with McpGateway(tmp_path, shipped, crm=server) as gateway:
        with CLIENTS["python"](gateway.url(), "modern") as user:
            assert {tool["name"] for tool in user.tools()} == {"crm.search", "crm.read_customer", "database.read_rows"}
            assert user.call("crm.search", query="Ada").text.startswith("ran")
            assert "ask the platform team" in user.call("mail.send", to="eve", body="all").text
            assert len(user.call("crm.search", query="x" * 900_000).text) > 900_000
        body, headers = call("crm.search", query="x" * 1_100_000)
        answer = Wire(gateway.envoy.port, "/crm/mcp").send(Exchange(headers, body))
        assert answer.status == 413 and "larger than 1000000 bytes" in messages(answer)[0]["error"]["message"]
        assert "warning][wasm]" not in gateway.envoy.log()


@pytest.mark.parametrize("client", ["python", "typescript"])
@pytest.mark.parametrize("server", ["python", "typescript-2"])
def test_a_yes_runs_the_call_though_its_body_is_changed(tmp_path, mcp_servers, client, server):
    running = mcp_servers(server)
    with McpGateway(tmp_path, plugin_only(), rules=POLICY, crm=running) as gateway:
        with CLIENTS[client](gateway.url(), "modern", answer=lambda method, params: YES) as user:
            assert not user.call(TOOL, **CALL).failed
    assert [ran["tool"] for ran in running.ran()] == [TOOL]


def test_a_refused_request_leaves_a_server_with_headers_and_no_byte_of_a_body(tmp_path):
    with Listening() as server, McpGateway(tmp_path, plugin_only(), rules=DENY_ONE, crm=server) as gateway:
        body, headers = call("database.delete_row", table="customers", id=7, note="x" * 1000)
        sent = Exchange([*headers, ("cookie", "a=b"), ("x-envoy-retry-on", "5xx")], body)
        with Wire(gateway.envoy.port, "/crm/mcp").half_sent(sent) as rest:
            assert eventually(lambda: server.received.endswith(b"\r\n\r\n"), 5), "the headers are there"
            assert not server.ended.is_set()
            answer = rest()
        assert answer.status == 200 and answer.json["result"]["isError"]
        assert server.ended.wait(5), "what was begun is broken off"
    head = server.received.lower()
    assert head.endswith(b"\r\n\r\n") and head.count(b"\r\n\r\n") == 1
    assert b"transfer-encoding: chunked" in head and b"content-length" not in head
    for secret in (b"authorization", b"cookie", b"x-envoy-retry-on", b"tg_support"):
        assert secret not in head


def test_an_answer_to_what_was_not_read_is_not_let_through(tmp_path):
    result = {"jsonrpc": "2.0", "id": 1, "result": {"tools": [{"name": "evil", "inputSchema": {}}]}}
    said = json.dumps(result).encode()
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(said)
    with Listening(head + said) as server, McpGateway(tmp_path, plugin_only(), rules=DENY_ONE, crm=server) as gateway:
        params = {"_meta": meta(), "more": "x" * 1000}
        sent = Exchange(modern("tools/list"), rpc("tools/list", params))
        with Wire(gateway.envoy.port, "/crm/mcp").half_sent(sent) as rest:
            answer = rest(b"")
        assert (answer.status, answer.json["error"]["code"]) == (502, -31004)
        (record,) = gateway.envoy.wait_records(1)
    assert record["decision"]["reason"] == "answer_early"
    assert b"evil" not in answer.body


def test_a_stream_is_listened_to_and_a_session_ended(tmp_path, mcp_servers):
    with McpGateway(tmp_path, plugin_only(), crm=mcp_servers("python")) as gateway:
        wire = Wire(gateway.envoy.port, "/crm/mcp")
        session = wire.open_session("2025-11-25")
        listens = [("accept", "text/event-stream"), ("mcp-protocol-version", "2025-11-25"), ("mcp-session-id", session)]
        with wire.open(Exchange(listens, b"", method="GET")) as stream:
            assert stream.status == 200
        assert wire.close_session("2025-11-25", session).status in (200, 204)


def test_a_plugin_that_cannot_hold_headers_and_must_says_so_and_hangs_nobody(tmp_path):
    how = {"allow_crash": True}
    with WeakServer() as server, McpGateway(tmp_path, plugin_only(hold_headers=True), how, crm=server) as gateway:
        answer = Wire(gateway.envoy.port, "/crm/mcp", seconds=20).send(
            Exchange(basic(), rpc("tools/call", {"name": "crm.search", "arguments": {}}))
        )
        assert answer.status == 408
        (message,) = messages(answer)
        assert "its log says how" in message["error"]["message"]
        assert server.received == []
        log = gateway.envoy.log()
    assert "`allow_on_headers_stop_iteration: true`, or the filter `hold_headers: false`" in log


def test_a_client_that_is_slow_to_send_a_body_is_waited_for(tmp_path):
    """Once any body has come, Envoy can hold headers, and how long a client takes is Envoy's to bound."""
    with WeakServer() as server, McpGateway(tmp_path, rules=ALLOW_ALL, crm=server) as gateway:
        wire = Wire(gateway.envoy.port, "/crm/mcp")
        body, headers = call("crm.search")
        assert wire.send(Exchange(headers, body)).status == 200
        sent = wire.bytes(Exchange(headers, body))
        with socket.create_connection(("127.0.0.1", wire.port), timeout=20) as connection:
            connection.sendall(sent[: -len(body)])
            threading.Event().wait(12)
            connection.sendall(body)
            assert connection.recv(65536).startswith(b"HTTP/1.1 200")
