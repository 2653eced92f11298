"""Five SDKs before the gateway, every provider behind it: each of them believes that the other is its own."""

import json
from functools import partial

import pytest

from harness import everyone, teams
from harness.gateway import ask
from harness.sdks import CITY, PICTURE, PIXEL, SDKS, GeminiSdk

CLIENTS = list(SDKS)
PROVIDERS = ["openai", "openai-responses", "anthropic", "gemini", "bedrock", "compatible"]
# The same formats again, at another path or with other credentials.
EVERY_PROVIDER = list(everyone.SERVED)

# Formats in which a thought can be told, and comes back in the next turn with a proof of whose it is.
THINKING_CLIENTS = [client for client in CLIENTS if client != "openai"]
THINKING_PROVIDERS = ["openai-responses", "anthropic", "gemini", "vertex", "bedrock"]

THOUGHT = "use weather for Oslo makes me think"

# Client and provider speak the same format.
SAME = [
    ("openai", "openai"),
    ("responses", "openai-responses"),
    ("anthropic", "anthropic"),
    ("gemini", "gemini"),
    ("gemini", "vertex"),
    ("bedrock", "bedrock"),
    ("bedrock", "bedrock-key"),
]

every_client = pytest.mark.parametrize("client", CLIENTS)
every_provider = pytest.mark.parametrize("provider", EVERY_PROVIDER)
each_provider = pytest.mark.parametrize("provider", PROVIDERS)
plain_and_streamed = pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])


@every_client
@every_provider
@plain_and_streamed
def test_an_answer_arrives_with_its_usage(to_everyone, client, provider, stream):
    sdk = to_everyone.sdk(client)
    said = sdk.ask(provider, "hello over there", stream)
    assert (said.text, said.input, said.output) == ("You said: hello over there", 3, 5)
    assert said.stop == sdk.STOPS["end"]


@every_client
@each_provider
def test_an_instruction_is_an_instruction(to_everyone, client, provider):
    to_everyone.sdk(client).ask_with_system(provider, "be very kind", "hello")
    assert asked(to_everyone, provider).system == "be very kind"
    assert asked(to_everyone, provider).text == "hello"


@every_client
@each_provider
@plain_and_streamed
def test_tools_are_called_in_parallel_and_their_results_heard(to_everyone, client, provider, stream):
    sdk = to_everyone.sdk(client)
    first, second = sdk.call_tools(provider, "use weather and stocks for Oslo", ["weather", "stocks"], stream)
    called = [(call.name, call.arguments) for call in first.calls]
    assert called == [("weather", {"city": "Oslo"}), ("stocks", {"city": "Oslo"})]
    assert len({call.id for call in first.calls}) == 2
    assert first.stop == sdk.STOPS["tools"]
    assert second.text == "The tool said: weather is fine stocks is fine"
    assert asked(to_everyone, provider).tools[0].parameters == CITY


@every_client
@each_provider
def test_a_tool_that_must_be_called_is(to_everyone, client, provider):
    first, _ = to_everyone.sdk(client).call_tools(
        provider, "hello from Oslo", ["weather", "stocks"], must_call="stocks"
    )
    assert [call.name for call in first.calls] == ["stocks"]


@every_client
@each_provider
def test_images_are_seen(to_everyone, client, provider):
    said = to_everyone.sdk(client).show_images(provider, "what is it", (PIXEL, PIXEL))
    assert said.text == "I see 2 image(s). You said: what is it"


@pytest.mark.parametrize("client", [client for client in CLIENTS if client != "bedrock"])
@each_provider
def test_an_image_by_its_address_is_seen_or_refused_but_never_lost(to_everyone, client, provider):
    sdk = to_everyone.sdk(client)
    show = partial(sdk.show_images, provider, "what is it", (PICTURE,))
    if provider == "bedrock":  # it takes only bytes
        with pytest.raises(sdk.ERROR) as refused:
            show()
        assert sdk.status(refused.value) == 400
        assert not to_everyone.servers[provider].requests
    else:
        assert show().text == "I see 1 image(s). You said: what is it"
        assert PICTURE.encode() in to_everyone.servers[provider].requests[0].body


@every_client
@each_provider
def test_a_document_is_read(to_everyone, client, provider):
    said = to_everyone.sdk(client).show_document(provider, "what is it")
    assert said.text == "I read 1 document(s). You said: what is it"


@every_client
@each_provider
@plain_and_streamed
def test_an_answer_has_the_shape_that_was_asked_for(to_everyone, client, provider, stream):
    said = to_everyone.sdk(client).ask_in_shape(provider, "to Oslo", CITY, stream)
    assert json.loads(said.text) == {"city": "Oslo"}
    assert asked(to_everyone, provider).schema == CITY


@pytest.mark.parametrize("client", THINKING_CLIENTS)
@pytest.mark.parametrize("provider", THINKING_PROVIDERS)
@plain_and_streamed
def test_a_thought_is_told_and_comes_back_to_who_thought_it(to_everyone, client, provider, stream):
    sdk = to_everyone.sdk(client)
    first, second = sdk.call_tools(f"{provider}-thinks", "use weather for Oslo", ["weather"], stream, thinking=True)
    assert first.thought == THOUGHT
    assert second.text == "The tool said: weather is fine"
    # The provider itself proved that it is its own: it refuses any other.
    assert asked(to_everyone, provider).thoughts == (THOUGHT,)


@pytest.mark.parametrize("provider", THINKING_PROVIDERS)
@plain_and_streamed
def test_a_client_that_cannot_hear_thoughts_gets_the_answer_all_the_same(to_everyone, provider, stream):
    sdk = to_everyone.sdk("openai")
    first, second = sdk.call_tools(f"{provider}-thinks", "use weather for Oslo", ["weather"], stream, thinking=True)
    assert asked(to_everyone, provider, 0).reasoning
    assert first.output == 12 and second.text == "The tool said: weather is fine"


@pytest.mark.parametrize("client", THINKING_CLIENTS)
def test_a_thought_goes_to_nobody_else(to_everyone, client):
    sdk, model = to_everyone.sdk(client), "anthropic-or-responses"
    question = sdk.user([sdk.text("use weather for Oslo")])
    options = sdk.tools(["weather"]) | sdk.thinking()
    first = sdk.create(model, [question], stream=False, **options)
    to_everyone.anthropic.stop_listening()
    second = sdk.create(model, [question, *first.turn, *sdk.results(first.calls)], stream=False, **options)
    assert second.text == "The tool said: weather is fine"
    assert asked(to_everyone, "openai-responses").thoughts == ()


@every_client
@each_provider
@plain_and_streamed
def test_an_answer_that_ran_out_of_tokens_says_so(to_everyone, client, provider, stream):
    sdk = to_everyone.sdk(client)
    said = sdk.ask_briefly(provider, " ".join(["word"] * 30), 16, stream)
    assert (len(said.text.split()), said.stop) == (16, sdk.STOPS["length"])


@pytest.mark.parametrize("client", [client for client in CLIENTS if client != "responses"])
@pytest.mark.parametrize("provider", [provider for provider in PROVIDERS if provider != "openai-responses"])
def test_stop_sequences_are_obeyed(to_everyone, client, provider):
    sdk = to_everyone.sdk(client)
    said = sdk.ask_until(provider, "up to HERE and no further", ["HERE"])
    assert said.text == "You said: up to"
    # OpenAI and Gemini do not tell a stop sequence from the end.
    told = provider in ("anthropic", "bedrock")
    assert said.stop == sdk.STOPS["stop_sequence" if told else "end"]


@every_client
@each_provider
@plain_and_streamed
def test_an_answer_that_was_withheld_says_so(to_everyone, client, provider, stream):
    to_everyone.servers[provider].answers("No", stop="refusal")
    sdk = to_everyone.sdk(client)
    assert sdk.ask(provider, stream=stream).stop == sdk.STOPS["refusal"]


@every_client
@each_provider
@plain_and_streamed
def test_a_long_answer_arrives_whole(to_everyone, client, provider, stream):
    text = "word " * 5_000 + "end"
    to_everyone.servers[provider].answers(text)
    said = to_everyone.sdk(client).ask_briefly(provider, "a novel, please", 6_000, stream)
    assert said.text == text and said.output == 5_001


@every_client
@each_provider
@plain_and_streamed
def test_text_beyond_ascii_survives(to_everyone, client, provider, stream):
    text = 'Grüße, 世界 🌍 "quoted" \\ back\nnext'
    assert to_everyone.sdk(client).ask(provider, text, stream).text == "You said: " + text


@pytest.mark.parametrize(("client", "provider"), SAME)
def test_in_the_same_format_question_and_answer_pass_as_they_are(to_everyone, client, provider):
    answer = to_everyone.post(client, provider)
    (request,) = to_everyone.servers[provider].requests
    in_the_path = client in ("gemini", "bedrock")
    model = {} if in_the_path else {"model": everyone.SERVED[provider][0]}
    assert request.json == ask(client, provider) | model
    assert answer.body == request.sent[0][1]


@pytest.mark.parametrize(("client", "provider"), [pair for pair in SAME if pair != ("openai", "openai")])
def test_in_the_same_format_a_stream_passes_byte_for_byte(to_everyone, client, provider):
    with to_everyone.stream(client, provider) as stream:
        received = stream.read()
    assert received == b"".join(part for _, part in to_everyone.servers[provider].requests[0].sent)


def test_bedrocks_own_name_of_a_model_is_a_name_like_any_other(to_everyone):
    assert to_everyone.sdk("bedrock").ask(everyone.CLAUDE_ON_BEDROCK).text == "You said: hello there"
    assert to_everyone.record()["asked"]["model"] == everyone.CLAUDE_ON_BEDROCK


@plain_and_streamed
def test_googles_sdk_works_in_the_version_that_it_prefers(to_everyone, stream):
    sdk = GeminiSdk.connect(to_everyone.url, teams.KEYS["support"], version=None)
    assert sdk.ask("anthropic", stream=stream).text == "You said: hello there"


def asked(to_everyone, provider, request=-1):
    """What the provider's model was asked, whatever the format."""
    return to_everyone.servers[provider].requests[request].prompt
