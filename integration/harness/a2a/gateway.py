"""Envoy in front of agents: the shipped `envoy/agent.yaml`, made to run on this machine."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from ..bootstrap import ROOT, Bootstrap, wasm_module
from ..envoy import Envoy, eventually
from .agents import Agent
from .people import People
from .wire import Wire

SHIPPED = ROOT / "envoy" / "agent.yaml"
# The clusters, each an agent.
CLUSTERS = ("planner", "researcher", "billing")
ALLOW_ALL = [{"allow": {"callees": ["*"]}}]


def trust(listener: dict, people: People) -> None:
    """Has the listener of agents trust these people's authority and issuer, and show their certificate."""
    (chain,) = listener["filter_chains"]
    tls = chain["transport_socket"]["typed_config"]["common_tls_context"]
    server = {"filename": str(people.server)}
    tls["tls_certificates"] = [{"certificate_chain": server, "private_key": server}]
    tls["validation_context"]["trusted_ca"] = {"filename": str(people.authority.file)}
    filters = chain["filters"][0]["typed_config"]["http_filters"]
    (jwt_authn,) = (one["typed_config"] for one in filters if one["name"] == "envoy.filters.http.jwt_authn")
    jwt_authn["providers"]["issuer"]["local_jwks"] = {"inline_string": people.issuer.jwks()}


def found_at(listener: dict, gate: dict | None) -> socket.socket:
    """Gives the listener of agents a port, which cards say. What is held keeps it free until Envoy takes it too."""
    reserved = socket.socket()
    reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    reserved.bind(("127.0.0.1", 0))
    port = reserved.getsockname()[1]
    listener["address"]["socket_address"]["port_value"] = port
    if gate is not None:
        gate["cards"]["url"] = f"https://127.0.0.1:{port}"
    return reserved


class AgentBootstrap(Bootstrap):
    """The shipped config in front of agents on this machine, by their names."""

    def __init__(self, directory: Path, ports: dict[str, int], people: People, rules: list[dict] | None = None):
        super().__init__(directory, ports, {}, SHIPPED, wasm_module("agent"))
        if rules is None:
            self.hcm["http_filters"].remove(self.http_filter("tollgate.gate"))
        else:
            self.gate(rules=rules)
        self.reserved = found_at(self.listeners[0], self.gate_config if rules is not None else None)
        trust(self.listeners[0], people)

    def push(self, hosts: list[str], plain_http: bool = False) -> None:
        """Which hosts agents may be asked to tell of tasks."""
        for agent in self.gate_config["agents"].values():
            agent["push"] = {"hosts": hosts, "plain_http": plain_http}

    @property
    def jwt_authn(self) -> dict:
        """What verifies tokens."""
        return self.http_filter("envoy.filters.http.jwt_authn")["typed_config"]


class AgentGateway:
    """`with AgentGateway(directory, people, planner=agent, billing=other) as gateway:`; the agents run already.

    They are told that the gateway is where all others are found, and what to show there. One that is not given leads
    nowhere. `rules` are the gate's; None is an Envoy with a router alone, and agents whose cards lead to it. `change` sees the bootstrap before Envoy starts.
    """

    def __init__(
        self,
        directory: Path,
        people: People,
        change: Callable[[AgentBootstrap], None] = lambda bootstrap: None,
        envoy: dict[str, object] | None = None,
        rules: list[dict] | None = ALLOW_ALL,
        **agents: Agent,
    ):
        self.people, self.agents, self._rewrites = people, agents, rules is not None
        ports = {name: agents[name].port if name in agents else 1 for name in CLUSTERS}
        self.bootstrap = AgentBootstrap(directory, ports, people, rules)
        change(self.bootstrap)
        self._envoy = Envoy(self.bootstrap.config, audit=directory / "audit.jsonl", **(envoy or {}))

    def __enter__(self) -> Self:
        with ExitStack() as running:
            running.enter_context(self.bootstrap.reserved)
            self.envoy = running.enter_context(self._envoy)
            self.introduce()
            self._running = running.pop_all()
        return self

    def __exit__(self, *raised: object) -> None:
        self._running.__exit__(*raised)

    def seen(self) -> int:
        """How many records there are. One is written when its exchange is over, for which a client that hangs up does not
        wait."""
        eventually(lambda: len(self.envoy.records()) >= self.envoy.stats()["http.agents.downstream_rq_total"], 2)
        return len(self.envoy.records())

    def url(self, agent: str) -> str:
        """Where an agent is found."""
        return f"https://127.0.0.1:{self.envoy.port}/agents/{agent}"

    def introduce(self) -> None:
        """Tells the agents, which a test may have told something else."""
        for name, agent in self.agents.items():
            agent.live(
                None if self._rewrites else self.url(name),
                peers={other: self.url(other) for other in CLUSTERS},
                tokens=self.people.tokens(name),
                certificate=str(self.people.certificate(name)),
                authority=str(self.people.authority.file),
            )

    def wire(self, agent: str, caller: str | None = "assistant", seconds: float = 10) -> Wire:
        """Bytes to an agent, from a caller with this certificate, or with none."""
        return Wire(self.envoy.port, f"/agents/{agent}", seconds=seconds, tls=self.people.tls(caller))
