"""Agents on official SDKs that call each other through Envoy."""

import base64
import json

import pytest

from harness.a2a import ADA, BOB, CLIENTS, spiffe, task_in


def claims(authorization):
    """What a token says, which Envoy has verified."""
    body = authorization.removeprefix("Bearer ").split(".")[1]
    return json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))


@pytest.mark.parametrize("cast", ["python", "python-0.3", "mixed"])
@pytest.mark.parametrize("user", [ADA, BOB])
def test_agents_call_each_other_through_the_gateway_for_the_same_user(agent_gateways, people, cast, user):
    gateway = agent_gateways(cast, "filter")
    seen = gateway.seen()
    trace = "0af7651916cd43dd8448eb211c80319c"
    shows = people.shows(user)
    shows["headers"]["traceparent"] = f"00-{trace}-b7ad6b7169203331-01"
    with CLIENTS["python"](gateway.url("planner"), "0.3", **shows) as person:
        answer = task_in(person.send("plan a trip"))
    assert answer["artifacts"][0]["parts"][0]["text"] == "researcher said: billing said: invoice for a trip"
    for name, caller, operation in [
        ("planner", "assistant", "send"),
        ("researcher", "planner", "stream"),
        ("billing", "researcher", "send"),
    ]:
        (ran,) = gateway.agents[name].ran()
        headers = dict(ran["headers"])
        assert ran["operation"] == operation
        assert claims(headers["authorization"]).items() >= {"sub": user, "act": {"sub": spiffe(caller)}}.items()
        assert headers["traceparent"].split("-")[1] == trace
    assert gateway.seen() >= seen + 3
    edges = [
        (record["subject"]["agent"], record["subject"]["user"], record["asked"]["callee"])
        for record in gateway.envoy.records()[seen:]
        if record["asked"].get("a2a.operation", "").startswith("Send")
    ]
    assert sorted(edges) == [
        ("assistant", user, "planner"),
        ("planner", user, "researcher"),
        ("researcher", user, "billing"),
    ]
