"""A session belongs to the subject that opened it, whoever learns its id."""

import json
import re

import pytest

from harness.envoy import eventually
from harness.mcp import CLIENTS, Exchange, McpGateway, Wire, bearer
from harness.mcp.servers import SESSIONS
from harness.mcp.wire import basic, legacy, meta, modern, rpc
from harness.scripted import events, plain
from mcp_servers.weak import WeakServer

REVISION = SESSIONS[-1]
UNKNOWN = {"jsonrpc": "2.0", "id": None, "error": {"code": -32600, "message": "Session not found"}}
# Servers on SDKs that have sessions, whatever form they answer in.
WITH_SESSIONS = ("python", "typescript-1", "typescript-2")


def who(name):
    return list(bearer(name).items())


def listing(session, name="support", revision=REVISION):
    return Exchange([*legacy(revision, session), *who(name)], rpc("tools/list"))


def signing_keys(text):
    def change(bootstrap):
        bootstrap.gate(signing_keys_from="TOLLGATE_MCP_KEYS")
        for plugin in bootstrap.plugins():
            plugin["vm_config"]["environment_variables"] = {"key_values": {"TOLLGATE_MCP_KEYS": text}}

    return change


@pytest.fixture(scope="module")
def weak(tmp_path_factory):
    """A server that takes whatever comes, behind two paths of a gate with two workers."""
    with WeakServer() as server:
        directory, workers = tmp_path_factory.mktemp("weak"), {"concurrency": 2}
        with McpGateway(directory, envoy=workers, who=None, crm=server, database=server) as gateway:
            yield server, Wire(gateway.envoy.port, "/crm/mcp"), gateway


@pytest.mark.parametrize("name", WITH_SESSIONS)
@pytest.mark.parametrize("revision", SESSIONS)
def test_nobody_uses_the_session_of_another(mcp_servers, mcp_gateways, name, revision):
    wire = Wire(mcp_gateways(name).envoy.port, "/crm/mcp", seconds=2)
    session = wire.open_session(revision, who("support"))
    headers = legacy(revision, session)
    assert wire.send(listing(session, revision=revision)).status == 200
    for method, body in (("POST", rpc("tools/list")), ("GET", b""), ("DELETE", b"")):
        taken = wire.send(Exchange([*headers, *who("research")], body, method=method))
        assert (taken.status, taken.json) == (404, UNKNOWN), method
    last = ("last-event-id", "1")
    taken = wire.send(Exchange([*headers, *who("research"), last], b"", method="GET"))
    assert (taken.status, taken.json) == (404, UNKNOWN)
    assert wire.send(listing(session, revision=revision)).status == 200, "it still is its owner's"
    assert wire.send(Exchange([*headers, *who("support")], b"", method="DELETE")).status in (200, 204)
    gone = wire.send(listing(session, revision=revision))
    assert gone.status == 404, "and its server ended it"


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("name", WITH_SESSIONS)
def test_clients_know_nothing_of_it(mcp_gateways, client, name):
    with CLIENTS[client](mcp_gateways(name).url(), "legacy", headers=bearer("dba")) as user:
        assert user.call("crm.search", query="Ada").text == 'ran crm.search {"query": "Ada"}'


def test_the_server_sees_its_own_id_and_the_client_another(weak):
    server, wire, gateway = weak
    session = wire.open_session(REVISION, who("support"))
    assert session.endswith(".weak") and len(session) == 49
    server.forget()
    for _ in range(20):  # on either worker
        assert wire.send(listing(session)).status == 200
    assert {tuple(request.values("mcp-session-id")) for request in server.received} == {("weak",)}
    records = [record for record in gateway.envoy.records() if "mcp.session.id" in record["asked"]]
    names = {record["asked"]["mcp.session.id"] for record in records}
    assert len(names) == 1 and len(names.pop()) == 16
    assert "weak" not in json.dumps([record["asked"] | {"server": ""} for record in records])


def test_whatever_is_no_session_of_the_callers_is_answered_alike_and_goes_no_further(weak):
    server, wire, gateway = weak
    session = wire.open_session(REVISION, who("support"))
    mac, _, own = session.partition(".")
    research = wire.open_session(REVISION, who("research"))
    server.forget()
    other = Wire(gateway.envoy.port, "/db/mcp")
    answers = [
        wire.send(listing(carried, name))
        for carried, name in [
            ("weak", "support"),
            (own, "support"),
            (f"{mac}.other", "support"),
            (f"{mac}.", "support"),
            (f"{mac}.{'w' * 300}", "support"),
            (f"{research[:43]}.weak", "support"),
            (session[:-1], "support"),
            (session + "x", "support"),
            (session.swapcase(), "support"),
            ("x" * 4000, "support"),
            ("", "support"),
            (session, "research"),
            (session, "dba"),
        ]
    ]
    answers.append(other.send(listing(session)))
    same = json.dumps(UNKNOWN, separators=(",", ":")).encode()
    assert {(answer.status, answer.body) for answer in answers} == {(404, same)}
    assert server.received == []


def test_a_server_may_repeat_its_id_in_any_answer(weak):
    server, wire, _ = weak
    for capabilities in ({}, {"elicitation": {"url": {}}}):
        session = wire.open_session(REVISION, who("support"), capabilities)
        server.then(plain({"jsonrpc": "2.0", "id": 1, "result": {"tools": []}}, headers=("mcp-session-id: weak",)))
        assert wire.send(listing(session)).header("mcp-session-id") == session


def test_a_header_of_sessions_is_given_once(weak):
    server, wire, _ = weak
    session = wire.open_session(REVISION, who("support"))
    server.forget()
    for header in (("mcp-session-id", session), ("last-event-id", "1")):
        headers = [*legacy(REVISION, session), *who("support"), ("last-event-id", "1"), header]
        answer = wire.send(Exchange(headers, b"", method="GET"))
        assert (answer.status, answer.json["error"]["code"]) == (400, -32020)
    assert server.received == []


def test_a_stream_is_taken_up_again_only_in_a_session(weak):
    server, wire, _ = weak
    server.forget()
    headers = [("accept", "text/event-stream"), ("mcp-protocol-version", REVISION), *who("support")]
    answer = wire.send(Exchange([*headers, ("last-event-id", "1")], b"", method="GET"))
    assert (answer.status, answer.json, server.received) == (404, UNKNOWN, [])


def test_the_events_of_a_session_are_taken_up_again_in_that_session_alone(weak):
    server, wire, gateway = weak
    session, other = wire.open_session(REVISION, who("support")), wire.open_session(REVISION, who("research"))
    server.then(events(b"id: 7\nretry: 5\n\n", b'id:a-8\r\ndata: {"jsonrpc":"2.0","id":1,"result":{"tools":[]}}\r\n\r\n'))
    stream = wire.send(listing(session)).body
    first, second = re.findall(rb"^id: (\S+)\r?$", stream, re.MULTILINE)
    assert first.endswith(b".7") and second.endswith(b".a-8")
    assert stream.replace(first, b"7").replace(b"id: " + second, b"id:a-8").startswith(b"id: 7\nretry: 5\n\nid:a-8\r\ndata: ")
    server.forget()

    def resumed(session, name, event):
        headers = [*legacy(REVISION, session), *who(name), ("last-event-id", event.decode())]
        return wire.send(Exchange(headers, b"", method="GET"))

    for name, carried, event in [
        ("research", other, first),
        ("support", session, b"7"),
        ("support", session, first + b"0"),
        ("support", session, first.replace(b".7", b".8")),
        ("support", session, b""),
    ]:
        answer = resumed(carried, name, event)
        assert (answer.status, answer.json["error"]["code"]) == (400, -32600), (name, event)
    assert server.received == []
    reasons = lambda: [record["decision"]["reason"] for record in gateway.envoy.records()]  # noqa: E731
    assert eventually(lambda: reasons().count("unknown_event") == 5, 5), reasons()
    resumed(session, "support", second)
    assert [request.values("last-event-id") for request in server.received] == [["a-8"]]


def test_without_sessions_their_headers_mean_nothing_and_go_no_further(weak):
    server, wire, _ = weak
    session = wire.open_session(REVISION, who("support"))
    server.forget()
    for carried in (session, "anything"):
        headers = [*modern("tools/list"), ("mcp-session-id", carried), ("last-event-id", "7"), *who("research")]
        answer = wire.send(Exchange(headers, rpc("tools/list", {"_meta": meta()})))
        assert (answer.status, answer.header("mcp-session-id")) == (200, None)
    assert len(server.received) == 2
    assert not any(request.values("mcp-session-id") + request.values("last-event-id") for request in server.received)


def test_a_session_that_cannot_be_carried_is_not_passed_on(weak):
    server, wire, _ = weak
    for ids in (("a", "b"), ("a" * 257,), ("a b",)):
        headers = tuple(f"mcp-session-id: {id}" for id in ids)
        server.then(plain({"jsonrpc": "2.0", "id": 1, "result": {}}, headers=headers))
        answer = wire.send(Exchange([*basic(), *who("support")], rpc("ping")))
        assert (answer.status, answer.header("mcp-session-id")) == (502, None)


def test_with_configured_keys_sessions_outlive_an_envoy_and_without_do_not(tmp_path_factory):
    old, new = "o" * 32, "n" * 32
    with WeakServer() as server:

        def gateway(change):
            return McpGateway(tmp_path_factory.mktemp("keys"), change, who=None, crm=server)

        def used(made, session):
            with made as running:
                return Wire(running.envoy.port, "/crm/mcp").send(listing(session)).status

        for keys in (signing_keys(old), lambda bootstrap: None):
            with gateway(keys) as running:
                session = Wire(running.envoy.port, "/crm/mcp").open_session(REVISION, who("support"))
                warned = "signing_keys_from is not set" in running.envoy.log()
            configured = keys.__name__ == "change"
            assert warned != configured
            assert used(gateway(keys), session) == (200 if configured else 404)
            if configured:
                assert used(gateway(signing_keys(f"{new},{old}")), session) == 200
                assert used(gateway(signing_keys(new)), session) == 404
