"""What agents carry from the request that they serve to those that they make, none of it by code of theirs."""

import pytest

from harness.a2a import CLIENTS, task_in
from harness.envoy import eventually

CASTS = ("python", "python-0.3", "mixed")
TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
SHOWN = {"traceparent": f"00-{TRACE}-{PARENT}-01", "tracestate": "tollgate=k1.aGVsbG8.x_-,other=1"}
TICKET = {"x-tollgate-ticket": "k1.aGVsbG8.x_-"}
CARRIED = ("traceparent", "tracestate", "x-tollgate-ticket")
SECONDS = 10


@pytest.fixture
def agents(agent_casts):
    """`agents("mixed", "trace")`: they call each other without anything between them."""

    def introduced(cast, carries):
        found = agent_casts(cast, carries)
        for agent in found.values():
            agent.live(peers={name: one.url for name, one in found.items()})
        return found

    return introduced


def told(agent, how, text, headers, **about):
    """Tells an agent something, `at once`, `plain` or `streamed`."""
    with CLIENTS["python"](agent.url, "0.3", headers=headers) as person:
        if how == "streamed":
            return list(person.stream(text, **about))
        return person.send(text, at_once=how == "at once", **about)


def carried(agent):
    """What came with each request that ran."""
    assert eventually(lambda: bool(agent.ran()), SECONDS), f"{agent.name} was not called"
    return [{name: dict(ran["headers"]).get(name) for name in CARRIED} for ran in agent.ran()]


@pytest.mark.parametrize("how", ["plain", "streamed", "at once"])
@pytest.mark.parametrize("cast", CASTS)
def test_a_trace_and_its_state_arrive_at_the_third_agent(agents, cast, how):
    found = agents(cast, "trace")
    told(found["planner"], how, "plan a trip", SHOWN)
    parents = []
    for name in ("planner", "researcher", "billing"):
        (arrived,) = carried(found[name])
        version, trace, parent, flags = arrived["traceparent"].split("-")
        assert (version, trace, flags) == ("00", TRACE, "01")
        assert arrived["tracestate"] == SHOWN["tracestate"]
        parents.append(parent)
    assert len({PARENT, *parents[1:]}) == 3, "each agent says that it is the parent"


@pytest.mark.parametrize("cast", CASTS)
def test_each_message_to_a_task_has_the_state_that_it_came_with(agents, cast):
    found = agents(cast, "trace")
    task = task_in(told(found["planner"], "plain", "ask", SHOWN))
    second = SHOWN | {"tracestate": "tollgate=k1.c2Vjb25k.x_-"}
    told(found["planner"], "plain", "call billing make a", second, task=task["id"], context=task["contextId"])
    (arrived,) = carried(found["billing"])
    assert arrived["tracestate"] == second["tracestate"]


@pytest.mark.parametrize("cast", CASTS)
def test_calls_side_by_side_do_not_mix_their_states(agents, cast):
    """Two tasks are at work at once, and the one that began first calls last."""
    found = agents(cast, "trace")
    task = task_in(told(found["planner"], "plain", "ask", SHOWN))
    told(found["planner"], "plain", "plan a trip", SHOWN | {"tracestate": "tollgate=k1.c2Vjb25k.x_-"})
    told(found["planner"], "plain", "call billing make a", SHOWN, task=task["id"], context=task["contextId"])
    assert [one["tracestate"] for one in carried(found["billing"])] == ["tollgate=k1.c2Vjb25k.x_-", SHOWN["tracestate"]]


@pytest.mark.parametrize("cast", CASTS)
def test_a_state_without_a_trace_is_dropped(agents, cast):
    """The W3C's rule: so whoever adds to a state must begin a trace where there is none."""
    found = agents(cast, "trace")
    told(found["planner"], "plain", "plan a trip", {"tracestate": SHOWN["tracestate"]})
    for name in ("researcher", "billing"):
        (arrived,) = carried(found[name])
        assert arrived["tracestate"] is None
        assert arrived["traceparent"] is not None, "the agent begins a trace itself"


@pytest.mark.parametrize("cast", CASTS)
def test_agents_without_tracing_carry_nothing(agents, cast):
    found = agents(cast, "nothing")
    told(found["planner"], "plain", "plan a trip", SHOWN | TICKET)
    for name in ("researcher", "billing"):
        assert carried(found[name]) == [dict.fromkeys(CARRIED)]


@pytest.mark.parametrize("cast", CASTS)
def test_agents_without_tracing_can_copy_the_ticket(agents, cast):
    found = agents(cast, "ticket")
    told(found["planner"], "plain", "plan a trip", SHOWN | TICKET)
    for name in ("researcher", "billing"):
        assert carried(found[name]) == [dict.fromkeys(CARRIED) | TICKET]


@pytest.mark.parametrize("cast", CASTS)
def test_whoever_is_told_of_a_task_sees_the_state_too(agents, cast, listener):
    """Tracing asks nobody whom a request goes to: so what is in a state must be of no use to somebody else."""
    found = agents(cast, "trace")
    token = f"tracing {cast}"
    push = {"id": "c-1", "url": listener.url, "token": token}
    told(found["planner"], "plain", "make a b", SHOWN, push=push)
    assert listener.headers("completed", token)["tracestate"] == SHOWN["tracestate"]
