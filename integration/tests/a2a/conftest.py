"""Fixtures: agents on each SDK and one Envoy in front of them, started once per test process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from harness.a2a import AGENTS, AgentGateway, Listener, People

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
def agent_gateways(people, tmp_path_factory) -> Iterator[Callable[[str], AgentGateway]]:
    """Envoy in front of agents that ran nothing yet, each started once: `agent_gateways("mixed")`."""
    with ExitStack() as stack:
        running: dict[str, AgentGateway] = {}

        def gateway(cast: str) -> AgentGateway:
            if cast not in running:
                agents = {name: stack.enter_context(AGENTS[sdk](name)) for name, sdk in CASTS[cast].items()}
                directory = tmp_path_factory.mktemp("agents")
                running[cast] = stack.enter_context(AgentGateway(directory, people, rules=None, **agents))
            for agent in running[cast].agents.values():
                agent.forget()
            running[cast].introduce()
            return running[cast]

        yield gateway


@pytest.fixture(scope="session")
def listener() -> Iterator[Listener]:
    """Where agents send push notifications."""
    with Listener() as listening:
        yield listening
