"""Official clients at agents on official SDKs: they cannot tell that something is between them."""

import json
import re
from itertools import groupby

import pytest

from harness.a2a import AGENTS, CLIENTS, AgentGateway, Refused, state_of, task_in
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


# What agents give out, and the contexts that the gateway supplies.
ID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}|\btg-[\w-]{64}"


def alike(answer, url):
    """An answer without what differs from run to run."""
    text, ids = _timeless(json.dumps(answer).replace(url, "here")), {}
    return json.loads(re.sub(ID, lambda id: ids.setdefault(id[0], f"id-{len(ids)}"), text))


def _timeless(text):
    return re.sub(r"\d{4}-\d\d-\d\dT[0-9:.]+(Z|\+00:00)", "then", text)


def operations(ran):
    """What ran, without how often a test looked whether a task is at work."""
    return [one for one, _ in groupby(ran, lambda one: one["operation"]) if one != "get"]


@pytest.fixture
def talks(people, listener):
    """What clients at a gateway's planner get, straight at it and through the gateway, and what it ran each time."""

    def both(gateway, meeting):
        agent = gateway.agents["planner"]
        agent.live()
        direct = talk(agent, agent.url, {}, meeting, listener)
        gateway.introduce()
        return direct, talk(agent, gateway.url("planner"), people.shows(), meeting, listener)

    return both


def without_own_words(said):
    """The same without what the gate says itself: of a card who the agent is and what it can (test_cards.py has the rest), and
    that a task is not there, in the words that it has for what is another's too."""
    own = {}
    for what in {"card", "extended card"} & set(said):
        card = said[what]
        own[what] = {key: card.get(key) for key in ("name", "description", "version", "provider", "skills")}
    for what in {"not there"} & set(said):
        own[what] = list(said[what])
    return said | own


@pytest.mark.parametrize("meeting", MEETINGS, ids="-".join)
def test_clients_get_the_same_answers_direct_and_through_the_gateway(agent_gateways, talks, meeting):
    client, version, binding, sdk = meeting
    (direct, ran_direct), (through, ran_through) = talks(agent_gateways(sdk, "filter"), meeting)
    assert without_own_words(through) == without_own_words(direct)
    assert operations(ran_through) == operations(ran_direct)
    if meeting not in CANNOT:
        assert {one["operation"] for one in ran_through} == set(CLIENTS[client].has(version, binding))
    no = {what for what, answer in through.items() if isinstance(answer, dict) and "refused" in answer}
    assert no == (NO | CANNOT.get(meeting, set())) & set(through)
    assert state_of(through["task"]) == state_of(through["input given"]) == "completed"
    assert state_of(through["input required"]) == "input-required"
    assert state_of(through["login"]) == "auth-required"
    assert state_of(through["cancel"]) == "canceled"


SCRIPT = """
function envoy_on_response(answer)
    for chunk in answer:bodyChunks() do
        chunk:setBytes((string.gsub(chunk:getBytes(0, chunk:length()), "%s", "%s")))
    end
end"""
SAYS_COMPLETED = {"get", "inline push", "input given", "list", "over", "stream", "subscribe", "task"}
# What is altered on the way, in as many bytes, and the parts of the conversation in which that must be seen.
ALTERED = {
    "a text": ("hello", "hullo", {"message", "stream of a message"}),
    "a state": ("TASK_STATE_COMPLETED", "TASK_STATE_SUBMITTED", SAYS_COMPLETED),
    "an id": ("c%-1", "c-2", {"push create", "push get", "push list"}),
    "a mark": ("lastChunk", "lastChunq", {"stream", "subscribe"}),
}


@pytest.fixture
def unlike(agent_casts, people, tmp_path, talks):
    """The parts of a conversation that go another way through a gateway that is changed."""

    def parts(change):
        with AgentGateway(tmp_path, people, change, rules=None, **agent_casts("python")) as gateway:
            (direct, _), (through, _) = talks(gateway, ("python", "1.0", "JSONRPC", "python"))
        return {what for what in direct if through.get(what) != direct[what]}

    return parts


@pytest.mark.parametrize("what", ALTERED)
def test_an_altered_answer_is_seen(unlike, what):
    old, new, where = ALTERED[what]

    def alter(bootstrap):
        kind = "type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua"
        lua = {"@type": kind, "default_source_code": {"inline_string": SCRIPT % (old, new)}}
        bootstrap.hcm["http_filters"].insert(0, {"name": "alters", "typed_config": lua})

    assert unlike(alter) == where


def test_an_agent_that_is_not_there_is_seen(unlike):
    with pytest.raises(Refused):
        unlike(lambda bootstrap: bootstrap.point("planner", 1))
