"""`make demo-agent`, which looks up all that it tells and ends with an error where something did not happen."""

import json
import re
import signal
import subprocess
import sys

import pytest
import yaml

import demo_agent
from harness.a2a.gateway import SHIPPED
from harness.bootstrap import ROOT
from harness.process import as_at_a_terminal

HERE = ROOT / "integration"
DEMO = [sys.executable, str(HERE / "demo_agent.py")]
# The same, with a policy that lets Bob have what is for gold.
BROKEN = "import demo_agent; demo_agent.POLICY = demo_agent.POLICY.replace('[gold]', '[gold, free]'); demo_agent.main()"
SECONDS = 120


@pytest.fixture(scope="module")
def told():
    """All that the demo tells."""
    run = subprocess.run(DEMO, capture_output=True, text=True, timeout=SECONDS)
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


def test_the_demo_happens_as_it_is_told(told):
    assert told.count("✓") >= 14 and "Everything is stopped again" in told
    assert not re.search(r"eyJ[0-9A-Za-z_-]+\.", told), "a token is shown"


def test_it_ends_with_the_graph_which_agent_called_which_for_whom_allowed_or_not(told):
    _, graph = told.split("Which agent called which, for whom, allowed or not")
    lines = [" ".join(re.sub("[├└─┬>]", " ", line).split()) for line in graph.splitlines()]
    for line in (
        "assistant billing 1× Ada deny rule rules.#3",
        "planner researcher 5× Ada 4, Bob 1 allow rule rules.#1",
        "researcher billing 1× Ada allow rule rules.#2",
        "billing 2× Bob deny rule rules.#3",
        "billing planner 1× Ada deny loop_detected ticket",
        "planner 1× Ada allow rule rules.#1",
    ):
        assert line in lines, graph


def test_what_did_not_happen_ends_the_demo_with_an_error():
    run = subprocess.run([sys.executable, "-c", BROKEN], capture_output=True, text=True, timeout=SECONDS, cwd=HERE)
    assert run.returncode == 1
    assert "AssertionError: this did not happen: the researcher was refused" in run.stderr


def test_ctrl_c_stops_it_without_a_word_of_python():
    pipe = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    with subprocess.Popen(DEMO, preexec_fn=as_at_a_terminal, **pipe) as demo:
        for line in demo.stdout:
            if line.startswith("1  "):
                break
        demo.send_signal(signal.SIGINT)
        rest, _ = demo.communicate(timeout=SECONDS)
    assert demo.returncode == 130 and "Traceback" not in rest, rest


def test_the_three_lines_are_the_same_wherever_they_stand():
    def rules(text):
        return yaml.safe_load(text)["rules"]

    policy = rules(demo_agent.POLICY)
    for page in ("README.md", "docs/agent.md"):
        blocks = re.findall(r"```yaml\n(rules:\n.*?)```", (ROOT / page).read_text(), re.DOTALL)
        assert policy in [rules(block) for block in blocks], page
    assert json.dumps(policy) in json.dumps(yaml.safe_load(SHIPPED.read_text())), SHIPPED
