"""Whatever callers and agents do on the wire: an answer in A2A or the agent's own bytes, and a record that is true."""

import gzip
import json
from contextlib import ExitStack

import pytest

from a2a_agents.weak import WeakAgent
from harness import http2
from harness.a2a import ALLOW_ALL, AgentBootstrap, AgentGateway
from harness.a2a.wire import Exchange, basic, message, messages, rpc
from harness.envoy import Envoy, eventually
from harness.scripted import Answer, events, plain, response
from providers.raw import FloodServer

BOUND = 1 << 16
RESULT = {"jsonrpc": "2.0", "id": 1, "result": {"message": {"messageId": "m-2", "role": "ROLE_AGENT", "parts": []}}}
PATH = "/agents/planner"


@pytest.fixture(scope="module")
def server():
    """An agent that answers to the byte what it is told to."""
    with WeakAgent() as running:
        yield running


@pytest.fixture(scope="module")
def gateway(server, people, tmp_path_factory):
    def change(bootstrap):
        bootstrap.gate(bounds={"request_bytes": BOUND})
        bootstrap.hcm["request_timeout"] = "1s"

    directory = tmp_path_factory.mktemp("wire")
    with AgentGateway(directory, people, change, {"concurrency": 2}, planner=server) as running:
        yield running


@pytest.fixture(autouse=True)
def forgets(server):
    server.forget()


class Edge:
    """One caller at the planner; `record` is the one line since it began."""

    def __init__(self, gateway):
        self.gateway, self.wire = gateway, gateway.wire("planner", seconds=5)
        self._seen = gateway.seen()

    def exchange(self, text="hello", method="SendMessage", headers=(), **more):
        token = ("authorization", f"Bearer {self.gateway.people.token()}")
        return Exchange([*basic(), token, *headers], rpc(method, message(text)), **more)

    def send(self, *args, **more):
        return self.wire.send(self.exchange(*args, **more))

    def record(self):
        records = self.gateway.envoy.wait_records(self._seen + 1)
        assert len(records) == self._seen + 1
        return records[-1]


@pytest.fixture
def edge(gateway):
    return Edge(gateway)


def over_http2(edge):
    """What a request has over HTTP/2: port, path, headers, body."""
    asked = edge.exchange()
    return edge.gateway.envoy.port, PATH, asked.headers, asked.body


# Callers.


def test_http2_is_spoken(edge, server):
    server.then(plain(RESULT))
    answer = http2.post(*over_http2(edge), tls=edge.gateway.people.tls())
    assert (answer.status, answer.json) == (200, RESULT)
    assert edge.record()["decision"]["verdict"] == "allow"


def test_trailers_are_refused(edge, server):
    answer = http2.post_with_trailers(*over_http2(edge), [("a2a-version", "0.3")], tls=edge.gateway.people.tls())
    assert (answer.status, answer.json["error"]["code"]) == (400, -32600)
    assert (edge.record()["decision"]["reason"], server.received) == ("trailers", [])


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_that_is_too_large_is_refused_in_a2a(edge, server, chunked):
    asked = edge.exchange("x" * BOUND)
    if chunked:
        body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(asked.body), asked.body)
        asked = Exchange([*asked.headers, ("transfer-encoding", "chunked")], body)
    answer = edge.wire.send(asked)
    assert (answer.status, answer.json["error"]["code"]) == (413, -32600)
    assert f"larger than {BOUND} bytes" in answer.json["error"]["message"]
    record = edge.record()
    assert record["decision"] == {"verdict": "deny", "rule": "bounds.request_bytes", "reason": "request_too_large"}
    assert (record["answer"]["end"], server.received) == ("refused", [])


def test_envoys_own_413_is_told_in_a2a(server, people, tmp_path):
    def change(bootstrap):
        for host in bootstrap.hcm["route_config"]["virtual_hosts"]:
            del host["request_body_buffer_limit"]  # which leaves 1 MiB

    with AgentGateway(tmp_path, people, change, planner=server) as small:
        edge = Edge(small)
        answer = edge.send("x" * (2 << 20))
        assert (answer.status, answer.json["error"]["code"]) == (413, -32600)
        assert (edge.record()["decision"]["reason"], server.received) == ("request_too_large", [])


def test_half_a_body_is_told_in_a2a_when_it_is_too_late(edge, server):
    with edge.wire.half_sent(edge.exchange()) as rest:
        answer = rest(b"")
    assert answer.status == 408 and answer.json["error"]["code"] < 0
    record = edge.record()
    assert (record["decision"]["verdict"], record["answer"]["end"]) == ("deny", "failed")
    assert record["decision"]["reason"] == "incomplete_request" and server.received == []


def test_headers_alone_are_no_request_and_leave_a_line_of_envoys(edge):
    with edge.wire._connect() as connection:
        connection.sendall(b"POST /agents/planner HTTP/1.1\r\nhost: a\r\nx: ")
    assert edge.record()["decision"] == {"verdict": "unknown", "reason": "no_record"}


def test_who_hangs_up_in_the_middle_of_a_body_has_asked_nothing(edge, server):
    with edge.wire.half_sent(edge.exchange("x" * 1000)):
        pass
    record = edge.record()
    assert record["answer"]["end"] == "client_gone" and record["decision"]["reason"] == "incomplete_request"
    assert server.received == []


def test_who_hangs_up_while_an_agent_thinks_is_on_record(edge, server):
    server.then(Answer([], hold=10))
    with edge.wire._connect() as connection:
        connection.sendall(edge.wire.bytes(edge.exchange()))
        assert eventually(lambda: server.received, 5)
    record = edge.record()
    assert (record["answer"]["end"], record["decision"]["verdict"]) == ("client_gone", "allow")
    assert server.hung_up.wait(5), "and its agent is told"


def test_who_hangs_up_in_the_middle_of_a_stream_is_on_record(edge, server):
    server.then(events(RESULT, hold=10))
    with edge.wire.open(edge.exchange(method="SendStreamingMessage")) as stream:
        assert stream.read1(100)
    record = edge.record()
    assert (record["answer"]["end"], record["answer"]["payloads"]) == ("client_gone", 1)
    assert server.hung_up.wait(5)


# Agents.

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
BODY = json.dumps(RESULT).encode()
ODD = {
    "compressed twice": plain(gzip.compress(gzip.compress(BODY)), headers=("content-encoding: gzip, gzip",)),
    "a page": plain(b"<html>hello</html>", "text/html"),
    "no type": Answer([b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"]),
    "not JSON": plain(b'{"a":1,"a":2'),
    "latin-1": plain('{"jsonrpc":"2.0","id":1,"result":"é"}'.encode("latin-1")),
    "nothing": Answer([b"HTTP/1.1 204 No Content\r\n\r\n"]),
    "an error page": Answer([response(b"oops", "text/plain", "500 Oops")]),
    "moved": Answer([response(b"", status="302 Found", headers=("location: http://169.254.169.254/",))]),
}


@pytest.mark.parametrize("name", ODD)
def test_an_odd_answer_is_the_agents_own_or_an_error_of_a2a(edge, server, name):
    server.then(ODD[name])
    answer = edge.send()
    record = edge.record()
    _, _, sent = b"".join(ODD[name].pieces).partition(b"\r\n\r\n")
    if record["answer"]["end"] == "refused" or "fault" in record["answer"]:
        (told,) = messages(answer)
        assert (told["id"], told["error"]["code"]) == (1, -32006)
    else:
        assert answer.body == sent
    assert (record["answer"]["status"], record["answer"]["bytes"]) == (answer.status, len(answer.body))


BROKEN = {
    "no answer": (Answer([], hold=0.1), 503),
    "no HTTP": (Answer([b"what?\r\n\r\n"], hold=1), 502),
    "a header without end": (Answer([HEAD, b"x: " + b"x" * 100_000], hold=1), 502),
    "two lengths": (Answer([HEAD + b"content-length: 2\r\ncontent-length: 3\r\n\r\n{}"], hold=1), 502),
    "a length and chunks": (Answer([HEAD + b"content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"], hold=1), 502),
}


@pytest.mark.parametrize("name", BROKEN)
def test_an_agent_that_does_not_speak_http_is_told_in_a2a(edge, server, name):
    answer, status = BROKEN[name]
    server.then(answer)
    told = edge.send()
    assert (told.status, told.json["id"], told.json["error"]["code"]) == (status, 1, -32006)
    record = edge.record()
    assert (record["decision"]["verdict"], record["answer"]["end"]) == ("allow", "failed") and record["answer"]["details"]


CUT = {
    "a length that is not kept": Answer([HEAD + b"content-length: 1000\r\n\r\n" + BODY], hold=0.1),
    "a chunk": Answer([HEAD + b"transfer-encoding: chunked\r\n\r\n1000\r\n" + BODY], hold=0.1),
    "a stream": events(RESULT, b"data: {", hold=0.1),
}


@pytest.mark.parametrize("name", CUT)
def test_an_answer_that_is_cut_off_is_not_taken_for_a_whole_one(edge, server, name):
    server.then(CUT[name])
    answer = edge.send(method="SendStreamingMessage" if name == "a stream" else "SendMessage")
    assert b"data: {\n" not in answer.body and not answer.body.endswith(b"data: {")
    assert edge.record()["answer"]["end"] in ("cut", "failed", "refused")


@pytest.mark.parametrize("binding", ["JSONRPC", "HTTP+JSON"])
def test_an_answer_without_end_is_not_waited_for(people, tmp_path, binding):
    with FloodServer() as flood:
        change = lambda bootstrap: bootstrap.point("planner", flood.port)  # noqa: E731
        with AgentGateway(tmp_path, people, change) as gateway:
            edge = Edge(gateway)
            before = gateway.envoy.resident
            asked = edge.exchange()
            if binding == "HTTP+JSON":
                asked = Exchange(asked.headers, json.dumps(message("hello")).encode(), path=PATH + "/message:send")
            answer = edge.wire.send(asked)
            grown = gateway.envoy.resident - before
            record = edge.record()
    assert "error" in answer.json and b"flood" not in answer.body
    assert int(answer.header("content-length")) == len(answer.body), "and that is all"
    assert record["answer"]["fault"] and grown < 100_000_000


def test_many_that_hang_up_anywhere_leave_a_record_each_and_nothing_else(edge, gateway, server):
    sent = edge.wire.bytes(edge.exchange("x" * 2000))
    head = sent.index(b"\r\n\r\n") + 4
    with ExitStack() as connections:
        for at in range(head, len(sent) + 1, 37):
            server.then(plain(RESULT))
            connection = connections.enter_context(edge.wire._connect())
            connection.sendall(sent[:at])
    count = len(range(head, len(sent) + 1, 37))
    records = gateway.envoy.wait_records(edge._seen + count)[edge._seen :]
    # Where the machine is slow, some have waited for too long before they hang up.
    late = ("failed", 408)
    ends = {(record["answer"]["end"], record["answer"]["status"]) for record in records}
    assert {end for end, _ in ends - {late}} <= {"client_gone", "complete"}
    assert gateway.envoy.stats()["http.agents.downstream_rq_active"] == 0


# Configurations.


def deny(**gate):
    return lambda config: config.update(gate)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (deny(agents={}), "gate.agents: found none"),
        (deny(agents={"a": {}}), "gate.agents.a: found neither `path` nor `authority`"),
        (deny(agents={"a": {"path": "a/"}}), "gate.agents.a.path: found `a/`"),
        (deny(agents={"a": {"path": "/a"}, "b": {"path": "/a"}}), "gate.agents.b: found the path and authority of `a` again"),
        (deny(agents={"a": {"path": "/a", "grpc": "yes"}}), "gate.agents.a.grpc"),
        (deny(rules=[{"allow": {"calees": ["a"]}}]), "gate.rules[0].allow"),
        (deny(limits=[{"name": "a", "calls": 1, "every": "minute"}]), "gate.limits[0]"),
        (deny(limits=[{"name": "a", "per": ["tool"], "requests": 1, "every": "minute"}]), "gate.limits[0]"),
        (deny(limits=[{"name": "a", "requests": 1, "every": "minute", "store": "b"}]), "gate.limits[0]"),
        (deny(signing_keys_from="NOWHERE"), "gate.signing_keys_from"),
        (deny(bounds={"request_bytes": 0}), "gate.bounds.request_bytes"),
        (deny(hold_headers="no"), "gate.hold_headers"),
        (deny(agent="x"), "gate"),
    ],
)
def test_a_configuration_that_cannot_work_is_refused_and_says_where(people, tmp_path, change, says):
    bootstrap = AgentBootstrap(tmp_path, {}, people, ALLOW_ALL)
    assert Envoy.validate(bootstrap.config)[0], "but for that"
    change(bootstrap.gate_config)
    good, said = Envoy.validate(bootstrap.config)
    refused = next((line for line in said.splitlines() if "configuration refused" in line), said[-2000:])
    assert not good and says in refused
