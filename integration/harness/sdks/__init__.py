"""The official SDKs, asked for the same things in their own ways."""

from .anthropic_messages import AnthropicSdk
from .aws_boto3 import BedrockSdk
from .google_genai import GeminiSdk
from .openai_chat import OpenAISdk
from .openai_responses import ResponsesSdk
from .questions import CITY, PICTURE, PIXEL, Call, Said, Sdk, StreamFailed

# By the short name that tests call a client by.
SDKS: dict[str, type[Sdk]] = {
    "openai": OpenAISdk,
    "responses": ResponsesSdk,
    "anthropic": AnthropicSdk,
    "gemini": GeminiSdk,
    "bedrock": BedrockSdk,
}

__all__ = [
    "CITY",
    "PICTURE",
    "PIXEL",
    "SDKS",
    "AnthropicSdk",
    "BedrockSdk",
    "Call",
    "GeminiSdk",
    "OpenAISdk",
    "ResponsesSdk",
    "Said",
    "Sdk",
    "StreamFailed",
]
