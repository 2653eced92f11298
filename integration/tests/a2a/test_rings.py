"""Agents on official SDKs that call each other in a ring: tracing carries the ticket, or they copy it, or nothing stops them."""

from contextlib import ExitStack

import pytest

from harness.a2a import CLIENTS, AgentGateway, task_in

# Whom a record names is whom the configuration names.
RULES = [{"allow": {"agents": ["assistant", "planner", "researcher", "billing"], "callees": ["*"]}}]
RING = ["assistant", "planner", "researcher", "billing", "planner", "researcher"]


@pytest.fixture(scope="module")
def rings(people, agent_casts, tmp_path_factory):
    """`rings("mixed", "trace", max_depth=4)`: such agents behind a gate with these settings of tickets."""
    with ExitStack() as stack:
        running = {}

        def gateway(cast, carries, **ticket):
            agents, key = agent_casts(cast, carries), (cast, carries, *ticket.items())
            if key not in running:

                def change(bootstrap):
                    bootstrap.gate(ticket=ticket)

                directory = tmp_path_factory.mktemp("rings")
                running[key] = stack.enter_context(AgentGateway(directory, people, change, rules=RULES, **agents))
            running[key].introduce()
            return running[key]

        yield gateway


def calls(gateway, people, text):
    """The records of calls that follow when the planner is told something."""
    seen = gateway.seen()
    with CLIENTS["python"](gateway.url("planner"), "0.3", **people.shows()) as person:
        answer = task_in(person.send(text))
    gateway.seen()
    records = gateway.envoy.records()[seen:]
    made = [record for record in records if record["asked"].get("a2a.operation", "").startswith("Send")]
    return answer, sorted(made, key=lambda record: record.get("hop", 0))


def ran(gateway):
    """How often each agent was told something."""
    return {name: len(agent.ran()) for name, agent in gateway.agents.items()}


@pytest.mark.parametrize("carries", ["trace", "ticket"])
@pytest.mark.parametrize("cast", ["python", "python-0.3", "mixed"])
def test_a_ring_of_agents_stops_at_exactly_the_configured_depth(rings, people, cast, carries):
    gateway = rings(cast, carries, max_depth=4, loops="allow")
    _, made = calls(gateway, people, "ring 9")
    assert ran(gateway) == {"planner": 2, "researcher": 1, "billing": 1}
    assert [record["hop"] for record in made] == [1, 2, 3, 4, 5]
    assert [record["asked"]["callee"] for record in made] == RING[1:]
    assert [record["decision"]["verdict"] for record in made] == ["allow"] * 4 + ["deny"]
    assert made[-1]["decision"]["reason"] == "depth_limit"
    assert made[-1]["callers"] == RING[:-1]
    assert len({record["transaction"] for record in made}) == 1


@pytest.mark.parametrize("carries", ["trace", "ticket"])
@pytest.mark.parametrize("cast", ["python", "python-0.3", "mixed"])
def test_a_ring_of_agents_stops_at_the_first_that_is_called_again(rings, people, cast, carries):
    gateway = rings(cast, carries)
    _, made = calls(gateway, people, "ring 9")
    assert ran(gateway) == {"planner": 1, "researcher": 1, "billing": 1}
    assert made[-1]["decision"]["reason"] == "loop_detected"
    assert made[-1]["callers"] == RING[:4]


def test_a_ring_of_agents_that_carry_nothing_is_stopped_by_nothing(rings, people):
    gateway = rings("python", "nothing")
    calls(gateway, people, "ring 6")
    assert ran(gateway) == {"planner": 3, "researcher": 2, "billing": 2}


@pytest.mark.parametrize("carries", ["trace", "ticket"])
def test_an_agent_makes_no_more_calls_for_one_request_than_it_may(rings, people, carries):
    gateway = rings("python", carries, max_fan_out=3)
    _, made = calls(gateway, people, "fan 5")
    assert ran(gateway) == {"planner": 1, "researcher": 2, "billing": 0}
    assert [record["decision"]["reason"] for record in made][-1] == "fan_out_limit"
