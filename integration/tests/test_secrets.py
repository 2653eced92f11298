"""With Envoy at trace level: no key and no prompt in what the filter logs, records, counts or answers."""

import json

import pytest

from harness import Gateway, teams
from providers import faults

PROMPT = "canary-of-a-prompt-7f3a"
ANSWER = "canary-of-an-answer-91cd"
WRONG_KEY = "tg_support_canaryOfAWrongKey55"
STRANGE_KEY = "sk-proj-canaryOfSomebodysRealKey77"

SECRETS = {
    "prompt": PROMPT,
    "answer": ANSWER,
    "wrong key": WRONG_KEY.split("_")[2],
    "someone's real key": STRANGE_KEY,
    "openai's key": teams.OPENAI_KEY,
    "anthropic's key": teams.ANTHROPIC_KEY,
} | {f"{team}'s virtual key": key.split("_")[2] for team, key in teams.KEYS.items()}


@pytest.fixture(scope="module")
def busy(tmp_path_factory):
    """A gateway that logs all it can and has seen all that can happen; and what clients were told."""
    with Gateway(tmp_path_factory.mktemp("secrets"), log_level="trace") as gateway:
        yield gateway, exercise(gateway)


def exercise(gateway):
    """Served, refused, failed over, cut, unreadable: every way that a prompt or a key can take. Gives the refusals."""
    told = []
    for client in ("openai", "anthropic"):
        for model in ("gpt-4o-mini", "claude-alone"):
            gateway.openai.answers(ANSWER)
            gateway.anthropic.answers(ANSWER)
            for stream in (False, True):
                gateway.post(client, model, PROMPT, stream=stream)
        for fault in (faults.Status(429), faults.Status(500), faults.ErrorIn200(), faults.NotJson(), faults.Cut(0)):
            for stream in (False, True):
                gateway.anthropic.then(fault)
                gateway.post(client, "claude-sonnet", PROMPT, stream=stream)
        gateway.anthropic.then(faults.ErrorInStream("overloaded", after_events=5))
        gateway.post(client, "claude-sonnet", PROMPT, stream=True)
        for provider in gateway.providers:
            provider.always(faults.Status(503))
        told.append(gateway.post(client, "claude-sonnet", PROMPT))
        gateway.fresh()
        for team in ("expired", "disabled", "finance"):
            told.append(gateway.post(client, "claude-sonnet", PROMPT, team=team))
        told.append(gateway.post(client, "gpt-9", PROMPT))
        told.append(gateway.send("POST", "/v1/messages", gateway.headers(), f'{{"model": "{PROMPT}'))
        told.append(gateway.send("POST", f"/v1/{PROMPT}", gateway.headers(), f'"{PROMPT}"'))
        for key in (WRONG_KEY, STRANGE_KEY):
            told.append(
                gateway.send(
                    "POST", "/v1/messages", [("x-api-key", key)], json.dumps({"model": "x", "messages": PROMPT})
                )
            )
        told.append(gateway.post(client, "gpt-4o-mini", PROMPT, messages=[{"role": PROMPT, "content": PROMPT}]))
        told.append(gateway.post(client, "claude-alone", PROMPT, messages=[{"role": PROMPT, "content": PROMPT}]))
    return told


@pytest.mark.parametrize("secret", SECRETS)
def test_the_filters_log_does_not_tell(busy, secret):
    lines = [line for line in busy[0].envoy.log().splitlines() if "[wasm]" in line]
    assert lines, "the filter's log is there to be read"
    assert not [line for line in lines if SECRETS[secret] in line]


@pytest.mark.parametrize("secret", SECRETS)
def test_records_do_not_tell(busy, secret):
    assert SECRETS[secret] not in json.dumps(busy[0].envoy.records())


@pytest.mark.parametrize("secret", SECRETS)
def test_stats_do_not_tell(busy, secret):
    assert SECRETS[secret] not in busy[0].envoy.admin("/stats") + busy[0].envoy.prometheus()


@pytest.mark.parametrize("secret", [name for name in SECRETS if name != "prompt"])
def test_errors_do_not_tell(busy, secret):
    for answer in busy[1]:
        assert answer.status >= 400
        assert SECRETS[secret] not in repr(answer)


def test_our_own_errors_do_not_repeat_the_prompt(busy):
    ours = [answer for answer in busy[1] if answer.header("x-tollgate-provider") is None]
    assert ours and not [answer for answer in ours if PROMPT in repr(answer)]


@pytest.mark.parametrize("name", ["openai", "anthropic"])
def test_a_provider_that_refuses_our_key_does_not_show_it_to_the_client(tmp_path, monkeypatch, client, name):
    # OpenAI repeats a part of a key it does not know.
    wrong = "sk-proj-ourOwnKeyThatExpired-8842"
    monkeypatch.setitem(teams.CREDENTIALS, name, f"Bearer {wrong}" if name == "openai" else wrong)
    model = {"openai": "gpt-4o-mini", "anthropic": "claude-alone"}[name]
    with Gateway(tmp_path) as gateway:
        answer = gateway.post(client, model)
        assert answer.status >= 400 and answer.error["message"]
        assert "8842" not in repr(answer) and "sk-proj" not in repr(answer)
        assert answer.status != 401, "the client's own key is good"
        assert "8842" not in json.dumps(gateway.record())
