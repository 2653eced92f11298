"""The attacks, by what they try."""

from __future__ import annotations

import json
from dataclasses import replace

from harness.a2a.wire import message

from ..attack import Attack, Right, Who
from .addresses import CARDS, PUSHES, inline
from .bodies import AMBIGUOUS
from .callers import ACTORS, DEPUTY, FORGED, LOOPS, TOKENS
from .requests import GET, VERSIONS, call, sent
from .tasks import HIJACKS
from .ways import AUDIT, BINDINGS, CONFUSED, EXHAUSTION, EXTENSIONS, PATHS, PLAIN, TENANTS

ATTACKS = [
    *PLAIN, *FORGED, *TOKENS, *ACTORS, *DEPUTY, *LOOPS, *HIJACKS, *PUSHES, *CARDS, *AMBIGUOUS, *CONFUSED, *BINDINGS, *PATHS,
    *TENANTS, *EXTENSIONS, *EXHAUSTION, *AUDIT,
]  # fmt: skip

# What must go through, by whom it belongs to.
CONTROLS = [
    *(Attack("A13", "control-send", Right.ALLOWED, "send", sent(version), version) for version in VERSIONS),
    *(
        Attack("A7", "control-get", Right.ALLOWED, "get", call(GET[version], '"id": "$task"'), version)
        for version in VERSIONS
    ),
    Attack("A7", "control-http-get", Right.ALLOWED, "get", method="GET", path="/tasks/$task"),
    Attack("A7", "control-list", Right.ALLOWED, "said $task", call("ListTasks", "")),
    Attack("A7", "control-snake", Right.ALLOWED, "send", sent("1.0", "say hi", context_id="$context")),
    Attack(
        "A8",
        "control-inline",
        Right.ALLOWED,
        "push https://hooks.example.org/x",
        inline("1.0", "https://hooks.example.org/x"),
    ),
    Attack(
        "A11",
        "control-method-last",
        Right.ALLOWED,
        "get",
        '{"params": {"id": "$task"}, "id": "x", "jsonrpc": "2.0", "method": "GetTask"}',
    ),
    Attack(
        "A11",
        "control-a2a-type",
        Right.ALLOWED,
        "send",
        json.dumps(message("say hi")),
        path="/message:send",
        headers={"content-type": ["application/a2a+json"]},
    ),
    Attack("A3", "control-bound", Right.ALLOWED, "send", sent("1.0"), who=Who(claims=(("cnf", "$digest assistant"),))),
    Attack(
        "A4",
        "control-planner-for-gold",
        Right.ALLOWED,
        "send",
        sent("1.0"),
        who=replace(Who(), certificate="planner", acts="planner"),
    ),
]
