"""A task belongs to the subject that began it."""

import json

import pytest

from harness.envoy import eventually
from harness.mcp import Exchange, McpGateway, Wire, bearer
from harness.mcp.servers import MODERN
from harness.mcp.wire import legacy, messages, meta, modern, rpc
from harness.scripted import events, plain
from mcp_servers.weak import WeakServer

LEGACY = "2025-11-25"
TASKS = {"extensions": {"io.modelcontextprotocol/tasks": {}}}
RULES = [{"allow": {"tools": ["*"]}}]
UNKNOWN = (200, -32602, "Task not found")


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with WeakServer() as server:
        directory, workers = tmp_path_factory.mktemp("tasks"), {"concurrency": 2}
        with McpGateway(directory, rules=RULES, who=None, envoy=workers, crm=server, database=server) as gateway:
            yield server, gateway


@pytest.fixture
def server(running):
    running[0].forget()
    return running[0]


@pytest.fixture
def wire(running):
    return Wire(running[1].envoy.port, "/crm/mcp")


def ask(wire, era, method, params, who="support", name=None, capabilities=TASKS):
    shown = list(bearer(who).items())
    if era == MODERN:
        headers = modern(method, name)
        params = params | {"_meta": meta(capabilities)}
    else:
        headers = [header for header in legacy(LEGACY, "") if header[0] != "mcp-session-id"]
    return wire.send(Exchange([*headers, *shown], rpc(method, params)))


def begun(era, id, ttl=None):
    if era == MODERN:
        return {"resultType": "task", "taskId": id, "status": "working", "ttlMs": ttl}
    return {"task": {"taskId": id, "status": "working", "ttl": ttl}}


def begin(wire, server, era, id, who="support", answer=plain, **how):
    server.then(answer({"jsonrpc": "2.0", "id": 1, "result": begun(era, id)}))
    params = {"name": "crm.search", "arguments": {}} | ({} if era == MODERN else {"task": {}})
    return ask(wire, era, "tools/call", params, who, "crm.search", **how)


def use(wire, era, method, id, who="support"):
    return ask(wire, era, method, {"taskId": id}, who, id)


def told(answer):
    error = answer.json["error"]
    return answer.status, error["code"], error["message"]


METHODS = {MODERN: ("tasks/get", "tasks/update", "tasks/cancel"), LEGACY: ("tasks/get", "tasks/result", "tasks/cancel")}


@pytest.mark.parametrize("answer", [plain, events], ids=["json", "sse"])
@pytest.mark.parametrize("era", METHODS)
def test_only_who_began_a_task_has_anything_of_it(wire, server, running, era, answer):
    id = f"task-{era}-{answer.__name__}"
    first = begin(wire, server, era, id, answer=answer)
    assert messages(first)[0]["result"] == begun(era, id)
    for method in METHODS[era]:
        for _ in range(4):  # on either worker
            assert "result" in use(wire, era, method, id).json
        went_on = len(server.received)
        others = use(wire, era, method, id, "research")
        unknown = use(wire, era, method, "no-such-task", "research")
        assert told(others) == told(unknown) == UNKNOWN and others.body == unknown.body
        elsewhere = use(Wire(running[1].envoy.port, "/db/mcp"), era, method, id)
        assert told(elsewhere) == UNKNOWN
        assert len(server.received) == went_on


def test_who_listens_to_tasks_listens_to_their_own(wire, server):
    begin(wire, server, MODERN, "heard")

    def listen(who, ids):
        return ask(wire, MODERN, "subscriptions/listen", {"notifications": {"taskIds": ids}}, who)

    assert told(listen("research", ["heard"])) == UNKNOWN
    assert told(listen("support", ["heard", "other"])) == UNKNOWN
    assert listen("support", ["heard"]).json["error"]["code"] == -31001, "for the rest it is a rule that decides"
    assert listen("support", "heard").json["error"]["code"] == -32602, "no list"


def test_the_list_of_all_tasks_is_nobodys(wire, server):
    assert ask(wire, LEGACY, "tasks/list", {}).json["error"]["code"] == -31001
    assert server.received == []


def test_a_task_that_nobody_asked_for_is_nobodys(wire, server):
    """A server that answers so to a client that cannot wait."""
    begin(wire, server, MODERN, "unasked", capabilities={})
    assert told(use(wire, MODERN, "tasks/get", "unasked")) == UNKNOWN


def test_a_server_that_uses_an_id_again_gives_nobody_anothers_task(wire, server):
    begin(wire, server, MODERN, "again")
    taken = begin(wire, server, MODERN, "again", "research")
    assert (taken.status, taken.json["error"]["code"]) == (200, -31002)
    assert "result" in use(wire, MODERN, "tasks/get", "again").json
    assert told(use(wire, MODERN, "tasks/get", "again", "research")) == UNKNOWN


def test_nobody_takes_all_the_room(wire, server):
    codes = [begin(wire, server, MODERN, f"many-{at}", "dba").json.get("error", {}).get("code") for at in range(1400)]
    refused = [at for at, code in enumerate(codes) if code is not None]
    assert refused and set(codes) == {None, -31002} and len(codes) - len(refused) <= 64 * 16
    kept = next(at for at, code in enumerate(codes) if code is None)
    assert "result" in use(wire, MODERN, "tasks/get", f"many-{kept}", "dba").json
    assert "result" in begin(wire, server, MODERN, "of-somebody-else", "research").json


def test_the_record_says_what_became_of_it(wire, server, running):
    begin(wire, server, MODERN, "told")

    def refused():
        return [record for record in running[1].envoy.records() if record["decision"]["reason"] == "unknown_task"]

    seen = len(refused())
    use(wire, MODERN, "tasks/get", "told", "research")
    assert eventually(lambda: len(refused()) > seen, 5)
    assert all(record["decision"]["verdict"] == "deny" and '"told"' not in json.dumps(record) for record in refused())
