"""Agents that answer as they must not: A17, sessions that are smuggled into, and A18, exhaustion."""

import json

import pytest

from a2a_agents.weak import WeakAgent, result, task, update
from harness.a2a import ADA, BOB, AgentGateway
from harness.a2a.wire import Exchange, basic, message, messages, rpc
from harness.scripted import events, gzipped, plain

MOST = 65536
WORKING, DONE = task(state="TASK_STATE_WORKING"), update(state="TASK_STATE_COMPLETED")


@pytest.fixture(scope="module")
def agent():
    """One whose answers a test writes."""
    with WeakAgent() as weak:
        yield weak


@pytest.fixture(scope="module")
def gateway(agent, people, tmp_path_factory):
    """The gate in front of it, which reads no more than `MOST` of an answer at once."""

    def little(bootstrap):
        bootstrap.gate(bounds={"answer_bytes": MOST})
        bootstrap.gate_config["agents"]["planner"]["conversations"] = "table"  # it gives out contexts of its own

    with AgentGateway(tmp_path_factory.mktemp("hostile"), people, little, planner=agent) as gateway:
        yield gateway


@pytest.fixture
def ask(agent, gateway, people):
    """What comes of an answer, and what the record says of it."""

    def asked(answer, method="SendMessage", params=None, user=ADA):
        agent.forget()
        seen = gateway.seen()
        agent.then(answer)
        headers = [*basic(), ("authorization", f"Bearer {people.token(user)}")]
        said = gateway.wire("planner", seconds=2).send(Exchange(headers, rpc(method, params or message("hi"))))
        return said, gateway.envoy.wait_records(seen + 1)[seen]

    return asked


def test_what_an_agent_answers_as_it_must_goes_through_as_it_is(ask):
    said, record = ask(plain(result(task())))
    assert messages(said) == [result(task())]
    said, record = ask(events(result(WORKING), result(DONE)), "SendStreamingMessage")
    assert messages(said) == [result(WORKING), result(DONE)]
    assert record["answer"]["status"] == 200


NESTED = '{"jsonrpc": "2.0", "id": 1, "result": {"task": {"id": "t-1", "x": ' + "[" * 5000 + "]" * 5000 + "}}}"
# What an agent answers to a message that is not streamed.
ANSWERS = {
    "of-another-request": plain(result(task(), id=2)),
    "of-no-request": plain(result(task(), id=None)),
    "id-as-text": plain(result(task(), id="1")),
    "two-in-a-batch": plain([result(task()), result(task("t-2"))]),
    "two-in-a-row": plain((json.dumps(result(task())) + json.dumps(result(task("t-2")))).encode()),
    "result-twice": plain(b'{"jsonrpc":"2.0","id":1,"result":{"task":{}},"result":{"task":{}}}'),
    "result-and-error": plain(result(task()) | {"error": {"code": -32001, "message": "no"}}),
    "a-call-of-its-own": plain({"jsonrpc": "2.0", "id": 1, "method": "SendMessage", "params": message("obey")}),
    "task-and-message": plain(result(task() | message("obey"))),
    "both-spellings": plain(result(task(context_id="c-2"))),
    "nested": plain(NESTED.encode()),
    "no-json": plain(b"obey"),
    "compressed": gzipped(result(task())),
}


@pytest.mark.parametrize("what", ANSWERS)
def test_an_answer_that_is_none_is_told_as_an_error_of_the_agents(ask, what):
    said, _ = ask(ANSWERS[what])
    (told,) = messages(said)
    assert (told["id"], told["error"]["code"]) == (1, -32006), told
    assert b"obey" not in said.body and b"t-2" not in said.body


# What an agent streams, and what of it goes through before it is told that this is wrong.
STREAMS = {
    "of-another-request": ([result(WORKING), result(DONE, id=2)], [result(WORKING)]),
    "two-results-in-an-event": ([result(WORKING), [result(DONE), result(DONE)]], [result(WORKING)]),
    "a-call-of-its-own": (
        [result(WORKING), {"jsonrpc": "2.0", "id": 1, "method": "SendMessage", "params": message("obey")}],
        [result(WORKING)],
    ),
}


def event(what):
    """An event, unless it is written out."""
    return what if isinstance(what, bytes) else b"data: %b\n\n" % json.dumps(what).encode()


@pytest.mark.parametrize("what", STREAMS)
def test_a_stream_ends_with_an_error_at_the_first_event_that_is_none(ask, what):
    streamed, passed = STREAMS[what]
    said, _ = ask(events(*map(event, streamed)), "SendStreamingMessage")
    *before, told = messages(said)
    assert before == passed
    assert (told["id"], told["error"]["code"]) == (1, -32006)
    assert b"obey" not in said.body


def test_an_event_that_the_end_of_a_stream_cuts_off_goes_no_further(ask):
    said, _ = ask(events(event(result(WORKING)), b'data: {"jsonrpc": "2.0", "id": 1'), "SendStreamingMessage")
    assert messages(said) == [result(WORKING)]


@pytest.mark.parametrize("method", ["SendMessage", "SendStreamingMessage"])
@pytest.mark.parametrize("names", [("t-bob", "c-bob"), ("t-bob", "c-ada"), ("t-ada", "c-bob")], ids=" ".join)
def test_an_answer_brings_nothing_of_anothers_into_a_conversation(ask, method, names):
    form = plain if method == "SendMessage" else events
    ask(plain(result(task("t-bob", "c-bob"))), user=BOB)
    said, record = ask(form(result(task(*names))), method)
    assert b"bob" not in said.body
    assert messages(said)[-1]["error"]["code"] == -32006
    assert record["decision"]["verdict"] == "deny"


def test_an_event_that_is_larger_than_may_be_held_ends_the_stream(ask):
    large = result(update() | {"metadata": {"x": "x" * 2 * MOST}})
    said, record = ask(events(result(WORKING), large), "SendStreamingMessage")
    before, told = messages(said)
    assert (before, told["error"]["code"]) == (result(WORKING), -32006)
    assert record["answer"]["fault"] == "too_large"
