"""What the attacks of the corpus do to servers that nothing protects, and that the corpus can tell."""

import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

import mcp_corpus
from harness.gateway import Response
from harness.mcp import MODERN, SERVERS, Exchange, McpGateway, Wire
from harness.mcp.wire import meta, modern, rpc
from mcp_corpus import HTTP2, LEGACY, Right, attempt, attempt_http2, controls, corpus, open_session
from mcp_servers.weak import WeakServer

WRITTEN = Path(mcp_corpus.__file__).parent / "direct.yaml"
HEADER = """\
# What becomes of each attack where no filter is: `ran` is the forbidden tool, a number the HTTP status. Straight at the
# server on each SDK, and behind an Envoy with only a router. `UPDATE_CORPUS=1` with tests/mcp/test_corpus.py writes it anew.
"""
# A server that waits for the rest of a body gets none.
SECONDS = 2


def eras(name):
    return [made for made in corpus() if made.era == LEGACY or MODERN in SERVERS[name].REVISIONS]


def outcomes(attempts, wire, server):
    """What became of each. Attempts leave a session as it was; those without one need none."""
    session = open_session(attempts[0], wire)
    return {made.name: str(attempt(made, wire, session, server)) for made in attempts}


def check(column, found):
    """Compares with what is written down, or writes it down."""
    written = yaml.safe_load(WRITTEN.read_text()) if WRITTEN.exists() else {}
    if os.environ.get("UPDATE_CORPUS"):
        for name, outcome in found.items():
            written.setdefault(name, {})[column] = outcome
        lines = [
            f"{name}: {{{', '.join(f'{key}: {value}' for key, value in row.items())}}}\n"
            for name, row in written.items()
        ]
        WRITTEN.write_text(HEADER + "".join(lines))
    else:
        expected = {name: str(row[column]) for name, row in written.items() if column in row}
        assert found == expected


@pytest.mark.parametrize("name", SERVERS)
def test_the_servers_alone_run_what_is_written_down(mcp_servers, name):
    server = mcp_servers(name)
    check(name, outcomes(eras(name), Wire(server.port, seconds=SECONDS), server))


@pytest.mark.parametrize("name", SERVERS)
def test_an_envoy_with_a_router_alone_stops_little_of_it(mcp_servers, mcp_gateways, name):
    server, gateway = mcp_servers(name), mcp_gateways(name, rules=None)
    wire = Wire(gateway.envoy.port, "/crm/mcp", seconds=SECONDS)
    found = outcomes(eras(name), wire, server)
    check(f"envoy-{name}", found)
    assert list(found.values()).count("ran") > 40


def test_the_weak_server_runs_all_that_any_other_runs():
    """So a filter that keeps it from running anything forbidden keeps them all."""
    too_deep = {"nested-20000/legacy", "nested-20000/modern"}
    with WeakServer() as server:
        found = outcomes(corpus(), Wire(server.port, seconds=SECONDS), server)
    others = {name for name, row in yaml.safe_load(WRITTEN.read_text()).items() if "ran" in row.values()}
    assert others - {name for name, outcome in found.items() if outcome == "ran"} <= too_deep


@pytest.mark.parametrize("made", corpus(HTTP2), ids=lambda made: made.name)
def test_http2_reaches_the_servers_through_envoy(mcp_servers, mcp_gateways, made):
    server, port = mcp_servers("python"), mcp_gateways("python", rules=None).envoy.port
    session = open_session(made, Wire(port, "/crm/mcp"))
    outcome = attempt_http2(made, port, "/crm/mcp", session, server)
    assert outcome.answer is not None
    assert outcome.ran == (made.attack.right is not Right.AMBIGUOUS)


RULES = [{"deny": {"tools": ["crm.database.delete_row"]}}, {"allow": {"tools": ["*"]}}]


@dataclass(frozen=True)
class Guarded:
    """The server that runs whatever any server runs, behind a gate that denies one tool."""

    server: WeakServer
    wire: Wire

    def attempt(self, made):
        """What becomes of an attack."""
        return attempt(made, self.wire, open_session(made, self.wire), self.server)


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    def bounded(bootstrap):
        bootstrap.gate(bounds={"request_bytes": 2 << 20})

    directory = tmp_path_factory.mktemp("guarded")
    with WeakServer() as server, McpGateway(directory, bounded, rules=RULES, crm=server) as gateway:
        guarded = Guarded(server, Wire(gateway.envoy.port, "/crm/mcp", seconds=SECONDS))
        # The gate knows of a tool what its server has listed.
        listed = guarded.wire.send(Exchange(modern("tools/list"), rpc("tools/list", {"_meta": meta()})))
        assert listed.status == 200
        yield guarded


@pytest.mark.parametrize("made", corpus(), ids=lambda made: made.name)
def test_no_attack_gets_past_the_gate_and_each_gets_the_right_answer(guarded, made):
    outcome = guarded.attempt(made)
    assert not outcome.ran
    assert made.attack.right.problems(outcome.answer) == []


@pytest.mark.parametrize("made", corpus(HTTP2), ids=lambda made: made.name)
def test_no_attack_over_http2_gets_past_the_gate(guarded, made):
    session = open_session(made, guarded.wire)
    outcome = attempt_http2(made, guarded.wire.port, "/crm/mcp", session, guarded.server)
    assert not outcome.ran
    assert made.attack.right.problems(outcome.answer) == []


@pytest.mark.parametrize("made", controls(), ids=lambda made: made.name)
def test_what_is_allowed_runs_in_any_of_these_shapes(guarded, made):
    outcome = guarded.attempt(made)
    assert outcome.ran
    assert made.attack.right.problems(outcome.answer) == []


def test_no_two_attempts_have_one_name():
    assert [name for name, times in Counter(made.name for made in corpus()).items() if times > 1] == []


JSON = [("content-type", "application/json")]


@pytest.mark.parametrize(
    ("right", "status", "body"),
    [
        (Right.DENIED, 200, b'{"jsonrpc": "2.0", "id": 1, "result": {"content": [], "isError": false}}'),
        (Right.DENIED, 200, b'{"jsonrpc": "2.0", "id": 1, "error": {"code": 1, "message": "no"}}'),
        (Right.DENIED, 403, b'{"jsonrpc": "2.0", "id": 1, "result": {"content": [], "isError": true}}'),
        (Right.ALLOWED, 200, b'{"jsonrpc": "2.0", "id": 1, "result": {"content": [], "isError": true}}'),
        (Right.UNPARSEABLE, 400, b"no"),
        (Right.UNPARSEABLE, 400, b""),
        (Right.UNPARSEABLE, 400, b'{"jsonrpc": "2.0", "id": 1, "error": {"code": -32020, "message": "no"}}'),
        (Right.UNPARSEABLE, 403, b'{"jsonrpc": "2.0", "id": 1, "error": {"code": -32700, "message": "no"}}'),
        (Right.MISMATCH, 400, b'{"jsonrpc": "2.0", "id": 1, "error": {"code": -32600, "message": "no"}}'),
        (Right.MEDIA, 415, b"Unsupported Media Type"),
        (Right.METHOD, 404, b'{"jsonrpc": "2.0", "id": null, "error": {"code": -32600, "message": "no"}}'),
    ],
)
def test_a_wrong_answer_is_seen(right, status, body):
    assert right.problems(Response(status, JSON, body)) != []


@pytest.mark.parametrize(
    ("right", "status", "body"),
    [
        (Right.DENIED, 200, b'{"jsonrpc": "2.0", "id": 1, "result": {"content": [], "isError": true}}'),
        (Right.ALLOWED, 200, b'{"jsonrpc": "2.0", "id": 1, "result": {"content": []}}'),
        (Right.UNPARSEABLE, 400, b'{"jsonrpc": "2.0", "id": null, "error": {"code": -32700, "message": "no"}}'),
        (Right.MISMATCH, 400, b'{"jsonrpc": "2.0", "id": 1, "error": {"code": -32020, "message": "no"}}'),
        (Right.MEDIA, 415, b'{"jsonrpc": "2.0", "id": null, "error": {"code": -32600, "message": "no"}}'),
        (Right.NO_SERVER, 404, b""),
    ],
)
def test_a_right_answer_is_right(right, status, body):
    assert right.problems(Response(status, JSON, body)) == []
