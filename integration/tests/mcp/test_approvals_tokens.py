"""Approvals by tokens, with Envoy's own `jwt_authn`: a browser brings them in a cookie, a bot in a header."""

import pytest

from harness.browser import Browser
from harness.envoy import eventually
from harness.identity import PAYLOAD, Issuer, verify_tokens
from harness.mcp import Exchange, McpGateway, Wire
from harness.mcp.approvals import BY_APPROVER, PAGE, Approver, Caller, text, waiting

COOKIE = "session"
BY = {"user": "eve@example.org", "team": "dba"}
EVE = {"sub": "1", "email": "eve@example.org", "team": "dba"}
# What Envoy cannot verify, a virtual key among it, reaches the gate as if no token was shown.
REQUIREMENT = {"requires_any": {"requirements": [{"provider_name": "issuer"}, {"allow_missing_or_failed": {}}]}}
SHOWN = {
    "from_headers": [{"name": "authorization", "value_prefix": "Bearer "}],
    "from_cookies": [COOKIE],
}


@pytest.fixture(scope="module")
def issuer():
    return Issuer()


@pytest.fixture
def gateway(issuer, mcp_servers, tmp_path):
    def change(bootstrap):
        verify_tokens(bootstrap, issuer, REQUIREMENT, **SHOWN)
        jwt = {"payload": PAYLOAD, "claims": {"user": "email", "team": "team"}, "require": ["user"]}
        bootstrap.gate(identity={"any_of": [["jwt"], ["key"]], "jwt": jwt})

    with McpGateway(tmp_path, change, {"concurrency": 2}, BY_APPROVER, None, crm=mcp_servers("python")) as made:
        yield made


def shows(token):
    return {"authorization": f"Bearer {token}"}


def test_a_person_with_a_token_in_a_cookie_approves_in_the_browser(gateway, issuer, mcp_servers):
    server, caller = mcp_servers("python"), Caller(gateway)
    caller.call()
    page = f"http://localhost:{gateway.envoy.port}{PAGE}"
    with Browser() as browser:
        browser.open(page)
        assert browser.status == 401
        browser.complaints.clear()
        browser.keep(page, COOKIE, issuer.token(**EVE))
        browser.open(page)
        assert browser.status == 200 and "You are eve@example.org, team dba" in browser.text("header")
        browser.submit("button[value=approve]")
        assert "Approved by eve@example.org" in browser.text(":target")
        assert browser.complaints == []
    caller.call()
    assert len(server.ran()) == 1
    assert eventually(lambda: [one["by"] for one in approvals(gateway, "approved")] == [BY], 5)


def approvals(gateway, state):
    """What records say of approvals that have come so far."""
    found = [record["approval"] for record in gateway.envoy.records() if "approval" in record]
    return [approval for approval in found if approval["state"] == state]


def test_a_bot_with_a_token_approves_by_json(gateway, issuer, mcp_servers):
    server, caller = mcp_servers("python"), Caller(gateway)
    caller.call()
    bot = Approver(gateway, proof=shows(issuer.token(**EVE)))
    assert bot.say(waiting(bot)["id"], "approve", "ticket 4711").json["state"] == "approved"
    caller.call()
    assert len(server.ran()) == 1


@pytest.mark.parametrize("email", ["ada@example.org", "Ada@Example.Org"])
def test_who_asks_by_key_cannot_approve_by_token(gateway, issuer, mcp_servers, email):
    server, caller = mcp_servers("python"), Caller(gateway)
    caller.call()
    id = waiting(Approver(gateway))["id"]
    own = Approver(gateway, proof=shows(issuer.token(**EVE | {"email": email})))
    assert own.list()["waiting"] == [] and own.list()["own"][0]["id"] == id
    assert own.say(id, "approve").json["error"]["reason"] == "own_call"
    assert "approval_pending" in text(caller.call())
    assert not server.ran()


def test_who_asks_by_token_cannot_approve_by_key(gateway, issuer, mcp_servers):
    server, token = mcp_servers("python"), issuer.token(**EVE | {"team": "support"})
    caller = Caller(gateway, proof=shows(token))
    caller.call()
    own = Approver(gateway, "dba")
    (entry,) = own.list()["own"]
    assert own.say(entry["id"], "approve").json["error"]["reason"] == "own_call"
    assert not server.ran()


def test_a_token_that_is_not_good_shows_and_answers_nothing(gateway, issuer):
    Caller(gateway).call()
    id = waiting(Approver(gateway))["id"]
    for token in (issuer.token(expires_in=-120, **EVE), Issuer().token(**EVE), "x.y.z", issuer.token(team="dba")):
        for proof in (shows(token), {"cookie": f"{COOKIE}={token}"}):
            assert Approver(gateway, proof=proof).say(id, "approve").status in (401, 403)
            headers = [("accept", "application/json"), *proof.items()]
            seen = Wire(gateway.envoy.port, PAGE).send(Exchange(headers, b"", method="GET"))
            assert seen.status in (401, 403) and b"delete_row" not in seen.body
    assert waiting(Approver(gateway))["state"] == "waiting"
