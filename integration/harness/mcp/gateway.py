"""Envoy in front of MCP servers: the shipped `envoy/mcp.yaml`, made to run on this machine."""

from __future__ import annotations

import copy
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from ..bootstrap import ROOT, Bootstrap, key_hash, wasm_module
from ..envoy import Envoy, eventually
from .servers import McpServer

SHIPPED = ROOT / "envoy" / "mcp.yaml"
HEADER_MUTATION = "type.googleapis.com/envoy.extensions.filters.http.header_mutation.v3.HeaderMutation"

# The clusters, and how a client reaches the server behind each: path and authority.
PATHS = {"crm": "/crm/mcp", "database": "/db/mcp", "reports": "/mcp"}
AUTHORITIES = {"reports": "reports.example"}

# Who asks, by virtual key.
KEYS = {
    "support": "tg_support_3q8vK0cJw7Rz5mXa",
    "research": "tg_research_9fTbL2eHs4Yd6nQu",
    "dba": "tg_dba_1pGkM8oVx3Ci7wZj",
}
SUBJECTS = {
    "support": {"team": "support", "user": "ada@example.org", "agent": "triage"},
    "research": {"team": "research", "user": "bob@example.org"},
    "dba": {"team": "dba", "user": "eve@example.org"},
}
ALLOW_ALL = [{"allow": {"tools": ["*"], "prompts": ["*"], "resources": ["*"]}}, {"allow": {"methods": ["*"]}}]


def bearer(who: str) -> dict[str, str]:
    """The header by which somebody proves who they are."""
    return {"authorization": f"Bearer {KEYS[who]}"}


class McpBootstrap(Bootstrap):
    """The shipped config in front of servers on this machine, by the names of their clusters."""

    def __init__(self, directory: Path, ports: dict[str, int], rules: list[dict] | None):
        super().__init__(directory, ports, {}, SHIPPED, wasm_module("mcp"))
        if rules is None:
            self.hcm["http_filters"].remove(self.http_filter("tollgate.gate"))
            return
        keys = [{"id": who, "sha256": [key_hash(key)], "subject": SUBJECTS[who]} for who, key in KEYS.items()]
        self.gate(rules=rules, keys=keys)

    def serve(self, name: str, cluster: str = "crm", **settings: object) -> None:
        """One more server of the gate: `/<name>/mcp` leads to a cluster that is there. `settings` are its configuration."""
        path = f"/{name}/mcp"
        self.gate_config["servers"][name] = {"path": path} | settings
        route = {"cluster": cluster, "prefix_rewrite": "/mcp", "timeout": "0s", "idle_timeout": "0s"}
        self.hcm["route_config"]["virtual_hosts"][-1]["routes"].append({"match": {"path": path}, "route": route})

    def show_key(self, who: str) -> None:
        """Has Envoy show a key for clients that show none themselves."""
        self.hcm["http_filters"].insert(0, _shows_key(who))

    def open_door(self, who: str) -> None:
        """A listener by this name, for the approval page alone. Who comes through it is taken for `who`: Envoy shows the key,
        which a browser cannot."""
        door = copy.deepcopy(self.listeners[0]) | {"name": who}
        hcm = door["filter_chains"][0]["filters"][0]["typed_config"]
        hcm["http_filters"].insert(0, _shows_key(who))
        hcm["route_config"] = {"virtual_hosts": []}
        self.listeners.append(door)


def _shows_key(who: str) -> dict:
    header = {"key": "authorization", "value": bearer(who)["authorization"]}
    add = {"append": {"header": header, "append_action": "ADD_IF_ABSENT"}}
    mutation = {"@type": HEADER_MUTATION, "mutations": {"request_mutations": [add]}}
    return {"name": "who", "typed_config": mutation}


class McpGateway:
    """`with McpGateway(directory, crm=server, database=other) as gateway:`; the servers run already.

    A cluster without a server of its own leads nowhere. `rules` are the gate's; None is an Envoy with a router alone. Clients
    that show no key are taken for `who`. `change` sees the bootstrap before Envoy starts.
    """

    def __init__(
        self,
        directory: Path,
        change: Callable[[McpBootstrap], None] = lambda bootstrap: None,
        envoy: dict[str, object] | None = None,
        rules: list[dict] | None = ALLOW_ALL,
        who: str | None = "support",
        **servers: McpServer,
    ):
        ports = {name: servers[name].port if name in servers else 1 for name in PATHS}
        self.bootstrap = McpBootstrap(directory, ports, rules)
        if who is not None:
            self.bootstrap.show_key(who)
        change(self.bootstrap)
        self._envoy = Envoy(self.bootstrap.config, audit=directory / "audit.jsonl", **(envoy or {}))

    def __enter__(self) -> Self:
        with ExitStack() as running:
            self.envoy = running.enter_context(self._envoy)
            self._running = running.pop_all()
        return self

    def __exit__(self, *raised: object) -> None:
        self._running.__exit__(*raised)

    def seen(self) -> int:
        """How many records there are. One is written when its exchange is over, for which a client that hangs up, or has all
        it wants, does not wait."""
        eventually(lambda: len(self.envoy.records()) >= self.envoy.stats()["http.mcp.downstream_rq_total"], 2)
        return len(self.envoy.records())

    def url(self, cluster: str = "crm") -> str:
        """Where a client finds a server that is reached by path."""
        return f"http://localhost:{self.envoy.port}{PATHS[cluster]}"
