"""Fixtures: agents on each SDK and one Envoy in front of them, started once per test process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from harness.a2a import AGENTS, Agent, AgentGateway, Listener, People

# Which SDK the agents behind a gateway are on: all on one, or as they meet in the world.
CASTS = {
    "python": dict.fromkeys(("planner", "researcher", "billing"), "python"),
    "python-0.3": dict.fromkeys(("planner", "researcher", "billing"), "python-0.3"),
    "mixed": {"planner": "python", "researcher": "python-0.3", "billing": "python"},
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
def agent_gateways(people, agent_casts, tmp_path_factory) -> Iterator[Callable[[str], AgentGateway]]:
    """Envoy in front of such agents, each started once: `agent_gateways("mixed")`."""
    with ExitStack() as stack:
        running: dict[str, AgentGateway] = {}

        def gateway(cast: str) -> AgentGateway:
            agents = agent_casts(cast)
            if cast not in running:
                directory = tmp_path_factory.mktemp("agents")
                running[cast] = stack.enter_context(AgentGateway(directory, people, rules=None, **agents))
            running[cast].introduce()
            return running[cast]

        yield gateway


@pytest.fixture(scope="session")
def listener() -> Iterator[Listener]:
    """Where agents send push notifications."""
    with Listener() as listening:
        yield listening
