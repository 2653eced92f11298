"""What SDKs do beside asking a model: embeddings, token counts, and which models there are."""

from __future__ import annotations

import anthropic
import openai
from google import genai

from .sdks import CITY, Sdk


def embed(sdk: Sdk, model: str, texts: list[str], **more: object) -> tuple[list[list[float]], int]:
    """Vectors from the openai SDK, and the tokens they took."""
    client: openai.OpenAI = sdk.sdk
    answer = client.embeddings.create(model=model, input=texts, **more)
    return [entry.embedding for entry in answer.data], answer.usage.total_tokens


def count_tokens(sdk: Sdk, model: str, text: str) -> int:
    """How many tokens a question with one tool has, says the anthropic SDK."""
    client: anthropic.Anthropic = sdk.sdk
    tools = [{"name": "weather", "input_schema": CITY}]
    answer = client.messages.count_tokens(model=model, messages=[{"role": "user", "content": text}], tools=tools)
    return answer.input_tokens


def models(sdk: Sdk) -> list[str]:
    """Ids of the models that there are, says any SDK that can."""
    client: openai.OpenAI | anthropic.Anthropic | genai.Client = sdk.sdk
    if isinstance(client, genai.Client):
        return [model.name for model in client.models.list()]
    return [model.id for model in client.models.list()]
