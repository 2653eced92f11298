"""Envoy in front of MCP servers: the shipped `envoy/mcp.yaml`, made to run on this machine."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from ..bootstrap import ROOT, Bootstrap
from ..envoy import Envoy
from .servers import McpServer

SHIPPED = ROOT / "envoy" / "mcp.yaml"

# The clusters, and how a client reaches the server behind each: path and authority.
PATHS = {"crm": "/crm/mcp", "database": "/db/mcp", "reports": "/mcp"}
AUTHORITIES = {"reports": "reports.example"}


class McpBootstrap(Bootstrap):
    """The shipped config in front of servers on this machine, by the names of their clusters."""

    def __init__(self, directory: Path, ports: dict[str, int], wasm: Path | None = None):
        super().__init__(directory, ports, {}, SHIPPED, wasm)


class McpGateway:
    """`with McpGateway(directory, crm=server, database=other) as gateway:`; the servers run already.

    A cluster without a server of its own leads nowhere. `change` sees the bootstrap before Envoy starts.
    """

    def __init__(
        self,
        directory: Path,
        change: Callable[[McpBootstrap], None] = lambda bootstrap: None,
        envoy: dict[str, object] | None = None,
        **servers: McpServer,
    ):
        ports = {name: servers[name].port if name in servers else 1 for name in PATHS}
        self.bootstrap = McpBootstrap(directory, ports)
        change(self.bootstrap)
        self._envoy = Envoy(self.bootstrap.config, audit=directory / "audit.jsonl", **(envoy or {}))

    def __enter__(self) -> Self:
        with ExitStack() as running:
            self.envoy = running.enter_context(self._envoy)
            self._running = running.pop_all()
        return self

    def __exit__(self, *raised: object) -> None:
        self._running.__exit__(*raised)

    def url(self, cluster: str = "crm") -> str:
        """Where a client finds a server that is reached by path."""
        return f"http://localhost:{self.envoy.port}{PATHS[cluster]}"
