"""The providers once more, all formats: each official SDK, on its own provider, gets what it gets from the real one."""

import base64
import json
import urllib.error
import urllib.request
from contextlib import ExitStack

import pytest

from harness import operations
from harness.sdks import CITY, PICTURE, PIXEL, AnthropicSdk, BedrockSdk, GeminiSdk, OpenAISdk, ResponsesSdk
from providers import Anthropic, Bedrock, Compatible, Gemini, OpenAI, Responses, Signer, Usage, Vertex, faults
from providers.thought import sign

KEY = "key-of-a-server-under-test"
SIGNER = Signer("AKIATOLLGATETEST", "secret-of-a-server-under-test")
CLAUDE_ON_BEDROCK = "us.anthropic.claude-sonnet-5-5-v1:0"

# Who asks whom for which model, and for which one when it shall think.
PAIRS = {
    "openai": (OpenAISdk, "gpt-4o", "gpt-5.5"),
    "openai-responses": (ResponsesSdk, "gpt-4o", "gpt-5.5"),
    "anthropic": (AnthropicSdk, "claude-sonnet-5-5", "claude-sonnet-5-5"),
    "gemini": (GeminiSdk, "gemini-3.8-flash", "gemini-3.8-flash"),
    "bedrock": (BedrockSdk, CLAUDE_ON_BEDROCK, CLAUDE_ON_BEDROCK),
}
MOST_USAGE = Usage(input=10, cache_read=100, output=7, reasoning=3)


@pytest.fixture(scope="module")
def started():
    with ExitStack() as running:
        providers = [
            OpenAI(KEY),
            Responses(KEY),
            Anthropic(KEY),
            Gemini(KEY),
            Bedrock(KEY, SIGNER),
            Compatible(KEY),
            Vertex(KEY),
        ]
        yield {provider.NAME: running.enter_context(provider) for provider in providers}


@pytest.fixture
def servers(started):
    for provider in started.values():
        provider.reset()
    return started


@pytest.fixture(params=PAIRS)
def name(request):
    return request.param


@pytest.fixture
def provider(servers, name):
    return servers[name]


@pytest.fixture
def sdk(provider, name):
    return PAIRS[name][0].connect(provider.url, KEY)


@pytest.fixture
def model(name):
    return PAIRS[name][1]


@pytest.fixture
def thinker(name):
    return PAIRS[name][2]


@pytest.fixture(params=[False, True], ids=["plain", "streamed"])
def stream(request):
    return request.param


def test_it_answers_and_counts_words(sdk, model, stream):
    said = sdk.ask(model, "one two", stream)
    assert (said.text, said.input, said.output) == ("You said: one two", 2, 4)
    assert said.stop == sdk.STOPS["end"]


def test_it_hears_its_instruction(sdk, provider, model):
    assert sdk.ask_with_system(model, "be very kind", "hello").input == 4
    assert provider.requests[0].prompt.system == "be very kind"


def test_it_calls_tools_in_parallel_and_hears_their_results(sdk, model, stream):
    first, second = sdk.call_tools(model, "use weather and stocks for Oslo", ["weather", "stocks"], stream)
    assert [(call.name, call.arguments) for call in first.calls] == [
        ("weather", {"city": "Oslo"}),
        ("stocks", {"city": "Oslo"}),
    ]
    assert first.stop == sdk.STOPS["tools"]
    assert second.text == "The tool said: weather is fine stocks is fine"


def test_it_calls_a_tool_that_it_must_call(sdk, model):
    first, _ = sdk.call_tools(model, "hello from Oslo", ["weather", "stocks"], must_call="stocks")
    assert [call.name for call in first.calls] == ["stocks"]


def test_it_sees_images_and_reads_documents(sdk, model, name):
    pictures = {"bedrock": (PIXEL,)}.get(name, (PIXEL, PICTURE))
    said = sdk.show_images(model, "what is it", pictures)
    assert said.text == f"I see {len(pictures)} image(s). You said: what is it"
    assert sdk.show_document(model, "what is it").text == "I read 1 document(s). You said: what is it"


def test_its_answer_fits_a_schema(sdk, provider, model, stream):
    assert json.loads(sdk.ask_in_shape(model, "to Oslo", CITY, stream).text) == {"city": "Oslo"}
    assert provider.requests[0].prompt.schema == CITY


def test_it_thinks_and_takes_its_own_thought_back(sdk, provider, thinker, name, stream):
    first, second = sdk.call_tools(thinker, "use weather for Oslo", ["weather"], stream, thinking=True)
    shown = {"openai": ""}.get(name, "use weather for Oslo makes me think")
    assert first.thought == shown and second.text == "The tool said: weather is fine"
    assert provider.requests[1].prompt.thoughts == ((shown,) if shown else ())


def test_it_stops_where_it_must(sdk, model, name, stream):
    said = sdk.ask_briefly(model, " ".join(["word"] * 30), 16, stream)
    assert (len(said.text.split()), said.stop) == (16, sdk.STOPS["length"])
    if name != "openai-responses":
        said = sdk.ask_until(model, "up to HERE and no further", ["HERE"])
        assert (said.text, said.stop) == ("You said: up to", sdk.STOPS["stop_sequence"])


def test_it_can_refuse(sdk, provider, model, stream):
    provider.answers("No", stop="refusal")
    assert sdk.ask(model, "do harm", stream).stop == sdk.STOPS["refusal"]


def test_it_reports_all_usage_in_its_own_way(sdk, provider, model, stream):
    provider.answers("ok", usage=MOST_USAGE)
    said = sdk.ask(model, stream=stream)
    assert (said.input, said.cached, said.output) == (110, 100, 10)


@pytest.mark.parametrize("fault", [faults.ByteByByte(), faults.OneChunk(), faults.PingsOnly(0.3)], ids=repr)
def test_however_its_stream_is_delivered_it_says_the_same(sdk, provider, model, fault):
    provider.then(fault)
    assert sdk.ask(model, "one two", stream=True).text == "You said: one two"


@pytest.mark.parametrize("status", [400, 429, 500, 503])
def test_its_errors_are_the_sdks_own(sdk, provider, model, status):
    provider.then(faults.Status(status))
    with pytest.raises(sdk.ERROR) as refused:
        sdk.ask(model)
    assert sdk.status(refused.value) == status


@pytest.mark.parametrize("after", [0, 3])
def test_its_stream_can_end_in_an_error(sdk, provider, model, after):
    provider.then(faults.ErrorInStream("overloaded", after))
    with pytest.raises(sdk.STREAM_ERROR):
        sdk.ask(model, "one two three", stream=True)


def test_a_wrong_key_is_refused(provider, name, model):
    sdk = PAIRS[name][0].connect(provider.url, "wrong")
    with pytest.raises(sdk.ERROR) as refused:
        sdk.ask(model)
    # Google finds a wrong key an invalid argument.
    assert sdk.status(refused.value) == {"gemini": 400, "bedrock": 403}.get(name, 401)


def test_an_unknown_model_is_refused(sdk):
    with pytest.raises(sdk.ERROR) as refused:
        sdk.ask("nobodys-model")
    assert sdk.status(refused.value) in (400, 404)


UNKNOWN = {
    "openai": ("/v1/chat/completions", {"model": "gpt-4o", "messages": [{"role": "user", "content": "a", "odd": 1}]}),
    "openai-responses": ("/v1/responses", {"model": "gpt-4o", "input": [{"role": "user", "content": "a", "odd": 1}]}),
    "anthropic": (
        "/v1/messages",
        {"model": "claude-sonnet-5-5", "max_tokens": 9, "messages": [{"role": "user", "content": "a", "odd": 1}]},
    ),
    "gemini": ("/v1beta/models/gemini-3.8-flash:generateContent", {"contents": [{"parts": [{"text": "a", "odd": 1}]}]}),
    "bedrock": (
        f"/model/{CLAUDE_ON_BEDROCK}/converse",
        {"messages": [{"role": "user", "content": [{"text": "a"}], "odd": 1}]},
    ),
}


def test_a_field_that_it_does_not_know_is_refused_by_name(provider, name):
    path, body = UNKNOWN[name]
    refused = post(provider, path, body)
    assert refused[0] == 400 and "odd" in json.dumps(refused[1])


def test_an_image_without_its_own_bytes_is_nothing_to_bedrock(servers):
    message = {"role": "user", "content": [{"image": {"format": "png", "source": {"url": PICTURE}}}]}
    status, refused = post(servers["bedrock"], f"/model/{CLAUDE_ON_BEDROCK}/converse", {"messages": [message]})
    assert status == 400 and "url" in refused["message"]


def test_the_compatible_server_is_what_openai_was(servers):
    provider = servers["compatible"]
    provider.reset()
    ask = {"model": "llama-4-maverick", "messages": [{"role": "user", "content": "one two"}]}
    path = "/inference/chat/completions"
    assert post(provider, path, ask | {"max_tokens": 3})[0] == 200
    for more in ({"max_completion_tokens": 3}, {"stream": True, "stream_options": {"include_usage": True}}):
        assert post(provider, path, ask | more)[0] == 400
    assert post(provider, "/v1/chat/completions", ask)[0] == 404
    chunks = [part for _, part in streamed(provider, path, ask)]
    data = [json.loads(chunk.removeprefix(b"data: ")) for chunk in chunks]
    assert all(chunk["choices"] and chunk["usage"]["prompt_tokens"] == 2 for chunk in data)
    said = [chunk["usage"]["completion_tokens"] for chunk in data]
    assert said == sorted(said) and said[-1] == 4 and len(set(said)) > 1


def test_vertex_wants_a_token_in_another_place_at_another_path(servers):
    path = "/models/gemini-3.8-flash:generateContent"
    question = {"contents": [{"role": "user", "parts": [{"text": "one two"}]}]}
    status, answer = post(servers["vertex"], Vertex.BASE_PATHS[0] + path, question)
    assert (status, answer["usageMetadata"]["totalTokenCount"]) == (200, 6)
    assert post(servers["vertex"], "/v1beta" + path, question)[0] == 404


def test_bedrock_takes_a_good_signature_and_no_other(servers):
    good = BedrockSdk.signed(servers["bedrock"].url, SIGNER.access_key_id, SIGNER.secret_access_key)
    assert good.ask(CLAUDE_ON_BEDROCK).text == "You said: hello there"
    bad = BedrockSdk.signed(servers["bedrock"].url, SIGNER.access_key_id, "another")
    with pytest.raises(bad.ERROR, match="InvalidSignatureException"):
        bad.ask(CLAUDE_ON_BEDROCK)


def test_openai_makes_embeddings(servers):
    sdk = OpenAISdk.connect(servers["openai"].url, KEY)
    for more in ({}, {"encoding_format": "float"}):  # by itself the SDK asks for base64
        vectors, tokens = operations.embed(sdk, "text-embedding-3-small", ["one two", "three"], **more)
        assert ([vector[0] for vector in vectors], len(vectors[0]), tokens) == ([2.0, 1.0], 1536, 3)


def test_anthropic_counts_tokens(servers):
    sdk = AnthropicSdk.connect(servers["anthropic"].url, KEY)
    assert operations.count_tokens(sdk, "claude-sonnet-5-5", "one two three") == 13


def forge_gemini(content, proof):
    for part in content.parts:
        part.thought_signature = base64.b64decode(proof) if part.thought_signature else None
    return content


def forge_bedrock(message, proof):
    message["content"][0]["reasoningContent"]["reasoningText"]["signature"] = proof
    return message


# Puts another proof in the place where a format has it.
FORGERS = {
    "openai-responses": lambda item, proof: (
        item | ({"encrypted_content": proof} if item["type"] == "reasoning" else {})
    ),
    "anthropic": lambda m, proof: m | {"content": [m["content"][0] | {"signature": proof}, *m["content"][1:]]},
    "gemini": forge_gemini,
    "bedrock": forge_bedrock,
}


@pytest.mark.parametrize("name", FORGERS)
def test_a_thought_that_was_changed_or_is_another_models_is_refused(provider, sdk, thinker, name):
    question = sdk.user([sdk.text("use weather for Oslo")])
    first = sdk.create(thinker, [question], stream=False, **sdk.tools(["weather"]), **sdk.thinking())
    turn = [FORGERS[name](entry, sign("nobody", "a thought")) for entry in first.turn]
    with pytest.raises(sdk.ERROR) as refused:
        sdk.create(thinker, [question, *turn, *sdk.results(first.calls)], stream=False, **sdk.tools(["weather"]))
    assert sdk.status(refused.value) == 400


def streamed(provider, path, body):
    """The parts of a stream, as they were sent."""
    headers = {"authorization": f"Bearer {KEY}"}
    request = urllib.request.Request(provider.url + path, json.dumps(body | {"stream": True}).encode(), headers)
    with urllib.request.urlopen(request, timeout=5) as answer:
        answer.read()
    return provider.requests[-1].sent


def post(provider, path, body):
    """A request that no SDK would make."""
    headers = {"authorization": f"Bearer {KEY}", "x-goog-api-key": KEY, "anthropic-version": "2023-06-01"}
    request = urllib.request.Request(provider.url + path, json.dumps(body).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())
