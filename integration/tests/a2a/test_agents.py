"""Official clients at agents on official SDKs behind an Envoy with only a router: they cannot tell that it is there."""

import base64
import json
import re
from itertools import groupby

import pytest

from harness.a2a import ADA, AGENTS, BOB, CLIENTS, Refused, spiffe
from harness.envoy import eventually

BINDINGS = ("JSONRPC", "HTTP+JSON")
# Client, version, binding, SDK of the agent.
MEETINGS = [
    (client, version, binding, agent)
    for client, kind in CLIENTS.items()
    for version in kind.VERSIONS
    for binding in BINDINGS
    for agent, sdk in AGENTS.items()
    if version in sdk.VERSIONS
]
SECONDS = 10


def task_in(answer):
    """The task in an answer, or what of it a stream tells."""
    return answer.get("task", answer)


def state_of(answer):
    """How a task stands, in the words of 0.3."""
    return task_in(answer)["status"]["state"].removeprefix("TASK_STATE_").lower().replace("_", "-")


def hold(user, agent):
    """A task that is at work until the agent is told to go on."""
    task = task_in(user.send("hold", at_once=True))["id"]
    assert eventually(lambda: state_of(user.get(task)) == "working", SECONDS)
    return task


def subscribed(user, agent):
    """The events of a task that goes on when the first of them is here."""
    events = user.subscribe(hold(user, agent))
    yield next(events)
    agent.go()
    yield from events


def once(events):
    """Events without those that only show that a task is alive still."""
    return [event for event, _ in groupby(events, lambda event: _timeless(json.dumps(event)))]


# What clients of one SDK cannot do at agents of another: they read HTTP+JSON of 0.3 in different ways.
APART = {"extended card", "push create", "push get", "push delete"}
MANY_LINES = {"stream", "stream of a message", "subscribe"}
CANNOT = {
    ("javascript", "0.3", "HTTP+JSON", "python"): APART,
    ("javascript-0.3", "0.3", "HTTP+JSON", "python"): APART,
    ("javascript", "0.3", "HTTP+JSON", "python-0.3"): APART | {"push list"},
    ("javascript-0.3", "0.3", "HTTP+JSON", "python-0.3"): APART | {"push list"} | MANY_LINES,
}
NO = {"no push", "not there", "not to be cancelled", "over"}


def conversation(user, agent, listener):
    """Everything that the client can do: what it is called and how it is done, and takes what came of it."""
    has = user.has(user.version, user.binding)
    yield "card", lambda: user.card
    yield "extended card", user.extended_card
    yield "message", lambda: user.send("say hello")
    made = yield "task", lambda: user.send("make a b c")
    yield "stream", lambda: list(user.stream("make a b c"))
    yield "stream of a message", lambda: list(user.stream("say hello"))
    yield "get", lambda: user.get(task_in(made)["id"])
    if "list" in has:
        yield "list", lambda: user.list(task_in(made)["contextId"])
    asked = yield "input required", lambda: user.send("ask")
    task, context = task_in(asked)["id"], task_in(asked)["contextId"]
    yield "input given", lambda: user.send("the red one", context, task)
    yield "login", lambda: user.send("login")
    yield "failed", lambda: user.send("fail")
    yield "subscribe", lambda: once(subscribed(user, agent))
    yield "cancel", lambda: user.cancel(hold(user, agent))
    yield from pushes(user, agent, listener, "push_list" in has)
    yield "not there", lambda: user.get("no-such-task")
    yield "not to be cancelled", lambda: user.cancel(task)
    yield "over", lambda: user.send("more", context, task)


def pushes(user, agent, listener, whole):
    """The same of push notifications; `whole` has lists of them and can delete them."""
    token = f"{user.NAME} {user.version} {user.binding} {user.url}"
    told = {"id": "c-1", "url": listener.url, "token": token}
    inline = told | {"token": f"inline {token}"}
    holding = hold(user, agent)
    created = yield "push create", lambda: user.push_create(holding, told)
    yield "push get", lambda: user.push_get(holding, "c-1")
    if whole:
        yield "push list", lambda: user.push_list(holding)
    agent.go()
    if "refused" not in created:
        yield "pushed", lambda: bool(listener.wait("completed", token))
    if whole:
        yield "push delete", lambda: user.push_delete(holding, "c-1")
        yield "no push", lambda: user.push_get(holding, "c-1")
    yield "inline push", lambda: user.send("make a b", push=inline)
    yield "pushed inline", lambda: bool(listener.wait("completed", inline["token"]))


def talk(agent, url, shows, meeting, listener):
    """What came of each part of the conversation, without what differs from run to run, and what the agent ran."""
    client, version, binding, _ = meeting
    agent.forget()
    said, answer = {}, None
    with CLIENTS[client](url, version, binding, **shows) as user:
        talking = conversation(user, agent, listener)
        while True:
            try:
                what, does = talking.send(answer)
            except StopIteration:
                break
            try:
                answer = does()
            except Refused as no:
                answer = {"refused": [no.kind, no.message]}
            said[what] = alike(answer, url)
    return said, [alike({"operation": ran["operation"], "params": ran["params"]}, url) for ran in agent.ran()]


def alike(answer, url):
    """An answer without what differs from run to run."""
    text, ids = _timeless(json.dumps(answer).replace(url, "here")), {}
    return json.loads(
        re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}", lambda id: ids.setdefault(id[0], f"id-{len(ids)}"), text)
    )


def _timeless(text):
    return re.sub(r"\d{4}-\d\d-\d\dT[0-9:.]+(Z|\+00:00)", "then", text)


def claims(authorization):
    """What a token says, which Envoy has verified."""
    body = authorization.removeprefix("Bearer ").split(".")[1]
    return json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))


def operations(ran):
    """What ran, without how often a test looked whether a task is at work."""
    return [one for one, _ in groupby(ran, lambda one: one["operation"]) if one != "get"]


@pytest.mark.parametrize("meeting", MEETINGS, ids="-".join)
def test_clients_get_the_same_answers_direct_and_through_envoy(agent_gateways, people, listener, meeting):
    client, version, binding, sdk = meeting
    gateway = agent_gateways(sdk)
    agent = gateway.agents["planner"]
    agent.live()
    direct, ran_direct = talk(agent, agent.url, {}, meeting, listener)
    gateway.introduce()
    through, ran_through = talk(agent, gateway.url("planner"), people.shows(), meeting, listener)
    assert through == direct
    assert operations(ran_through) == operations(ran_direct)
    if meeting not in CANNOT:
        assert {one["operation"] for one in ran_through} == set(CLIENTS[client].has(version, binding))
    no = {what for what, answer in through.items() if isinstance(answer, dict) and "refused" in answer}
    assert no == (NO | CANNOT.get(meeting, set())) & set(through)
    assert state_of(through["task"]) == state_of(through["input given"]) == "completed"
    assert state_of(through["input required"]) == "input-required"
    assert state_of(through["login"]) == "auth-required"
    assert state_of(through["cancel"]) == "canceled"


@pytest.mark.parametrize("cast", ["python", "python-0.3", "mixed"])
@pytest.mark.parametrize("user", [ADA, BOB])
def test_agents_call_each_other_through_the_gateway_for_the_same_user(agent_gateways, people, cast, user):
    gateway = agent_gateways(cast)
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
    edges = [(one["caller"], one["user"], one["callee"]) for one in gateway.envoy.records() if one["user"]][-3:]
    assert sorted(edges) == sorted(
        [
            (spiffe("assistant"), user, "planner"),
            (spiffe("planner"), user, "researcher"),
            (spiffe("researcher"), user, "billing"),
        ]
    )
