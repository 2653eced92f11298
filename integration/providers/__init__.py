"""Provider servers that behave on the wire as the real ones do, and fail when a test orders it."""

from . import faults
from .anthropic import Anthropic
from .bedrock import Bedrock
from .compatible import Compatible
from .gcp_metadata import GcpMetadata
from .gemini import Gemini
from .model import Prompt, Reply, ToolCall, Usage
from .openai import OpenAI
from .responses import Responses
from .server import Provider, Request
from .sigv4 import Signer
from .vertex import Vertex

__all__ = [
    "Anthropic",
    "Bedrock",
    "Compatible",
    "GcpMetadata",
    "Gemini",
    "OpenAI",
    "Prompt",
    "Provider",
    "Reply",
    "Request",
    "Responses",
    "Signer",
    "ToolCall",
    "Usage",
    "Vertex",
    "faults",
]
