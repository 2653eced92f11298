"""What a rule wants confirmed runs after somebody has said yes: that call, once, and not for long."""

import pytest

from harness.gateway import at_once
from harness.mcp import McpGateway, PythonClient, TypeScriptClient
from harness.mcp.approvals import (
    BY_APPROVER,
    BY_CALLER,
    CALL,
    KEY,
    TOOL,
    YES,
    Approver,
    Caller,
    is_asked,
    text,
    waiting,
)

CLIENTS = {"python": PythonClient, "typescript": TypeScriptClient}

NO = [{"action": "decline"}, {"action": "cancel"}, {"action": "accept", "content": {"confirm": False}}]
# Which keys sign what clients carry.
KEYS_FROM, SIGNING_KEY = "TOLLGATE_MCP_KEYS", "k" * 32


@pytest.fixture(scope="module")
def by_caller(mcp_servers, tmp_path_factory):
    directory = tmp_path_factory.mktemp("caller")
    with McpGateway(directory, rules=BY_CALLER, crm=mcp_servers("python"), envoy={"concurrency": 2}) as made:
        yield made


@pytest.fixture
def approvals(mcp_servers, tmp_path):
    with McpGateway(tmp_path, rules=BY_APPROVER, who=None, crm=mcp_servers("python"), envoy={"concurrency": 2}) as made:
        yield made


@pytest.mark.parametrize("client", CLIENTS)
def test_a_person_at_an_unmodified_client_is_asked_and_a_yes_runs_the_call(by_caller, mcp_servers, client):
    server, asked = mcp_servers("python"), []

    def answer(method, params):
        asked.append(params)
        return YES

    with CLIENTS[client](by_caller.url(), era="modern", answer=answer) as user:
        called = user.call(TOOL, **CALL)
    assert not called.failed
    (ran,) = server.ran()
    (question,) = asked
    assert "Run crm.database.delete_row on the server crm?" in question["message"]
    assert "id = 42" in question["message"] and 'table = "users"' in question["message"]


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("reply", NO, ids=["decline", "cancel", "unconfirmed"])
def test_a_person_who_does_not_say_yes_has_nothing_run(by_caller, mcp_servers, client, reply):
    server = mcp_servers("python")
    with CLIENTS[client](by_caller.url(), era="modern", answer=lambda method, params: reply) as user:
        called = user.call(TOOL, **CALL)
    assert called.failed and "confirmation_declined" in called.text
    assert not server.ran()


def test_a_yes_is_good_for_one_call_also_when_it_comes_to_all_workers_at_once(by_caller, mcp_servers):
    server, caller = mcp_servers("python"), Caller(by_caller)
    asked = caller.call()
    assert is_asked(asked)
    results = at_once(8, lambda: caller.retry(asked, YES))
    assert len(server.ran()) == 1
    assert sorted("confirmation_used" in text(result) for result in results) == [False] + [True] * 7


@pytest.mark.parametrize(
    "change",
    [
        {"arguments": {"table": "users", "id": 43}},
        {"arguments": {"table": "users", "id": 42, "all": True}},
        {"who": "research"},
        {"task": {"ttl": 60000}},
    ],
    ids=["other-arguments", "more-arguments", "somebody-else", "as-a-task"],
)
def test_a_yes_to_one_call_is_none_to_another(by_caller, mcp_servers, change):
    server, caller = mcp_servers("python"), Caller(by_caller)
    asked = caller.call()
    assert is_asked(caller.retry(asked, YES, **change))
    assert not server.ran()
    assert not caller.retry(asked, YES).get("isError")
    assert len(server.ran()) == 1


def test_a_forged_state_is_no_yes(by_caller, mcp_servers):
    server, caller = mcp_servers("python"), Caller(by_caller)
    state = caller.call()["requestState"]
    for forged in (state[:-4] + "AAAA", "tollgate1.", "tollgate1." + "A" * 200, "theirs"):
        assert is_asked(caller.retry({"requestState": forged}, YES)), forged
    assert is_asked(caller.call(inputResponses={KEY: YES})), "an answer without a question"
    assert not server.ran()


def test_a_question_outlives_a_restart_and_another_envoy_with_the_same_keys(mcp_servers, tmp_path, monkeypatch):
    server = mcp_servers("python")

    def gateway(name, key):
        def named_keys(bootstrap):
            bootstrap.gate(signing_keys_from=KEYS_FROM)
            for plugin in bootstrap.plugins():
                plugin["vm_config"]["environment_variables"] = {"host_env_keys": [KEYS_FROM]}

        monkeypatch.setenv(KEYS_FROM, key)
        (tmp_path / name).mkdir()
        return McpGateway(tmp_path / name, named_keys, rules=BY_CALLER, crm=server)

    with gateway("first", SIGNING_KEY) as first:
        asked = Caller(first).call()
    with gateway("stranger", "s" * 32) as stranger:
        assert is_asked(Caller(stranger).retry(asked, YES))
    assert not server.ran()
    with gateway("rotated", f"{'n' * 32},{SIGNING_KEY}") as rotated:
        assert not Caller(rotated).retry(asked, YES).get("isError")
        assert "confirmation_used" in text(Caller(rotated).retry(asked, YES))
    assert len(server.ran()) == 1


def test_the_person_at_a_client_that_cannot_ask_confirms_on_the_page(by_caller, mcp_servers):
    server, caller, person = mcp_servers("python"), Caller(by_caller), Approver(by_caller, "support")
    for capabilities in ({}, {"elicitation": {"url": {}}}):
        told = text(caller.call(capabilities=capabilities))
        assert "approval_pending" in told and "/.tollgate/approvals#a-" in told
    assert person.say(waiting(person)["id"], "approve").status == 200
    assert not caller.call(capabilities={}).get("isError")
    assert len(server.ran()) == 1


def test_what_the_server_itself_asks_is_answered_beside_ours(by_caller, mcp_servers):
    """The server asks in a round of its own, whose state and answer are kept while we ask again."""
    asked = []

    def answer(method, params):
        asked.append(params["message"])
        return YES if "Run crm.mail" in params["message"] else {"action": "accept", "content": {"sure": True}}

    with PythonClient(by_caller.url(), era="modern", answer=answer) as user:
        called = user.call("mail.confirm_and_send", to="ada@example.org", body="hello")
    assert not called.failed and called.text.startswith("answered:")
    assert [message.split()[0] for message in asked] == ["Run", "Send", "Run"]


def test_a_call_waits_until_somebody_else_approves_it_and_then_runs_once(approvals, mcp_servers):
    server, caller, approver = mcp_servers("python"), Caller(approvals), Approver(approvals)
    for _ in range(2):
        held = caller.call()
        assert held["isError"] and "approval_pending" in text(held)
    entry = waiting(approver)
    assert entry["arguments"] == ['table = "users"', "id = 42"] and entry["complete"]
    assert (entry["object"], entry["requester"]["user"]) == ("crm.database.delete_row", "ada@example.org")
    assert not server.ran()
    assert approver.say(entry["id"], "approve", "looked at it").status == 200
    results = at_once(6, caller.call)
    assert len(server.ran()) == 1
    assert sorted(result.get("isError", False) for result in results) == [False] + [True] * 5
    assert approver.list()["past"][0]["state"] == "ran"


def test_a_no_stands_and_tells_why(approvals, mcp_servers):
    server, caller, approver = mcp_servers("python"), Caller(approvals), Approver(approvals)
    caller.call()
    assert approver.say(waiting(approver)["id"], "reject", "wrong customer").status == 200
    told = text(caller.call())
    assert "approval_rejected" in told and "eve@example.org rejected this call: wrong customer" in told
    assert not server.ran()


def test_who_asks_cannot_approve_nor_can_anybody_whom_the_rule_does_not_name(approvals, mcp_servers):
    server = mcp_servers("python")
    own = Caller(approvals, "dba")
    own.call()
    (entry,) = Approver(approvals, "dba").list()["own"]
    assert Approver(approvals, "dba").say(entry["id"], "approve").json["error"]["reason"] == "own_call"
    other = Approver(approvals, "research")
    assert other.list() == {"waiting": [], "own": [], "past": []}
    assert other.say(entry["id"], "approve").json["error"]["reason"] == "not_an_approver"
    assert "approval_pending" in text(own.call())
    assert not server.ran()


def test_an_approved_call_is_that_call_by_that_subject(approvals, mcp_servers):
    server, caller, approver = mcp_servers("python"), Caller(approvals), Approver(approvals)
    caller.call()
    assert approver.say(waiting(approver)["id"], "approve").status == 200
    assert "approval_pending" in text(caller.call(arguments={"table": "users", "id": 43}))
    assert "approval_pending" in text(caller.call(who="research"))
    assert not server.ran()
    caller.call()
    assert len(server.ran()) == 1


def test_another_sites_page_approves_nothing(approvals, mcp_servers):
    server, caller, approver = mcp_servers("python"), Caller(approvals), Approver(approvals)
    caller.call()
    id = waiting(approver)["id"]
    for headers in ([("origin", "https://evil.example")], [("origin", "null")], [("sec-fetch-site", "cross-site")]):
        assert approver.say(id, "approve", headers=headers).json["error"]["reason"] == "other_site"
    assert "approval_pending" in text(caller.call())
    assert not server.ran()


def test_so_many_wait_and_no_more_and_none_of_them_is_forgotten(approvals):
    caller, approver = Caller(approvals), Approver(approvals)
    results = [text(caller.call(arguments={"table": "users", "id": id})) for id in range(300)]
    full = sum("approvals_full" in result for result in results)
    kept = sum("approval_pending" in result for result in results)
    assert full + kept == 300 and full > 0
    assert len(approver.list()["waiting"]) == kept <= 256


def test_the_record_says_who_was_asked_who_answered_and_what_ran(approvals):
    caller, approver = Caller(approvals), Approver(approvals)
    caller.call()
    id = waiting(approver)["id"]
    approver.say(id, "approve", "looked at it")
    caller.call()
    records = approvals.envoy.wait_records(4)
    asked, listed, approved, ran = records
    assert asked["approval"] == {"state": "asked", "id": id}
    assert (asked["decision"]["verdict"], asked["decision"]["reason"]) == ("confirm", "approval_pending")
    assert listed["decision"] == {"verdict": "allow", "reason": "approvals"}
    assert approved["approval"]["state"] == "approve" and approved["subject"]["user"] == "eve@example.org"
    assert approved["approval"]["of"]["user"] == "ada@example.org"
    assert ran["approval"]["state"] == "approved" and ran["approval"]["by"]["user"] == "eve@example.org"
    assert (ran["approval"]["reason"], ran["decision"]["rule"]) == ("looked at it", "rules.deletions")
    counted = approvals.envoy.metrics("tollgate_mcp_approvals_total")
    assert {(labels["server"], labels["state"]): count for labels, count in counted} == {
        ("crm", "asked"): 1,
        ("none", "approve"): 1,
        ("crm", "approved"): 1,
    }
