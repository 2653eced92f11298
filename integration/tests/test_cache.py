"""What was answered once is answered again: the same, to the same team, for nothing, and only what was whole."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from hashlib import sha256
from itertools import product

import pytest

from harness import everyone, teams
from harness.gateway import ask, path
from harness.money import nano_usd
from harness.sdks import SDKS
from providers import Usage, faults

CLIENTS = list(SDKS)
PROVIDERS = ["openai", "openai-responses", "anthropic", "gemini", "bedrock", "compatible"]
# Who hears thoughts, and who has them.
THINKING = [client for client in CLIENTS if client != "openai"]
THINKERS = ["openai-responses", "anthropic", "gemini", "bedrock"]

# Who speaks each client's format.
OWN = {
    "openai": "openai",
    "responses": "openai-responses",
    "anthropic": "anthropic",
    "gemini": "gemini",
    "bedrock": "bedrock",
}
# How each client asks for a temperature.
AT = {
    "openai": lambda degrees: {"temperature": degrees},
    "responses": lambda degrees: {"temperature": degrees},
    "anthropic": lambda degrees: {"temperature": degrees},
    "gemini": lambda degrees: {"generationConfig": {"temperature": degrees}},
    "bedrock": lambda degrees: {"inferenceConfig": {"temperature": degrees}},
}
TOOL = {
    "openai": {"tools": [{"type": "function", "function": {"name": "look"}}]},
    "responses": {"tools": [{"type": "function", "name": "look", "parameters": {"type": "object"}, "strict": False}]},
    "anthropic": {"tools": [{"name": "look", "input_schema": {"type": "object"}}]},
    "gemini": {"tools": [{"functionDeclarations": [{"name": "look"}]}]},
    "bedrock": {"toolConfig": {"tools": [{"toolSpec": {"name": "look", "inputSchema": {"json": {"type": "object"}}}}]}},
}

every_client = pytest.mark.parametrize("client", CLIENTS)
every_provider = pytest.mark.parametrize("provider", PROVIDERS)
# All that the filter needs of Envoy but the store.
WITHOUT_STORE = [
    *(f"proxy_on_{name}" for name in ("configure", "context_create", "delete", "done", "log", "memory_allocate")),
    *(f"proxy_on_{way}_{part}" for way in ("request", "response") for part in ("headers", "body", "trailers")),
    *(f"proxy_{name}_header_map_pairs" for name in ("get", "set")),
    *(f"proxy_{name}_header_map_value" for name in ("replace", "remove")),
    *(f"proxy_{name}" for name in ("get_property", "set_property", "get_buffer_bytes", "set_buffer_bytes")),
    *(f"proxy_{name}_metric" for name in ("define", "increment", "record")),
    *(f"proxy_{name}" for name in ("continue_stream", "send_local_response", "set_effective_context", "log", "done")),
    *("proxy_on_vm_start", "proxy_on_tick", "proxy_set_tick_period_milliseconds"),
    *("proxy_get_current_time_nanoseconds", "_initialize"),
]

plain_and_streamed = pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])


@pytest.fixture
def gateway(shared_with_cache):
    """Every provider, every model with a cache, two workers."""
    yield from shared_with_cache.lend()


@pytest.fixture
def text(request):
    """A question that no other test asks, and the same whenever the test runs: so is its slot."""
    return f"question {sha256(request.node.nodeid.encode()).hexdigest()[:16]}"


def cached(gateway, client, model, text, **more):
    """Asks at temperature 0; what the cache did and the answer."""
    more = AT[client](0) | more
    answer = gateway.post(client, model, text, **more)
    assert answer.status == 200, answer.body
    return answer.header("x-tollgate-cache"), answer


def asked(gateway):
    """How many requests all providers together got."""
    return sum(len(provider.requests) for provider in gateway.providers if provider.NAME != "gcp-metadata")


# The same answer.


@every_client
@every_provider
def test_every_sdk_hears_the_same_again_plain_and_streamed(gateway, client, provider, text):
    sdk = gateway.sdk(client)
    for count, first in ((1, False), (4, True)):
        text = f"{text} first {first}"
        said = sdk.ask(f"{provider}-any", text, first)
        gateway.records(count)  # kept when the exchange is over, for which an SDK that has the last event does not wait
        assert said.text == f"You said: {text}"
        for again in (False, True):
            assert replace(sdk.ask(f"{provider}-any", text, again), turn=[]) == replace(said, turn=[])
    assert len(gateway.servers[provider].requests) == 2
    statuses = [record["cache"]["status"] for record in gateway.records(6)]
    assert statuses == ["miss", "hit", "hit"] * 2


# Gemini has no `strict`, which the SDK of Responses always says of a tool: what it answers is not what was asked.
TOLD_ALL = [pair for pair in product(CLIENTS, PROVIDERS) if pair != ("responses", "gemini")]


@pytest.mark.parametrize(("client", "provider"), TOLD_ALL)
@plain_and_streamed
def test_calls_of_tools_are_heard_again_and_go_on(gateway, client, provider, stream, text):
    sdk, text = gateway.sdk(client), f"use weather and stocks for {text}"
    options, history = sdk.tools(["weather", "stocks"]), [sdk._said(text)]
    for count in (1, 4):
        first = sdk.create(f"{provider}-any", history, stream, **options)
        gateway.records(count)
        for again in (stream, not stream):
            hit = sdk.create(f"{provider}-any", history, again, **options)
            assert replace(hit, turn=[]) == replace(first, turn=[])
        history += [*hit.turn, *sdk.results(hit.calls)]
    assert first.text == "The tool said: weather is fine stocks is fine"
    assert [record["cache"]["status"] for record in gateway.records(6)] == ["miss", "hit", "hit"] * 2


@pytest.mark.parametrize(("client", "provider"), [(c, p) for c, p in TOLD_ALL if c in THINKING and p in THINKERS])
@plain_and_streamed
def test_a_thought_that_is_heard_again_is_still_its_thinkers_own(gateway, client, provider, stream, text):
    sdk, text = gateway.sdk(client), f"use weather for {text}"
    model = f"{provider}-thinks-any"
    question, options = [sdk._said(text)], sdk.tools(["weather"]) | sdk.thinking()
    first = sdk.create(model, question, stream, **options)
    gateway.record()
    hits = [sdk.create(model, question, again, **options) for again in (False, True)]
    for again, hit in enumerate(hits):
        assert replace(hit, turn=[]) == replace(first, turn=[]) and hit.thought == f"{text} makes me think"
        then = sdk.create(model, [*question, *hit.turn, *sdk.results(hit.calls)], bool(again), **options)
        assert then.text == "The tool said: weather is fine"
        # The provider itself proved that it is its own: it refuses any other.
        assert gateway.servers[provider].requests[-1].prompt.thoughts == (f"{text} makes me think",)
    assert [record["cache"]["status"] for record in gateway.records(5)][:3] == ["miss", "hit", "hit"]


@every_client
@every_provider
def test_a_plain_answer_is_the_same_byte_for_byte(gateway, client, provider, text):
    (first, miss), (second, hit) = (cached(gateway, client, f"{provider}-any", text) for _ in range(2))
    assert (first, second) == ("miss", "hit")
    assert hit.body == miss.body
    assert hit.header("content-type") == "application/json"
    assert hit.header("content-length") == str(len(hit.body))


def test_a_large_answer_is_heard_again(start, text):
    gateway = start(
        lambda bootstrap: bootstrap.gate(cache={"slots": 8, "entry_bytes": 1 << 20}),
        models={"openai": everyone.MODELS["openai"] | {"cache": {"any_temperature": True}}},
        keys=[teams.key("support", ["*"])],
    )
    gateway.openai.answers("x" * 900_000, usage=Usage(input=2, output=20_000))
    for client in CLIENTS:
        sdk = gateway.sdk(client)
        said = sdk.ask("openai", text, stream=False)
        assert replace(sdk.ask("openai", text, stream=True), turn=[]) == replace(said, turn=[])
        assert replace(sdk.ask("openai", text, stream=False), turn=[]) == replace(said, turn=[])
    assert [record["cache"]["status"] for record in gateway.records(15)] == ["miss", "hit", "hit"] * 5


@every_client
def test_two_workers_know_the_same(gateway, client, text):
    assert cached(gateway, client, OWN[client], text)[0] == "miss"
    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(lambda _: cached(gateway, client, OWN[client], text)[0], range(32)))
    assert told == ["hit"] * 32
    accepted = [count for name, count in gateway.envoy.stats().items() if name.endswith("downstream_cx_total") and "worker" in name]
    assert sum(count > 0 for count in accepted) >= 2, accepted


def test_embeddings_are_given_again(gateway, text):
    def embed():
        body = json.dumps({"model": "text-embedding-3-small", "input": text})
        return gateway.send("POST", "/v1/embeddings", gateway.headers(), body)

    miss, hit = embed(), embed()
    assert (miss.status, miss.header("x-tollgate-cache"), hit.header("x-tollgate-cache")) == (200, "miss", "hit")
    assert miss.body == hit.body
    assert len(gateway.openai.requests) == 1


def test_an_answer_is_given_again_when_all_providers_are_down(gateway, text):
    model = "openai-or-another"
    assert cached(gateway, "anthropic", model, text)[0] == "miss"
    for name in ("openai", "anthropic"):
        gateway.servers[name].stop_listening()
    assert cached(gateway, "anthropic", model, text)[0] == "hit"
    assert gateway.post("anthropic", model, f"{text} else", **AT["anthropic"](0)).status == 503


# To whom.


def test_two_teams_never_share(gateway, text):
    for team, told in [("support", "miss"), ("support", "hit"), ("research", "miss"), ("research", "hit")]:
        assert cached(gateway, "openai", "openai", text, team=team)[0] == told, team


def test_names_of_teams_that_run_together_are_still_apart(start, text):
    subjects = {
        "support": {"team": "ab", "feature": "c"},
        "research": {"team": "a", "feature": "bc"},
        "finance": {"team": "abc"},
    }
    gateway = start(
        lambda bootstrap: bootstrap.gate(cache={"per": ["team", "feature"]}),
        models={"openai": everyone.MODELS["openai"] | {"cache": {}}},
        keys=[teams.key(team, ["*"], subject=subject) for team, subject in subjects.items()],
    )
    for team, told in [("support", ["miss", "hit"]), ("research", ["miss", "hit"]), ("finance", ["bypass"] * 2)]:
        assert [cached(gateway, "openai", "openai", text, team=team)[0] for _ in range(2)] == told
    assert gateway.records(6)[5]["cache"] == {"status": "bypass", "reason": "no_tenant"}
    assert len(gateway.openai.requests) == 4


# To what.


def test_white_space_and_delivery_do_not_count_and_everything_else_does(gateway, text):
    question = ask("openai", "openai", text) | {"temperature": 0}

    def told(question, more=(), **layout):
        answer = gateway.send(
            "POST", path("openai", ""), gateway.headers(more=list(more)), json.dumps(question, **layout)
        )
        return answer.header("x-tollgate-cache")

    assert told(question) == "miss"
    assert told(question, indent=3) == told(question, separators=(",", ":")) == "hit"
    assert told(dict(reversed(question.items()))) == "hit"
    assert told(question | {"stream": False}) == told(question | {"stream": True}) == "hit"
    assert told(question | {"stream": True, "stream_options": {"include_usage": True}}) == "hit"
    assert told(question, [("user-agent", "x"), ("traceparent", f"00-{'1' * 32}-{'2' * 16}-01")]) == "hit"
    for other in [
        ask("openai", "openai", f"{text} ") | {"temperature": 0},
        ask("openai", "openai", text.upper()) | {"temperature": 0},
        question | {"temperature": 0.0},
        question | {"max_completion_tokens": 100},
        question | {"seed": 1},
        question | {"user": "somebody"},
        question | {"metadata": {"stream": "true"}},
        question | {"model": "openai-any"},
    ]:
        assert told(other) == "miss", other
    assert told(question, [("openai-beta", "assistants=v2")]) == "miss"


def test_two_formats_have_each_their_own_answer(gateway, text):
    for client in CLIENTS:
        assert [cached(gateway, client, "openai", text)[0] for _ in range(2)] == ["miss", "hit"]


BYPASSED = [
    ("several_answers", "openai", {"n": 2}),
    ("several_answers", "gemini", {"generationConfig": {"temperature": 0, "candidateCount": 2}}),
    ("kept_at_provider", "openai", {"store": True}),
    ("kept_at_provider", "responses", {"store": True}),
    ("no_store", "openai", {"headers": [("cache-control", "max-age=60"), ("cache-control", "NO-STORE")]}),
    *(("temperature", client, AT[client](0.5)) for client in CLIENTS),
    *(("tools", client, TOOL[client]) for client in CLIENTS),
]


@pytest.mark.parametrize(("reason", "client", "more"), BYPASSED, ids=[f"{r}-{c}" for r, c, _ in BYPASSED])
@plain_and_streamed
def test_what_may_be_answered_otherwise_is_not_answered_again(gateway, reason, client, more, stream, text):
    for _ in range(2):
        assert cached(gateway, client, OWN[client], text, stream=stream, **more)[0] == "bypass"
    for record in gateway.records(2):
        assert record["cache"] == {"status": "bypass", "reason": reason}
    assert asked(gateway) == 2


@pytest.mark.parametrize("client", CLIENTS)
def test_without_a_temperature_an_answer_may_be_another(gateway, client, text):
    for _ in range(2):
        assert gateway.post(client, OWN[client], text).header("x-tollgate-cache") == "bypass"


@pytest.mark.parametrize("field", ["previous_response_id", "conversation", "prompt"])
def test_what_begins_at_the_provider_is_not_answered_again(gateway, field, text):
    value = {"id": "pmpt_1"} if field == "prompt" else "kept_1"
    answer = gateway.post("responses", "openai-responses", text, **AT["responses"](0), **{field: value})
    assert answer.header("x-tollgate-cache") == "bypass"
    assert gateway.record()["cache"] == {"status": "bypass", "reason": "kept_at_provider"}


def test_a_model_without_a_cache_says_nothing_of_one(gateway, text):
    for _ in range(2):
        assert cached(gateway, "openai", "openai-uncached", text)[0] is None
    assert all("cache" not in record for record in gateway.records(2))
    assert asked(gateway) == 2


@pytest.mark.parametrize(
    ("value", "told", "kept"),
    [
        ("no-store", "bypass", False),
        ("No-Cache", "bypass", True),
        ("private , no-cache", "bypass", True),
        ("max-age=0", "bypass", True),
        ("max-age=3600", "hit", False),
        ("max-age=nonsense", "bypass", True),
        ("max-stale=5, x-no-store", "hit", False),
    ],
)
def test_the_clients_cache_control_is_honoured_and_goes_no_further(gateway, value, told, kept, text):
    assert cached(gateway, "openai", "openai", text)[0] == "miss"
    gateway.openai.answers(f"another {text}", usage=Usage(input=2, output=3))
    headers = [("cache-control", value)]
    assert cached(gateway, "openai", "openai", text, headers=headers)[0] == told
    assert gateway.records(2)[1]["cache"].get("stored", False) is kept
    last, answer = cached(gateway, "openai", "openai", text)
    said = answer.json["choices"][0]["message"]["content"]
    assert (last, said) == ("hit", f"another {text}" if kept else f"You said: {text}")
    assert all(request.header("cache-control") is None for request in gateway.openai.requests)


def test_an_answer_lives_as_long_as_the_configuration_says(start, text):
    gateway = start(
        models={"openai": everyone.MODELS["openai"] | {"cache": {"ttl": 1}}}, keys=[teams.key("support", ["*"])]
    )
    assert [cached(gateway, "openai", "openai", text)[0] for _ in range(2)] == ["miss", "hit"]
    time.sleep(1.05)
    assert [cached(gateway, "openai", "openai", text)[0] for _ in range(2)] == ["miss", "hit"]


# Which answers.

BROKEN = [
    faults.Status(500),
    faults.ErrorIn200(),
    faults.Cut(3),
    faults.Cut(3, clean=True),
    faults.EmptyOk(),
    faults.NotJson(),
    faults.Reset(),
]
BROKEN_STREAMS = [faults.ErrorInStream(after_events=after) for after in (0, 3)]

# Each client with a provider of its own format, and with one of another.
OWN_AND_OTHER = [*OWN.items(), *((client, "anthropic" if client == "openai" else "openai") for client in CLIENTS)]


@pytest.mark.parametrize(("client", "provider"), OWN_AND_OTHER)
@pytest.mark.parametrize(
    ("fault", "stream"),
    [*product(BROKEN, [False, True]), *product(BROKEN_STREAMS, [True])],
    ids=lambda value: value if isinstance(value, str) else repr(value),
)
def test_an_answer_that_broke_is_not_kept(gateway, client, provider, fault, stream, text):
    gateway.servers[provider].then(fault)
    try:
        gateway.post(client, f"{provider}-any", text, stream=stream)
    except Exception as error:  # noqa: BLE001 - however the client's side puts it
        assert "Incomplete" in repr(error) or isinstance(error, ConnectionError), error
    assert "stored" not in gateway.record()["cache"]
    answer = gateway.post(client, f"{provider}-any", text, stream=stream)
    assert (answer.status, answer.header("x-tollgate-cache")) == (200, "miss")
    assert gateway.records(2)[1]["cache"]["stored"] is True


@pytest.mark.parametrize(("client", "provider"), OWN_AND_OTHER)
def test_a_stream_that_its_client_left_is_not_kept(gateway, client, provider, text):
    gateway.servers[provider].then(faults.Delay(0.1, before="each_event"))
    with gateway.stream(client, f"{provider}-any", text) as stream:
        next(stream.chunks())
    record = gateway.record()
    assert record["answer"]["end"] == "client_gone"
    assert "stored" not in record["cache"]
    assert gateway.post(client, f"{provider}-any", text, stream=True).header("x-tollgate-cache") == "miss"


@every_client
@plain_and_streamed
def test_an_answer_that_was_cut_short_is_not_kept(gateway, client, stream, text):
    gateway.openai.always()
    gateway.openai.answers(text, usage=Usage(input=2, output=3), stop="length")
    for _ in range(2):
        assert gateway.post(client, "openai-any", text, stream=stream).header("x-tollgate-cache") == "miss"
    gateway.openai.answers(text, usage=Usage(input=2, output=3), stop="refusal")
    for _ in range(2):
        assert gateway.post(client, "openai-any", text, stream=stream).header("x-tollgate-cache") == "miss"


@plain_and_streamed
def test_the_next_providers_answer_is_kept_and_nothing_of_the_one_that_failed(gateway, stream, text):
    gateway.openai.then(faults.ErrorInStream() if stream else faults.ErrorIn200())
    # Claude is asked without a temperature: only where any may be answered again, the answer is.
    assert cached(gateway, "openai", "openai-or-another-any", text, stream=stream)[0] == "miss"
    told, answer = cached(gateway, "openai", "openai-or-another-any", text)
    assert told == "hit" and answer.json["choices"][0]["message"]["content"] == f"You said: {text}"
    assert answer.json["model"].startswith("claude")


@plain_and_streamed
def test_an_answer_that_is_too_large_is_not_kept_and_arrives(gateway, stream, text):
    gateway.openai.always(faults.Huge(70_000))
    for _ in range(2):
        answer = gateway.post("openai", "openai-any", text, stream=stream)
        assert answer.header("x-tollgate-cache") == "miss" and b"x" * 1000 in answer.body


# What is told.


@every_client
@plain_and_streamed
def test_a_hit_costs_nothing_and_tells_what_it_saved(gateway, client, stream, text):
    usage = Usage(input=1234, output=567, cache_read=89)
    gateway.openai.answers(text, usage=usage)
    cost = nano_usd(usage, everyone.PRICE)
    before = saved(gateway)
    miss = gateway.post(client, "openai-any", text, stream=stream)
    hit = gateway.post(client, "openai-any", text, stream=stream)
    first, second = gateway.records(2)
    assert (first["cost"]["nano_usd"], first["cache"]) == (cost, {"status": "miss", "stored": True})
    age = second["cache"].pop("age_s")
    assert second["cache"] == {"status": "hit", "saved_nano_usd": cost}
    assert second["cost"] == {
        "nano_usd": 0,
        "usd": "0.00",
        "certainty": "exact",
        "price": "priced",
        "unpriced": False,
    }
    assert (second["attempts"], second["decision"]["reason"], second["answer"]["end"]) == ([], "cache_hit", "complete")
    assert second["answer"]["bytes"] == len(hit.body)
    assert hit.header("age") == str(age) and 0 <= age < 10
    assert round(float(hit.header("x-tollgate-saved-usd")) * 1e9) == cost
    assert miss.header("age") is None and miss.header("x-tollgate-saved-usd") is None
    assert saved(gateway) == before + cost


def test_what_the_cache_did_is_counted_with_labels(gateway, text):
    def counted():
        series = gateway.envoy.metrics("tollgate_llm_cache_total")
        return {labels["outcome"]: value for labels, value in series if labels["model"] == "openai"}

    before = counted()
    cached(gateway, "openai", "openai", text)
    cached(gateway, "openai", "openai", text)
    cached(gateway, "openai", "openai", text)
    cached(gateway, "openai", "openai", text, temperature=1)
    gateway.records(4)
    after = counted()
    grown = {outcome: count - before.get(outcome, 0) for outcome, count in after.items()}
    assert {outcome: count for outcome, count in grown.items() if count} == {"miss": 1, "hit": 2, "bypass": 1}
    labels = {frozenset(labels) for labels, _ in gateway.envoy.metrics("tollgate_llm_cache_total")}
    assert labels == {frozenset({"model", "outcome"})}
    labels = {frozenset(labels) for labels, _ in gateway.envoy.metrics("tollgate_llm_cache_saved_nano_usd_total")}
    assert labels == {frozenset({"team", "model"})}


def test_without_the_store_requests_go_on(start, text):
    def deny(bootstrap):
        bootstrap.gate(models={"openai": everyone.MODELS["openai"] | {"cache": {}}})
        for plugin in bootstrap.plugins():
            plugin["capability_restriction_config"] = {"allowed_capabilities": dict.fromkeys(WITHOUT_STORE, {})}

    gateway = start(deny, keys=[teams.key("support", ["*"])], models=None, allow_crash=True)
    for _ in range(2):
        assert cached(gateway, "openai", "openai", text)[0] == "miss"
    for record in gateway.records(2):
        assert record["cache"] == {"status": "miss", "reason": "unavailable"}
    ((labels, count),) = gateway.envoy.metrics("tollgate_llm_cache_total")
    assert (labels["outcome"], count) == ("unavailable", 2)


def test_slots_are_few_and_the_newest_answer_has_its_place(start, text):
    gateway = start(
        lambda bootstrap: bootstrap.gate(cache={"slots": 1}),
        models={"openai": everyone.MODELS["openai"] | {"cache": {}}},
        keys=[teams.key("support", ["*"])],
    )
    one, other = text, f"{text} else"
    told = [cached(gateway, "openai", "openai", asked)[0] for asked in (one, one, other, other, one)]
    assert told == ["miss", "hit", "miss", "hit", "miss"]


def saved(gateway):
    """Nano-dollars that all hits together saved."""
    return sum(value for _, value in gateway.envoy.metrics("tollgate_llm_cache_saved_nano_usd_total"))
