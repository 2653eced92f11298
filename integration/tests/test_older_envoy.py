"""The variant for Envoys before 1.40, `envoy/llm-aggregate.yaml`, on such an Envoy."""

import functools
import os
from pathlib import Path

import pytest

from harness import Bootstrap, teams
from harness.bootstrap import ROOT
from providers import faults

OLDER = Path(os.environ.get("ENVOY_OLDER", ROOT / ".tools/envoy-1.38/envoy/_bin/envoy"))
VARIANT = ROOT / "envoy" / "llm-aggregate.yaml"


@pytest.fixture
def gateway(start):
    """The variant, running."""
    assert OLDER.exists(), f"no older Envoy at {OLDER}: run `make tools`, or set ENVOY_OLDER"
    return start(bootstrap=functools.partial(Bootstrap, shipped=VARIANT), binary=OLDER)


def test_each_provider_answers(gateway, client):
    for model in ("gpt-4o-mini", "claude-alone"):
        assert gateway.sdk(client).ask(model).text == "You said: hello there"
        assert gateway.sdk(client).ask(model, stream=True).text == "You said: hello there"


@pytest.mark.parametrize("fault", [faults.Status(503), faults.ErrorIn200(), faults.Reset()], ids=repr)
def test_the_next_provider_answers_and_sees_nothing_of_the_first(gateway, client, fault):
    gateway.anthropic.then(fault)
    assert gateway.sdk(client).ask("claude-sonnet").text == "You said: hello there"
    (request,) = gateway.openai.requests
    assert request.path == "/v1/chat/completions"
    everything = repr(request.headers)
    assert teams.ANTHROPIC_KEY not in everything and teams.KEYS["support"] not in everything
    assert [attempt["outcome"] for attempt in gateway.record()["attempts"]] == ["failed", "served"]


def test_a_stream_that_begins_with_an_error_goes_to_the_next_provider(gateway, client):
    gateway.anthropic.then(faults.ErrorInStream("overloaded"))
    assert gateway.sdk(client).ask("claude-sonnet", stream=True).text == "You said: hello there"
