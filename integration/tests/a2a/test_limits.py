"""Limits between agents: what counts by itself, who is told what, and that what is over gives back its place."""

import http.client
import json
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from harness.a2a import ADA, AGENTS, BOB, AgentGateway
from harness.a2a.wire import Exchange, basic, message, messages, rpc
from harness.envoy import eventually
from harness.fleet import TIMEOUT_MS, kept
from harness.process import READY_SECONDS
from harness.redis import Redis
from harness.rls import RateLimitService

MINUTE = {"every": "minute", "burst": 2}
VERSIONS = ["1.0", "0.3"]


@pytest.fixture(scope="module")
def agents():
    """Two that are called."""
    with AGENTS["python"]("planner") as planner, AGENTS["python"]("billing") as billing:
        yield {"planner": planner, "billing": billing}


@pytest.fixture
def start(tmp_path, people, agents):
    """An Envoy of two workers with these limits: `start(limit, ..)`."""
    for agent in agents.values():
        agent.forget()
    with ExitStack() as running:

        def started(*limits, change=lambda bootstrap: None, workers=2, **agents_instead):
            def both(bootstrap):
                bootstrap.gate(limits=list(limits))
                change(bootstrap)

            envoy = {"concurrency": workers}
            gateway = AgentGateway(tmp_path, people, both, envoy, **(agents_instead or agents))
            return running.enter_context(gateway)

        yield started


class Caller:
    """Who calls an agent, for whom, in which binding and version."""

    def __init__(self, gateway, callee="planner", agent="assistant", user=ADA, version="1.0", binding="JSONRPC"):
        self.callee, self.version, self.binding = callee, version, binding
        self._wire = gateway.wire(callee, agent)
        self._token = ("authorization", f"Bearer {gateway.people.token(user, agent)}")

    def send(self, text="say hello", **more):
        """What comes of a message."""
        return self._wire.send(self._message("SendMessage", text, more))

    def stream(self, text="hold"):
        """The answer to a message while it comes."""
        return self._wire.open(self._message("SendStreamingMessage", text, {}))

    def get(self, task="none"):
        """What comes of asking for a task."""
        return self._wire.send(Exchange([*basic(self.version), self._token], rpc("GetTask", {"id": task})))

    def _message(self, operation, text, more):
        headers, said = [*basic(self.version), self._token], message(text, self.version, **more)
        if self.binding == "JSONRPC":
            old = {"SendMessage": "message/send", "SendStreamingMessage": "message/stream"}
            return Exchange(headers, rpc(operation if self.version == "1.0" else old[operation], said))
        below = "/message:send" if operation == "SendMessage" else "/message:stream"
        path = f"/agents/{self.callee}{'/v1' if self.version == '0.3' else ''}{below}"
        if self.version == "0.3":
            # Its JSON is that of the protocol buffers.
            said = {"message": {"messageId": "m-1", "role": "ROLE_USER", "content": [{"text": text}]}}
        return Exchange(headers, json.dumps(said).encode(), path=path)


def statuses(caller, times, **how):
    return [caller.send(**how).status for _ in range(times)]


def test_each_edge_has_requests_of_its_own(start):
    gateway = start({"name": "edge", "per": ["agent", "callee"], "requests": 2} | MINUTE)
    assert statuses(Caller(gateway), 3) == [200, 200, 429]
    assert Caller(gateway, user=BOB).send().status == 429, "whoever it is for"
    assert statuses(Caller(gateway, "billing"), 3) == [200, 200, 429]
    assert statuses(Caller(gateway, agent="researcher"), 3) == [200, 200, 429]
    records = gateway.envoy.wait_records(10)
    assert [record["limits"][0]["verdict"] for record in records[:3]] == ["allowed", "allowed", "refused"]
    allowed = {"limit": "limits.edge", "unit": "requests", "reserved": 1, "used": 1, "total": 1, "of": 2, "verdict": "allowed"}
    assert records[0]["limits"] == [allowed]
    assert records[2]["decision"] == {"verdict": "deny", "rule": "limits.edge", "reason": "limit_exceeded"}
    assert len(gateway.agents["planner"].ran()) == 4


SKILLS = [{"metadata": {"skill": skill}} for skill in ("plan", "refund")]


@pytest.mark.parametrize(
    ("per", "one", "other"),
    [
        ("user", ({}, {}), ({"user": BOB}, {})),
        ("tier", ({}, {}), ({"user": BOB}, {})),
        ("agent", ({}, {}), ({"agent": "billing"}, {})),
        ("callee", ({}, {}), ({"callee": "billing"}, {})),
        ("skill", ({}, SKILLS[0]), ({}, SKILLS[1])),
    ],
)
def test_what_differs_is_counted_by_itself(start, per, one, other):
    gateway = start({"name": "by", "per": [per], "requests": 2} | MINUTE)
    for who, how in (one, other):
        assert statuses(Caller(gateway, **who), 3, **how) == [200, 200, 429], who


def test_each_operation_is_counted_by_itself_and_messages_are_what_is_sent(start):
    gateway = start(
        {"name": "operations", "per": ["operation"], "requests": 3} | MINUTE | {"burst": 3},
        {"name": "sent", "per": ["agent", "callee"], "messages": 2} | MINUTE,
    )
    caller = Caller(gateway)
    assert [caller.get().status for _ in range(4)] == [200, 200, 200, 429]
    assert caller.send().status == 200
    with caller.stream("say hello") as stream:
        assert stream.read()
    refused = caller.send()
    assert (refused.status, "`sent`" in messages(refused)[0]["error"]["message"]) == (429, True)
    units = [[limit["unit"] for limit in record.get("limits", ())] for record in gateway.envoy.wait_records(7)]
    assert units == [["requests"]] * 4 + [["requests", "messages"]] * 3


def test_who_guesses_tasks_is_stopped_and_whose_tasks_are_there_is_not(start):
    gateway = start({"name": "guesses", "per": ["user"], "not_found": 3} | MINUTE | {"burst": 3})
    ada, bob = Caller(gateway), Caller(gateway, user=BOB)
    task = messages(ada.send("ask"))[0]["result"]["task"]
    mine = {"taskId": task["id"], "contextId": task["contextId"]}
    assert [ada.get(task["id"]).status for _ in range(5)] == [200] * 5
    guesses = [bob.get(task["id"]), bob.get("none"), bob.send(taskId=task["id"]), bob.get("none"), bob.send(**mine)]
    assert [guess.status for guess in guesses] == [200, 200, 200, 429, 429]
    assert [messages(guess)[0]["error"]["code"] for guess in guesses] == [-32001] * 3 + [-31002] * 2
    assert ada.send("the red one", **mine).status == 200
    assert bob.send().status == 200, "what names no task is no guess"


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("binding", ["JSONRPC", "HTTP+JSON"])
def test_who_reaches_a_limit_is_told_when_to_come_back_in_its_own_words(start, binding, version):
    gateway = start({"name": "edge", "per": ["agent", "callee"], "requests": 1} | MINUTE | {"burst": 1})
    caller = Caller(gateway, version=version, binding=binding)
    assert caller.send().status == 200
    refused = caller.send()
    (told,) = messages(refused)
    assert refused.status == 429 and 1 <= int(refused.header("retry-after")) <= 60
    match binding, version:
        case "JSONRPC", _:
            assert (told["id"], told["error"]["code"]) == (1, -31002)
            said = told["error"]["message"]
        case _, "1.0":
            error, said = told["error"], told["error"]["message"]
            assert (error["code"], error["status"]) == (429, "RESOURCE_EXHAUSTED")
            assert error["details"][0]["reason"] == "LIMIT_EXCEEDED"
            assert error["details"][1]["retryDelay"] == refused.header("retry-after") + "s"
        case _, "0.3":
            assert told["type"] == "RateLimitedError" and told["reason"] == "limit_exceeded"
            said = told["message"]
    assert "`edge`" in said


STREAMS = {"name": "streams", "per": ["agent", "callee"], "streams": 1}


def ends(agent, stream):
    """As it should."""
    agent.go()
    assert b"completed" in stream.read().lower()


def is_cut(agent, stream):
    """By the client, when the block is left."""


def dies(agent, stream):
    """With its agent, which is then started again."""
    agent.stop()
    with pytest.raises(http.client.IncompleteRead):
        stream.read()
    agent.start()


@pytest.mark.parametrize("over", [ends, is_cut, dies])
@pytest.mark.parametrize("unit", ["streams", "concurrent"])
def test_a_stream_that_is_over_gives_back_its_place(start, over, unit):
    with AGENTS["python"]("planner") as planner:
        gateway = start({"name": "streams", "per": ["agent", "callee"], unit: 1}, planner=planner)
        caller = Caller(gateway)
        with caller.stream() as stream:
            assert stream.status == 200 and stream.read1(100)
            with caller.stream() as second:
                assert (second.status, second.getheader("retry-after")) == (429, "1")
            assert caller.send().status == (200 if unit == "streams" else 429), "no stream"
            with Caller(gateway, agent="billing").stream("say hello") as other:
                assert other.status == 200, "another edge"
            over(planner, stream)
        records = gateway.envoy.wait_records(4)
        streamed = max(records, key=lambda record: record["answer"]["ms"])
        expected = {ends: "complete", is_cut: "client_gone", dies: "cut"}[over]
        assert (streamed["answer"]["end"], streamed["limits"][0]["verdict"]) == (expected, "allowed")
        assert eventually(lambda: caller.send("say more").status == 200, READY_SECONDS)
        with caller.stream("say more") as again:
            assert again.status == 200 and b"more" in again.read()


def test_no_more_streams_than_that_are_under_way_whichever_worker_they_are_at(start):
    gateway = start(STREAMS | {"streams": 3})
    caller = Caller(gateway)
    with ExitStack() as open_ones:
        begun = [open_ones.enter_context(caller.stream()).status for _ in range(8)]
        assert begun == [200] * 3 + [429] * 5
    gateway.envoy.wait_records(8)
    with caller.stream("say hello") as stream:
        assert stream.status == 200


def test_requests_at_once_at_two_workers_are_counted_exactly(start):
    gateway = start({"name": "edge", "per": ["agent", "callee"], "requests": 10} | MINUTE | {"burst": 10})
    with ThreadPoolExecutor(8) as pool:
        answered = list(pool.map(lambda _: Caller(gateway).send().status, range(40)))
    assert (answered.count(200), answered.count(429)) == (10, 30)


def test_an_agent_answers_so_many_bytes_and_then_no_more(start):
    gateway = start({"name": "bytes", "per": ["agent", "callee"], "result_bytes": 5000, "every": "hour"})
    caller = Caller(gateway)
    assert caller.send("say " + "x" * 3000).status == 200
    gateway.envoy.wait_records(1)
    with caller.stream("say " + "y" * 3000) as stream:
        size = len(stream.read())
    limit = gateway.envoy.wait_records(2)[1]["limits"][0]
    assert limit["reserved"] == 1 and size <= limit["used"] and limit["total"] > 6000 and limit["of"] == 5000
    assert caller.send().status == 429


def test_a_limit_in_shadow_is_told_and_refuses_nobody(start):
    gateway = start({"name": "trial", "per": ["agent", "callee"], "requests": 1, "mode": "shadow"} | MINUTE | {"burst": 1})
    assert statuses(Caller(gateway), 3) == [200] * 3
    records = gateway.envoy.wait_records(3)
    assert [record["limits"][0]["verdict"] for record in records] == ["allowed", "would_refuse", "would_refuse"]
    assert {record["decision"]["verdict"] for record in records} == {"allow"}


# Limits of a fleet, for which a request is held.

OF_FLEET = {"name": "fleet", "per": ["agent"], "requests": 3, "every": "month", "store": "fleet", "when_store_fails": "deny"}


@pytest.fixture
def fleet(start):
    """`fleet(**limit)`: a gateway, and the service that keeps its limit."""
    with Redis() as redis, RateLimitService(redis, [kept("fleet", 3, "agent")]) as service:

        def started(timeout_ms=TIMEOUT_MS, **more):
            def change(bootstrap):
                how = {"cluster": "ratelimit", "domain": "tollgate", "timeout_ms": timeout_ms}
                bootstrap.gate(rate_limit_services={"fleet": how})
                bootstrap.add_rate_limit_service(service.port)

            return start(OF_FLEET | more, change=change, workers=1), service

        yield started


def test_a_service_keeps_a_limit_for_a_fleet(fleet):
    gateway, _ = fleet()
    assert statuses(Caller(gateway), 4) == [200] * 3 + [429]
    assert Caller(gateway, agent="billing").send().status == 200
    limits = [record["limits"][0]["verdict"] for record in gateway.envoy.wait_records(5)]
    assert limits == ["allowed"] * 3 + ["refused", "allowed"]


@pytest.mark.parametrize("when", ["deny", "allow"])
def test_while_the_service_is_slow_a_request_is_held_and_then_decided_as_configured(fleet, when):
    gateway, service = fleet(when_store_fails=when)
    service.pause()
    began = time.monotonic()
    answer = Caller(gateway).send()
    waited_ms = (time.monotonic() - began) * 1000
    service.resume()
    (record,) = gateway.envoy.wait_records(1)
    # Envoy's timers begin with the time of its last event, some milliseconds before the record does.
    assert TIMEOUT_MS <= waited_ms and record["answer"]["ms"] < TIMEOUT_MS + 5000
    if when == "allow":
        assert (answer.status, record["limits"][0]["verdict"]) == (200, "allowed_uncounted")
        return
    assert (answer.status, answer.header("retry-after"), messages(answer)[0]["id"]) == (503, "1", 1)
    assert record["decision"] == {"verdict": "deny", "rule": "limits.fleet", "reason": "limit_store_failed"}
    assert gateway.agents["planner"].ran() == []


def test_who_hangs_up_while_held_runs_nothing_and_leaves_what_was_drawn_for_the_next(fleet):
    gateway, service = fleet(timeout_ms=10_000)
    service.pause()
    caller = Caller(gateway)
    with caller._wire._connect() as connection:
        connection.sendall(caller._wire.bytes(caller._message("SendMessage", "say hello", {})))
        assert eventually(lambda: gateway.envoy.stats().get("cluster.ratelimit.upstream_rq_active") == 1, 5)
    (record,) = gateway.envoy.wait_records(1)
    assert (record["answer"]["end"], record["limits"][0]["verdict"]) == ("client_gone", "given_back")
    service.resume()
    assert eventually(lambda: gateway.envoy.stats()["cluster.ratelimit.upstream_rq_active"] == 0, 5)
    assert gateway.agents["planner"].ran() == []
    assert statuses(caller, 4) == [200] * 3 + [429]
