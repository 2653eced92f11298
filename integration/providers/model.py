"""The model behind all providers: what it says is a plain function of what it was asked.

    tool results last         "The tool said: <results>"
    a tool that must be used  a call of that tool, every string argument being the text's last word
    a tool's name in the text the same
    an answer of some shape   JSON of that shape, every string in it being the text's last word
    images, documents         "I see <n> image(s). I read <n> document(s). You said: <text>"
    anything else             "You said: <text>"

`text` is the last user message. The answer ends before the first stop sequence in it, and after `max_tokens` tokens.
Asked to reason, it thinks "<text> makes me think" first, and signs its thought: `providers/thought.py`.

A token is a word between white space, so a test can count what a request costs without asking the code it tests.
An image is 100 tokens, a document 50, the definition of a tool is 10, a call of a tool is 5.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Literal

IMAGE_TOKENS = 100
DOCUMENT_TOKENS = 50
TOOL_TOKENS = 10
CALL_TOKENS = 5

# In `Prompt.must_call`: one tool or another.
ANY_TOOL = "*"

Stop = Literal["end", "length", "stop_sequence", "tools", "refusal"]


@dataclass(frozen=True)
class Usage:
    """Tokens in disjoint buckets; each provider adds them up in its own way before it reports them."""

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0
    input_audio: int = 0
    input_image: int = 0
    reasoning: int = 0
    output_audio: int = 0
    output_image: int = 0

    @property
    def all_input(self) -> int:
        """Everything that went in."""
        cached = self.cache_read + self.cache_write_5m + self.cache_write_1h
        return self.input + cached + self.input_audio + self.input_image

    @property
    def all_output(self) -> int:
        """Everything that came out, thoughts too."""
        return self.output + self.reasoning + self.output_audio + self.output_image


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
    system: str = ""
    images: int = 0
    documents: int = 0
    tools: tuple[Tool, ...] = ()
    must_call: str | None = None
    """The name of a tool, or `ANY_TOOL`."""
    tool_results: tuple[str, ...] = ()
    thoughts: tuple[str, ...] = ()
    """The model's own, of earlier turns, which came back with a good signature."""
    schema: dict | None = None
    """The JSON schema that the answer must fit."""
    reasoning: bool = False
    stop: tuple[str, ...] = ()
    max_tokens: int | None = None

    @property
    def tokens(self) -> int:
        """Size of the input."""
        media = IMAGE_TOKENS * self.images + DOCUMENT_TOKENS * self.documents
        return self.words + media + TOOL_TOKENS * len(self.tools)


@dataclass(frozen=True)
class Reply:
    """What the model says to it."""

    text: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    thought: str = ""
    stop: Stop = "end"
    stop_sequence: str | None = None
    usage: Usage = COUNTED

    @property
    def pieces(self) -> list[str]:
        """The text as it is streamed: a word at a time, white space kept."""
        return pieces(self.text)


def pieces(text: str) -> list[str]:
    """A text word by word, white space kept."""
    first, *others = text.split(" ")
    return [first, *(" " + word for word in others)] if text else []


def words(text: str) -> int:
    """Tokens of a text."""
    return len(text.split())


def reply_to(prompt: Prompt) -> Reply:
    """The model."""
    if prompt.tool_results:
        reply = Reply("The tool said: " + " ".join(prompt.tool_results))
    elif called := [tool for tool in prompt.tools if _is_called(tool, prompt)]:
        reply = Reply(tool_calls=tuple(ToolCall(t.name, example(t.parameters, prompt.text)) for t in called))
    elif prompt.schema:
        reply = Reply(json.dumps(example(prompt.schema, prompt.text)))
    else:
        images = f"I see {prompt.images} image(s). " if prompt.images else ""
        documents = f"I read {prompt.documents} document(s). " if prompt.documents else ""
        reply = Reply(f"{images}{documents}You said: {prompt.text}")
    return finish(reply, prompt)


def finish(reply: Reply, prompt: Prompt) -> Reply:
    """Ends a reply where the request wants it ended, thinks first if asked to, and counts."""
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
    if prompt.reasoning:
        reply = replace(reply, thought=f"{prompt.text} makes me think")
    if reply.usage == COUNTED:
        output = words(reply.text) + CALL_TOKENS * len(reply.tool_calls)
        reply = replace(reply, usage=Usage(input=prompt.tokens, output=output, reasoning=words(reply.thought)))
    return reply


def example(schema: dict, text: str) -> object:
    """A value that fits a JSON schema, made of a text's last word."""
    match schema.get("type", "").lower():  # Gemini's own schemas shout
        case "object":
            return {name: example(part, text) for name, part in schema.get("properties", {}).items()}
        case "array":
            return [example(schema["items"], text)] if "items" in schema else []
        case "string":
            return schema["enum"][0] if "enum" in schema else (text.split() or [""])[-1]
        case other:
            return {"integer": 1, "number": 1.5, "boolean": True}.get(other)


def _is_called(tool: Tool, prompt: Prompt) -> bool:
    return tool.name in prompt.text or prompt.must_call in (tool.name, ANY_TOOL)
