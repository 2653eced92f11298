"""The three gateways in one Envoy: the shipped `envoy/stack.yaml`, made to run on this machine."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Self

from . import teams
from .a2a import Agent, People
from .a2a.gateway import CLUSTERS, found_at, trust
from .bootstrap import ROOT, Bootstrap, key_hash, wasm_module
from .envoy import Envoy
from .mcp import PATHS, McpServer
from .sdks import SDKS, Sdk

SHIPPED = ROOT / "envoy" / "stack.yaml"

# Who asks: of one team, with one agent.
KEYS = {"ada": "tg_ada_3q8vK0cJw7Rz5mXa", "bob": "tg_bob_9fTbL2eHs4Yd6nQu"}


def key(who: str) -> dict:
    """Their key, as both gateways know it."""
    subject = {"user": f"{who}@example.org", "team": "support", "agent": "triage"}
    return {"id": who, "sha256": [key_hash(KEYS[who])], "subject": subject}


class StackBootstrap(Bootstrap):
    """The shipped config in front of providers, servers and agents on this machine."""

    def __init__(self, directory: Path, ports: dict[str, int], people: People):
        super().__init__(directory, ports, teams.CREDENTIALS, SHIPPED)
        _, tools, agents = self.listeners
        self.mcp_gate = self._gate(tools, "mcp")
        self.agent_gate = self._gate(agents, "agent")
        self.reserved = found_at(agents, self.agent_gate)
        trust(agents, people)
        self.mcp_gate["keys"] = [key(who) for who in KEYS]
        self.gate(models=teams.MODELS, keys=[key(who) | {"models": ["*"]} for who in KEYS])


    def _gate(self, listener: dict, filter: str) -> dict:
        hcm = listener["filter_chains"][0]["filters"][0]["typed_config"]
        for log in hcm["access_log"]:
            log["typed_config"]["path"] = str(self.directory / "audit.jsonl")
        (plugin,) = self.plugins_in(hcm)
        plugin["vm_config"]["code"] = {"local": {"filename": str(wasm_module(filter))}}
        return plugin["configuration"]["value"]["gate"]


class Stack:
    """`with Stack(directory, prompts, rules, server, planner=agent) as stack:`; the MCP server `crm` and the agents run already."""

    def __init__(self, directory: Path, prompts: dict, rules: list[dict], crm: McpServer, **agents: Agent):
        self._directory, self._prompts, self._rules, self._crm, self._agents = directory, prompts, rules, crm, agents
        self.people = People(directory)

    def __enter__(self) -> Self:
        with ExitStack() as running:
            self.providers = teams.servers()
            for provider in self.providers.values():
                running.enter_context(provider)
            ports = {name: provider.port for name, provider in self.providers.items()}
            servers = {name: self._crm.port if name == "crm" else 1 for name in PATHS}
            agents = {name: self._agents[name].port if name in self._agents else 1 for name in CLUSTERS}
            bootstrap = StackBootstrap(self._directory, ports | servers | agents, self.people)
            bootstrap.gate(prompts=self._prompts)
            bootstrap.mcp_gate["rules"] = self._rules
            audit = self._directory / "audit.jsonl"
            with bootstrap.reserved:
                self.envoy = running.enter_context(Envoy(bootstrap.config, concurrency=2, audit=audit))
            self._running = running.pop_all()
        return self

    def __exit__(self, *raised: object) -> None:
        self._running.__exit__(*raised)

    def sdk(self, client: str, who: str) -> Sdk:
        """A provider's official SDK, unchanged but for base URL and key."""
        return SDKS[client].connect(f"http://127.0.0.1:{self.envoy.ports['llm']}", KEYS[who])

    @property
    def tools_url(self) -> str:
        """Where a client finds the MCP server."""
        return f"http://localhost:{self.envoy.ports['mcp']}{PATHS['crm']}"

    def agent_url(self, agent: str) -> str:
        """Where a client finds an agent."""
        return f"https://127.0.0.1:{self.envoy.ports['agents']}/agents/{agent}"
