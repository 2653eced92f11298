"""Provider servers that behave on the wire as OpenAI and Anthropic do, and fail when a test orders it."""

from . import faults
from .anthropic import Anthropic
from .model import Reply, ToolCall, Usage
from .openai import OpenAI
from .server import Provider, Request

__all__ = ["Anthropic", "OpenAI", "Provider", "Reply", "Request", "ToolCall", "Usage", "faults"]
