"""From which prompt a call comes: both gateways in one Envoy, the official SDKs of the providers and of MCP."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator

import pytest

from harness.bootstrap import ROOT
from harness.envoy import eventually
from harness.gateway import at_once
from harness.mcp import Called, PythonClient
from harness.mcp.approvals import YES
from harness.sdks import CITY, Call
from harness.stack import KEYS, Stack
from providers import faults

TRIAGE = "You sort tickets.\nBe kind.\n"
CHAT = "You chat."
HASTY = "Be quick."
CAREFUL = "Ask first."
# What an operator is told to do.
DIGEST = (ROOT / "docs/provenance.md").read_text().split("```sh\n")[1].split("\n```")[0]

TOOL = "crm.search"
# Names with a dot are none to providers, so agents put `_` there.
TOLD_TO_MODEL = "mcp__crm__crm_search"
QUERY = {
    "type": "object",
    "properties": {"query": {"type": "string"}},
    "required": ["query"],
    "additionalProperties": False,
}


def digest(prompt: str) -> str:
    """A prompt's digest, as an operator finds it out."""
    shell = ["bash", "-c", DIGEST]
    return subprocess.run(shell, env={"prompt": prompt}, capture_output=True, check=True, text=True).stdout[:64]


PROMPTS = {
    "support-triage": {"system_sha256": [digest(TRIAGE)]},
    "chat": {"system_sha256": [digest(CHAT)]},
    "hasty": {"system_sha256": [digest(HASTY)], "within": "1s"},
    "careful": {"system_sha256": [digest(CAREFUL)]},
    "kept": {"provider_prompt_id": "pmpt_1"},
}
RULES = [
    {"name": "triage", "allow": {"tools": [f"crm.{TOOL}"], "from_prompts": ["support-triage", "hasty"]}},
    {"name": "sure", "confirm": {"tools": [f"crm.{TOOL}"], "by": "caller", "from_prompts": ["careful"]}},
    {"allow": {"methods": ["initialize", "server/discover", "tools/list", "notifications/*", "ping"]}},
]


@pytest.fixture(scope="module")
def stack(mcp_servers, tmp_path_factory) -> Iterator[Stack]:
    """Both gateways."""
    with Stack(tmp_path_factory.mktemp("stack"), PROMPTS, RULES, mcp_servers("python")) as running:
        yield running


def asks(
    stack: Stack,
    word: str,
    client: str = "openai",
    model: str = "gpt-4o",
    stream: bool = False,
    system: str | None = TRIAGE,
    who: str = "ada",
) -> Call:
    """What the model asks for."""
    sdk = stack.sdk(client, who)
    tools = json.loads(json.dumps(sdk.tools([TOLD_TO_MODEL])).replace(json.dumps(CITY), json.dumps(QUERY)))
    told = sdk.system(system) if system else {}
    said = sdk.create(model, [sdk.user([sdk.text(f"{TOLD_TO_MODEL} for {word}")])], stream, **told, **tools)
    (call,) = said.calls
    assert (call.name, call.arguments) == (TOLD_TO_MODEL, {"query": word})
    return call


def calls(stack: Stack, query: str, who: str = "ada", **more: object) -> Called:
    """What an agent calls."""
    with PythonClient(stack.tools_url, headers={"authorization": f"Bearer {KEYS[who]}"}) as client:
        return client.call(TOOL, query=query, **more)


def refused(called: Called) -> bool:
    """Whether it is refused for want of a prompt."""
    return called.failed and "reason=no_prompt; " in called.text and "`support-triage`, `hasty`" in called.text


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("model", ["gpt-4o", "claude-sonnet"])
@pytest.mark.parametrize("client", ["openai", "responses", "anthropic"])
def test_what_a_model_asks_for_from_the_prompt_may_be_called_once(stack, mcp_servers, client, model, stream):
    server, word = mcp_servers("python"), f"{client}-{model}-{stream}"
    assert refused(calls(stack, word))
    asks(stack, word, client, model, stream)
    assert not calls(stack, word).failed
    assert refused(calls(stack, word))
    assert server.ran() == [{"tool": TOOL, "arguments": {"query": word}}]


def test_what_is_asked_for_twice_may_be_called_twice(stack):
    for _ in range(2):
        asks(stack, "twice")
    assert [calls(stack, "twice").failed for _ in range(3)] == [False, False, True]


def test_of_calls_at_the_same_time_one_goes_through(stack, mcp_servers):
    server = mcp_servers("python")
    asks(stack, "race", stream=True)
    assert sorted(called.failed for called in at_once(8, lambda: calls(stack, "race"))) == [False] + [True] * 7
    assert server.ran() == [{"tool": TOOL, "arguments": {"query": "race"}}]


def test_other_arguments_and_other_callers_are_refused(stack, mcp_servers):
    server = mcp_servers("python")
    asks(stack, "Lovelace")
    assert refused(calls(stack, "Babbage"))
    assert refused(calls(stack, "Lovelace", limit=1))
    assert refused(calls(stack, "Lovelace", who="bob"))
    assert server.ran() == []
    assert not calls(stack, "Lovelace").failed


@pytest.mark.parametrize(
    "system", [None, CHAT, TRIAGE + "And obey.", TRIAGE.strip()], ids=["no", "other", "longer", "shorter"]
)
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_what_a_model_asks_for_from_another_prompt_is_refused(stack, system, stream):
    asks(stack, "Curie", system=system, stream=stream)
    assert refused(calls(stack, "Curie"))


def test_what_a_rule_wants_confirmed_needs_the_prompt_and_a_yes_and_a_no_leaves_the_note(stack, mcp_servers):
    server, asked, replies = mcp_servers("python"), [], [{"action": "decline"}, YES]

    def answer(method, params):
        asked.append(params["message"])
        return replies.pop(0)

    def confirmed():
        headers = {"authorization": f"Bearer {KEYS['ada']}"}
        with PythonClient(stack.tools_url, "modern", headers, answer) as client:
            return client.call(TOOL, query="sure")

    assert refused(confirmed()) and not asked
    asks(stack, "sure", system=CAREFUL)
    declined = confirmed()
    assert declined.failed and "confirmation_declined" in declined.text and server.ran() == []
    assert not confirmed().failed
    assert refused(confirmed())
    assert len(asked) == 2 and all("Run crm.crm.search" in message for message in asked)
    assert server.ran() == [{"tool": TOOL, "arguments": {"query": "sure"}}]


def test_what_is_not_called_in_time_is_refused(stack):
    asks(stack, "soon", system=HASTY)
    assert not calls(stack, "soon").failed
    asks(stack, "late", system=HASTY)
    time.sleep(1.2)
    assert refused(calls(stack, "late"))


def test_an_answer_that_another_provider_took_over_is_noted_once(stack):
    stack.providers["openai"].then(faults.Cut(0))
    asked = len(stack.providers["anthropic"].requests)
    asks(stack, "fallback")
    assert len(stack.providers["anthropic"].requests) == asked + 1
    assert [calls(stack, "fallback").failed for _ in range(2)] == [False, True]


def test_lists_show_what_may_be_called_from_some_prompt(stack):
    with PythonClient(stack.tools_url, headers={"authorization": f"Bearer {KEYS['ada']}"}) as client:
        assert [tool["name"] for tool in client.tools()] == [TOOL]


def test_records_say_from_which_prompt(stack):
    asks(stack, "recorded", stream=True)
    calls(stack, "recorded")
    calls(stack, "recorded")

    def decided() -> list[tuple]:
        records = [record for record in stack.envoy.records() if record["filter"] == "mcp"]
        made = [record["decision"] for record in records if record["asked"].get("mcp.method.name") == "tools/call"]
        return [(one["verdict"], one["reason"], one.get("prompt")) for one in made[-2:]]

    expected = [("allow", "rule", "support-triage"), ("deny", "no_prompt", None)]
    assert eventually(lambda: decided() == expected, 5), decided()
    asked = [record["asked"] for record in stack.envoy.records() if record["filter"] == "llm"][-1]
    assert (asked["prompt"], asked["calls_noted"]) == ("support-triage", 1)
