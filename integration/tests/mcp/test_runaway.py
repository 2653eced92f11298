"""What becomes of an agent that calls too often, too much at once, or goes round in circles."""

import json
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import pytest

from harness.envoy import eventually
from harness.mcp import ALLOW_ALL, CLIENTS, McpGateway, Refused, Wire, bearer
from harness.mcp.wire import Exchange, legacy, messages, meta, modern, rpc
from mcp_servers.weak import WeakServer

REVISION = "2025-11-25"


@pytest.fixture
def gateway(tmp_path):
    """A gate with these parts before a server that runs whatever it is told: `gateway(limits=[..])`."""
    with WeakServer() as server:
        started = []

        def start(concurrency=2, **parts):
            made = McpGateway(
                tmp_path, lambda bootstrap: bootstrap.gate(**parts), {"concurrency": concurrency}, ALLOW_ALL, None, crm=server
            )
            started.append(made.__enter__())
            return started[0]

        yield start
        for made in started:
            made.__exit__(None, None, None)


@cache
def session(gateway, who):
    """A session of somebody's, opened once."""
    return Wire(gateway.envoy.port, "/crm/mcp").open_session(REVISION, list(bearer(who).items()))


def call(gateway, tool="crm.search", who="support", era="modern", **arguments):
    params = {"name": tool, "arguments": arguments}
    if era == "modern":
        params["_meta"] = meta()
    wire = Wire(gateway.envoy.port, "/crm/mcp")
    headers = modern("tools/call", tool) if era == "modern" else legacy(REVISION, session(gateway, who))
    return wire.send(Exchange([*headers, *bearer(who).items()], rpc("tools/call", params)))


def calls_of(gateway, count):
    """The records of so many calls of tools."""

    def calls():
        return [record for record in gateway.envoy.records() if record["asked"].get("mcp.method.name") == "tools/call"]

    assert eventually(lambda: len(calls()) >= count, 5), calls()
    return calls()


CALLS = {"name": "calls", "match": {"team": ["support"]}, "per": ["agent", "tool"], "calls": 5, "every": "minute"}


@pytest.mark.parametrize("era", ["modern", "legacy"])
def test_an_agent_that_calls_too_often_stops_at_its_limit(gateway, era):
    running = gateway(limits=[CALLS | {"burst": 5}])
    answers = [call(running, era=era, query=str(n)) for n in range(12)]
    assert [answer.status for answer in answers] == [200] * 5 + [429] * 7
    (refused,) = messages(answers[5])
    assert refused["id"] == 1 and refused["error"]["code"] == -31002 and "`calls`" in refused["error"]["message"]
    assert 1 <= int(answers[5].header("retry-after")) <= 60
    assert call(running, tool="crm.other", era=era).status == 200, "another tool is counted by itself"
    assert call(running, who="research", era=era).status == 200, "another team is not limited"
    records = calls_of(running, 14)
    assert [record["decision"]["reason"] for record in records[:6]] == ["rule"] * 5 + ["limit_exceeded"]
    assert records[5]["decision"]["rule"] == "limits.calls"
    assert records[4]["limits"] == [
        {"limit": "limits.calls", "unit": "calls", "reserved": 1, "used": 1, "total": 5, "of": 5, "verdict": "allowed"}
    ]


def test_lists_are_no_calls(gateway):
    running = gateway(limits=[CALLS | {"calls": 1}])
    for _ in range(3):
        exchange = Exchange([*modern("tools/list"), *bearer("support").items()], rpc("tools/list", {"_meta": meta()}))
        assert Wire(running.envoy.port, "/crm/mcp").send(exchange).status == 200


@pytest.mark.parametrize("client", CLIENTS)
def test_every_client_is_told_that_it_is_limited(tmp_path, mcp_servers, client):
    server = mcp_servers("python")
    change = lambda bootstrap: bootstrap.gate(limits=[CALLS | {"calls": 1}])  # noqa: E731
    with McpGateway(tmp_path, change, crm=server) as running, CLIENTS[client](running.url()) as user:
        assert not user.call("crm.search", query="Ada").failed
        with pytest.raises(Refused):
            user.call("crm.search", query="Bob")


def test_at_most_so_many_calls_are_under_way(tmp_path, mcp_servers):
    server = mcp_servers("python")
    change = lambda bootstrap: bootstrap.gate(limits=[{"name": "at_once", "per": ["user"], "concurrent": 2}])  # noqa: E731
    with McpGateway(tmp_path, change, {"concurrency": 2}, crm=server) as running, ThreadPoolExecutor(4) as pool:
        wire = Wire(running.envoy.port, "/crm/mcp")

        def slow(_):
            params = {"name": "reports.slow", "arguments": {"seconds": 1.5}, "_meta": meta()}
            return wire.send(Exchange(modern("tools/call", "reports.slow"), rpc("tools/call", params))).status

        assert sorted(pool.map(slow, range(4))) == [200, 200, 429, 429]
        assert slow(0) == 200, "what is over no longer counts"


def test_a_limit_counts_each_session_by_itself(tmp_path, mcp_servers):
    server = mcp_servers("python")
    limit = {"name": "in_session", "per": ["session"], "calls": 2, "every": "hour"}
    with McpGateway(tmp_path, lambda bootstrap: bootstrap.gate(limits=[limit]), crm=server) as running:
        wire = Wire(running.envoy.port, "/crm/mcp")
        for _ in range(2):
            opened = wire.open_session(REVISION)
            calls = [
                Exchange(legacy(REVISION, opened), rpc("tools/call", {"name": "crm.search", "arguments": {"query": name}}))
                for name in ("Ada", "Bob", "Eve")
            ]
            assert [wire.send(one).status for one in calls] == [200, 200, 429]


def test_a_tool_answers_so_many_bytes_and_then_no_more(gateway):
    limit = {"name": "bytes", "per": ["team"], "result_bytes": 200, "every": "hour"}
    running = gateway(limits=[limit])
    statuses = [call(running, query=str(n)).status for n in range(5)]
    assert statuses[0] == 200 and statuses[-1] == 429
    used = running.envoy.wait_records(5)[0]["limits"][0]
    assert (used["unit"], used["reserved"], used["of"]) == ("result_bytes", 1, 200) and 50 < used["used"] < 200


@pytest.mark.parametrize("era", ["modern", "legacy"])
def test_the_same_call_again_and_again_is_stopped_in_words_that_the_model_reads(gateway, era):
    running = gateway(runaway={"repeats": {"times": 3, "within": "1m"}})
    answers = [call(running, era=era, query="Ada") for _ in range(5)]
    (said,) = messages(answers[3])
    assert [answer.status for answer in answers] == [200] * 5
    assert said["result"]["isError"] and "made 3 times already" in said["result"]["content"][0]["text"]
    assert [message["result"].get("isError", False) for answer in answers for message in messages(answer)] == [
        *[False] * 3,
        *[True] * 2,
    ]
    # Spelled in another way it is the same call.
    body = b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"arguments":{"query":"\\u0041da"},"name":"crm.search"}}'
    headers = [*legacy(REVISION, session(running, "support")), *bearer("support").items()]
    again = Wire(running.envoy.port, "/crm/mcp").send(Exchange(headers, body))
    assert messages(again)[0]["result"]["isError"]
    assert "isError" not in messages(call(running, era=era, query="Bob"))[0]["result"]
    assert "isError" not in messages(call(running, era=era, who="research", query="Ada"))[0]["result"]
    assert calls_of(running, 8)[3]["decision"]["reason"] == "repeated_call"


def test_an_agent_whose_calls_all_fail_is_stopped(tmp_path, mcp_servers):
    server = mcp_servers("python")
    change = lambda bootstrap: bootstrap.gate(runaway={"errors": {"streak": 3, "rest": "1m"}})  # noqa: E731
    with McpGateway(tmp_path, change, crm=server) as running, CLIENTS["python"](running.url()) as user:
        said = []
        for _ in range(4):
            said.append(user.call("reports.fail").text)
            running.envoy.wait_records(len(said))
        assert said[:3] == ["the report is not there"] * 3
        assert "the last 3 calls have all failed" in said[3]
        assert "have all failed" in user.call("crm.search", query="Ada").text


def test_the_loop_is_seen_by_all_workers_together(gateway):
    running = gateway(concurrency=2, runaway={"repeats": {"times": 10, "within": "1m"}})
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: call(running, query="Ada"), range(40)))
    went_on = [answer for answer in answers if "isError" not in json.dumps(messages(answer))]
    assert len(went_on) == 10
