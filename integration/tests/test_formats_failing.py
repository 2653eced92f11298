"""What goes wrong at any provider reaches every client in its own SDK's words, or the next provider mends it."""

import anthropic
import openai
import pytest
from google.genai import errors

from harness import everyone
from harness.envoy import eventually
from harness.sdks import SDKS
from providers import faults

CLIENTS = list(SDKS)
PROVIDERS = ["openai", "openai-responses", "anthropic", "gemini", "bedrock", "compatible"]
EVERY_PROVIDER = list(everyone.SERVED)

every_client = pytest.mark.parametrize("client", CLIENTS)
each_provider = pytest.mark.parametrize("provider", PROVIDERS)

# What each SDK raises for which status; boto3 names its exceptions only in the answer.
EXCEPTIONS = {
    "openai": {400: openai.BadRequestError, 429: openai.RateLimitError, 503: openai.InternalServerError},
    "responses": {400: openai.BadRequestError, 429: openai.RateLimitError, 503: openai.InternalServerError},
    "anthropic": {
        400: anthropic.BadRequestError,
        429: anthropic.RateLimitError,
        503: anthropic.ServiceUnavailableError,
    },
    "gemini": {400: errors.ClientError, 429: errors.ClientError, 503: errors.ServerError},
    "bedrock": {400: "ValidationException", 429: "ThrottlingException", 503: "ServiceUnavailableException"},
}
GOOGLES_NAMES = {400: "INVALID_ARGUMENT", 429: "RESOURCE_EXHAUSTED", 503: "UNAVAILABLE"}

# Anything before the first word, which is not the client's fault; `n` events of a stream come before it.
BEFORE_THE_FIRST_WORD = {
    "rate limit": lambda n: faults.Status(429),
    "overloaded": lambda n: faults.Status(503),
    "error as first event": lambda n: faults.ErrorInStream("overloaded"),
    "error after the preamble": lambda n: faults.ErrorInStream("rate_limit", n),
    "cut": lambda n: faults.Cut(n),
    "ended": lambda n: faults.Cut(n, clean=True),
    "empty": lambda n: faults.EmptyOk(),
    "not json": lambda n: faults.NotJson(),
}
# A failure is the provider's: which client waits for the answer matters once.
MENDED = [("anthropic", provider, fault) for provider in PROVIDERS for fault in BEFORE_THE_FIRST_WORD]
MENDED += [(client, p, "error after the preamble") for client in CLIENTS if client != "anthropic" for p in PROVIDERS]

WORDS = "alpha bravo charlie delta echo foxtrot golf hotel"


@every_client
@each_provider
@pytest.mark.parametrize(("status", "stream"), [(400, False), (429, True), (503, False)])
def test_an_error_is_the_sdks_own(to_everyone, client, provider, stream, status):
    to_everyone.servers[provider].always(faults.Status(status))
    sdk = to_everyone.sdk(client)
    with pytest.raises(sdk.ERROR) as raised:
        sdk.ask(provider, stream=stream)
    assert sdk.status(raised.value) == status
    expected = EXCEPTIONS[client][status]
    if client == "bedrock":
        assert raised.value.response["Error"]["Code"] == expected and raised.value.response["Error"]["Message"]
        assert isinstance(raised.value, getattr(sdk.sdk.exceptions, expected))
    else:
        assert type(raised.value) is expected
    if client == "gemini":
        assert raised.value.status == GOOGLES_NAMES[status] and raised.value.message


@every_client
@each_provider
def test_what_a_provider_finds_wrong_with_a_request_is_told_in_its_words(to_everyone, client, provider):
    server = to_everyone.servers[provider]
    server.then(faults.Status(400))
    sdk = to_everyone.sdk(client)
    with pytest.raises(sdk.ERROR) as raised:
        sdk.ask(provider)
    said = server.error_object("invalid_request")
    assert said.get("error", said)["message"] in str(raised.value)


@every_client
@pytest.mark.parametrize("provider", EVERY_PROVIDER)
def test_a_provider_that_does_not_take_our_key_is_not_the_clients_fault(to_everyone, client, provider):
    to_everyone.servers[provider].change_key()
    sdk = to_everyone.sdk(client)
    with pytest.raises(sdk.ERROR) as raised:
        sdk.ask(provider)
    assert sdk.status(raised.value) >= 500
    (attempt,) = to_everyone.record()["attempts"]
    assert attempt["outcome"] == "failed"
    # Google finds a wrong key an invalid argument, and Amazon forbids what it does not know.
    assert attempt["reason"] in ("provider_authentication", "provider_permission")


@pytest.mark.parametrize(("client", "provider", "fault"), MENDED)
def test_until_the_first_word_the_next_provider_mends_it(to_everyone, client, provider, fault):
    server = to_everyone.servers[provider]
    server.then(BEFORE_THE_FIRST_WORD[fault](server.events_before_pings()))
    said = to_everyone.sdk(client).ask(f"{provider}-or-another", "one two", stream=True)
    assert (said.text, said.input, said.output) == ("You said: one two", 2, 4)
    failed, served = to_everyone.record()["attempts"]
    assert (failed["provider"], failed["outcome"]) == (provider, "failed") and failed["reason"]
    assert (served["provider"], served["outcome"]) == (everyone.next_of(provider), "served")


@every_client
@each_provider
def test_after_the_first_word_an_error_ends_the_stream_as_an_error(to_everyone, client, provider):
    to_everyone.servers[provider].then(faults.ErrorInStream("overloaded", after_events=7))
    sdk = to_everyone.sdk(client)
    with pytest.raises(sdk.STREAM_ERROR):
        sdk.ask(f"{provider}-or-another", WORDS, stream=True)
    record = to_everyone.record()
    assert [attempt["outcome"] for attempt in record["attempts"]] == ["cut"]
    # An SDK may hang up as soon as it hears of the error.
    assert record["answer"]["end"] in ("cut", "client_gone") and record["cost"]["nano_usd"] > 0


@every_client
@each_provider
def test_a_stream_that_is_cut_is_not_taken_for_a_whole_one(to_everyone, client, provider):
    to_everyone.servers[provider].then(faults.Cut(7))
    with pytest.raises(Exception, match=r".") as raised:
        to_everyone.sdk(client).ask(provider, WORDS, stream=True)
    assert not isinstance(raised.value, AssertionError)
    assert to_everyone.record()["answer"]["end"] == "cut"


@every_client
@each_provider
@pytest.mark.parametrize("fault", [faults.ByteByByte(), faults.OneChunk()], ids=repr)
def test_however_a_stream_is_cut_into_pieces_it_says_the_same(to_everyone, client, provider, fault):
    to_everyone.servers[provider].always(fault)
    sdk = to_everyone.sdk(client)
    said = sdk.ask(provider, "one two three", stream=True)
    assert (said.text, said.input, said.output) == ("You said: one two three", 3, 5)
    first, second = sdk.call_tools(provider, "use weather for Oslo", ["weather"], stream=True)
    assert first.calls[0].arguments == {"city": "Oslo"} and second.text == "The tool said: weather is fine"


@every_client
@each_provider
def test_a_client_that_leaves_is_recorded_and_charged(to_everyone, client, provider):
    server = to_everyone.servers[provider]
    server.then(faults.Delay(0.05, "each_event"))
    with to_everyone.stream(client, provider, " ".join([WORDS] * 3)) as stream:
        received = b""
        for _, chunk in stream.chunks():
            received += chunk
            if b"alpha" in received:
                break
    record = to_everyone.record()
    assert record["answer"]["end"] == "client_gone"
    (attempt,) = record["attempts"]
    assert attempt["outcome"] == "abandoned" and attempt["usage"]["input_fresh"] > 0
    assert record["cost"]["certainty"] in ("partial", "estimated") and record["cost"]["nano_usd"] > 0
    assert eventually(lambda: server.requests[0].aborted, 3), "the provider goes on for nobody"


REFUSED = [
    ({"key": "tg_nobody_gave_this_out"}, "openai", 401),
    ({"team": "finance"}, "anthropic", 403),
    ({}, "gpt-9", 404),
]


@every_client
@pytest.mark.parametrize(("who", "model", "status"), REFUSED)
def test_a_refusal_is_the_sdks_own_error(to_everyone, client, who, model, status):
    sdk = to_everyone.sdk(client, **who)
    with pytest.raises(sdk.ERROR) as refused:
        sdk.ask(model)
    assert sdk.status(refused.value) == status
    assert not any(provider.requests for provider in to_everyone.providers)
