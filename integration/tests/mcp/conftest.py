"""Fixtures: MCP servers and an Envoy in front of each, started once per test process."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from harness.mcp import ALLOW_ALL, SERVERS, STRANGERS, McpGateway, McpServer


class McpServers:
    """MCP servers by name, each started once."""

    def __init__(self, stack: ExitStack):
        self._stack, self._running = stack, {}

    def __call__(self, name: str, answers: str = "sse") -> McpServer:
        """A running one that ran nothing yet."""
        server = self.running(name, answers)
        server.forget()
        return server

    def running(self, name: str, answers: str = "sse") -> McpServer:
        """The same as it is."""
        if (name, answers) not in self._running:
            self._running[name, answers] = self._stack.enter_context((SERVERS | STRANGERS)[name](answers))
        return self._running[name, answers]


@pytest.fixture(scope="session")
def mcp_servers() -> Iterator[McpServers]:
    """`mcp_servers("python")`, `mcp_servers("typescript-2", "json")`."""
    with ExitStack() as stack:
        yield McpServers(stack)


@pytest.fixture(scope="session")
def mcp_gateways(mcp_servers, tmp_path_factory) -> Iterator[Callable[..., McpGateway]]:
    """The gate in front of such a server, which ran nothing yet; each started once: `mcp_gateways("python")`.

    `rules` are the gate's; None is an Envoy with a router alone.
    """
    with ExitStack() as stack:
        running: dict[tuple[str, str, str], McpGateway] = {}

        def gateway(name: str, answers: str = "sse", rules: list[dict] | None = ALLOW_ALL) -> McpGateway:
            server, key = mcp_servers(name, answers), (name, answers, json.dumps(rules))
            if key not in running:
                directory = tmp_path_factory.mktemp("mcp")
                made = McpGateway(directory, rules=rules, crm=server, reports=server)
                running[key] = stack.enter_context(made)
            return running[key]

        yield gateway
