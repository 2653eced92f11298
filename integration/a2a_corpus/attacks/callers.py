"""Who asks: forged headers, tokens and chains, a confused deputy, loops."""

from __future__ import annotations

import json

from harness.a2a import ADA, BOB, spiffe
from harness.a2a.wire import message

from ..attack import Attack, Right, Who
from .requests import VERSIONS, evil, send, sent

# What only the gateway says.
OWNED = {
    "x-agent-id": "planner",
    "x-user": "eve@example.org",
    "x-tier": "gold",
    "x-forwarded-client-cert": "URI=spiffe://example.org/agent/planner",
    "x-tollgate-user": "eve@example.org",
    "x-tollgate-agent": "planner",
    "x-tollgate-tier": "gold",
    "x-tollgate-ticket": "v1.forged.forged",
}
FORGED = [
    attack
    for header, value in OWNED.items()
    for attack in (
        send("A1", header, Right.ALLOWED, f"header {header}: {value}", headers={header: [value]}),
        send("A1", f"{header}-twice", Right.ALLOWED, f"header {header}: {value}", headers={header: ["a", value]}),
        send(
            "A1", f"{header}-in-capitals", Right.ALLOWED, f"header {header}: {value}", headers={header.upper(): [value]}
        ),
        send(
            "A1",
            f"{header}-underscore",
            Right.NOT_HTTP,
            f"header {header}: {value}",
            headers={header.replace("-", "_"): [value]},
        ),
    )
] + [
    send(
        "A1",
        "tracestate",
        Right.ALLOWED,
        "header tracestate: tollgate=v1.forged",
        headers={"tracestate": ["tollgate=v1.forged"]},
    ),
]

TOKENS = [
    *(
        send("A2", f"token-{token}", Right.NO_TOKEN, "send", who=Who(token=token))
        for token in ("none", "unsigned", "of-another-issuer", "with-public-key", "expired", "basic")
    ),
    send("A2", "no-certificate", Right.NO_HANDSHAKE, "send", who=Who(certificate=None)),
    send("A2", "no-certificate-and-no-token", Right.NO_HANDSHAKE, "send", who=Who(certificate=None, token="none")),
    send("A2", "token-in-query", Right.NO_TOKEN, "send", who=Who(token="none"), path="?access_token=$task"),
]


def deep(levels: int) -> tuple[tuple[str, object], ...]:
    """Actors in actors."""
    act: dict = {"sub": spiffe("assistant")}
    inner = act
    for level in range(levels):
        inner["act"] = {"sub": spiffe(f"agent-{level}")}
        inner = inner["act"]
    return (("act", act),)


ACTORS = [
    Attack(
        "A3",
        "chain-in-metadata",
        Right.ALLOWED,
        "text actorChain",
        sent("1.0", metadata={"actorChain": [spiffe("planner")]}),
    ),
    Attack(
        "A3",
        "chain-in-message",
        Right.ALLOWED,
        "text actorChain",
        json.dumps(
            {
                "jsonrpc": "2.0",
                "id": 1,
                "method": "SendMessage",
                "params": message("say hi", metadata={"actorChain": [spiffe("planner")]}),
            }
        ),
    ),
    send("A3", "token-of-another-agent", Right.MISMATCH, "send", who=Who(acts="planner")),
    send("A3", "certificate-of-another-agent", Right.MISMATCH, "send", who=Who(certificate="billing")),
    send(
        "A3",
        "token-bound-to-another-certificate",
        Right.MISMATCH,
        "send",
        who=Who(claims=(("cnf", "$digest planner"),)),
    ),
    send("A3", "token-bound-to-something-else", Right.MISMATCH, "send", who=Who(claims=(("cnf", {"jkt": "x"}),))),
    send("A3", "no-actor", Right.MISMATCH, "send", who=Who(claims=(("act", None),))),
    send("A3", "actor-no-object", Right.MISMATCH, "send", who=Who(claims=(("act", spiffe("assistant")),))),
    send("A3", "actors-nested-40", Right.DENIED, "send", who=Who(claims=deep(40))),
    send(
        "A3",
        "actor-twice",
        Right.DENIED,
        "send",
        who=Who(claims=(("act", {"sub": spiffe("assistant"), "act": {"sub": spiffe("assistant")}}),)),
    ),
    Attack(
        "A3",
        "nested-actor-gains-nothing",
        Right.DENIED,
        "cancel",
        evil("CancelTask"),
        who=Who(claims=(("act", {"sub": spiffe("assistant"), "act": {"sub": spiffe("billing")}}),)),
    ),
    send("A3", "user-empty", Right.DENIED, "send", who=Who(user="")),
    send("A3", "user-with-line-break", Right.DENIED, "send", who=Who(user="ada@example.org\nbob")),
]

DEPUTY = [
    send("A4", "planner-for-free-user", Right.DENIED, "send", who=Who("planner", BOB, "planner")),
    send(
        "A4",
        "planner-for-unknown-tier",
        Right.DENIED,
        "send",
        who=Who("planner", ADA, "planner", (("tier", "platinum"),)),
    ),
    send("A4", "planner-for-no-tier", Right.DENIED, "send", who=Who("planner", ADA, "planner", (("tier", None),))),
    send(
        "A4",
        "token-for-others",
        Right.ALLOWED,
        "header authorization: Bearer",
        who=Who(claims=(("aud", ["elsewhere"]),)),
    ),
]

LOOPS = [
    Attack("A6", "ring", Right.LOOP, "times 3", sent(version, "ring 8"), version, seconds=30) for version in VERSIONS
]
