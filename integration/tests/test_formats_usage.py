"""Every token is counted once and in its bucket, however the provider counts and however the client is told."""

import pytest

from harness import everyone
from harness.money import nano_usd
from harness.sdks import SDKS
from providers import Usage

BUCKETS = {
    "input": "input_fresh",
    "cache_read": "input_cache_read",
    "cache_write_5m": "input_cache_write_5m",
    "cache_write_1h": "input_cache_write_1h",
    "input_audio": "input_audio",
    "input_image": "input_image",
    "output": "output_text",
    "reasoning": "output_reasoning",
    "output_audio": "output_audio",
    "output_image": "output_image",
}

# All that each provider can tell apart. (OpenAI does not say for how long it cached; that is the short time.)
EVERYTHING = {
    "openai": Usage(200, 50, 800, 30, reasoning=150, input_audio=40, input_image=60, output_audio=25),
    "openai-responses": Usage(200, 50, 800, 30, reasoning=150),
    "anthropic": Usage(10, 300, 5000, 1000, 2000, reasoning=40),
    "gemini": Usage(40, 20, 60, reasoning=80, input_image=258, input_audio=32, output_image=1290),
    "vertex": Usage(40, 20, 60, reasoning=80),
    "bedrock": Usage(7, 9, 100, 150, 50),
    "compatible": Usage(1000, 200, 24),
}
# The same without audio and images, which have no place in most formats and no price here.
TEXT = {
    name: Usage(u.input, u.output, u.cache_read, u.cache_write_5m, u.cache_write_1h, reasoning=u.reasoning)
    for name, u in EVERYTHING.items()
}

plain_and_streamed = pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])


@pytest.mark.parametrize("provider", EVERYTHING)
@plain_and_streamed
def test_the_record_has_each_token_once_and_in_its_bucket(to_everyone, provider, stream):
    usage = EVERYTHING[provider]
    to_everyone.servers[provider].answers("ok", usage=usage)
    assert to_everyone.post("anthropic", provider, stream=stream).status == 200
    (attempt,) = to_everyone.record()["attempts"]
    assert attempt["usage"] == {BUCKETS[name]: tokens for name, tokens in vars(usage).items() if tokens}
    assert attempt["certainty"] == "exact"


@pytest.mark.parametrize("client", SDKS)
@pytest.mark.parametrize("provider", TEXT)
@plain_and_streamed
def test_every_client_is_told_all_of_it_in_its_own_way_and_pays_what_it_costs(to_everyone, client, provider, stream):
    usage = TEXT[provider]
    to_everyone.servers[provider].answers("ok", usage=usage)
    said = to_everyone.sdk(client).ask(provider, stream=stream)
    assert (said.input, said.cached, said.output) == (usage.all_input, usage.cache_read, usage.all_output)
    cost = to_everyone.record()["cost"]
    assert (cost["nano_usd"], cost["certainty"]) == (nano_usd(usage, everyone.PRICE), "exact")
