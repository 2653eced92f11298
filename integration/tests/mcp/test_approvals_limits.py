"""What waits for a yes, and limits and loops: neither uses up the other."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from harness.envoy import eventually
from harness.mcp import PATHS, Exchange, McpGateway, Wire, bearer
from harness.mcp.approvals import BY_APPROVER, BY_CALLER, FORM, TOOL, YES, Approver, Caller, is_asked, text, waiting
from harness.mcp.wire import meta, modern, rpc


def once_at_a_time(bootstrap):
    """One call of a user's at once, so that another one is refused while it runs."""
    bootstrap.gate(limits=[{"name": "one", "per": ["user"], "concurrent": 1}])


def while_a_slow_call_runs(gateway, server, act):
    """What comes of this meanwhile."""
    params = {"name": "reports.slow", "arguments": {"seconds": 3}, "_meta": meta(FORM)}
    headers = [*modern("tools/call", "reports.slow"), *bearer("support").items()]
    wire = Wire(gateway.envoy.port, PATHS["crm"])
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(wire.send, Exchange(headers, rpc("tools/call", params)))
        assert eventually(lambda: "reports.slow" in [ran["tool"] for ran in server.ran()], 5)
        try:
            return act()
        finally:
            slow.result()


@pytest.mark.parametrize("rules", [BY_CALLER, BY_APPROVER], ids=["caller", "approver"])
def test_a_call_that_a_limit_refuses_has_not_used_its_yes(mcp_servers, tmp_path, rules):
    server = mcp_servers("python")
    with McpGateway(tmp_path, once_at_a_time, {"concurrency": 2}, rules, None, crm=server) as gateway:
        caller, approver = Caller(gateway), Approver(gateway)
        asked = caller.call()
        if rules is BY_APPROVER:
            assert approver.say(waiting(approver)["id"], "approve").status == 200
        again = caller.call if rules is BY_APPROVER else lambda: caller.retry(asked, YES)
        refused = while_a_slow_call_runs(gateway, server, again)
        assert refused["code"] == -31002 and "`one`" in refused["message"]
        assert TOOL not in [ran["tool"] for ran in server.ran()]
        assert not again().get("isError")
        assert [ran["tool"] for ran in server.ran()].count(TOOL) == 1
        assert again().get("isError")


def never_three_times(bootstrap):
    """The same call may be made twice."""
    bootstrap.gate(runaway={"repeats": {"times": 2, "within": "1m"}})


def test_to_ask_whether_the_yes_is_there_is_no_loop_but_to_run_the_same_again_is(mcp_servers, tmp_path):
    server = mcp_servers("python")
    with McpGateway(tmp_path, never_three_times, {"concurrency": 2}, BY_APPROVER, None, crm=server) as gateway:
        caller, approver = Caller(gateway), Approver(gateway)
        for _ in range(2):
            assert all("approval_pending" in text(caller.call()) for _ in range(8))
            assert approver.say(waiting(approver)["id"], "approve").status == 200
            assert not caller.call().get("isError")
        assert "made 2 times already" in text(caller.call()), "and nobody is asked for it"
        assert approver.list()["waiting"] == []
    assert len(server.ran()) == 2


def test_a_no_that_is_not_taken_for_an_answer_is_a_loop(mcp_servers, tmp_path):
    server = mcp_servers("python")
    with McpGateway(tmp_path, never_three_times, {"concurrency": 2}, BY_APPROVER, None, crm=server) as gateway:
        caller, approver = Caller(gateway), Approver(gateway)
        caller.call()
        assert approver.say(waiting(approver)["id"], "reject").status == 200
        told = [text(caller.call()) for _ in range(3)]
        assert ["approval_rejected" in one for one in told] == [True, True, False] and "already" in told[2]


def test_a_person_who_keeps_saying_no_is_not_asked_for_ever(mcp_servers, tmp_path):
    server = mcp_servers("python")
    with McpGateway(tmp_path, never_three_times, {"concurrency": 2}, BY_CALLER, None, crm=server) as gateway:
        caller = Caller(gateway)
        assert all(is_asked(caller.call()) for _ in range(5)), "a question is no call"
        for _ in range(2):
            assert "confirmation_declined" in text(caller.retry(caller.call(), {"action": "decline"}))
        assert "made 2 times already" in text(caller.call())
    assert not server.ran()
