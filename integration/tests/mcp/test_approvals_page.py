"""The approval page in a real browser: read and answered with the mouse, with keys alone, and on a phone."""

import re

import pytest

from harness.browser import DESKTOP, PHONE, Browser
from harness.mcp import McpGateway
from harness.mcp.approvals import BY_APPROVER, CALL, PAGE, Approver, Caller, text
from harness.mcp.gateway import bearer

# What a finger must hit.
TOUCHED = "button:not([hidden]), input:not([type=hidden])"


@pytest.fixture
def approvals(mcp_servers, tmp_path):
    with McpGateway(tmp_path, rules=BY_APPROVER, who=None, crm=mcp_servers("python")) as made:
        yield made


def page(gateway):
    return f"http://localhost:{gateway.envoy.port}{PAGE}"


def no_complaints(browser):
    assert browser.complaints == []


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_a_person_reads_what_waits_and_approves_it(approvals, mcp_servers, size, dark):
    server, caller = mcp_servers("python"), Caller(approvals)
    caller.call()
    with Browser(bearer("dba"), size, dark) as browser:
        browser.open(page(approvals))
        assert browser.status == 200
        seen = browser.text()
        said = ("crm.database.delete_row", "ada@example.org", "agent triage", "id = 42", 'table = "users"')
        for part in (*said, "9 minutes"):
            assert part in seen, seen
        assert browser.eval("document.documentElement.scrollWidth <= innerWidth"), "nothing is beside the screen"
        assert browser.eval(f"[...document.querySelectorAll({TOUCHED!r})].every(e => e.offsetHeight >= 44)")
        browser.click("input[name=reason]")
        browser.type("looked at it")
        browser.submit("button[value=approve]")
        assert browser.status == 200 and browser.eval("location.pathname") == PAGE
        assert "Approved by eve@example.org" in browser.text(":target") and "looked at it" in browser.text(":target")
        no_complaints(browser)
        assert {url.split("/")[2] for url in browser.answered} == {f"localhost:{approvals.envoy.port}"}
    caller.call()
    assert len(server.ran()) == 1


def test_keys_alone_reject_and_enter_in_the_reason_answers_nothing(approvals, mcp_servers):
    caller = Caller(approvals)
    caller.call()
    with Browser(bearer("dba")) as browser:
        browser.open(page(approvals))
        browser.press("Tab")
        assert browser.focused() == "INPUT reason"
        browser.type("no")
        browser.press("Enter")
        assert "approval_pending" in text(caller.call())
        browser.press("Tab")
        assert browser.focused() == "BUTTON decision approve"
        browser.press("Tab")
        assert browser.focused() == "BUTTON decision reject"
        browser.press_to_load("Enter")
        assert "Rejected by eve@example.org" in browser.text(":target")
        no_complaints(browser)
    assert "approval_rejected" in text(caller.call())


def test_nothing_that_an_agent_says_runs_or_hides_in_the_page(approvals):
    script = "<script>document.title='owned'</script><img src=x onerror=document.title='owned'>"
    evil = {"table": script, "id": 1, "note": "a\u202eb\u200bc</pre>"}
    Caller(approvals).call(arguments=evil)
    with Browser(bearer("dba")) as browser:
        browser.open(page(approvals))
        assert browser.eval("document.title") == "(1) Approvals"
        assert browser.eval("document.images.length + document.scripts.length") == 0
        assert "<script>" in browser.text("pre") and r"a\u{202e}b\u{200b}c</pre>" in browser.text("pre")
        no_complaints(browser)


def test_a_long_statement_is_read_in_full_line_by_line(approvals):
    lines = [f"  AND id <> {number}" for number in range(150)]
    sql = "\n".join(["DELETE FROM users WHERE id > 0", *lines])
    Caller(approvals).call(arguments={"table": "users", "id": 1, "sql": sql})
    with Browser(bearer("dba"), PHONE) as browser:
        browser.open(page(approvals))
        seen = browser.text("pre")
        assert "".join(seen.split()).endswith(r"\nANDid<>149" + '"') and "Not all of this call" not in browser.text()
        assert seen.count("\n") > 150, "each line of it has one"
        assert browser.eval("document.documentElement.scrollWidth <= innerWidth")
        no_complaints(browser)


def test_what_is_too_long_says_that_not_all_is_shown(approvals):
    Caller(approvals).call(arguments={"table": "users", "id": 1, "sql": "select 1; " * 1000 + "drop table users"})
    with Browser(bearer("dba")) as browser:
        browser.open(page(approvals))
        assert "Not all of this call is shown" in browser.text(".warn")
        assert 'drop table users" (10016 characters, SHA-256 ' in browser.text("pre")


def test_an_address_of_one_call_leads_to_that_one(approvals):
    told = [text(Caller(approvals).call(arguments={"table": "users", "id": id})) for id in (1, 2, 3)]
    (address,) = re.findall(r" at (\S+) within", told[1])
    with Browser(bearer("dba")) as browser:
        browser.open(f"http://localhost:{approvals.envoy.port}{address}")
        assert "id = 2" in browser.text(":target pre")


def test_the_policy_forbids_what_gets_into_the_page_in_spite_of_that(approvals):
    with Browser(bearer("dba")) as browser:
        browser.open(page(approvals))
        no_complaints(browser)
        browser.eval("document.body.insertAdjacentHTML('beforeend', '<img src=\"/x.png\"><p style=\"color:red\">')")
        browser.eval("new Promise(done => setTimeout(done, 300))")
        assert any("img-src" in complaint for complaint in browser.complaints), browser.complaints
        assert not any(url.endswith("/x.png") for url in browser.answered)


def test_another_sites_form_approves_nothing(approvals, tmp_path):
    caller = Caller(approvals)
    caller.call()
    (entry,) = Approver(approvals).list()["waiting"]
    action = f"{page(approvals)}/{entry['id']}"
    attack = tmp_path / "attack.html"
    form = f"<form method=post action='{action}'><input name=decision value=approve><button>Win</button></form>"
    attack.write_text(form)
    with Browser(bearer("dba")) as browser:
        browser.open(f"file://{attack}")
        browser.submit("button")
        assert browser.status == 403 and "another site" in browser.text()
    assert "approval_pending" in text(caller.call())


def test_an_empty_page_looks_again_by_itself_and_shows_what_came(approvals):
    with Browser(bearer("dba")) as browser:
        browser.open(page(approvals))
        assert "Nothing waits for you." in browser.text()
        assert browser.eval("document.querySelector('meta[http-equiv=refresh]').content") == "15"
        Caller(approvals).call(arguments=CALL)
        browser.submit("footer a")
        assert browser.eval("document.querySelector('meta[http-equiv=refresh]')") is None
        assert "crm.database.delete_row" in browser.text()
        no_complaints(browser)
