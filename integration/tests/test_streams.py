"""Streams stay streams: each token arrives when the provider sends it, whatever the wire does."""

import json
import threading
import time

import pytest

from harness.envoy import eventually
from harness.http2 import reset_after_first_data
from providers import faults

# Same format on both sides, and translated.
MODELS = ["gpt-4o-mini", "claude-alone"]
WORDS = ["alpha", "bravo", "charlie", "foxtrot"]


@pytest.fixture(params=MODELS)
def model(request):
    return request.param


def provider_of(gateway, model):
    return gateway.openai if model == "gpt-4o-mini" else gateway.anthropic


def data_of(stream):
    """The JSON events of a stream."""
    return [json.loads(line[6:]) for line in stream.decode().splitlines() if line.startswith("data: {")]


def test_a_token_arrives_when_the_provider_sends_it_and_not_with_the_next(gateway, client, model):
    provider, turns = provider_of(gateway, model), threading.Semaphore(0)
    provider.then(faults.InTurns(turns))
    first = threading.Thread(target=give_turns, args=(provider, turns, WORDS[0]))
    first.start()
    with gateway.stream(client, model, " ".join(WORDS)) as stream:
        first.join()
        received = b""
        chunks = stream.chunks()
        for word, following in zip(WORDS, [*WORDS[1:], None], strict=True):
            while word.encode() not in received:
                received += next(chunks)[1]  # the provider says nothing more until this came
            give_turns(provider, turns, following)
        for _, chunk in chunks:
            received += chunk


def give_turns(provider, turns, word):
    """Lets the provider send events up to the one with this word, and no further; without a word, all of them."""
    if word is None:
        return turns.release(1000)
    assert eventually(lambda: provider.requests, 5)
    sent = provider.requests[0].sent
    while not any(word.encode() in part for _, part in sent):
        before = len(sent)
        turns.release()
        assert eventually(lambda: len(sent) > before, 5)


@pytest.mark.parametrize("fault", [faults.ByteByByte(), faults.OneChunk()], ids=repr)
def test_however_a_stream_is_cut_into_pieces_it_says_the_same(gateway, client, model, fault):
    provider_of(gateway, model).then(fault)
    said = gateway.sdk(client).ask(model, "one two three", stream=True)
    assert (said.text, said.input, said.output) == ("You said: one two three", 3, 5)
    record = gateway.record()
    assert record["cost"]["certainty"] == "exact" and record["answer"]["end"] == "complete"


@pytest.mark.parametrize("fault", [faults.ByteByByte(), faults.OneChunk()], ids=repr)
def test_tool_calls_survive_any_cut(gateway, client, model, fault):
    provider_of(gateway, model).always(fault)
    first, second = gateway.sdk(client).call_tools(model, "use weather for Oslo", ["weather"], stream=True)
    assert first.calls[0].arguments == {"city": "Oslo"} and second.text == "The tool said: weather is fine"


@pytest.mark.parametrize("options", [None, {}, {"include_usage": False}, {"include_obfuscation": False}], ids=repr)
def test_a_client_that_did_not_ask_for_usage_does_not_see_it(gateway, model, options):
    more = {} if options is None else {"stream_options": options}
    with gateway.stream("openai", model, **more) as stream:
        events = data_of(stream.read())
    assert all(event["choices"] and not event.get("usage") for event in events)
    assert gateway.record()["attempts"][0]["usage"]["output_text"] == 4
    assert gateway.record()["cost"]["certainty"] == "exact"


def test_a_client_that_asked_for_usage_sees_it_once(gateway, model):
    with gateway.stream("openai", model, stream_options={"include_usage": True}) as stream:
        events = data_of(stream.read())
    assert [event["usage"]["total_tokens"] for event in events if event["usage"]] == [6]
    assert events[-1]["choices"] == []


def test_openai_is_always_asked_for_usage_and_keeps_the_clients_own_options(gateway):
    with gateway.stream("openai", "gpt-4o-mini", stream_options={"include_obfuscation": False}) as stream:
        stream.read()
    asked = gateway.openai.requests[0].json["stream_options"]
    assert asked == {"include_obfuscation": False, "include_usage": True}


def test_in_the_same_format_a_stream_passes_byte_for_byte(gateway):
    with gateway.stream("anthropic", "claude-alone") as stream:
        received = stream.read()
    assert received == b"".join(part for _, part in gateway.anthropic.requests[0].sent)


def test_a_stream_ends_as_its_format_ends(gateway, client, model):
    with gateway.stream(client, model) as stream:
        received = stream.read().decode()
    last = received.strip().split("\n\n")[-1]
    assert last == "data: [DONE]" if client == "openai" else last.startswith("event: message_stop")
    assert dict(stream.headers)["content-type"].startswith("text/event-stream")


def test_pings_before_the_first_word_do_no_harm(gateway, client, model):
    provider_of(gateway, model).then(faults.PingsOnly(0.3))
    assert gateway.sdk(client).ask(model, stream=True).text == "You said: hello there"


def test_one_very_long_event_passes(gateway, client, model):
    provider_of(gateway, model).then(faults.Huge(500_000))
    assert len(gateway.sdk(client).ask(model, stream=True).text) == 500_000


def test_a_client_that_hangs_up_is_recorded_and_charged(gateway, client, model):
    provider = provider_of(gateway, model)
    provider.then(faults.Delay(0.1, "each_event"))
    with gateway.stream(client, model, " ".join(WORDS * 5)) as stream:
        received = b""
        for _, chunk in stream.chunks():
            received += chunk
            if b"alpha" in received:
                break
    record = gateway.record()
    assert record["answer"]["end"] == "client_gone"
    assert [attempt["outcome"] for attempt in record["attempts"]] == ["abandoned"]
    assert record["cost"]["certainty"] in ("partial", "estimated")
    assert record["cost"]["nano_usd"] > 0
    assert eventually(lambda: provider.requests[0].aborted, 3), "the provider goes on for nobody"


def test_a_client_that_hangs_up_before_the_first_word_is_recorded(gateway, client, model):
    provider_of(gateway, model).then(faults.Delay(1, "headers"))
    with gateway.unanswered(client, model, stream=True):
        time.sleep(0.2)
    record = gateway.record()
    assert record["answer"]["end"] == "client_gone"
    assert [attempt["outcome"] for attempt in record["attempts"]] == ["abandoned"]
    assert record["cost"]["certainty"] != "exact"


def test_a_client_that_resets_its_http2_stream_is_recorded_like_one_that_hangs_up(gateway):
    gateway.openai.then(faults.Delay(0.1, "each_event"))
    body = json.dumps({"model": "gpt-4o-mini", "stream": True, "messages": [{"role": "user", "content": "a b c d e f"}]})
    reset_after_first_data(gateway.envoy.port, "/v1/chat/completions", gateway.headers("support", None), body.encode())
    record = gateway.record()
    assert record["answer"]["end"] == "client_gone"
    assert [attempt["outcome"] for attempt in record["attempts"]] == ["abandoned"]
    assert record["cost"]["nano_usd"] > 0
