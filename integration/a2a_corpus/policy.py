"""The policy that attacks are made for, as the gate's configuration."""

from __future__ import annotations

from harness.a2a import AgentBootstrap

RULES = [
    {"deny": {"agents": ["assistant"], "operations": ["CancelTask"], "callees": ["*"]}},
    {"allow": {"agents": ["assistant"], "callees": ["*"]}},
    {"allow": {"agents": ["planner"], "callees": ["*"], "tiers": ["gold"]}},
]


def protect(bootstrap: AgentBootstrap) -> None:
    """Configures the gate so."""
    bootstrap.gate(rules=RULES, identity_headers=["x-agent-id", "x-user", "x-tier"])
    bootstrap.push(["hooks.example.org"])
