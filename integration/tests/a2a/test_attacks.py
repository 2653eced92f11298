"""What a caller and an agent try together or alone that no reader of A2A would think of."""

import json

import pytest

from a2a_agents.weak import WeakAgent, result, task
from harness.a2a import ADA, BOB, AgentGateway
from harness.a2a.wire import Exchange, basic, message, messages, rpc
from harness.scripted import Answer, plain, response


@pytest.fixture(scope="module")
def agent():
    """One whose answers a test writes."""
    with WeakAgent() as weak:
        yield weak


@pytest.fixture(scope="module")
def gateway(agent, people, tmp_path_factory):
    """The gate in front of it, which gives out contexts of its own."""

    def change(bootstrap):
        bootstrap.gate_config["agents"]["planner"]["conversations"] = "table"
        bootstrap.gate(rules=[{"allow": {"callees": ["*"], "operations": ["*"]}}])

    with AgentGateway(tmp_path_factory.mktemp("attacks"), people, change, planner=agent) as gateway:
        yield gateway


@pytest.fixture
def ask(agent, gateway, people):
    """What comes of a request that is answered so, and what the record says of it."""

    def asked(answer=None, method="SendMessage", params=None, user=ADA, headers=(), **more):
        agent.forget()
        agent.then(*([answer] if answer else []))
        seen = gateway.seen()
        headers = [*basic(), ("authorization", f"Bearer {people.token(user)}"), *headers]
        said = gateway.wire("planner", seconds=2).send(Exchange(headers, rpc(method, params or message("hi"), **more)))
        return said, gateway.envoy.wait_records(seen + 1)[seen]

    return asked


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
@pytest.mark.parametrize("body", [b"", json.dumps(result(task())).encode()], ids=["empty", "task"])
@pytest.mark.parametrize(
    ("method", "params", "code"),
    [("SendMessage", None, -32006), ("SendStreamingMessage", None, -32006), ("GetTask", {"id": "t-9"}, -32001)],
)
def test_no_agent_sends_a_client_elsewhere(ask, status, body, method, params, code):
    sends = Answer([response(body, status=status, headers=("location: https://elsewhere.example/",))])
    said, record = ask(sends, method, params)
    assert said.header("location") is None and b"t-1" not in said.body
    assert [told["error"]["code"] for told in messages(said)] == [code]
    assert record["decision"]["reason"] == ("not_there" if code == -32001 else "answer_redirect")


@pytest.mark.parametrize("name", ["x-original-url", "x-rewrite-url", "x-forwarded-prefix", "x-script-name"])
def test_no_header_takes_an_agent_to_another_path_than_was_decided_on(ask, agent, name):
    said, _ = ask(plain(result(task())), headers=[(name, "/tasks/t-bob")])
    assert said.status == 200
    assert agent.received[0].values(name) == []


@pytest.mark.parametrize("path", ["", "/.well-known/agent-card.json", "/tasks"])
@pytest.mark.parametrize("name", ["access_token", "access%5Ftoken", "Access_Token"])
def test_no_token_goes_on_with_the_path_to_whom_it_is_not_for(gateway, agent, people, path, name):
    agent.forget()
    token, method = people.token(ADA, aud=["billing"]), "GET" if path else "POST"
    body = b"" if path else rpc("SendMessage", message("hi"))
    asked = Exchange(basic(), body, method, f"/agents/planner{path}?{name}={token}")
    said = gateway.wire("planner", seconds=2).send(asked)
    assert said.status >= 400 or said.json["error"]
    assert agent.received == []


@pytest.mark.parametrize("path", ["/tasks/t-ada", "/tasks", "/acme/tasks/t-ada", "/.well-known/agent-card.json"])
def test_head_tells_nothing_of_what_get_would_not_show(gateway, agent, people, path):
    agent.forget()
    headers = [("a2a-version", "1.0"), ("authorization", f"Bearer {people.token(BOB)}")]
    said = gateway.wire("planner", seconds=2).send(Exchange(headers, b"", "HEAD", f"/agents/planner{path}"))
    assert (said.status, agent.received) == (400, [])
