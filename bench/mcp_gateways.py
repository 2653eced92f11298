"""The gateways before an MCP server that are compared, and that server."""

from __future__ import annotations

from pathlib import Path

import gateways
from gateways import Gateway
from harness.mcp.gateway import McpBootstrap
from mcp_exchanges import SESSION, answers

# What decides is the last rule: all before it are looked at.
RULES = [
    {"deny": {"tools": ["*.drop_*", "*.truncate_*"], "reason": "nobody drops tables here"}},
    {"deny": {"tools": ["*"], "environments": ["production"], "arguments": {"/dry_run": {"equals": False}}}},
    {"confirm": {"tools": ["*.delete_*"], "by": "approver", "approvers": {"teams": ["dba"]}}},
    {"confirm": {"tools": ["*.send_*", "*.pay"], "by": "caller"}},
    {"allow": {"tools": ["database.*"], "teams": ["dba"]}},
    {"allow": {"tools": ["reports.*"], "teams": ["research"], "between": {"from": "08:00", "to": "18:00"}}},
    {"deny": {"tools": ["*.export"], "arguments": {"/format": {"one_of": ["raw", "sql"]}}}},
    {"allow": {"prompts": ["*"], "teams": ["support"]}},
    {"allow": {"methods": ["ping", "logging/*", "completion/*"]}},
    {"allow": {"tools": ["*.read_*", "*.search", "*.search_*"], "teams": ["support"]}},
]
LIMITS = [
    {"name": "calls", "per": ["agent", "tool"], "calls": 10**9, "every": "minute", "burst": 10**9},
    {"name": "day", "per": ["team"], "calls": 10**12, "every": "day"},
]


def upstream() -> dict:
    """The server's config: an Envoy that answers by itself what the client's `user-agent` names."""
    config = gateways.upstream_template()
    routes = [_route(name, media_type, body.decode()) for name, (media_type, body) in answers().items()]
    table = gateways.hcm(config)["route_config"]
    table["max_direct_response_body_size_bytes"] = 2 << 20
    table["virtual_hosts"][0]["routes"] = routes
    return config


def compared(directory: Path, port: int, noop: Path, ours: Path) -> list[Gateway]:
    """All of them, in front of the server at `port`."""
    return [
        Gateway("bare", "one listener, one route, one cluster (`bench/bare.yaml`)", gateways.bare(port)),
        Gateway(
            "empty filter",
            "bare, with a wasm filter that does nothing (`bench/noop`) where ours stands",
            gateways.empty(port, noop, upstream=False),
        ),
        Gateway(
            "our route",
            "`envoy/mcp.yaml` without its wasm filter",
            shipped(directory / "route", port, ours, None),
        ),
        Gateway(
            "ours",
            f"`envoy/mcp.yaml` but for addresses and keys, with {len(RULES)} rules and {len(LIMITS)} limits",
            shipped(directory / "ours", port, ours, RULES, limits=LIMITS),
        ),
    ]


def shipped(directory: Path, port: int, ours: Path, rules: list[dict] | None, **parts: object) -> dict:
    """`envoy/mcp.yaml` with these parts of the gate; without rules it has none."""
    directory.mkdir()
    bootstrap = McpBootstrap(directory, {"crm": port, "database": port, "reports": port}, rules)
    for plugin in bootstrap.plugins():
        plugin["vm_config"]["code"] = {"local": {"filename": str(ours)}}
    if parts:
        bootstrap.gate(**parts)
    return bootstrap.config


def _route(name: str, media_type: str, body: str) -> dict:
    headers = {"content-type": media_type} | ({"mcp-session-id": SESSION} if name == "initialize" else {})
    return {
        "match": {"prefix": "/", "headers": [{"name": "user-agent", "string_match": {"exact": name}}]},
        "direct_response": {"status": 200, "body": {"inline_string": body}},
        "response_headers_to_add": [
            {"header": {"key": key, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
            for key, value in headers.items()
        ],
    }
