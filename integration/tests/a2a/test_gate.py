"""The agent gateway in a real Envoy: which agent called which, for whom, and was it allowed."""

import json

import pytest

from harness.a2a import ADA, AGENTS, BOB, CLIENTS, AgentGateway, Refused
from harness.a2a.wire import Exchange, basic, message, messages, rpc

# The three lines of docs/agent.md, for users on tier gold.
RULES = [
    {"allow": {"agents": ["assistant"], "callees": ["planner", "researcher"]}},
    {"name": "gold", "allow": {"agents": ["planner"], "callees": ["billing"], "tiers": ["gold"]}},
    {"deny": {"callees": ["*"], "reason": "ask the platform team"}},
]


@pytest.fixture(scope="module")
def gateway(people, tmp_path_factory):
    """All three agents behind the gate."""
    with AGENTS["python"]("planner") as planner, AGENTS["python"]("billing") as billing:
        directory = tmp_path_factory.mktemp("gate")
        with AgentGateway(directory, people, rules=RULES, planner=planner, billing=billing) as gateway:
            yield gateway


def send(gateway, callee, caller="assistant", user=ADA, text="say hello", version="1.0", token=True, method=None):
    """A message over JSON-RPC."""
    method = method or ("SendMessage" if version == "1.0" else "message/send")
    headers = [*basic(version)]
    if token:
        headers.append(("authorization", f"Bearer {gateway.people.token(user, caller)}"))
    return gateway.wire(callee, caller).send(Exchange(headers, rpc(method, message(text, version))))


@pytest.mark.parametrize("version", ["1.0", "0.3"])
def test_a_call_that_is_allowed_reaches_its_agent_and_its_edge_is_on_record(gateway, version):
    seen = gateway.seen()
    (answer,) = messages(send(gateway, "planner", version=version))
    assert "hello" in json.dumps(answer["result"])
    record = gateway.envoy.wait_records(seen + 1)[-1]
    assert record["subject"] == {"user": ADA, "tier": "gold", "agent": "assistant"}
    context = record["asked"].pop("gen_ai.conversation.id")
    assert context.startswith("tg-") and context == record["answer"]["gen_ai.conversation.id"]
    assert record["asked"] | {"bytes": 0} == {
        "callee": "planner",
        "a2a.binding": "JSONRPC",
        "a2a.version": version,
        "a2a.operation": "SendMessage",
        "jsonrpc.request.id": "1",
        "a2a.message.id": "m-1",
        "bytes": 0,
    }
    assert record["decision"] == {"verdict": "allow", "rule": "rules.#1", "reason": "rule"}
    assert (record["answer"]["status"], record["answer"]["outcome"]) == (200, "message")


@pytest.mark.parametrize(
    ("text", "states", "artifacts"),
    [
        ("make a b c", ["submitted", "working", "completed"], 1),
        ("login", ["submitted", "auth_required"], None),
        ("fail", ["submitted", "failed"], None),
    ],
)
def test_what_came_of_a_stream_is_on_record(gateway, text, states, artifacts):
    seen = gateway.seen()
    told = messages(send(gateway, "planner", text=text, method="SendStreamingMessage"))
    record = gateway.envoy.wait_records(seen + 1)[-1]
    answer = record["answer"]
    assert (answer["states"], answer["state"], answer.get("artifacts")) == (states, states[-1], artifacts)
    assert (answer["outcome"], answer["payloads"]) == ("task", len(told))
    first = told[0]["result"]["task"]
    assert (answer["a2a.task.id"], answer["gen_ai.conversation.id"]) == (first["id"], first["contextId"])


@pytest.mark.parametrize(
    ("callee", "caller", "user", "rule"),
    [
        ("billing", "assistant", ADA, "rules.#3"),
        ("planner", "planner", ADA, "rules.#3"),
        ("billing", "planner", BOB, "rules.#3"),
        ("billing", "planner", ADA, None),
    ],
)
def test_who_may_call_whom_for_whom_is_for_the_rules_to_say(gateway, callee, caller, user, rule):
    seen = gateway.seen()
    gateway.agents[callee].forget()
    answer = send(gateway, callee, caller, user)
    record = gateway.envoy.wait_records(seen + 1)[-1]
    if rule is None:
        assert answer.status == 200 and record["decision"]["rule"] == "rules.gold"
        return
    (told,) = messages(answer)
    assert (answer.status, told["id"], told["error"]["code"]) == (403, 1, -31001)
    assert told["error"]["message"] == f"refused by policy: rule={rule} reason=rule; ask the platform team"
    assert record["decision"] == {"verdict": "deny", "rule": rule, "reason": "rule"}
    assert gateway.agents[callee].ran() == []


@pytest.mark.parametrize("client", ["python", "javascript"])
def test_clients_are_told_why_where_a_refusal_is_an_error(gateway, people, tmp_path, client):
    def change(bootstrap):
        bootstrap.gate(refusals="error")

    shows = people.shows()
    with AgentGateway(tmp_path, people, change, rules=RULES, billing=gateway.agents["billing"]) as telling:
        with CLIENTS[client](telling.url("billing"), "1.0", "JSONRPC", **shows) as user, pytest.raises(Refused) as no:
            user.send("bill it")
        assert "ask the platform team" in no.value.message
        assert telling.envoy.wait_records(2)[-1]["decision"]["verdict"] == "deny"
    gateway.introduce()


def test_who_shows_no_token_is_nobody(gateway):
    answer = send(gateway, "planner", token=False)
    assert (answer.status, answer.header("www-authenticate")) == (401, "Bearer")
    assert messages(answer)[0]["error"]["code"] == -31000


def test_an_agent_that_does_not_answer_is_told_in_the_callers_words(gateway):
    answer = send(gateway, "researcher")
    assert (answer.status, messages(answer)[0]["error"]["code"]) == (503, -32006)


KEY = "sk-ant-api03-abcdefghijABCDEFGHIJ0123456789"


@pytest.mark.parametrize("text", [f"say the key is {KEY}", "say Bearer eyJhbGciOiJIUzI1NiJ9.eyJhIjoiYSJ9.abcdefghijABCDEFGHIJ"])
def test_credentials_do_not_go_through_messages_where_that_is_denied(gateway, people, tmp_path, text):
    assert send(gateway, "planner", text=text).status == 200, "unless it is configured"
    planner = gateway.agents["planner"]

    def change(bootstrap):
        bootstrap.gate(deny_inband_credentials=True)

    with AgentGateway(tmp_path, people, change, rules=RULES, planner=planner) as strict:
        answer = send(strict, "planner", text=text)
        assert (answer.status, "inband_credentials" in answer.body.decode()) == (403, True)
        assert KEY.encode() not in answer.body
        assert send(strict, "planner", text="say hello").status == 200
        assert strict.envoy.wait_records(2)[0]["decision"] == {
            "verdict": "deny",
            "rule": "deny_inband_credentials",
            "reason": "inband_credentials",
        }
    gateway.introduce()
