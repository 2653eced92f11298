"""What SDKs do beside asking a model: embeddings, token counts, and which models there are."""

import anthropic
import openai
import pytest

from harness import everyone, operations
from harness.money import nano_usd
from providers import Usage, faults

EMBEDDER = "text-embedding-3-small"
NOT_ANTHROPIC = [name for name in everyone.SERVED if name != "anthropic"]


def test_an_embedding_arrives_and_is_paid_for(to_everyone):
    vectors, tokens = operations.embed(to_everyone.sdk("openai"), EMBEDDER, ["one two", "three"])
    assert [vector[0] for vector in vectors] == [2.0, 1.0] and len(vectors[0]) == 1536
    assert tokens == 3
    record = to_everyone.record()
    (attempt,) = record["attempts"]
    assert (attempt["provider"], attempt["outcome"]) == ("openai", "served")
    assert (attempt["usage"], attempt["certainty"]) == ({"input_fresh": 3, "output_text": 0}, "exact")
    assert record["cost"]["nano_usd"] == nano_usd(Usage(input=3), {"input": 0.02, "output": 0})


def test_an_embedding_is_passed_as_it_was_asked_for(to_everyone):
    vectors, _ = operations.embed(to_everyone.sdk("openai"), EMBEDDER, ["a"], dimensions=8, encoding_format="float")
    assert len(vectors[0]) == 8
    (request,) = to_everyone.openai.requests
    assert request.path == "/v1/embeddings"
    assert request.json == {"model": EMBEDDER, "input": ["a"], "dimensions": 8, "encoding_format": "float"}


@pytest.mark.parametrize("model", ["anthropic", "gemini", "bedrock"])
def test_a_provider_that_has_no_embeddings_is_not_asked_for_any(to_everyone, model):
    with pytest.raises(openai.BadRequestError):
        operations.embed(to_everyone.sdk("openai"), model, ["a"])
    assert not to_everyone.servers[model].requests


def test_an_embedding_that_fails_is_the_sdks_own_error(to_everyone):
    to_everyone.openai.then(faults.Status(429))
    with pytest.raises(openai.RateLimitError):
        operations.embed(to_everyone.sdk("openai"), EMBEDDER, ["a"])


def test_anthropic_counts_tokens_itself_and_for_nothing(to_everyone):
    assert operations.count_tokens(to_everyone.sdk("anthropic"), "anthropic", "one two three") == 13
    (request,) = to_everyone.anthropic.requests
    assert request.path == "/v1/messages/count_tokens"
    assert to_everyone.record()["cost"]["nano_usd"] == 0


@pytest.mark.parametrize("model", NOT_ANTHROPIC)
def test_for_others_tokens_are_estimated_and_nobody_is_asked(to_everyone, model):
    sdk = to_everyone.sdk("anthropic")
    short, long = (operations.count_tokens(sdk, model, "word " * times) for times in (10, 1000))
    # What other tests made it learn, it has learned: between 1 and 5 bytes are a token.
    assert 10 <= short < long and 1000 <= long <= 5100
    assert not to_everyone.servers[model].requests
    assert all(record["cost"]["nano_usd"] == 0 for record in to_everyone.records(2))


# Who may use what: see `everyone.KEYS`.
ALLOWED = {"research": {"anthropic", "gemini"}, "finance": {"openai"}, "support": set(everyone.MODELS)}


@pytest.mark.parametrize("team", ALLOWED)
@pytest.mark.parametrize("client", ["openai", "anthropic"])
def test_a_key_sees_the_models_that_it_may_use(to_everyone, client, team):
    seen = operations.models(to_everyone.sdk(client, team))
    assert len(seen) == len(set(seen)) and set(seen) == ALLOWED[team]


@pytest.mark.parametrize("team", ALLOWED)
def test_google_calls_them_by_their_path(to_everyone, team):
    seen = operations.models(to_everyone.sdk("gemini", team))
    assert set(seen) == {f"models/{name}" for name in ALLOWED[team]}


def test_one_model_can_be_looked_up_in_the_shape_of_who_asks(to_everyone):
    assert to_everyone.sdk("openai", "research").sdk.models.retrieve("anthropic").object == "model"
    assert to_everyone.sdk("anthropic", "research").sdk.models.retrieve("anthropic").type == "model"


@pytest.mark.parametrize("model", ["openai", "no-such-model"])
def test_a_model_that_a_key_may_not_use_is_not_there(to_everyone, model):
    with pytest.raises(openai.NotFoundError):
        to_everyone.sdk("openai", "research").sdk.models.retrieve(model)
    with pytest.raises(anthropic.NotFoundError):
        to_everyone.sdk("anthropic", "research").sdk.models.retrieve(model)


@pytest.mark.parametrize("client", ["openai", "anthropic", "gemini"])
def test_who_has_no_key_sees_no_models(to_everyone, client):
    sdk = to_everyone.sdk(client, key="tg_nobody_gave_this_out")
    with pytest.raises(sdk.ERROR) as refused:
        operations.models(sdk)
    assert sdk.status(refused.value) == 401


def test_asking_for_models_asks_no_provider_and_costs_nothing(to_everyone):
    operations.models(to_everyone.sdk("openai"))
    assert not any(provider.requests for provider in to_everyone.providers)
