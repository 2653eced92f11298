"""The model behind both providers: what it says is a plain function of what it was asked.

    tool results last         "The tool said: <results>"
    a tool's name in the text a call of that tool, every string argument being the text's last word
    images                    "I see <n> image(s). You said: <text>"
    anything else             "You said: <text>"

`text` is the last user message. The answer ends before the first stop sequence in it, and after `max_tokens` tokens.

A token is a word between white space, so a test can count what a request costs without asking the code it tests.
An image is 100 tokens, the definition of a tool is 10, a call of a tool is 5.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Literal

IMAGE_TOKENS = 100
TOOL_TOKENS = 10
CALL_TOKENS = 5


@dataclass(frozen=True)
class Usage:
    """Tokens in disjoint buckets; each provider adds them up in its own way before it reports them."""

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0
    reasoning: int = 0


# A reply with this usage is counted.
COUNTED = Usage()


@dataclass(frozen=True)
class ToolCall:
    """The model wants a tool run."""

    name: str
    arguments: dict

    @property
    def json(self) -> str:
        """The arguments as the model writes them."""
        return json.dumps(self.arguments)


@dataclass(frozen=True)
class Tool:
    """A tool as the request offers it."""

    name: str
    parameters: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Prompt:
    """What is asked, whatever the wire format."""

    text: str
    words: int
    images: int = 0
    tools: tuple[Tool, ...] = ()
    tool_results: tuple[str, ...] = ()
    stop: tuple[str, ...] = ()
    max_tokens: int | None = None

    @property
    def tokens(self) -> int:
        """Size of the input."""
        return self.words + IMAGE_TOKENS * self.images + TOOL_TOKENS * len(self.tools)


@dataclass(frozen=True)
class Reply:
    """What the model says to it."""

    text: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    stop: Literal["end", "length", "stop_sequence", "tools"] = "end"
    stop_sequence: str | None = None
    usage: Usage = COUNTED

    @property
    def pieces(self) -> list[str]:
        """The text as it is streamed: a word at a time, white space kept."""
        words = self.text.split(" ")
        return [words[0]] + [" " + word for word in words[1:]] if self.text else []


def words(text: str) -> int:
    """Tokens of a text."""
    return len(text.split())


def reply_to(prompt: Prompt) -> Reply:
    """The model."""
    if prompt.tool_results:
        reply = Reply("The tool said: " + " ".join(prompt.tool_results))
    elif called := [tool for tool in prompt.tools if tool.name in prompt.text]:
        reply = Reply(tool_calls=tuple(ToolCall(tool.name, _arguments(tool, prompt.text)) for tool in called))
    elif prompt.images:
        reply = Reply(f"I see {prompt.images} image(s). You said: {prompt.text}")
    else:
        reply = Reply("You said: " + prompt.text)
    return finish(reply, prompt)


def finish(reply: Reply, prompt: Prompt) -> Reply:
    """Ends a reply where the request wants it ended, and counts."""
    if reply.tool_calls:
        reply = replace(reply, stop="tools")
    for sequence in prompt.stop:
        if sequence in reply.text:
            reply = replace(
                reply, text=reply.text.split(sequence)[0].rstrip(), stop="stop_sequence", stop_sequence=sequence
            )
    if prompt.max_tokens is not None and words(reply.text) > prompt.max_tokens:
        reply = replace(
            reply, text=" ".join(reply.text.split()[: prompt.max_tokens]), stop="length", stop_sequence=None
        )
    if reply.usage == COUNTED:
        output = words(reply.text) + CALL_TOKENS * len(reply.tool_calls)
        reply = replace(reply, usage=Usage(input=prompt.tokens, output=output))
    return reply


def _arguments(tool: Tool, text: str) -> dict:
    by_type = {"string": text.split()[-1], "integer": 1, "number": 1.5, "boolean": True, "array": [], "object": {}}
    properties = tool.parameters.get("properties", {})
    return {name: by_type.get(schema.get("type")) for name, schema in properties.items()}
