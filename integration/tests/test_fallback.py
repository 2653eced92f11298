"""One provider fails, the next one answers, and of the failed attempt nothing is seen on either side."""

import json
import time

import pytest

from harness import Gateway, teams
from providers import faults

# Anthropic first, then OpenAI; and the other way round.
ORDERS = {"claude-sonnet": ("anthropic", "openai"), "gpt-4o": ("openai", "anthropic")}

FAILS_ANY = [
    faults.Status(429, retry_after=30),
    faults.Status(500),
    faults.Status(502),
    faults.Status(503),
    faults.Status(529),
    faults.Reset(),
    faults.EmptyOk(),
    faults.NotJson(),
    faults.ErrorIn200(),
]
FAILS_PLAIN = [faults.Cut(0), faults.Cut(0, clean=True)]
FAILS_STREAM = [
    faults.ErrorInStream("overloaded"),
    faults.ErrorInStream("rate_limit"),
    faults.ErrorInStream("server", after_events=1),
    faults.Cut(0),
    faults.Cut(1),
    faults.Cut(0, clean=True),
    faults.Cut(1, clean=True),
]
FAILURES = [(fault, False) for fault in FAILS_ANY + FAILS_PLAIN] + [(fault, True) for fault in FAILS_ANY + FAILS_STREAM]


def label(value):
    return {True: "streamed", False: "plain"}.get(value, repr(value)) if not isinstance(value, str) else value


def order(gateway, model):
    """The providers in the order in which they are asked."""
    return [getattr(gateway, name) for name in ORDERS[model]]


def text_of(client, answer, stream):
    """What the client reads, by the simplest parser that can."""
    if not stream:
        body = json.loads(answer)
        return body["content"][0]["text"] if client == "anthropic" else body["choices"][0]["message"]["content"]
    events = [json.loads(line[6:]) for line in answer.decode().splitlines() if line.startswith("data: {")]
    if client == "anthropic":
        return "".join(event["delta"].get("text", "") for event in events if event["type"] == "content_block_delta")
    return "".join(event["choices"][0]["delta"].get("content") or "" for event in events if event.get("choices"))


def assert_second_served(gateway, client, model, answer, stream):
    first, second = order(gateway, model)
    assert answer.status == 200
    assert text_of(client, answer.body, stream) == "You said: hello there"
    assert len(first.requests) == len(second.requests) == 1
    shown = b"".join(name.encode() + value.encode() for name, value in answer.headers) + answer.body
    assert b"rror" not in shown and b"nginx" not in shown
    assert f"{first.NAME}-edge".encode() not in shown and f"{first.NAME}-visitor".encode() not in shown
    failed, served = gateway.record()["attempts"]
    assert (failed["provider"], failed["outcome"]) == (first.NAME, "failed") and failed["reason"]
    assert (served["provider"], served["outcome"], served["status"]) == (second.NAME, "served", 200)


@pytest.mark.parametrize("model", ORDERS)
@pytest.mark.parametrize(("fault", "stream"), FAILURES, ids=label)
def test_nothing_of_the_failed_attempt_reaches_the_client(gateway, client, model, fault, stream):
    order(gateway, model)[0].then(fault)
    answer = gateway.post(client, model, stream=stream)
    assert_second_served(gateway, client, model, answer, stream)


@pytest.mark.parametrize("model", ORDERS)
def test_a_provider_that_refuses_connections_is_passed_over(gateway, client, model):
    order(gateway, model)[0].stop_listening()
    assert gateway.post(client, model).status == 200
    assert [attempt["outcome"] for attempt in gateway.record()["attempts"]] == ["failed", "served"]


@pytest.mark.parametrize("model", ORDERS)
@pytest.mark.parametrize("fault", [faults.Status(503), faults.ErrorIn200()], ids=repr)
def test_second_provider_never_sees_what_belongs_to_the_first(gateway, client, model, fault):
    first, second = order(gateway, model)
    first.then(fault)
    own_headers = {"openai": ("openai-organization", "org-of-the-client"), "anthropic": ("anthropic-beta", "some-2026")}
    gateway.post(client, model, headers=[own_headers[client], ("cookie", "session=1")])
    (before,), (after,) = first.requests, second.requests
    assert after.path == {"openai": "/v1/chat/completions", "anthropic": "/v1/messages"}[second.NAME]
    assert after.header("host") == {"openai": "api.openai.com", "anthropic": "api.anthropic.com"}[second.NAME]
    for request, own in ((before, first), (after, second)):
        everything = repr(request.headers) + request.body.decode()
        others = [first, second]
        others.remove(own)
        assert others[0].key not in everything
        assert teams.KEYS["support"] not in everything and teams.KEYS["support"].split("_")[2] not in everything
        assert "x-tollgate" not in everything and "session=1" not in everything
        foreign = "openai-" if own.NAME == "anthropic" else "anthropic-"
        assert not [name for name, _ in request.headers if name.lower().startswith(foreign)]
        credentials = {"authorization", "x-api-key", "api-key", "x-goog-api-key"}
        assert len([name for name, _ in request.headers if name.lower() in credentials]) == 1


# What belongs to a format, and what belongs to nobody but the client.
FORMAT_HEADERS = {"openai": [("openai-beta", "some=v1")], "anthropic": [("anthropic-beta", "some-2026-01-01")]}
ACCOUNT_HEADERS = [("openai-organization", "org-of-the-client"), ("openai-project", "proj-of-the-client")]


@pytest.mark.parametrize("model", ORDERS)
def test_a_header_of_one_format_never_reaches_a_provider_of_another(gateway, client, model):
    first, second = order(gateway, model)
    first.then(faults.Status(503))
    sent = [*FORMAT_HEADERS["openai"], *FORMAT_HEADERS["anthropic"], ("anthropic-version", "2023-06-01")]
    assert gateway.post(client, model, headers=[*sent, *ACCOUNT_HEADERS]).status == 200
    for provider in (first, second):
        (request,) = provider.requests
        came = {name.lower(): value for name, value in request.headers if name.lower().split("-")[0] in FORMAT_HEADERS}
        came.pop("anthropic-version" if provider.NAME == "anthropic" else "", None)
        assert came == dict(FORMAT_HEADERS[client] if provider.NAME == client else [])


@pytest.mark.parametrize("model", ORDERS)
def test_each_attempt_gets_the_whole_request_in_its_own_format(gateway, client, model):
    first, second = order(gateway, model)
    first.then(faults.Status(500))
    gateway.post(client, model, "word " * 1000)
    for provider in (first, second):
        (request,) = provider.requests
        assert ("word " * 1000).strip() in json.dumps(request.json)
        assert request.json["model"] == {"openai": "gpt-4o", "anthropic": "claude-sonnet-5-5"}[provider.NAME]


@pytest.mark.parametrize("stream", [False, True], ids=label)
@pytest.mark.parametrize(
    "fault", [faults.Status(503), faults.Status(429), faults.Reset(), faults.ErrorIn200()], ids=repr
)
def test_when_all_providers_fail_the_client_gets_an_error_of_its_own_format(gateway, client, fault, stream):
    for provider in gateway.providers:
        provider.always(fault)
    answer = gateway.post(client, "claude-sonnet", stream=stream)
    assert answer.status == 429 or answer.status >= 500
    assert answer.error["message"] and answer.error["type"]
    assert client == "openai" or answer.json["type"] == "error"
    record = gateway.record()
    assert [attempt["outcome"] for attempt in record["attempts"]] == ["failed", "failed"]
    assert [attempt["provider"] for attempt in record["attempts"]] == ["anthropic", "openai"]
    assert record["answer"]["end"] == "failed"


def test_when_no_provider_listens_the_client_gets_an_error_of_its_own_format(gateway, client):
    for provider in gateway.providers:
        provider.stop_listening()
    answer = gateway.post(client, "claude-sonnet")
    assert answer.status >= 500 and answer.error["message"]
    assert [attempt["outcome"] for attempt in gateway.record()["attempts"]] == ["failed", "failed"]


def test_a_request_that_is_the_clients_fault_is_not_tried_elsewhere(gateway, client):
    gateway.anthropic.then(faults.Status(400))
    answer = gateway.post(client, "claude-sonnet")
    assert answer.status == 400 and answer.error["message"]
    assert not gateway.openai.requests


def test_what_cannot_be_translated_is_refused_by_name_and_not_tried_elsewhere(gateway, client):
    model = {"openai": "claude-alone", "anthropic": "gpt-4o-mini"}[client]
    answer = gateway.post(client, model, messages=[{"role": "wizard", "content": "hello"}])
    assert answer.status == 400 and "messages[0].role" in answer.error["message"]
    assert not gateway.openai.requests and not gateway.anthropic.requests
    assert gateway.record()["answer"]["bytes"] == len(answer.body)


@pytest.mark.parametrize(
    "fault",
    [
        faults.ErrorInStream("overloaded", after_events=5),
        faults.Cut(5),
        faults.Cut(5, clean=True),
    ],
    ids=repr,
)
def test_after_the_first_word_nothing_is_spliced(gateway, client, fault):
    gateway.anthropic.then(fault)
    with gateway.stream(client, "claude-sonnet") as stream:
        received = b""
        try:
            for _, chunk in stream.chunks():
                received += chunk
        except Exception:  # a reset is as good as an error event
            pass
    assert text_of(client, received, True).startswith("You")
    assert not gateway.openai.requests
    # The client can tell: an error of its format at the end, or no proper end.
    ended = b"[DONE]" if client == "openai" else b"message_stop"
    assert ended not in received
    record = gateway.record()
    assert [attempt["outcome"] for attempt in record["attempts"]] == ["cut"]
    assert record["answer"]["end"] == "cut"
    assert record["cost"]["nano_usd"] > 0 and record["cost"]["certainty"] in ("partial", "estimated")


def test_an_error_after_the_first_word_is_an_error_event_of_the_clients_format(gateway, client):
    gateway.anthropic.then(faults.ErrorInStream("overloaded", after_events=5))
    with gateway.stream(client, "claude-sonnet") as stream:
        last = stream.read().decode().strip().split("\n\n")[-1]
    error = json.loads(last.split("data: ")[1])
    assert error["error"]["message"]
    assert client == "openai" or last.startswith("event: error")


@pytest.fixture(scope="module")
def hasty(tmp_path_factory):
    """A gateway that waits 300 ms for a first event and holds 2 KiB."""
    bounds = {"first_event_ms": 300, "held_bytes": 2048}
    with Gateway(tmp_path_factory.mktemp("hasty"), lambda bootstrap: bootstrap.gate(bounds=bounds)) as gateway:
        yield gateway


@pytest.mark.parametrize("fault", [faults.Delay(5, "first_event"), faults.PingsOnly(5)], ids=repr)
@pytest.mark.parametrize("model", ORDERS)
def test_a_stream_that_does_not_begin_in_time_is_given_up(hasty, client, model, fault):
    hasty.fresh()
    order(hasty, model)[0].then(fault)
    began = time.monotonic()
    answer = hasty.post(client, model, stream=True)
    assert 0.2 < time.monotonic() - began < 3
    assert_second_served(hasty, client, model, answer, True)


def test_a_stream_that_says_nothing_at_length_is_given_up(hasty, client):
    hasty.fresh()
    hasty.anthropic.then(faults.PingsOnly(0.25, every=0.001))
    answer = hasty.post(client, "claude-sonnet", stream=True)
    assert_second_served(hasty, client, "claude-sonnet", answer, True)


def test_a_provider_that_does_not_answer_in_time_is_given_up(start, client):
    def change(bootstrap):
        bootstrap.route["route"]["retry_policy"]["per_try_timeout"] = "0.3s"

    gateway = start(change)
    gateway.anthropic.then(faults.Delay(5))
    answer = gateway.post(client, "claude-sonnet")
    assert_second_served(gateway, client, "claude-sonnet", answer, False)


def test_a_client_cannot_switch_the_fallback_off(gateway, client):
    gateway.anthropic.then(faults.Status(503))
    headers = [("x-envoy-max-retries", "0"), ("x-envoy-retry-on", "never"), ("x-envoy-upstream-rq-timeout-ms", "1")]
    assert_second_served(
        gateway, client, "claude-sonnet", gateway.post(client, "claude-sonnet", headers=headers), False
    )


def test_a_client_cannot_order_more_attempts(gateway, client):
    gateway.openai.always(faults.Status(503))
    answer = gateway.post(client, "gpt-4o-mini", headers=[("x-envoy-max-retries", "50"), ("x-envoy-retry-on", "5xx")])
    assert answer.status == 503 and len(gateway.openai.requests) == 1
