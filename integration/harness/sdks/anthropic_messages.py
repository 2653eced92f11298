"""The anthropic SDK, Messages."""

from __future__ import annotations

from typing import Any, Self

import anthropic

from .questions import CITY, PDF, Call, Said, Sdk


class AnthropicSdk(Sdk):
    """Messages."""

    ERROR = anthropic.APIStatusError
    STREAM_ERROR = anthropic.APIStatusError
    STOPS = {
        "end": "end_turn",
        "stop_sequence": "stop_sequence",
        "length": "max_tokens",
        "tools": "tool_use",
        "refusal": "refusal",
    }

    @classmethod
    def connect(cls, url: str, key: str) -> Self:
        return cls(anthropic.Anthropic(base_url=url, api_key=key, max_retries=0, timeout=15))

    def create(self, model: str, messages: list, stream: bool, max_tokens: int = 1000, **more: Any) -> Said:
        request = {"model": model, "messages": messages, "max_tokens": max_tokens} | more
        if stream:
            with self.sdk.messages.stream(**request) as events:
                answer = events.get_final_message()
        else:
            answer = self.sdk.messages.create(**request)
        usage = answer.usage
        cached = usage.cache_read_input_tokens or 0
        return Said(
            "".join(block.text for block in answer.content if block.type == "text"),
            answer.stop_reason,
            usage.input_tokens + cached + (usage.cache_creation_input_tokens or 0),
            usage.output_tokens,
            [Call(block.id, block.name, block.input) for block in answer.content if block.type == "tool_use"],
            cached,
            thought="".join(block.thinking for block in answer.content if block.type == "thinking"),
            turn=[{"role": "assistant", "content": [_taken_back(block.to_dict()) for block in answer.content]}],
        )

    def user(self, parts: list) -> dict:
        return {"role": "user", "content": parts}

    def text(self, text: str) -> dict:
        return {"type": "text", "text": text}

    def image(self, picture: str) -> dict:
        if picture.startswith("https:"):
            return {"type": "image", "source": {"type": "url", "url": picture}}
        return {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": picture}}

    def document(self) -> dict:
        source = {"type": "base64", "media_type": "application/pdf", "data": PDF}
        return {"type": "document", "source": source, "title": "report.pdf"}

    def results(self, calls: list[Call]) -> list:
        results = [
            {"type": "tool_result", "tool_use_id": c.id, "content": [{"type": "text", "text": f"{c.name} is fine"}]}
            for c in calls
        ]
        return [{"role": "user", "content": results}]

    def system(self, text: str) -> dict:
        return {"system": text}

    def tools(self, names: list[str]) -> dict:
        return {"tools": [{"name": name, "input_schema": CITY} for name in names]}

    def must_call(self, name: str | None) -> dict:
        return {"tool_choice": {"type": "tool", "name": name}} if name else {}

    def shape(self, schema: dict) -> dict:
        return {"output_config": {"format": {"type": "json_schema", "schema": schema}}}

    def thinking(self) -> dict:
        return {"thinking": {"type": "adaptive", "display": "summarized"}}

    def limit(self, tokens: int) -> dict:
        return {"max_tokens": tokens}

    def until(self, words: list[str]) -> dict:
        return {"stop_sequences": words}

    def status(self, error: Exception) -> int:
        return error.status_code


def _taken_back(block: dict) -> dict:
    """The block without what only its parser knows."""
    return {name: value for name, value in block.items() if value is not None and name != "parsed_output"}
