"""A conversation belongs to who opened it: what is somebody else's is what is not there."""

import http.client
import json
import uuid
from contextlib import contextmanager

import pytest

from a2a_corpus import ATTACKS, Stage, attempt
from harness.a2a import ADA, AGENTS, BOB, AgentGateway
from harness.a2a.naming import WAYS, Asker
from harness.a2a.wire import Wire, messages

KEYS = "TOLLGATE_AGENT_KEYS"
PUSH = {"hosts": ["hooks.example.org"]}
SDKS = ("python", "python-0.3")
NEVER_THERE = "00000000-0000-0000-0000-000000000000"
# The agent is asked whoever the task is of, and decides.
ASKED = {"get"}
# What an agent on each SDK is spoken to in.
SPOKEN = [(sdk, version, binding) for sdk in SDKS for version, binding in WAYS if version in AGENTS[sdk].VERSIONS]
spoken = pytest.mark.parametrize(("gateway", "version", "binding"), SPOKEN, indirect=["gateway"])


def with_mode(mode=None, keys=None):
    """What a test changes of the shipped configuration."""

    def change(bootstrap):
        for agent in bootstrap.gate_config["agents"].values():
            agent |= {"push": PUSH} | ({"conversations": mode} if mode else {})
        if keys:
            bootstrap.gate(signing_keys_from=KEYS)
            for plugin in bootstrap.plugins():
                plugin["vm_config"]["environment_variables"] = {"key_values": {KEYS: keys}}

    return change


@pytest.fixture(scope="module", params=SDKS)
def gateway(request, people, tmp_path_factory):
    """An agent on each SDK behind two workers."""
    with AGENTS[request.param]("planner") as planner:
        directory = tmp_path_factory.mktemp("conversations")
        with AgentGateway(directory, people, with_mode(), {"concurrency": 2}, planner=planner) as gateway:
            yield gateway


def asker(gateway, user=ADA, version="1.0", binding="JSONRPC"):
    """A user at the planner."""
    return Asker(version, binding, gateway.people.token(user), "/agents/planner")


def told(gateway, exchange, seconds=10):
    """The answer, and the operations that the agent ran for it."""
    agent = gateway.agents["planner"]
    agent.forget()
    answer = gateway.wire("planner", seconds=seconds).send(exchange)
    return answer, [one["operation"] for one in agent.ran()]


def parts(answer):
    """All of an answer that somebody could learn something from."""
    headers = sorted((name, value) for name, value in answer.headers if name.lower() != "date")
    return answer.status, headers, answer.body


def task_of(answer):
    """The task in an answer, whichever version and binding it is of."""
    (said,) = messages(answer)
    result = said.get("result", said)
    return result.get("task", result)


def begun(gateway, text="ask", user=ADA):
    """The ids of a new task, and of its context."""
    version = gateway.agents["planner"].VERSIONS[0]
    task = task_of(told(gateway, asker(gateway, user, version).says(text))[0])
    return task["id"], task["contextId"]


def code_of(answer):
    """The error of JSON-RPC in an answer, if it is one."""
    (said,) = messages(answer)
    return said.get("error", {}).get("code")


@spoken
@pytest.mark.parametrize("text", ["ask", "make a b"])
def test_what_is_anothers_is_byte_for_byte_what_is_not_there(gateway, version, binding, text):
    task, context = begun(gateway, text)
    bob = asker(gateway, BOB, version, binding)
    of_ada = bob.naming(task, context)
    of_nobody = bob.naming(NEVER_THERE, "tg-" + "A" * 64)
    for name, exchange in of_ada.items():
        answer, ran = told(gateway, exchange)
        absent, ran_for_absent = told(gateway, of_nobody[name])
        assert parts(answer) == parts(absent), name
        assert ran == ran_for_absent == ([name] if name in ASKED else []), name
        if name == "list":
            assert messages(answer)[0].get("result", messages(answer)[0])["tasks"] == []
        elif binding == "JSONRPC":
            assert (answer.status, code_of(answer)) == (200, -32001), name
        else:
            assert answer.status == 404, name


@spoken
def test_who_opened_a_conversation_has_of_it_what_the_agent_has_told_without_a_gateway(gateway, version, binding):
    agent = gateway.agents["planner"]

    def outcome(wire, asker, name):
        (task,) = messages(wire.send(asker.says("ask")))
        task = task.get("result", task)
        task = task.get("task", task)
        agent.forget()
        try:
            answer = wire.send(asker.naming(task["id"], task["contextId"])[name])
        except (OSError, EOFError, http.client.HTTPException):
            answer = None
        ran = [one["operation"] for one in agent.ran()]
        if answer is None or answer.status == 502:
            return "broken off", ran
        return answer.status, b'"error"' in answer.body, ran

    through, direct = asker(gateway, ADA, version, binding), asker(gateway, ADA, version, binding)
    direct.path = ""
    for name in through.naming("", ""):
        behind = outcome(gateway.wire("planner", seconds=1), through, name)
        assert behind == outcome(Wire(agent.port, "/", seconds=1), direct, name), name


@pytest.mark.parametrize("gateway", ["python"], indirect=True)
def test_a_list_holds_what_is_the_callers_alone(gateway):
    (own, _), (foreign, _) = begun(gateway, user=BOB), begun(gateway, user=ADA)
    for binding in ("JSONRPC", "HTTP+JSON"):
        exchange = asker(gateway, BOB, binding=binding).asks("list")
        (said,) = messages(told(gateway, exchange)[0])
        ids = [task["id"] for task in said.get("result", said)["tasks"]]
        assert own in ids and foreign not in ids


def test_nobody_finds_a_task_by_trying(gateway):
    version = gateway.agents["planner"].VERSIONS[0]
    task, _ = begun(gateway)
    bob, ada = asker(gateway, BOB, version), asker(gateway, ADA, version)
    tls = gateway.people.tls("assistant")
    client = http.client.HTTPSConnection("127.0.0.1", gateway.envoy.port, context=tls)
    answers = set()
    for id in [*(str(uuid.uuid4()) for _ in range(1000)), task]:
        exchange = bob.asks("get", id)
        client.request("POST", bob.path, exchange.body, dict(exchange.headers))
        answer = client.getresponse()
        headers = tuple(sorted((name, value) for name, value in answer.getheaders() if name != "date"))
        answers.add((answer.status, headers, answer.read()))
    client.close()
    assert len(answers) == 1
    assert task_of(told(gateway, ada.asks("get", task))[0])["id"] == task


def test_all_workers_know_whose_a_task_is(gateway):
    version = gateway.agents["planner"].VERSIONS[0]
    for _ in range(20):
        task, _ = begun(gateway)
        assert code_of(told(gateway, asker(gateway, BOB, version).asks("cancel", task))[0]) == -32001
        assert task_of(told(gateway, asker(gateway, ADA, version).asks("cancel", task))[0])["id"] == task


@pytest.mark.parametrize("sdk", SDKS)
def test_no_attack_of_the_corpus_gets_at_tasks_or_contexts_of_others(people, tmp_path, sdk):
    with (
        AGENTS[sdk]("planner") as agent,
        AgentGateway(tmp_path, people, with_mode(), planner=agent) as gateway,
    ):
        stage = Stage(agent, people, gateway.envoy.port, "/agents/planner", secure=True)
        attacks = [one for one in ATTACKS if one.chapter in ("A7", "A10") and one.version in agent.VERSIONS]
        outcomes = {attack.label: (attempt(attack, stage), attack.right) for attack in attacks}
    wrong = {name: outcome.ran or right.problems(outcome.answer) for name, (outcome, right) in outcomes.items()}
    assert {name: problems for name, problems in wrong.items() if problems} == {}
    assert len(wrong) > 10


@pytest.mark.parametrize(("keys", "survives"), [("k" * 32, True), (None, False)])
def test_after_a_restart_contexts_prove_themselves_and_a_task_comes_back_by_asking_for_it(
    people, tmp_path, keys, survives
):
    with AGENTS["python"]("planner") as planner:

        @contextmanager
        def envoy(number):
            directory = tmp_path / str(number)
            directory.mkdir()
            with AgentGateway(directory, people, with_mode(keys=keys), planner=planner) as gateway:
                yield gateway

        with envoy(1) as gateway:
            task, context = begun(gateway)
        with envoy(2) as gateway:
            ada, bob = asker(gateway), asker(gateway, BOB)
            cancel = ada.asks("cancel", task)
            assert code_of(told(gateway, cancel)[0]) == -32001, "the table is gone, and what is not noted is not there"
            for exchange in (bob.asks("get", task), bob.says("say hi", contextId=context)):
                assert code_of(told(gateway, exchange)[0]) == -32001
            goes_on = told(gateway, ada.says("say hi", contextId=context))[0]
            read = told(gateway, ada.asks("get", task))[0]
            if not survives:
                assert code_of(goes_on) == code_of(read) == -32001
                return
            assert "hi" in json.dumps(messages(goes_on)[0]["result"])
            assert task_of(read)["contextId"] == context
            assert task_of(told(gateway, cancel)[0])["id"] == task


@pytest.mark.parametrize("sdk", SDKS)
def test_an_agent_that_insists_on_ids_of_its_own_has_them_noted(people, tmp_path, sdk):
    with (
        AGENTS[sdk]("planner") as planner,
        AgentGateway(tmp_path, people, with_mode("table"), {"concurrency": 2}, planner=planner) as gateway,
    ):
        version = planner.VERSIONS[0]
        ada, bob = asker(gateway, ADA, version), asker(gateway, BOB, version)
        task, context = begun(gateway)
        assert not context.startswith("tg-")
        for exchange in (ada.asks("get", task), ada.says("red", taskId=task, contextId=context)):
            assert task_of(told(gateway, exchange)[0])["contextId"] == context
        for exchange in bob.naming(task, context).values():
            answer, _ = told(gateway, exchange)
            (said,) = messages(answer)
            assert said.get("error", {}).get("code") == -32001 or said["result"]["tasks"] == []
        assert code_of(told(gateway, ada.says("say hi", contextId="made-up"))[0]) == -32001


def test_where_it_is_off_whoever_names_a_task_has_it(people, tmp_path):
    with (
        AGENTS["python"]("planner") as planner,
        AgentGateway(tmp_path, people, with_mode("off"), planner=planner) as gateway,
    ):
        task, context = begun(gateway)
        assert not context.startswith("tg-")
        assert task_of(told(gateway, asker(gateway, BOB).asks("get", task))[0])["id"] == task


@pytest.mark.parametrize("mode", ["mac", "table"])
def test_a_conversation_stays_with_one_instance_of_its_agent(people, tmp_path, mode):
    with AGENTS["python"]("planner") as one, AGENTS["python"]("planner") as two:

        def balance(bootstrap):
            with_mode(mode)(bootstrap)
            cluster = bootstrap.cluster("planner")
            cluster |= {"type": "STATIC", "lb_policy": "RING_HASH"}
            (endpoints,) = cluster["load_assignment"]["endpoints"]
            endpoints["lb_endpoints"] = [
                {"endpoint": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": agent.port}}}}
                for agent in (one, two)
            ]
            for host in bootstrap.hcm["route_config"]["virtual_hosts"]:
                for route in host["routes"]:
                    route["route"]["hash_policy"] = [{"header": {"header_name": "x-tollgate-context"}}]

        with AgentGateway(tmp_path, people, balance, planner=one) as gateway:
            ada, instances = asker(gateway), set()
            for _ in range(12):
                one.forget(), two.forget()
                (said,) = messages(gateway.wire("planner").send(ada.says("ask")))
                task, context = said["result"]["task"]["id"], said["result"]["task"]["contextId"]
                for exchange in (
                    ada.says("say hi", contextId=context),
                    ada.asks("get", task),
                    ada.asks("list", context=context),
                    ada.says("red", taskId=task),
                ):
                    answer = gateway.wire("planner").send(exchange)
                    assert code_of(answer) is None, answer.body
                ran = [len(agent.ran()) for agent in (one, two)]
                assert sorted(ran) == [0, 5]
                instances.add(ran.index(5))
            assert instances == {0, 1}
