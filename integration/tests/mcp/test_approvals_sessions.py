"""Before 2026-07-28 no client has a form for the gate's question: its person confirms on the page, to which it is sent."""

import pytest

from harness.bootstrap import key_hash
from harness.mcp import McpGateway, PythonClient, Refused, TypeScript1Client, TypeScriptClient, bearer
from harness.mcp.approvals import BY_APPROVER, BY_CALLER, CALL, TOOL, Approver, Caller, SessionCaller, text, waiting

CLIENTS = {"python": PythonClient, "typescript": TypeScriptClient, "typescript-1": TypeScript1Client}
URL = "https://gateway.example/.tollgate/approvals"
OPENS = {"elicitation": {"form": {}, "url": {}}}
REQUIRED = -32042
ROBOT = "tg_robot_5mXa9fTbL2eHs4Yd"


@pytest.fixture
def gateway(mcp_servers, tmp_path):
    """`gateway(url=None)`: in front of a server that ran nothing yet. `robot` is a key that proves no user."""
    started = []

    def start(url=URL, rules=BY_CALLER, **parts):
        def change(bootstrap):
            robot = {"id": "robot", "sha256": [key_hash(ROBOT)], "subject": {"team": "robots"}}
            bootstrap.gate(keys=[*bootstrap.gate_config["keys"], robot], **parts)
            if url:
                bootstrap.gate(approvals={"url": url})
            for plugin in bootstrap.plugins():
                plugin["vm_config"]["environment_variables"] = {"key_values": {"TOLLGATE_MCP_KEYS": "k" * 32}}

        directory = tmp_path / str(len(started))
        directory.mkdir()
        made = McpGateway(directory, change, {"concurrency": 2}, rules, None, crm=mcp_servers("python"))
        started.append(made)
        return made.__enter__()

    yield start
    for made in started:
        made.__exit__(None, None, None)


def asked(user):
    """What the client tells its host to open."""
    with pytest.raises(Refused) as refused:
        user.call(TOOL, **CALL)
    assert refused.value.code == REQUIRED, refused.value
    (elicitation,) = refused.value.data["elicitations"]
    return elicitation


@pytest.mark.parametrize("client", CLIENTS)
def test_an_unmodified_client_is_sent_to_the_page_and_a_yes_there_runs_the_call_once(gateway, mcp_servers, client):
    running, server = gateway(), mcp_servers("python")
    cancel = lambda method, params: {"action": "cancel"}  # noqa: E731
    with CLIENTS[client](running.url(), era="legacy", headers=bearer("support"), answer=cancel) as user:
        assert user.revision == "2025-11-25"
        first = asked(user)
        id = first["elicitationId"]
        assert asked(user)["elicitationId"] == id, "while it waits it is the same question"
        assert (first["mode"], first["url"]) == ("url", f"{URL}#a-{id}")
        assert "crm.database.delete_row" in first["message"] and "42" not in first["message"]
        assert not server.ran()
        for other in ("dba", "research"):
            assert Approver(running, other).say(id, "approve").json["error"]["reason"] == "not_an_approver"
        assert Approver(running, "support").say(id, "approve").status == 200
        assert not user.call(TOOL, **CALL).failed
        assert asked(user)["elicitationId"] != id
    assert [ran["arguments"] for ran in server.ran()] == [CALL]


@pytest.mark.parametrize("client", CLIENTS)
def test_an_unmodified_client_that_cannot_open_it_is_told_where_to_confirm(gateway, mcp_servers, client):
    running, server = gateway(), mcp_servers("python")
    with CLIENTS[client](running.url(), era="legacy", headers=bearer("support")) as user:
        told = user.call(TOOL, **CALL)
        assert told.failed and "approval_pending" in told.text
        id = waiting(Approver(running, "support"))["id"]
        assert f"{URL}#a-{id}" in told.text
        Approver(running, "support").say(id, "approve")
        assert not user.call(TOOL, **CALL).failed
    assert len(server.ran()) == 1


def test_who_declares_no_address_or_speaks_an_older_revision_is_told_in_words(gateway, mcp_servers):
    running, server = gateway(), mcp_servers("python")
    for capabilities, revision in [
        ({}, "2025-11-25"),
        ({"elicitation": {}}, "2025-11-25"),
        ({"elicitation": {"form": {}}}, "2025-11-25"),
        (OPENS, "2025-06-18"),
        (OPENS, "2025-03-26"),
    ]:
        told = text(SessionCaller(running, capabilities, revision).call())
        assert "approval_pending" in told and URL in told, (capabilities, revision)
    for capabilities in ({}, {"elicitation": {"url": {}}}):
        assert "approval_pending" in text(Caller(running).call(capabilities=capabilities))
    assert not server.ran()


def test_of_somebody_whose_user_is_not_proven_nobody_is_asked(gateway, mcp_servers):
    running, server = gateway(), mcp_servers("python")
    proof = {"authorization": f"Bearer {ROBOT}"}
    for capabilities in (OPENS, {}):
        told = text(SessionCaller(running, capabilities, proof=proof).call())
        assert "confirmation_impossible" in told
    assert not server.ran()


def test_without_an_address_in_the_configuration_nobody_is_sent_there(gateway):
    told = text(SessionCaller(gateway(url=None), OPENS).call())
    assert "approval_pending" in told and " at /.tollgate/approvals#a-" in told


def test_nobody_is_sent_where_somebody_else_must_answer(gateway):
    told = text(SessionCaller(gateway(rules=BY_APPROVER), OPENS).call())
    assert "approval_pending" in told and URL in told


def test_what_a_client_can_is_in_its_session_proven_and_outlives_a_restart(gateway):
    signed = {"signing_keys_from": "TOLLGATE_MCP_KEYS"}
    opens, plain = (SessionCaller(gateway(**signed), capabilities) for capabilities in (OPENS, {}))
    again = gateway(**signed)
    opens.wire.port = plain.wire.port = again.envoy.port
    for _ in range(6):  # on either worker
        assert opens.call()["code"] == REQUIRED
        assert "approval_pending" in text(plain.call())
    plain.session = plain.session.replace("-.", "u.")
    with pytest.raises(AssertionError, match="Session not found"):
        plain.call()
