"""The gateways before an agent that are compared, and that agent."""

from __future__ import annotations

import copy
from pathlib import Path

import gateways
from a2a_exchanges import CONTEXT, GIVEN, answers
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
# As many calls in one transaction as a benchmark makes.
TICKETS = {"lifetime_s": 3600, "max_fan_out": 1_000_000}
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
    shipped.gate(ticket=TICKETS)
    route = _shipped(directory / "route", port, ours, people, None)
    bare, empty, verifying = gateways.bare(port), gateways.empty(port, noop, upstream=False), gateways.bare(port)
    for config in (bare, empty, verifying):
        _listener(config)["transport_socket"] = copy.deepcopy(_listener(shipped.config)["transport_socket"])
    gateways.hcm(verifying)["http_filters"].insert(0, _verifying(shipped))
    compared = [
        ("bare", "one listener with TLS that verifies certificates, one route, one cluster", bare),
        ("empty filter", "bare, with a wasm filter that does nothing where ours stands", empty),
        ("verifying", "bare, with Envoy's `jwt_authn` as it is by default: each token is verified each time", verifying),
        ("our route", "`envoy/agent.yaml` without its wasm filter: a token is verified once, access log", route.config),
        (
            "ours",
            f"`envoy/agent.yaml` but for addresses, certificates and the issuer's keys, with {len(RULES)} rules",
            shipped.config,
        ),
    ]
    return [Gateway(name, what, config, people=people) for name, what, config in compared]


def _shipped(directory: Path, port: int, ours: Path, people: People, rules: list[dict] | None) -> AgentBootstrap:
    directory.mkdir()
    bootstrap = AgentBootstrap(directory, {"planner": port, "researcher": port, "billing": port}, people, rules)
    for plugin in bootstrap.plugins():
        plugin["vm_config"]["code"] = {"local": {"filename": str(ours)}}
    return bootstrap


def _verifying(shipped: AgentBootstrap) -> dict:
    verifies = copy.deepcopy(shipped.http_filter("envoy.filters.http.jwt_authn"))
    for provider in verifies["typed_config"]["providers"].values():
        provider.pop("jwt_cache_config")
    return verifies


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
          local ticket = handle:headers():get("x-tollgate-ticket") or ""
          handle:respond({{[":status"] = "200", ["content-type"] = answer[1], ["{GIVEN}"] = ticket}}, text)
        end
    """
    return {"@type": LUA, "default_source_code": {"inline_string": code}}
