"""Call tickets in a real Envoy with two workers: a chain of calls is known as one, stays what it was, and ends."""

import json
import re
import time
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from harness.a2a import ADA, AGENTS, BOB, AgentGateway
from harness.a2a.wire import Exchange, basic, message, messages, rpc

TICKET, STATE, PARENT = "x-tollgate-ticket", "tracestate", "traceparent"
KEYS = "TOLLGATE_AGENT_KEYS"
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
OLD, NEW = "o" * 32, "n" * 32
RULES = [
    {"allow": {"agents": ["assistant"], "callees": ["*"]}},
    {"allow": {"agents": ["*"], "callees": ["*"], "tiers": ["gold", "free"]}},
]


@pytest.fixture(scope="module")
def agent():
    """Behind all three names: what matters is what reaches it."""
    with AGENTS["python"]() as running:
        yield running


@pytest.fixture(scope="module")
def gateways(people, agent, tmp_path_factory):
    """`gateways(max_depth=3)`: an Envoy with these settings of tickets, each started once."""
    with ExitStack() as stack:
        running = {}

        def gateway(more=None, **ticket):
            label = json.dumps([more, ticket])
            if label not in running:
                directory = tmp_path_factory.mktemp("ticket")
                running[label] = stack.enter_context(start(people, agent, directory, more, ticket))
            return running[label]

        yield gateway


def start(people, agent, directory, more, ticket, keys=None):
    def change(bootstrap):
        bootstrap.gate(ticket=ticket, **(more or {}))
        if keys is not None:
            bootstrap.gate(signing_keys_from=KEYS)
            for plugin in bootstrap.plugins():
                plugin["vm_config"]["environment_variables"] = {"key_values": {KEYS: keys}}

    agents = dict.fromkeys(("planner", "researcher", "billing"), agent)
    return AgentGateway(directory, people, change, {"concurrency": 2}, rules=RULES, **agents)


@dataclass
class Called:
    """What came of a call."""

    status: int
    answer: dict
    record: dict
    got: list[tuple[str, str]] | None
    """The headers that reached the callee, if it was called."""

    @property
    def ticket(self):
        """The callee's."""
        (text,) = self.every(TICKET)
        return text

    @property
    def tells(self):
        """What the record says of the ticket."""
        return {name: self.record.get(name) for name in ("ticket", "hop", "callers")}

    @property
    def reason(self):
        """Why it was refused."""
        return self.record["decision"]["reason"]

    def every(self, header):
        """All values of a header that the callee got."""
        return [value for name, value in self.got if name == header]


def call(gateway, edge, *headers, ticket=None, user=ADA):
    """`call(gateway, "planner billing")`: the planner sends billing a message."""
    caller, callee = edge.split()
    agent = gateway.agents[callee]
    agent.forget()
    seen = gateway.seen()
    token = ("authorization", f"Bearer {gateway.people.token(user, caller)}")
    shown = [] if ticket is None else [(TICKET, ticket)]
    exchange = Exchange([*basic(), token, *shown, *headers], rpc("SendMessage", message("say hello")))
    answer = gateway.wire(callee, caller).send(exchange)
    record = gateway.envoy.wait_records(seen + 1)[-1]
    ran = agent.ran()
    return Called(answer.status, messages(answer)[0], record, ran[0]["headers"] if ran else None)


def follow(gateway, path):
    """Calls one below the other, as agents make them that carry on their tickets; what came of the last."""
    agents, ticket = path.split(), None
    for caller, callee in zip(agents, agents[1:], strict=False):
        called = call(gateway, f"{caller} {callee}", ticket=ticket)
        ticket = called.ticket if called.got else None
    return called


def is_new(called, caller):
    """It is the first call of its transaction."""
    return (called.status, called.record["hop"], called.record["callers"]) == (200, 1, [caller])


def test_a_chain_of_calls_is_one_transaction_and_the_record_names_who_is_on_the_way(gateways):
    gateway = gateways()
    first = call(gateway, "assistant planner")
    assert first.tells == {"ticket": "none", "hop": 1, "callers": ["assistant"]}
    transaction = first.record["transaction"]
    assert first.every(STATE) == [f"tollgate={first.ticket}"]
    (parent,) = first.every(PARENT)
    assert re.fullmatch(f"00-{transaction}-[0-9a-f]{{16}}-01", parent), "who traces carries on no state without one"

    second = call(gateway, "planner researcher", ticket=first.ticket)
    assert second.tells == {"ticket": "valid", "hop": 2, "callers": ["assistant", "planner"]}
    carried = [(PARENT, parent), (STATE, f"tollgate={second.ticket}")]
    third = call(gateway, "researcher billing", *carried)
    assert third.tells == {"ticket": "valid", "hop": 3, "callers": ["assistant", "planner", "researcher"]}
    assert {one.record["transaction"] for one in (first, second, third)} == {transaction}
    assert len({one.ticket for one in (first, second, third)}) == 3
    assert third.every(PARENT) == [parent]


@pytest.mark.parametrize(
    ("edge", "user", "change", "word"),
    [
        ("planner billing", ADA, lambda ticket: ticket[:-1] + ("A" if ticket[-1] != "A" else "Q"), "forged"),
        ("planner billing", ADA, lambda ticket: ticket[:8] + "____" + ticket[12:], "forged"),
        ("planner billing", ADA, lambda ticket: ticket + "=", "malformed"),
        ("planner billing", ADA, lambda ticket: "x" * 5000, "malformed"),
        ("researcher billing", ADA, lambda ticket: ticket, "not_the_callers"),
        ("assistant billing", ADA, lambda ticket: ticket, "not_the_callers"),
        ("planner billing", BOB, lambda ticket: ticket, "another_user"),
    ],
    ids=["A5-mac", "A5-transaction", "padded", "huge", "A5-stolen", "A5-its-own-maker", "A5-another-user"],
)
def test_a_ticket_that_is_worth_nothing_goes_no_further_and_begins_a_new_transaction(
    gateways, edge, user, change, word
):
    gateway = gateways()
    first = call(gateway, "assistant planner")
    shown = change(first.ticket)
    for headers in ([(TICKET, shown)], [(PARENT, TRACE), (STATE, f"a=1,tollgate={shown}")]):
        called = call(gateway, edge, *headers, user=user)
        assert is_new(called, edge.split()[0]) and called.record["ticket"] == word
        assert called.record["transaction"] != first.record["transaction"]
        assert shown not in json.dumps(called.got)


def test_a_ticket_is_good_until_it_expires_and_no_longer(gateways):
    gateway = gateways(lifetime_s=2)
    first = call(gateway, "assistant planner")
    assert call(gateway, "planner billing", ticket=first.ticket).record["ticket"] == "valid"
    time.sleep(2.1)
    replayed = call(gateway, "planner billing", ticket=first.ticket)
    assert is_new(replayed, "planner") and replayed.record["ticket"] == "expired"


def test_a_transaction_makes_no_more_calls_than_it_may_on_all_workers_together(gateways):
    gateway = gateways(max_fan_out=4)
    first, other = call(gateway, "assistant planner"), call(gateway, "assistant planner")
    replayed = [call(gateway, "planner billing", ticket=first.ticket) for _ in range(5)]
    assert [one.status for one in replayed] == [200, 200, 200, 403, 403]
    assert {one.reason for one in replayed[3:]} == {"fan_out_limit"} and replayed[3].got is None
    deeper = call(gateway, "billing researcher", ticket=replayed[0].ticket)
    assert (deeper.status, deeper.reason) == (403, "fan_out_limit"), "wherever in the transaction"
    assert call(gateway, "planner billing", ticket=other.ticket).status == 200


@pytest.mark.parametrize("holds", [True, False])
def test_a_ring_stops_at_exactly_the_configured_depth_and_the_record_names_it(gateways, holds):
    gateway = gateways({"hold_headers": holds}, max_depth=4, loops="allow")
    ring = "assistant planner researcher billing planner"
    assert follow(gateway, ring).status == 200
    stopped = follow(gateway, ring + " researcher")
    assert (stopped.status, stopped.reason, stopped.got) == (403, "depth_limit", None)
    assert stopped.record["callers"] == ring.split()
    assert (stopped.record["hop"], stopped.record["decision"]["rule"]) == (5, "ticket")


@pytest.mark.parametrize(
    "path", ["planner planner", "assistant planner planner", "assistant planner researcher billing planner"]
)
def test_an_agent_that_waits_for_its_call_is_not_called_again(gateways, path):
    stopped = follow(gateways(), path)
    assert (stopped.status, stopped.reason, stopped.got) == (403, "loop_detected", None)
    assert stopped.record["callers"] == path.split()[:-1]
    told = stopped.answer
    assert (told["id"], told["error"]["code"]) == (1, -31001)
    assert "rule=ticket reason=loop_detected" in told["error"]["message"]


def test_an_agent_under_two_names_is_one(gateways):
    agents = {
        "planner": {"path": "/agents/planner"},
        "billing": {"path": "/agents/billing"},
        "researcher": {"path": "/agents/researcher", "calls_as": "billing"},
    }
    gateway = gateways({"agents": agents})
    first = call(gateway, "assistant researcher")
    below = call(gateway, "billing planner", ticket=first.ticket)
    assert below.tells == {"ticket": "valid", "hop": 2, "callers": ["assistant", "billing"]}
    assert call(gateway, "planner billing", ticket=below.ticket).reason == "loop_detected"


@pytest.mark.parametrize(
    ("require", "edge", "status", "warning"),
    [
        ("off", "planner billing", 200, None),
        ("warn", "planner billing", 200, "ticket_required"),
        ("deny", "planner billing", 403, None),
        ("warn", "assistant billing", 200, None),
        ("deny", "assistant billing", 200, None),
    ],
)
def test_an_agent_that_drops_its_ticket_is_treated_as_configured(gateways, require, edge, status, warning):
    gateway = gateways(require=require)
    dropped = call(gateway, edge)
    assert (dropped.status, dropped.record.get("warning")) == (status, warning)
    if status == 403:
        assert dropped.reason == "ticket_required" and dropped.got is None
        assert call(gateway, edge, ticket="forged").reason == "ticket_required"
    kept = call(gateway, "planner billing", ticket=call(gateway, "assistant planner").ticket)
    assert kept.status == 200 and "warning" not in kept.record


def test_tickets_outlive_a_restart_and_a_rotation_but_not_the_key(people, agent, tmp_path):
    def gateway(name, keys):
        (tmp_path / name).mkdir()
        return start(people, agent, tmp_path / name, None, {}, keys)

    with gateway("first", OLD) as first:
        called = call(first, "assistant planner")
    for name, keys, word in (("rotated", f"{NEW},{OLD}", "valid"), ("again", OLD, "valid"), ("new", NEW, "forged")):
        with gateway(name, keys) as other:
            below = call(other, "planner billing", ticket=called.ticket)
            assert (below.status, below.record["ticket"]) == (200, word)
            assert (below.record["transaction"] == called.record["transaction"]) == (word == "valid")


def many(members):
    return ",".join(f"k{at}=v" for at in range(members))


@pytest.mark.parametrize(
    ("headers", "others"),
    [
        ([(PARENT, TRACE), (STATE, "a=1,b@c=2")], "a=1,b@c=2"),
        ([(PARENT, TRACE), (STATE, "a=1"), (STATE, "b=2, c=3")], "a=1,b=2,c=3"),
        ([(PARENT, TRACE), (STATE, "a=1,tollgate=old"), (STATE, "TOLLGATE=x,b=2,tollgate=old")], "a=1,b=2"),
        ([(PARENT, TRACE), (STATE, "a=1,,=,B=2,\xff,c=3,a=4")], "a=1,c=3"),
        ([(PARENT, TRACE), (STATE, many(40))], many(31)),
        ([(STATE, "a=1")], ""),
        ([(PARENT, "00-x"), (STATE, "a=1")], ""),
        ([(PARENT, TRACE), (PARENT, TRACE), (STATE, "a=1")], ""),
    ],
    ids=["kept", "headers", "ours-old", "malformed", "many", "no-parent", "bad-parent", "two-parents"],
)
def test_what_others_write_into_tracestate_goes_on_and_ours_is_first(gateways, headers, others):
    called = call(gateways(), "assistant planner", *headers)
    assert called.status == 200
    own = f"tollgate={called.ticket}"
    assert called.every(STATE) == [f"{own},{others}" if others else own]
    (parent,) = called.every(PARENT)
    assert (parent == TRACE) == bool(others)
    assert others or called.record["transaction"] in parent


def test_a_public_card_is_no_call_and_carries_no_ticket(people, agent, tmp_path):
    seen = {"header": {"key": "x-seen", "value": "%REQ(tracestate)%|%REQ(x-tollgate-ticket)%"}}

    def shows_what_goes_on(bootstrap):
        bootstrap.hcm["route_config"]["response_headers_to_add"] = [seen]

    headers = [(TICKET, "mine"), (PARENT, TRACE), (STATE, "a=1,tollgate=mine")]
    token = ("authorization", f"Bearer {people.token(ADA, 'assistant')}")
    path = "/agents/planner/.well-known/agent-card.json"
    with AgentGateway(tmp_path, people, shows_what_goes_on, rules=RULES, planner=agent) as gateway:
        card = gateway.wire("planner").send(Exchange([token, *headers], b"", "GET", path))
        assert (card.status, card.header("x-seen")) == (200, "a=1|")
        assert "hop" not in gateway.envoy.wait_records(1)[-1]
