"""What the attacks of the corpus do to agents that nothing protects, and that the corpus can tell."""

import os
from collections import Counter
from pathlib import Path

import pytest
import yaml

import a2a_corpus
from a2a_corpus import ATTACKS, CHAPTERS, CONTROLS, ELSEWHERE, Right, Stage, attempt
from harness.a2a import AGENTS
from harness.gateway import Response

WRITTEN = Path(a2a_corpus.__file__).parent / "direct.yaml"
HEADER = """\
# What becomes of each attack where no filter is: `ran` is what must not happen, a number the HTTP status. Straight at the
# agent on each SDK, and behind an Envoy with only a router. `UPDATE_CORPUS=1` with tests/a2a/test_corpus.py writes it anew.
"""
SDKS = ("python", "python-0.3")
ATTACKED = [(sdk, attack) for sdk in SDKS for attack in ATTACKS if attack.version in AGENTS[sdk].VERSIONS]


def outcomes(attacks, stage):
    """What became of each that the agent's versions have."""
    return {attack.label: str(attempt(attack, stage)) for attack in attacks if attack.version in stage.agent.VERSIONS}


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
        assert found == {name: str(row[column]) for name, row in written.items() if column in row}


@pytest.fixture
def stages(agent_gateways, people):
    """`stages("python")`, `stages("python", "policy")`: billing, and what is in front of it."""

    def stage(sdk, front=None):
        gateway = agent_gateways(sdk, front or "router")
        agent = gateway.agents["billing"]
        if front is not None:
            agent.live(peers={name: gateway.url(name) for name in gateway.agents}, **calls(people, agent))
            return Stage(agent, people, gateway.envoy.port, "/agents/billing", secure=True)
        agent.live(peers={name: other.url for name, other in gateway.agents.items()})
        for other in gateway.agents.values():
            other.live(peers={name: one.url for name, one in gateway.agents.items()})
        return Stage(agent, people, agent.port)

    return stage


def calls(people, agent):
    """How an agent shows who it is."""
    return {
        "tokens": people.tokens(agent.name),
        "certificate": str(people.certificate(agent.name)),
        "authority": str(people.authority.file),
    }


@pytest.mark.parametrize("sdk", SDKS)
def test_the_agents_alone_do_what_is_written_down(stages, sdk):
    check(sdk, outcomes(ATTACKS, stages(sdk)))


@pytest.mark.parametrize("sdk", SDKS)
def test_an_envoy_with_a_router_alone_stops_little_of_it(stages, sdk):
    found = outcomes(ATTACKS, stages(sdk, "router"))
    check(f"envoy-{sdk}", found)
    assert list(found.values()).count("ran") > 40


@pytest.mark.parametrize("front", [None, "router", "policy"])
@pytest.mark.parametrize("sdk", SDKS)
def test_what_is_allowed_runs(stages, sdk, front):
    stage = stages(sdk, front)
    for attack in CONTROLS:
        if attack.version in stage.agent.VERSIONS:
            outcome = attempt(attack, stage)
            assert outcome.ran and attack.right.problems(outcome.answer) == [], attack.label


@pytest.mark.parametrize(("sdk", "attack"), ATTACKED, ids=lambda one: getattr(one, "label", one))
def test_each_attack_gets_the_answer_that_is_right_and_does_nothing(stages, sdk, attack):
    stage = stages(sdk, "policy")
    outcome = attempt(attack, stage)
    assert attack.right.problems(outcome.answer, stage.agent.url) == []
    assert not outcome.ran, outcome.answer


def test_no_two_attacks_have_one_name_and_every_threat_has_some():
    assert [name for name, times in Counter(attack.label for attack in ATTACKS).items() if times > 1] == []
    assert {attack.chapter for attack in ATTACKS} == set(CHAPTERS)
    assert set(CHAPTERS) | set(ELSEWHERE) == {f"A{number}" for number in range(1, 21)}


JSON = [("content-type", "application/json")]
ERROR = b'{"jsonrpc": "2.0", "id": 1, "error": {"code": %d, "message": "no"}}'


@pytest.mark.parametrize(
    ("right", "status", "body"),
    [
        (Right.DENIED, 200, ERROR % -1),
        (Right.DENIED, 403, b'{"jsonrpc": "2.0", "id": 1, "result": {}}'),
        (Right.MISMATCH, 403, ERROR % -1),
        (Right.NOT_THERE, 403, ERROR % -32001),
        (Right.NOT_THERE, 200, ERROR % -32602),
        (Right.EMPTY, 200, b'{"jsonrpc": "2.0", "id": 1, "result": {"tasks": [{"id": "1"}]}}'),
        (Right.UNPARSEABLE, 400, b""),
        (Right.UNPARSEABLE, 400, ERROR % -32700),
        (Right.UNPARSEABLE, 400, b'{"code": 400}'),
        (Right.VERSION, 200, ERROR % -32600),
        (Right.CARD, 200, b'{"url": "http://direct"}'),
        (Right.ALLOWED, 200, ERROR % -1),
    ],
)
def test_a_wrong_answer_is_seen(right, status, body):
    assert right.problems(Response(status, JSON, body), "http://direct") != []


@pytest.mark.parametrize(
    ("right", "status", "body"),
    [
        (Right.DENIED, 403, ERROR % -1),
        (Right.DENIED, 403, b'{"error": {"code": 403, "status": "PERMISSION_DENIED"}}'),
        (Right.MISMATCH, 403, b'{"error": {"code": 403, "details": [{"reason": "IDENTITY_MISMATCH"}]}}'),
        (Right.NOT_THERE, 200, ERROR % -32001),
        (Right.NOT_THERE, 404, b'{"error": {"code": 404, "status": "NOT_FOUND"}}'),
        (Right.NOT_THERE, 404, b'{"type": "TaskNotFoundError", "message": "no"}'),
        (Right.EMPTY, 200, b'{"tasks": []}'),
        (Right.VERSION, 200, ERROR % -32009),
        (Right.VERSION, 400, b'{"type": "VersionNotSupportedError", "message": "no"}'),
        (Right.CARD, 200, b'{"url": "https://gateway"}'),
    ],
)
def test_a_right_answer_is_right(right, status, body):
    assert right.problems(Response(status, JSON, body), "http://direct") == []
