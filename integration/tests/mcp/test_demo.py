"""`make demo-mcp`, which looks up all that it tells and ends with an error where something did not happen."""

import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request

import pytest

from harness.bootstrap import ROOT
from harness.process import as_at_a_terminal
from report.page import Page

HERE = ROOT / "integration"
DEMO = [sys.executable, str(HERE / "demo_mcp.py")]
# The same, with a policy that lets everything through.
BROKEN = "import demo_mcp; demo_mcp.POLICY = demo_mcp.POLICY.replace('*.query', '*'); demo_mcp.main()"
SECONDS = 60


@pytest.fixture
def waiting():
    """The demo, which waits for somebody with a browser, and the page's address."""
    environment = {**os.environ, "WAIT": "1"}
    pipe = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    with subprocess.Popen(DEMO, env=environment, preexec_fn=as_at_a_terminal, **pipe) as demo:
        told = []
        for line in demo.stdout:
            told.append(line)
            if "Open it in your browser" in line:
                break
        assert told and demo.poll() is None, "".join(told)
        yield demo, re.search(r"The page: (\S+)", "".join(told))[1]
        demo.kill()


def test_the_demo_happens_as_it_is_told():
    run = subprocess.run(DEMO, capture_output=True, text=True, timeout=SECONDS)
    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stdout.count("✓") >= 14 and "Everything is stopped again" in run.stdout
    assert not re.search("tg_[a-z]+_[0-9A-Za-z]+", run.stdout), "a key is shown"


def test_what_did_not_happen_ends_the_demo_with_an_error():
    run = subprocess.run([sys.executable, "-c", BROKEN], capture_output=True, text=True, timeout=SECONDS, cwd=HERE)
    assert run.returncode == 1
    assert "AssertionError: this did not happen: shown" in run.stderr and "ExceptionGroup" not in run.stderr


@pytest.mark.parametrize(
    ("decision", "then"),
    [("approve", "it ran: customer 7 is gone"), ("reject", "customer 7 stays in the SQLite file")],
)
def test_somebody_can_decide_in_their_own_browser(waiting, decision, then):
    demo, url = waiting
    page = Page.open(url)
    page.send(page.forms[0], decision=decision, reason="looked at it")
    told, _ = demo.communicate(timeout=SECONDS)
    assert demo.returncode == 0, told
    assert "looked at it" in told and then in told


def test_the_door_for_the_browser_leads_to_the_page_alone(waiting):
    _, url = waiting
    request = urllib.request.Request(urllib.parse.urljoin(url, "/db/mcp"), data=b'{"jsonrpc":"2.0","id":1,"method":"ping"}')
    request.add_header("content-type", "application/json")
    with pytest.raises(urllib.error.HTTPError) as raised:
        urllib.request.urlopen(request, timeout=10)
    assert raised.value.code == 404


def test_ctrl_c_stops_it_without_a_word_of_python(waiting):
    demo, _ = waiting
    demo.send_signal(signal.SIGINT)
    told, _ = demo.communicate(timeout=SECONDS)
    assert demo.returncode == 130 and "Traceback" not in told, told
