"""The provider servers themselves: the official SDKs take them for the real ones, and each fault is what it says."""

import json
import urllib.request

import anthropic
import openai
import pytest

from providers import Anthropic, OpenAI, Usage, faults

OPENAI_KEY, ANTHROPIC_KEY = "sk-proj-servertest-0001", "sk-ant-servertest-0001"
WEATHER = {"type": "object", "properties": {"city": {"type": "string"}}}


@pytest.fixture(scope="module")
def servers():
    with OpenAI(OPENAI_KEY) as one, Anthropic(ANTHROPIC_KEY) as other:
        yield one, other


@pytest.fixture
def gpt(servers):
    servers[0].reset()
    return servers[0]


@pytest.fixture
def claude(servers):
    servers[1].reset()
    return servers[1]


def openai_sdk(provider, key=OPENAI_KEY):
    return openai.OpenAI(api_key=key, base_url=f"http://127.0.0.1:{provider.port}/v1", max_retries=0)


def anthropic_sdk(provider, key=ANTHROPIC_KEY):
    return anthropic.Anthropic(api_key=key, base_url=f"http://127.0.0.1:{provider.port}", max_retries=0)


def ask_gpt(provider, text="one two", **more):
    return openai_sdk(provider).chat.completions.create(
        model="gpt-4o", messages=[{"role": "user", "content": text}], **more
    )


def ask_claude(provider, text="one two", **more):
    return anthropic_sdk(provider).messages.create(
        model="claude-haiku-4-5",
        max_tokens=more.pop("max_tokens", 99),
        messages=[{"role": "user", "content": text}],
        **more,
    )


def test_openai_answers_and_counts_words(gpt):
    answer = ask_gpt(gpt)
    assert answer.choices[0].message.content == "You said: one two"
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (2, 4)
    assert answer.model == "gpt-4o-2024-08-06"


def test_openai_reports_a_streams_usage_only_when_asked(gpt):
    plain = list(ask_gpt(gpt, stream=True))
    assert all(chunk.choices and chunk.usage is None for chunk in plain)
    asked = list(ask_gpt(gpt, stream=True, stream_options={"include_usage": True}))
    assert asked[-1].choices == [] and asked[-1].usage.total_tokens == 6
    assert "".join(chunk.choices[0].delta.content or "" for chunk in asked[:-1]) == "You said: one two"


def test_openai_calls_a_tool_that_the_text_names(gpt):
    tools = [{"type": "function", "function": {"name": "weather", "parameters": WEATHER}}]
    call = ask_gpt(gpt, "use weather for Oslo", tools=tools).choices[0].message.tool_calls[0]
    assert (call.function.name, json.loads(call.function.arguments)) == ("weather", {"city": "Oslo"})


def test_openai_shows_part_of_a_wrong_key(gpt):
    with pytest.raises(openai.AuthenticationError, match=r"sk-wrong\*+7890"):
        openai_sdk(gpt, "sk-wrong-1234567890").chat.completions.create(model="gpt-4o", messages=[])


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"messages": [{"role": "robot", "content": ""}]}, "Invalid value: 'robot'"),
        (
            {"messages": [{"role": "tool", "tool_call_id": "a", "content": ""}]},
            "must be a response to a preceeding message",
        ),
        (
            {"messages": [{"role": "user", "content": "a"}], "extra_body": {"max_tokens_to_sample": 1}},
            "Unknown parameter",
        ),
        ({"messages": []}, "Missing required parameter: 'messages'"),
    ],
)
def test_openai_refuses_what_it_refuses(gpt, body, message):
    with pytest.raises(openai.BadRequestError, match=message):
        openai_sdk(gpt).chat.completions.create(model="gpt-4o", **body)


def test_anthropic_answers_and_counts_words(claude):
    answer = ask_claude(claude)
    assert answer.content[0].text == "You said: one two"
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (2, 4)


def test_anthropic_streams_what_its_sdk_accumulates(claude):
    with anthropic_sdk(claude).messages.stream(
        model="claude-haiku-4-5",
        max_tokens=99,
        messages=[{"role": "user", "content": "use weather for Oslo"}],
        tools=[{"name": "weather", "input_schema": WEATHER}],
    ) as stream:
        final = stream.get_final_message()
    assert final.stop_reason == "tool_use" and final.content[0].input == {"city": "Oslo"}


def test_anthropic_stops_where_it_is_told(claude):
    assert ask_claude(claude, "a b STOP c", stop_sequences=["STOP"]).stop_sequence == "STOP"
    assert ask_claude(claude, "a b c", max_tokens=3).stop_reason == "max_tokens"


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"messages": [{"role": "system", "content": "a"}]}, 'Unexpected role "system"'),
        ({"messages": [{"role": "assistant", "content": "a"}]}, 'must use the "user" role'),
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": ""}]}]}, "must be non-empty"),
        ({"messages": [{"role": "user", "content": "a"}], "extra_body": {"n": 1}}, "n: Extra inputs are not permitted"),
        (
            {"messages": [{"role": "user", "content": "a"}], "extra_body": {"temperature": 1}},
            "temperature: Extra inputs",
        ),
    ],
)
def test_anthropic_refuses_what_it_refuses(claude, more, message):
    with pytest.raises(anthropic.BadRequestError, match=message):
        anthropic_sdk(claude).messages.create(model="claude-haiku-4-5", max_tokens=9, **more)


def test_each_reports_the_same_usage_in_its_own_way(gpt, claude):
    usage = Usage(input=10, output=7, cache_read=100, reasoning=3)
    gpt.answers("ok", usage=usage)
    claude.answers("ok", usage=usage)
    of_gpt, of_claude = ask_gpt(gpt).usage, ask_claude(claude).usage
    assert (of_gpt.prompt_tokens, of_gpt.prompt_tokens_details.cached_tokens, of_gpt.completion_tokens) == (
        110,
        100,
        10,
    )
    assert (of_claude.input_tokens, of_claude.cache_read_input_tokens, of_claude.output_tokens) == (10, 100, 10)


def test_a_status_has_its_real_error(gpt, claude):
    gpt.then(faults.Status(429, retry_after=7))
    with pytest.raises(openai.RateLimitError) as limited:
        ask_gpt(gpt)
    assert limited.value.response.headers["retry-after"] == "7"
    claude.then(faults.Status(529))
    with pytest.raises(anthropic.APIStatusError, match="overloaded_error"):
        ask_claude(claude)


def test_an_error_can_come_inside_a_stream(gpt, claude):
    gpt.then(faults.ErrorInStream("server"))
    with pytest.raises(openai.APIError, match="had an error"):
        list(ask_gpt(gpt, stream=True))
    claude.then(faults.ErrorInStream("overloaded", after_events=4))
    with pytest.raises(anthropic.APIStatusError, match="Overloaded"):
        list(ask_claude(claude, stream=True))


@pytest.mark.parametrize("fault", [faults.Cut(2), faults.Reset()], ids=repr)
def test_a_connection_can_be_reset(gpt, fault):
    gpt.then(fault)
    with pytest.raises(Exception, match="(?i)connection|peer|reset|closed|read") as cut:
        list(ask_gpt(gpt, stream=True))
    assert not isinstance(cut.value, openai.APIStatusError)


@pytest.mark.parametrize(
    "fault",
    [
        faults.ByteByByte(),
        faults.OneChunk(),
        faults.Gzip(),
        faults.PingsOnly(0.3),
        faults.Delay(0.05, "each_event"),
    ],
    ids=repr,
)
def test_however_a_stream_is_delivered_it_says_the_same(gpt, claude, fault):
    gpt.then(fault)
    claude.then(fault)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in ask_gpt(gpt, stream=True)) == "You said: one two"
    with anthropic_sdk(claude).messages.stream(
        model="claude-haiku-4-5", max_tokens=9, messages=[{"role": "user", "content": "one two"}]
    ) as stream:
        assert stream.get_final_text() == "You said: one two"


def test_a_200_can_be_worth_nothing(gpt):
    fine = raw_post(gpt)
    gpt.then(faults.EmptyOk(), faults.NotJson(), faults.ErrorIn200(), faults.Cut(0, clean=True))
    assert raw_post(gpt) == b""
    assert raw_post(gpt).startswith(b"<html>")
    assert "error" in json.loads(raw_post(gpt))
    assert len(raw_post(gpt)) == len(fine) // 2


def test_an_answer_can_be_huge(gpt):
    gpt.then(faults.Huge(100_000))
    assert len(raw_post(gpt)) > 100_000


def test_a_provider_that_stopped_listening_refuses_and_comes_back_on_its_port(gpt):
    port = gpt.port
    ask_gpt(gpt)
    gpt.stop_listening()
    with pytest.raises(openai.APIConnectionError):
        ask_gpt(gpt)
    gpt.listen()
    assert gpt.port == port and ask_gpt(gpt)


def test_faults_are_used_up_one_per_request(gpt):
    gpt.then(faults.Status(500), faults.Status(503))
    seen = []
    for _ in range(3):
        try:
            ask_gpt(gpt)
            seen.append(200)
        except openai.APIStatusError as error:
            seen.append(error.status_code)
    assert seen == [500, 503, 200]


def test_requests_are_kept_byte_for_byte(gpt):
    raw_post(gpt, {"x-odd": "a"})
    request = gpt.requests[0]
    assert (request.method, request.path) == ("POST", "/v1/chat/completions")
    assert request.header("x-odd") == "a" and request.json["model"] == "gpt-4o"


def raw_post(provider, headers=None):
    body = json.dumps({"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]}).encode()
    url = f"http://127.0.0.1:{provider.port}/v1/chat/completions"
    headers = {"authorization": f"Bearer {OPENAI_KEY}", "content-type": "application/json"} | (headers or {})
    return urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=5).read()
