"""What another format has no place for: named where it is left out, refused where it is asked to be, never lost."""

import pytest

from harness import everyone

X = {"type": "object", "properties": {}}

# client, provider, what the client sends beside its question, the name of what is left out
DROPPED = [
    ("openai", "anthropic", {"logit_bias": {"50256": -100}}, "logit_bias"),
    ("openai", "anthropic", {"seed": 7}, "seed"),
    ("openai", "gemini", {"verbosity": "low"}, "verbosity"),
    ("openai", "bedrock", {"presence_penalty": 0.5}, "presence_penalty"),
    ("openai", "openai-responses", {"stop": ["HERE"]}, "stop"),
    ("openai", "openai-responses", {"seed": 7}, "seed"),
    ("responses", "openai", {"truncation": "auto"}, "truncation"),
    ("responses", "anthropic", {"max_tool_calls": 3}, "max_tool_calls"),
    ("anthropic", "openai", {"inference_geo": "eu"}, "inference_geo"),
    ("anthropic", "gemini", {"tools": [{"type": "web_search_20260318", "name": "web_search"}]}, "web_search"),
    ("anthropic", "openai-responses", {"stop_sequences": ["HERE"]}, "stop_sequences"),
    ("anthropic", "bedrock", {"inference_geo": "eu"}, "inference_geo"),
    (
        "gemini",
        "openai",
        {"safetySettings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}]},
        "safetySettings",
    ),
    ("gemini", "anthropic", {"generationConfig": {"seed": 7}}, "generationConfig.seed"),
    ("bedrock", "gemini", {"performanceConfig": {"latency": "optimized"}}, "performanceConfig"),
    ("bedrock", "openai", {"additionalModelResponseFieldPaths": ["/a"]}, "additionalModelResponseFieldPaths"),
]

# client, provider, and what would make another request of it if it were left out
NOT_CARRIED = [
    ("openai", "anthropic", {"n": 2}),
    ("openai", "gemini", {"functions": [{"name": "weather", "parameters": X}]}),
    ("openai", "bedrock", {"modalities": ["text", "audio"], "audio": {"voice": "alloy", "format": "wav"}}),
    ("responses", "anthropic", {"previous_response_id": "resp_1"}),
    ("responses", "openai", {"conversation": "conv_1"}),
    ("gemini", "openai", {"generationConfig": {"candidateCount": 2}}),
    ("gemini", "anthropic", {"cachedContent": "cachedContents/abc"}),
    ("bedrock", "openai", {"guardrailConfig": {"guardrailIdentifier": "abc", "guardrailVersion": "1"}}),
]


@pytest.mark.parametrize(("client", "provider", "more", "name"), DROPPED)
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
def test_what_is_left_out_is_named_to_the_client_and_in_the_record(to_everyone, client, provider, more, name, stream):
    options = {"stream": True} if stream else {}
    answer = to_everyone.post(client, provider, **more, **options)
    assert answer.status == 200 and answer.header("x-tollgate-dropped") == name
    assert to_everyone.record()["attempts"][0]["dropped"] == [name]


@pytest.mark.parametrize(("client", "provider", "more", "name"), DROPPED)
def test_a_strict_model_refuses_rather_than_leave_out(to_everyone, client, provider, more, name):
    answer = to_everyone.post(client, f"{provider}-strict", **more)
    assert answer.status == 400 and name in answer.error["message"]
    assert not to_everyone.servers[provider].requests
    assert to_everyone.record()["cost"]["nano_usd"] == 0


@pytest.mark.parametrize("provider", everyone.SERVED)
def test_a_strict_model_takes_what_can_be_carried(to_everyone, provider):
    sdk = to_everyone.sdk("anthropic")
    assert sdk.ask_briefly(f"{provider}-strict", "hello", 99).text == "You said: hello"


@pytest.mark.parametrize(("client", "provider", "more"), NOT_CARRIED)
def test_what_would_be_another_request_without_it_is_refused(to_everyone, client, provider, more):
    answer = to_everyone.post(client, provider, **more)
    assert answer.status == 400 and answer.error["message"]
    assert not to_everyone.servers[provider].requests
    assert to_everyone.record()["cost"]["nano_usd"] == 0


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
def test_in_the_same_format_nothing_is_left_out_or_refused(to_everyone, provider):
    more = {"openai": {"logit_bias": {"50256": -100}, "seed": 7, "n": 1}, "anthropic": {"inference_geo": "eu"}}[
        provider
    ]
    answer = to_everyone.post(provider, f"{provider}-strict", **more)
    assert answer.status == 200 and answer.header("x-tollgate-dropped") is None
    assert more.items() <= to_everyone.servers[provider].requests[0].json.items()
