"""Applications keep their SDK: the official ones, in both formats, against both providers."""

import openai
import pytest

from harness import teams
from providers import faults

# A model that OpenAI serves, and one that Anthropic serves: with two clients these are the four pairs of formats.
MODELS = ["gpt-4o-mini", "claude-alone"]


@pytest.fixture(params=MODELS)
def model(request):
    return request.param


@pytest.fixture(params=[False, True], ids=["plain", "streamed"])
def stream(request):
    return request.param


def test_an_answer_arrives_with_its_usage(gateway, client, model, stream):
    said = gateway.sdk(client).ask(model, "hello over there", stream)
    assert said.text == "You said: hello over there"
    assert (said.input, said.output) == (3, 5)
    assert said.stop == gateway.sdk(client).STOPS["end"]


def test_a_system_prompt_reaches_the_model(gateway, client, model):
    assert gateway.sdk(client).ask_with_system(model, "be very kind", "hello").input == 4
    provider = gateway.openai if model == "gpt-4o-mini" else gateway.anthropic
    assert b"be very kind" in provider.requests[0].body


def test_a_tool_is_called_and_its_result_heard(gateway, client, model, stream):
    first, second = gateway.sdk(client).call_tools(model, "use weather for Oslo", ["weather", "stocks"], stream)
    assert [(call.name, call.arguments) for call in first.calls] == [("weather", {"city": "Oslo"})]
    assert first.stop == gateway.sdk(client).STOPS["tools"]
    assert second.text == "The tool said: weather is fine"


def test_tools_are_called_in_parallel(gateway, client, model, stream):
    first, second = gateway.sdk(client).call_tools(
        model, "use weather and stocks for Oslo", ["weather", "stocks"], stream
    )
    assert [call.name for call in first.calls] == ["weather", "stocks"]
    assert len({call.id for call in first.calls}) == 2
    assert second.text == "The tool said: weather is fine stocks is fine"


def test_images_are_seen(gateway, client, model):
    assert gateway.sdk(client).show_images(model, "what is this").text == "I see 2 image(s). You said: what is this"


def test_an_answer_that_ran_out_of_tokens_says_so(gateway, client, model, stream):
    said = gateway.sdk(client).ask(model, "one two three four", stream, max_tokens=3)
    assert (said.text, said.stop) == ("You said: one", gateway.sdk(client).STOPS["length"])


def test_stop_sequences_are_obeyed(gateway, client, model):
    stop = {"stop": ["HERE"]} if client == "openai" else {"stop_sequences": ["HERE"]}
    assert gateway.sdk(client).ask(model, "up to HERE and no further", **stop).text == "You said: up to"


def test_text_beyond_ascii_survives(gateway, client, model, stream):
    text = 'Grüße, 世界 🌍 "quoted" \\ back\nnext'
    assert gateway.sdk(client).ask(model, text, stream).text == "You said: " + text


@pytest.mark.parametrize(
    ("team", "model", "status"),
    [
        ("expired", "gpt-4o-mini", 401),
        ("finance", "claude-alone", 403),
        ("support", "gpt-9", 404),
    ],
)
def test_a_refusal_is_the_sdks_own_error(gateway, client, team, model, status):
    sdk = gateway.sdk(client, team)
    with pytest.raises(sdk.ERROR) as refused:
        sdk.ask(model)
    assert refused.value.status_code == status
    assert refused.value.body["error" if client == "anthropic" else "message"]


def test_what_the_provider_refuses_is_the_sdks_own_error(gateway, client, model, stream):
    gateway.openai.always(faults.Status(400))
    gateway.anthropic.always(faults.Status(400))
    sdk = gateway.sdk(client)
    with pytest.raises(sdk.ERROR) as refused:
        sdk.ask(model, stream=stream)
    assert refused.value.status_code == 400


def test_a_client_that_sends_its_key_as_azure_does_works_too(gateway):
    sdk = openai.OpenAI(api_key="unused", base_url=gateway.url + "/v1", max_retries=0)
    answer = sdk.chat.completions.create(
        model="gpt-4o-mini",
        messages=[{"role": "user", "content": "hi"}],
        extra_headers={"Authorization": openai.Omit(), "api-key": teams.KEYS["support"]},
    )
    assert answer.choices[0].message.content == "You said: hi"
