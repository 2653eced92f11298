"""Where Envoy cannot hold headers, as in Istio's `WasmPlugin`: they go on, and the body alone is held until it is decided."""

import json

import pytest
import yaml

from harness.a2a import ADA, AGENTS, BOB, CLIENTS, AgentGateway, Refused
from harness.a2a.wire import Exchange, basic, message, messages, rpc
from harness.bootstrap import ROOT
from harness.envoy import eventually
from providers.raw import Listening

RULES = [
    {"allow": {"agents": ["assistant"], "callees": ["planner"], "operations": ["SendMessage", "GetTask", "*Stream*"]}},
    {"deny": {"callees": ["*"], "reason": "ask the platform team"}},
]


def plugin_only(**parts):
    """What a mesh can set of a plugin."""

    def change(bootstrap):
        for plugin in bootstrap.plugins():
            del plugin["allow_on_headers_stop_iteration"]
        bootstrap.gate(**{"hold_headers": False} | parts)

    return change


def before(port, **parts):
    """The same, and the planner at this port."""

    def change(bootstrap):
        plugin_only(**parts)(bootstrap)
        bootstrap.point("planner", port)

    return change


@pytest.fixture(scope="module")
def agents():
    with AGENTS["python"]("planner") as planner, AGENTS["python"]("billing") as billing:
        yield {"planner": planner, "billing": billing}


@pytest.fixture(scope="module")
def gateway(agents, people, tmp_path_factory):
    with AgentGateway(tmp_path_factory.mktemp("plugin-only"), people, plugin_only(), rules=RULES, **agents) as running:
        yield running


def asks(gateway, method="SendMessage", params=None, user=ADA, headers=()):
    token = ("authorization", f"Bearer {gateway.people.token(user)}")
    return Exchange([*basic(), token, *headers], rpc(method, params or message("say hello")))


@pytest.mark.parametrize("binding", ["JSONRPC", "HTTP+JSON"])
@pytest.mark.parametrize("name", CLIENTS)
def test_clients_have_the_same_policy(gateway, agents, name, binding):
    version = CLIENTS[name].VERSIONS[0]
    agents["planner"].forget()
    agents["billing"].forget()
    gateway.introduce()
    with CLIENTS[name](gateway.url("planner"), version, binding, **gateway.people.shows()) as user:
        task = user.send("make " + "x" * 100_000)
        assert list(user.stream("make a b"))
        assert "x" * 100_000 in json.dumps(user.get(task.get("task", task)["id"]))
        with pytest.raises(Refused):
            user.cancel("t")
    with CLIENTS[name](gateway.url("billing"), version, binding, **gateway.people.shows()) as user, pytest.raises(Refused):
        user.send("say hello")
    assert [ran["operation"] for ran in agents["planner"].ran()] == ["send", "stream", "get"]
    assert agents["billing"].ran() == []


def shipped(bootstrap):
    """What `envoy/istio/agent-wasmplugin.yaml` makes of a proxy."""
    plugin = yaml.safe_load((ROOT / "envoy/istio/agent-wasmplugin.yaml").read_text())["spec"]
    (made,) = bootstrap.plugins()
    del made["allow_on_headers_stop_iteration"]
    assert made["failure_policy"] == plugin["failStrategy"]
    url = bootstrap.gate_config["cards"]["url"]
    made["configuration"]["value"] = plugin["pluginConfig"]
    bootstrap.gate_config["cards"]["url"] = url
    variables = {variable["name"]: "k" * 32 for variable in plugin["vmConfig"]["env"]}
    made["vm_config"]["environment_variables"] = {"key_values": variables}
    # As Istio has it.
    bootstrap.jwt_authn["providers"]["issuer"]["payload_in_metadata"] = "payload"
    tls = bootstrap.listeners[0]["filter_chains"][0]["transport_socket"]["typed_config"]["common_tls_context"]
    del tls["validation_context"]["match_typed_subject_alt_names"]


def test_the_shipped_plugin_for_istio_works(tmp_path, people, agents):
    account = "spiffe://cluster.local/ns/agents/sa/assistant"
    certificate = people.authority.issue("istio-assistant", [account])
    agents["planner"].forget()

    def caller(gateway, user):
        token = people.token(user, act={"sub": account})
        shown = {"authority": str(people.authority.file), "certificate": str(certificate)}
        return CLIENTS["python"](gateway.url("planner"), headers={"authorization": f"Bearer {token}"}, **shown)

    with AgentGateway(tmp_path, people, shipped, **agents) as gateway:
        with caller(gateway, ADA) as user:
            assert "hello" in json.dumps(user.send("say hello"))
            assert len(json.dumps(user.send("say " + "x" * 900_000))) > 900_000
            with pytest.raises(Refused):
                user.send("say " + "x" * 1_100_000)
        (said, _, large) = gateway.envoy.wait_records(4)[-3:]
        assert said["subject"] == {"user": ADA, "tier": "gold", "agent": "assistant"}
        assert large["decision"]["rule"] == "bounds.request_bytes"
        assert gateway.wire("planner").send(asks(gateway)).status == 401, "not of this mesh"
        assert "warning][wasm]" not in gateway.envoy.log()


def test_a_refused_request_leaves_an_agent_with_headers_and_no_byte_of_a_body(tmp_path, people):
    with Listening() as server, AgentGateway(tmp_path, people, before(server.port), rules=RULES) as gateway:
        params = {"id": "t", "metadata": {"more": "x" * 1000}}
        refused = asks(gateway, "CancelTask", params, headers=[("cookie", "a=b"), ("x-envoy-retry-on", "5xx")])
        with gateway.wire("planner").half_sent(refused) as rest:
            assert eventually(lambda: server.received.endswith(b"\r\n\r\n"), 5), "the headers are there"
            assert not server.ended.is_set()
            answer = rest()
        assert answer.status == 403 and answer.json["error"]["code"] == -31001
        assert server.ended.wait(5), "what was begun is broken off"
    head = server.received.lower()
    assert head.endswith(b"\r\n\r\n") and head.count(b"\r\n\r\n") == 1
    assert b"transfer-encoding: chunked" in head and b"content-length" not in head
    for secret in (b"cookie", b"x-envoy-retry-on", b"accept-encoding"):
        assert secret not in head


def test_an_answer_to_what_was_not_read_is_not_let_through(tmp_path, people):
    said = json.dumps({"jsonrpc": "2.0", "id": 1, "result": {"message": {"messageId": "evil"}}}).encode()
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(said)
    with Listening(head + said) as server, AgentGateway(tmp_path, people, before(server.port), rules=RULES) as gateway:
        with gateway.wire("planner").half_sent(asks(gateway, params=message("x" * 1000))) as rest:
            answer = rest(b"")
        assert answer.status == 502 and b"evil" not in answer.body
        (record,) = gateway.envoy.wait_records(1)
    assert record["decision"]["reason"] == "answer_early"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/tasks/t"),
        ("DELETE", "/tasks/t/pushNotificationConfigs/c"),
        ("POST", "/tasks/t:cancel"),
        ("POST", "/tasks/t:subscribe"),
        ("POST", "/else"),
    ],
)
@pytest.mark.parametrize("length", [{}, {"transfer-encoding": "chunked"}], ids=["length", "chunked"])
def test_what_an_agent_does_without_a_body_is_refused_at_once_when_it_has_one(gateway, agents, method, path, length):
    """It would have been done before it is decided."""
    agents["planner"].forget()
    seen = gateway.seen()
    token = ("authorization", f"Bearer {gateway.people.token()}")
    body = b'2\r\n{}\r\n0\r\n\r\n' if length else b"{}"
    sent = Exchange([*basic(), token, *length.items()], body, method=method, path="/agents/planner" + path)
    answer = gateway.wire("planner").send(sent)
    assert answer.status == 400 and b"leave it out, or use JSON-RPC" in answer.body
    record = gateway.envoy.wait_records(seen + 1)[-1]
    assert record["decision"] == {"verdict": "deny", "rule": "hold_headers", "reason": "unheld_body"}
    assert agents["planner"].ran() == []


def test_without_a_body_it_is_decided(gateway, agents):
    agents["planner"].forget()
    headers = [("a2a-version", "1.0"), ("authorization", f"Bearer {gateway.people.token()}")]
    wire = gateway.wire("planner")
    for method, verb, status in (("GET", "", 404), ("POST", ":cancel", 403)):
        asked = Exchange(headers, b"", method=method, path=f"/agents/planner/tasks/t{verb}")
        assert wire.send(asked).status == status
    assert "cancel" not in [ran["operation"] for ran in agents["planner"].ran()]


def test_users_on_other_tiers_are_told_the_same(gateway):
    answer = gateway.wire("billing").send(asks(gateway, user=BOB))
    assert (answer.status, messages(answer)[0]["id"]) == (403, 1)


def test_a_plugin_that_cannot_hold_headers_and_must_says_so_and_hangs_nobody(tmp_path, people):
    how = {"allow_crash": True}
    with (
        Listening() as server,
        AgentGateway(tmp_path, people, before(server.port, hold_headers=True), how, RULES) as gateway,
    ):
        answer = gateway.wire("planner", seconds=20).send(asks(gateway))
        assert answer.status == 408 and "its log says how" in messages(answer)[0]["error"]["message"]
        assert server.received == b""
        assert "`allow_on_headers_stop_iteration: true`, or the filter `hold_headers: false`" in gateway.envoy.log()
