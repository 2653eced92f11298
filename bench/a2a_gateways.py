"""The gateways before an agent that are compared, and that agent."""

from __future__ import annotations

import copy
from pathlib import Path

import gateways
from a2a_exchanges import CONTEXT, answers
from gateways import Gateway
from harness.a2a import AgentBootstrap, People

# What decides is the last rule: all before it are looked at.
RULES = [
    {"deny": {"callees": ["*"], "environments": ["production"], "operations": ["CancelTask"]}},
    {"deny": {"callees": ["billing"], "skills": ["refund", "payout"], "reason": "ask the platform team"}},
    {"allow": {"agents": ["planner", "researcher"], "callees": ["researcher", "billing"], "tiers": ["gold"]}},
    {"allow": {"agents": ["billing"], "callees": ["planner"], "teams": ["finance"]}},
    {"deny": {"agents": ["assistant"], "callees": ["planner"], "tiers": ["free"]}},
    {"allow": {"agents": ["assistant"], "callees": ["billing"], "users": ["eve@example.org"]}},
    {"deny": {"callees": ["*"], "tenants": ["test"]}},
    {"allow": {"agents": ["reporter"], "callees": ["*"], "between": {"from": "08:00", "to": "18:00"}}},
    {"deny": {"callees": ["researcher"], "extensions": ["https://example.org/tracing"]}},
    {"allow": {"agents": ["assistant"], "callees": ["planner", "researcher"]}},
]
LUA = "type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua"


def upstream() -> dict:
    """The agent's config: an Envoy that answers by itself what the client's `user-agent` names, in the context of the message."""
    config = gateways.upstream_template()
    gateways.hcm(config)["http_filters"].insert(0, {"name": "agent", "typed_config": _agent()})
    return config


def compared(directory: Path, port: int, noop: Path, ours: Path) -> list[Gateway]:
    """All of them, in front of the agent at `port`."""
    people = People(directory)
    shipped = _shipped(directory / "ours", port, ours, people, RULES)
    route = _shipped(directory / "route", port, ours, people, None)
    bare, empty = gateways.bare(port), gateways.empty(port, noop, upstream=False)
    for config in (bare, empty):
        _listener(config)["transport_socket"] = copy.deepcopy(_listener(shipped)["transport_socket"])
    return [
        Gateway("bare", "one listener with TLS that verifies who calls, one route, one cluster", bare, people=people),
        Gateway("empty filter", "bare, with a wasm filter that does nothing where ours stands", empty, people=people),
        Gateway(
            "our route",
            "`envoy/agent.yaml` without its wasm filter: TLS, the token verified too, access log",
            route,
            people=people,
        ),
        Gateway(
            "ours",
            f"`envoy/agent.yaml` but for addresses, certificates and the issuer's keys, with {len(RULES)} rules",
            shipped,
            people=people,
        ),
    ]


def _shipped(directory: Path, port: int, ours: Path, people: People, rules: list[dict] | None) -> dict:
    directory.mkdir()
    bootstrap = AgentBootstrap(directory, {"planner": port, "researcher": port, "billing": port}, people, rules)
    for plugin in bootstrap.plugins():
        plugin["vm_config"]["code"] = {"local": {"filename": str(ours)}}
    return bootstrap.config


def _listener(config: dict) -> dict:
    return config["static_resources"]["listeners"][0]["filter_chains"][0]


def _agent() -> dict:
    """Reads all of the message before it answers, as an agent does."""
    bodies = ", ".join(f'["{name}"] = {{"{media}", [==[{body}]==]}}' for name, (media, body) in answers().items())
    code = f"""
        local answers = {{{bodies}}}
        function envoy_on_request(handle)
          local answer = answers[handle:headers():get("user-agent")]
          local body = handle:body(true)
          local message = body:getBytes(0, body:length())
          local context = string.match(message, '"contextId": ?"([^"]*)"') or "c-1"
          local text = string.gsub(answer[2], "{CONTEXT}", context)
          handle:respond({{[":status"] = "200", ["content-type"] = answer[1]}}, text)
        end
    """
    return {"@type": LUA, "default_source_code": {"inline_string": code}}
