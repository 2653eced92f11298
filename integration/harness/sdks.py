"""The two official SDKs, asked for the same things in their own ways."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

import anthropic
import openai

CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
# A single grey pixel.
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg=="
PICTURE = "https://example.com/cat.png"


@dataclass(frozen=True)
class Call:
    """A tool call as the SDK gave it to the application."""

    id: str
    name: str
    arguments: dict


@dataclass(frozen=True)
class Said:
    """An answer as the SDK gave it to the application."""

    text: str
    stop: str
    input: int
    output: int
    calls: list[Call] = field(default_factory=list)


class OpenAISdk:
    """Chat Completions."""

    ERROR = openai.APIStatusError
    STOPS = {"end": "stop", "length": "length", "tools": "tool_calls"}

    def __init__(self, sdk: openai.OpenAI):
        self.sdk = sdk

    def ask(self, model: str, text: str = "hello there", stream: bool = False, **more: object) -> Said:
        """A question."""
        return self._create(model, [{"role": "user", "content": text}], stream, **more)

    def ask_with_system(self, model: str, system: str, text: str) -> Said:
        """A question with an instruction before it."""
        return self._create(model, [{"role": "system", "content": system}, {"role": "user", "content": text}], False)

    def call_tools(self, model: str, text: str, names: list[str], stream: bool = False) -> tuple[Said, Said]:
        """A question that makes the model call tools, and what it says to their results."""
        tools = [{"type": "function", "function": {"name": name, "parameters": CITY}} for name in names]
        question = {"role": "user", "content": text}
        first = self._create(model, [question], stream, tools=tools)
        calls = [
            {"id": c.id, "type": "function", "function": {"name": c.name, "arguments": json.dumps(c.arguments)}}
            for c in first.calls
        ]
        results = [{"role": "tool", "tool_call_id": c.id, "content": f"{c.name} is fine"} for c in first.calls]
        history = [question, {"role": "assistant", "content": first.text or None, "tool_calls": calls}, *results]
        return first, self._create(model, history, stream, tools=tools)

    def show_images(self, model: str, text: str) -> Said:
        """A question about two pictures, one inline and one by its address."""
        urls = [f"data:image/png;base64,{PIXEL}", PICTURE]
        images = [{"type": "image_url", "image_url": {"url": url}} for url in urls]
        return self._create(model, [{"role": "user", "content": [*images, {"type": "text", "text": text}]}], False)

    def _create(self, model: str, messages: list, stream: bool, **more: object) -> Said:
        request = {"model": model, "messages": messages} | more
        if stream:
            with self.sdk.chat.completions.stream(**request, stream_options={"include_usage": True}) as events:
                for _ in events:
                    pass
                # Not the final completion: the SDK makes an exception of one that ran out of tokens.
                answer = events.current_completion_snapshot
        else:
            answer = self.sdk.chat.completions.create(**request)
        choice, usage = answer.choices[0], answer.usage
        calls = [Call(c.id, c.function.name, json.loads(c.function.arguments)) for c in choice.message.tool_calls or []]
        text = choice.message.content or ""
        return Said(text, choice.finish_reason, usage.prompt_tokens, usage.completion_tokens, calls)


class AnthropicSdk:
    """Messages."""

    ERROR = anthropic.APIStatusError
    STOPS = {"end": "end_turn", "length": "max_tokens", "tools": "tool_use"}

    def __init__(self, sdk: anthropic.Anthropic):
        self.sdk = sdk

    def ask(self, model: str, text: str = "hello there", stream: bool = False, **more: object) -> Said:
        """A question."""
        return self._create(model, [{"role": "user", "content": text}], stream, **more)

    def ask_with_system(self, model: str, system: str, text: str) -> Said:
        """A question with an instruction before it."""
        return self._create(model, [{"role": "user", "content": text}], False, system=system)

    def call_tools(self, model: str, text: str, names: list[str], stream: bool = False) -> tuple[Said, Said]:
        """A question that makes the model call tools, and what it says to their results."""
        tools = [{"name": name, "input_schema": CITY} for name in names]
        question = {"role": "user", "content": text}
        first = self._create(model, [question], stream, tools=tools)
        said = [{"type": "text", "text": first.text}] if first.text else []
        calls = [{"type": "tool_use", "id": c.id, "name": c.name, "input": c.arguments} for c in first.calls]
        results = [
            {"type": "tool_result", "tool_use_id": c.id, "content": [{"type": "text", "text": f"{c.name} is fine"}]}
            for c in first.calls
        ]
        history = [question, {"role": "assistant", "content": said + calls}, {"role": "user", "content": results}]
        return first, self._create(model, history, stream, tools=tools)

    def show_images(self, model: str, text: str) -> Said:
        """A question about two pictures, one inline and one by its address."""
        sources = [{"type": "base64", "media_type": "image/png", "data": PIXEL}, {"type": "url", "url": PICTURE}]
        images = [{"type": "image", "source": source} for source in sources]
        return self._create(model, [{"role": "user", "content": [*images, {"type": "text", "text": text}]}], False)

    def _create(self, model: str, messages: list, stream: bool, max_tokens: int = 1000, **more: object) -> Said:
        request = {"model": model, "messages": messages, "max_tokens": max_tokens} | more
        if stream:
            with self.sdk.messages.stream(**request) as events:
                answer = events.get_final_message()
        else:
            answer = self.sdk.messages.create(**request)
        text = "".join(block.text for block in answer.content if block.type == "text")
        calls = [Call(block.id, block.name, block.input) for block in answer.content if block.type == "tool_use"]
        return Said(text, answer.stop_reason, answer.usage.input_tokens, answer.usage.output_tokens, calls)
