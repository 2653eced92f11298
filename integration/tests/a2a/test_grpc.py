"""gRPC: refused in its own words, unless an agent is called unread; then who calls whom, the operation and limits decide."""

import json

import grpc
import pytest

from harness.a2a import ADA, BOB, AgentGateway, Grpc, GrpcAgent, Refused
from harness.a2a.wire import Exchange

VERSIONS = ["1.0", "0.3"]
SEND = "/lf.a2a.v1.A2AService/SendMessage"
OUR_RULES = [
    {"deny": {"callees": ["*"], "operations": ["DeleteTaskPushNotificationConfig"], "reason": "nobody deletes"}},
    {"allow": {"agents": ["assistant"], "callees": ["*"], "tiers": ["gold"]}},
]


def speaks_grpc(port, **agent):
    """Billing behind `127.0.0.1`, over HTTP/2: a client of gRPC names no path of an agent."""

    def change(bootstrap):
        bootstrap.gate_config["agents"]["billing-host"] = {"authority": "127.0.0.1"} | agent
        bootstrap.hcm["route_config"]["virtual_hosts"][0]["domains"] = ["127.0.0.1", "127.0.0.1:*"]
        bootstrap.point("billing", port)
        (options,) = bootstrap.cluster("billing")["typed_extension_protocol_options"].values()
        options["explicit_http_config"] = {"http2_protocol_options": {}}

    return change


@pytest.fixture(scope="module")
def agent():
    with GrpcAgent("billing") as running:
        yield running


@pytest.fixture
def start(people, tmp_path, agent):
    """A gate before an agent that speaks gRPC: `start(limits=[..], agent={"grpc": "unread"})`."""
    agent.forget()
    started = []

    def gateway(agent=(), rules=OUR_RULES, port=None, running=agent, **parts):
        behind = speaks_grpc(port or running.grpc_port, **dict(agent))
        both = lambda bootstrap: (behind(bootstrap), bootstrap.gate(**parts))  # noqa: E731
        made = AgentGateway(tmp_path, people, both, {"concurrency": 2}, rules)
        started.append(made)
        return made.__enter__()

    yield gateway
    for made in started:
        made.__exit__(None, None, None)


UNREAD = {"grpc": "unread"}


def client(gateway, version="1.0", user=ADA, caller="assistant"):
    """The official client."""
    return Grpc(f"127.0.0.1:{gateway.envoy.port}", version, "GRPC", **gateway.people.shows(user, caller))


@pytest.mark.parametrize("version", VERSIONS)
def test_grpc_is_refused_unless_it_is_configured_and_the_official_client_reads_why(start, agent, version):
    gateway = start()
    with client(gateway, version) as caller:
        for ask in (lambda: caller.send("say hello"), lambda: list(caller.stream("say hello")), lambda: caller.get("t")):
            with pytest.raises(Refused) as refused:
                ask()
            assert "FAILED_PRECONDITION: gRPC is not served here" in refused.value.message
    for record in gateway.envoy.wait_records(3):
        assert record["decision"] == {"verdict": "deny", "rule": "agents.grpc", "reason": "grpc"}
        assert record["asked"]["a2a.binding"] == "GRPC" and record["answer"]["end"] == "refused"
    assert agent.ran() == []


@pytest.mark.parametrize("version", VERSIONS)
def test_the_official_client_reaches_an_agent_that_is_called_unread(start, agent, version):
    gateway = start(UNREAD)
    with client(gateway, version) as caller:
        assert "hello" in json.dumps(caller.send("say hello"))
        events = list(caller.stream("make one two"))
        assert len(events) >= 3 and "TASK_STATE_COMPLETED" in json.dumps(events[-1])
        with pytest.raises(Refused) as unknown:
            caller.get("nobody's")
        assert "not" in unknown.value.message.lower(), "the agent's own words"
    assert [ran["operation"] for ran in agent.ran()] == ["send", "stream", "get"]
    headers = [dict(ran["headers"]) for ran in agent.ran()]
    assert all("x-forwarded-client-cert" not in one for one in headers)
    records = gateway.envoy.wait_records(3)
    for record, operation in zip(records, ["SendMessage", "SendStreamingMessage", "GetTask"], strict=True):
        asked = record["asked"]
        assert asked.pop("bytes") > 5
        assert asked == {
            "callee": "billing-host",
            "a2a.binding": "GRPC",
            "a2a.version": version,
            "a2a.operation": operation,
            "unread": True,
        }
        assert record["subject"] == {"user": ADA, "tier": "gold", "agent": "assistant"}
        assert record["decision"] == {"verdict": "allow", "rule": "rules.#2", "reason": "rule"}
        assert record["answer"]["end"] == "complete"


def test_events_come_as_the_agent_sends_them(start, agent):
    gateway = start(UNREAD)
    with client(gateway) as caller:
        events = caller.stream("hold")
        assert next(events) and next(events), "while the task still holds"
        agent.go()
        assert "COMPLETED" in json.dumps(list(events)[-1])


@pytest.mark.parametrize(
    ("user", "caller", "ask", "rule"),
    [
        (BOB, "assistant", lambda client: client.send("say hello"), "rules"),
        (ADA, "planner", lambda client: client.send("say hello"), "rules"),
        (ADA, "assistant", lambda client: client.push_delete("t", "c"), "rules.#1"),
    ],
)
def test_who_calls_and_the_operation_decide(start, agent, user, caller, ask, rule):
    gateway = start(UNREAD)
    with client(gateway, user=user, caller=caller) as asking, pytest.raises(Refused) as refused:
        ask(asking)
    assert "PERMISSION_DENIED: refused by policy" in refused.value.message
    (record,) = gateway.envoy.wait_records(1)
    assert record["decision"]["rule"] == rule and agent.ran() == []


def test_who_shows_no_token_is_nobody(start, agent):
    gateway = start(UNREAD)
    shown = gateway.people.shows() | {"headers": {}}
    with Grpc(f"127.0.0.1:{gateway.envoy.port}", "1.0", "GRPC", **shown) as nobody, pytest.raises(Refused) as refused:
        nobody.send("say hello")
    assert "UNAUTHENTICATED" in refused.value.message and agent.ran() == []


def test_a_limit_is_told_in_grpc_and_a_stream_gives_back_its_place(start, agent):
    limits = [
        {"name": "edge", "per": ["agent", "callee"], "messages": 3, "every": "minute", "burst": 3},
        {"name": "streams", "per": ["agent", "callee"], "streams": 1},
    ]
    gateway = start(UNREAD, limits=limits)
    with client(gateway) as caller, client(gateway) as other:
        events = caller.stream("hold")
        assert next(events)
        with pytest.raises(Refused) as refused:
            list(other.stream("say hello"))
        assert "RESOURCE_EXHAUSTED: the limit `streams`" in refused.value.message
        agent.go()
        assert list(events)
        gateway.envoy.wait_records(2)
        assert list(other.stream("say hello"))
        assert other.send("say hello")
        with pytest.raises(Refused) as refused:
            other.send("say hello")
        assert "RESOURCE_EXHAUSTED: the limit `edge`" in refused.value.message
    records = gateway.envoy.wait_records(5)
    assert [limit["unit"] for limit in records[1]["limits"]] == ["messages", "streams"]


def test_an_agent_that_is_not_there_is_told_in_grpc(start):
    gateway = start(UNREAD, port=1)
    with client(gateway) as caller, pytest.raises(Refused) as refused:
        caller.send("say hello")
    assert "UNAVAILABLE" in refused.value.message
    (record,) = gateway.envoy.wait_records(1)
    assert (record["answer"]["end"], record["decision"]["verdict"]) == ("failed", "allow")


def test_a_message_that_is_too_large_is_told_in_grpc(start, agent):
    gateway = start(UNREAD, bounds={"request_bytes": 1 << 16})
    with client(gateway) as caller, pytest.raises(Refused) as refused:
        caller.send("say " + "x" * (1 << 17))
    assert "RESOURCE_EXHAUSTED: the request body is larger than 65536 bytes" in refused.value.message
    assert agent.ran() == []


# What proxies and some servers take for it.
RESEMBLING = ["application/grpc-web+proto", "application/grpc-web-text", "application/grpc;x=y", "APPLICATION/GRPC"]


@pytest.mark.parametrize("how", [{}, UNREAD], ids=["refused", "unread"])
def test_what_only_resembles_grpc_is_refused(start, agent, how):
    gateway = start(how)
    wire = gateway.wire("billing")
    token = ("authorization", f"Bearer {gateway.people.token()}")
    host = ("host", f"127.0.0.1:{gateway.envoy.port}")
    for kinds in (*([kind] for kind in RESEMBLING), ["application/grpc", "application/json"]):
        headers = [("content-type", kind) for kind in kinds]
        answer = wire.send(Exchange([host, token, *headers], b"\0\0\0\0\0", path=SEND))
        assert answer.status == 415 and answer.header("content-type") == "application/json"
    reasons = {record["decision"]["reason"] for record in gateway.envoy.wait_records(len(RESEMBLING) + 1)}
    assert reasons == {"unsupported_content_type"} and agent.ran() == []


def test_a_path_that_a2a_does_not_have_is_denied_unless_a_rule_names_it(start, agent):
    gateway = start(UNREAD)
    wire = gateway.wire("billing")
    token = ("authorization", f"Bearer {gateway.people.token()}")
    headers = [("host", "127.0.0.1"), token, ("content-type", "application/grpc"), ("te", "trailers")]
    for path in ("/grpc.health.v1.Health/Check", "/message:send", "/", "/lf.a2a.v1.A2AService/sendMessage", SEND + "/"):
        answer = wire.send(Exchange(headers, b"\0\0\0\0\0", path=path))
        assert (answer.status, answer.header("grpc-status")) == (200, str(grpc.StatusCode.PERMISSION_DENIED.value[0])), path
    assert {record["decision"]["verdict"] for record in gateway.envoy.wait_records(5)} == {"deny"}
    assert agent.ran() == []
