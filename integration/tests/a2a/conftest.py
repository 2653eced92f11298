"""Fixtures: agents on each SDK and one Envoy in front of them, started once per test process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from a2a_corpus import protect
from harness.a2a import AGENTS, Agent, AgentGateway, Listener, People

# Which SDK the agents behind a gateway are on: all on one, or as they meet in the world.
CASTS = {
    "python": dict.fromkeys(("planner", "researcher", "billing"), "python"),
    "python-0.3": dict.fromkeys(("planner", "researcher", "billing"), "python-0.3"),
    "mixed": {"planner": "python", "researcher": "python-0.3", "billing": "python"},
}
# What is between callers and agents: an Envoy with a router alone, a gate that lets everything through, and one with the
# policy that attacks are made for.
FRONTS = {
    "router": lambda listener: {"rules": None},
    "filter": lambda listener: {"change": lambda bootstrap: bootstrap.push([listener.host], plain_http=True)},
    "policy": lambda listener: {"change": protect},
}


@pytest.fixture(scope="session")
def people(tmp_path_factory) -> People:
    """Everybody who calls, and for whom."""
    return People(tmp_path_factory.mktemp("people"))


@pytest.fixture(scope="session")
def agent_casts() -> Iterator[Callable[..., dict[str, Agent]]]:
    """Agents that ran nothing yet, by name, each started once: `agent_casts("mixed")`, `agent_casts("mixed", "ticket")`."""
    with ExitStack() as stack:
        running: dict[tuple[str, str], dict[str, Agent]] = {}

        def cast(name: str, carries: str = "trace") -> dict[str, Agent]:
            if (name, carries) not in running:
                started = {agent: stack.enter_context(AGENTS[sdk](agent, carries)) for agent, sdk in CASTS[name].items()}
                running[name, carries] = started
            for agent in running[name, carries].values():
                agent.forget()
            return running[name, carries]

        yield cast


@pytest.fixture(scope="session")
def agent_gateways(people, agent_casts, listener, tmp_path_factory) -> Iterator[Callable[..., AgentGateway]]:
    """Envoy in front of such agents, each started once: `agent_gateways("mixed", "filter")`."""
    with ExitStack() as stack:
        running: dict[tuple[str, str], AgentGateway] = {}

        def gateway(cast: str, front: str = "router") -> AgentGateway:
            agents, key = agent_casts(cast), (cast, front)
            if key not in running:
                directory = tmp_path_factory.mktemp("agents")
                made = AgentGateway(directory, people, **FRONTS[front](listener), **agents)
                running[key] = stack.enter_context(made)
            running[key].introduce()
            return running[key]

        yield gateway


@pytest.fixture(scope="session")
def listener() -> Iterator[Listener]:
    """Where agents send push notifications."""
    with Listener() as listening:
        yield listening
