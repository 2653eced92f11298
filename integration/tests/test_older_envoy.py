"""The variant for Envoys before 1.40, `envoy/llm-aggregate.yaml`: on such an Envoy, and on the one that we ship for."""

import functools
import os
from pathlib import Path

import pytest

from harness import Bootstrap, Gateway, teams
from harness.bootstrap import ROOT, SHIPPED
from harness.envoy import default_binary
from providers import faults

OLDER = Path(os.environ.get("ENVOY_OLDER", ROOT / ".tools/envoy-older/envoy/_bin/envoy"))
VARIANT = ROOT / "envoy" / "llm-aggregate.yaml"

# Here a model says which cluster serves it; the last one names a provider less than its cluster has.
ROUTES = {"claude-sonnet": "providers", "gpt-4o": "providers", "gpt-4o-mini": "openai", "claude-alone": "anthropic"}
MODELS = {model: teams.MODELS[model] | {"route": route} for model, route in ROUTES.items()}
MODELS |= {
    "unserved": {"targets": [teams.MINI], "route": "providers"},
    "nowhere": {"targets": [teams.MINI], "route": "no-such-cluster"},
}

NEXT_ANSWERS = [faults.Status(429), faults.Status(503), faults.ErrorIn200(), faults.Reset()]


@pytest.fixture(scope="module", params=["older", "newest"])
def running(request, tmp_path_factory):
    """The variant, running on either Envoy."""
    binary = {"older": OLDER, "newest": default_binary()}[request.param]
    assert binary.exists(), f"no Envoy at {binary}: run `make tools`, or set ENVOY_OLDER"
    bootstrap = functools.partial(Bootstrap, shipped=VARIANT)
    with Gateway(tmp_path_factory.mktemp("older"), models=MODELS, bootstrap=bootstrap, binary=binary) as gateway:
        yield gateway


@pytest.fixture
def gateway(running):
    """The same, with nothing left of the test before."""
    running.fresh()
    yield running
    running.envoy.check()


def assert_own_key_only(provider):
    """One request came: with the provider's key in its place, and nobody else's anywhere."""
    (request,) = provider.requests
    shown = {name: request.header(name) for name in ("authorization", "x-api-key", "api-key", "x-goog-api-key")}
    place, key = {
        "openai": ("authorization", f"Bearer {teams.OPENAI_KEY}"),
        "anthropic": ("x-api-key", teams.ANTHROPIC_KEY),
    }[provider.NAME]
    assert {name: value for name, value in shown.items() if value} == {place: key}
    everything = repr(request.headers) + request.body.decode()
    assert "x-tollgate" not in everything and teams.KEYS["support"] not in everything


def test_the_variant_is_the_shipped_bootstrap_but_for_how_a_provider_is_chosen(tmp_path):
    ports = {"openai": 1, "anthropic": 2}
    shipped, variant = (Bootstrap(tmp_path, ports, teams.CREDENTIALS, shipped=path) for path in (SHIPPED, VARIANT))
    for model in variant.gate_config["models"].values():
        model.pop("route")
    assert variant.gate_config == shipped.gate_config
    for part in ("admin", "stats_config", "node"):
        assert variant.config[part] == shipped.config[part]
    steering = {"header_to_metadata", "set_filter_state"}
    names = [entry["name"] for entry in shipped.hcm["http_filters"] if entry["name"].split(".")[-1] not in steering]
    assert [entry["name"] for entry in variant.hcm["http_filters"]] == names


@pytest.mark.parametrize("model", ["gpt-4o-mini", "claude-alone"])
def test_each_provider_answers_and_gets_its_own_key_only(gateway, client, model):
    assert gateway.sdk(client).ask(model).text == "You said: hello there"
    assert_own_key_only(gateway.openai if model == "gpt-4o-mini" else gateway.anthropic)
    assert gateway.sdk(client).ask(model, stream=True).text == "You said: hello there"


@pytest.mark.parametrize("fault", NEXT_ANSWERS, ids=repr)
@pytest.mark.parametrize("model", ["claude-sonnet", "gpt-4o"])
def test_the_next_provider_answers_and_each_gets_its_own_key_only(gateway, client, model, fault):
    gateway.anthropic.then(fault)
    assert gateway.sdk(client).ask(model).text == "You said: hello there"
    for provider in gateway.providers:
        assert_own_key_only(provider)
    attempts = gateway.record()["attempts"]
    assert [(attempt["provider"], attempt["outcome"]) for attempt in attempts] == [
        ("anthropic", "failed"),
        ("openai", "served"),
    ]


def test_a_provider_that_refuses_connections_is_passed_over(gateway, client):
    gateway.anthropic.stop_listening()
    assert gateway.sdk(client).ask("claude-sonnet").text == "You said: hello there"
    assert_own_key_only(gateway.openai)


def test_a_stream_that_begins_with_an_error_goes_to_the_next_provider(gateway, client):
    gateway.anthropic.then(faults.ErrorInStream("overloaded"))
    assert gateway.sdk(client).ask("claude-sonnet", stream=True).text == "You said: hello there"
    assert_own_key_only(gateway.openai)


def test_a_mark_that_a_client_sends_gets_it_no_key(gateway, client):
    marks = [("x-tollgate-provider", "openai"), ("x-tollgate-route", "openai")]
    assert gateway.post(client, "claude-alone", headers=marks).status == 200
    assert_own_key_only(gateway.anthropic)
    assert not gateway.openai.requests


def test_when_all_providers_fail_the_client_gets_an_error_of_its_own_format(gateway, client):
    for provider in gateway.providers:
        provider.always(faults.Status(503))
    answer = gateway.post(client, "claude-sonnet")
    assert answer.status == 503 and answer.error["message"]
    assert [len(provider.requests) for provider in gateway.providers] == [1, 1]
    assert [attempt["outcome"] for attempt in gateway.record()["attempts"]] == ["failed", "failed"]


SPY = """
function envoy_on_request(request)
  for _, name in ipairs({"authorization", "x-api-key"}) do
    if request:headers():get(name) then request:respond({[":status"] = "418"}, "a key in sight") end
  end
end
"""


def put_spy_before_wasm(bootstrap):
    """A filter where ours stands, which answers 418 when it sees a key."""
    lua = "type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua"
    spy = {"name": "spy", "typed_config": {"@type": lua, "default_source_code": {"inline_string": SPY}}}
    for options in bootstrap.cluster("providers")["typed_extension_protocol_options"].values():
        names = [entry["name"] for entry in options["http_filters"]]
        options["http_filters"].insert(names.index("tollgate.provider"), spy)


def test_no_key_enters_wasm_not_even_that_of_the_attempt_before(start, client):
    gateway = start(put_spy_before_wasm, models=MODELS, bootstrap=functools.partial(Bootstrap, shipped=VARIANT))
    gateway.anthropic.then(faults.Status(503))
    assert gateway.post(client, "claude-sonnet").status == 200
    assert_own_key_only(gateway.openai)


# What the filter writes to the log is here what it should; everywhere else it fails the test.


@pytest.fixture
def misconfigured(start):
    """A gateway whose models and clusters do not fit."""
    bootstrap = functools.partial(Bootstrap, shipped=VARIANT)
    return start(models=MODELS, bootstrap=bootstrap, binary=OLDER, allow_crash=True)


def test_an_attempt_at_a_provider_that_the_model_does_not_name_is_refused_and_not_sent(misconfigured, client):
    answer = misconfigured.post(client, "unserved")
    assert answer.status == 500 and answer.error["message"]
    assert not misconfigured.openai.requests and not misconfigured.anthropic.requests
    assert misconfigured.record()["answer"]["end"] == "failed"
    assert "a provider that the model's targets do not name" in misconfigured.envoy.log()


def test_a_model_whose_cluster_does_not_exist_is_refused_and_not_sent(misconfigured, client):
    assert misconfigured.post(client, "nowhere").status == 503
    assert not misconfigured.openai.requests and not misconfigured.anthropic.requests
    assert misconfigured.record()["answer"]["end"] == "failed"
