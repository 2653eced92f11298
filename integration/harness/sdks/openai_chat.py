"""The openai SDK, Chat Completions."""

from __future__ import annotations

import json
from typing import Any, Self

import openai

from .questions import CITY, PDF, Call, Said, Sdk


class OpenAISdk(Sdk):
    """Chat Completions."""

    ERROR = openai.APIStatusError
    STREAM_ERROR = openai.APIError
    STOPS = {
        "end": "stop",
        "stop_sequence": "stop",
        "length": "length",
        "tools": "tool_calls",
        "refusal": "content_filter",
    }

    @classmethod
    def connect(cls, url: str, key: str) -> Self:
        return cls(openai.OpenAI(base_url=url + "/v1", api_key=key, max_retries=0, timeout=15))

    def create(self, model: str, messages: list, stream: bool, system: str | None = None, **more: Any) -> Said:
        instruction = [{"role": "system", "content": system}] if system else []
        request = {"model": model, "messages": [*instruction, *messages]} | more
        if stream:
            with self.sdk.chat.completions.stream(**request, stream_options={"include_usage": True}) as events:
                for _ in events:
                    pass
                # Not the final completion: the SDK makes an exception of one that ran out of tokens.
                answer = events.current_completion_snapshot
        else:
            answer = self.sdk.chat.completions.create(**request)
        choice, usage = answer.choices[0], answer.usage
        details = usage.prompt_tokens_details
        return Said(
            choice.message.content or "",
            choice.finish_reason,
            usage.prompt_tokens,
            usage.completion_tokens,
            [Call(c.id, c.function.name, json.loads(c.function.arguments)) for c in choice.message.tool_calls or []],
            cached=(details and details.cached_tokens) or 0,
            turn=[_taken_back(choice.message.to_dict())],
        )

    def user(self, parts: list) -> dict:
        return {"role": "user", "content": parts}

    def text(self, text: str) -> dict:
        return {"type": "text", "text": text}

    def image(self, picture: str) -> dict:
        url = picture if picture.startswith("https:") else f"data:image/png;base64,{picture}"
        return {"type": "image_url", "image_url": {"url": url}}

    def document(self) -> dict:
        return {"type": "file", "file": {"filename": "report.pdf", "file_data": f"data:application/pdf;base64,{PDF}"}}

    def results(self, calls: list[Call]) -> list:
        return [{"role": "tool", "tool_call_id": call.id, "content": f"{call.name} is fine"} for call in calls]

    def system(self, text: str) -> dict:
        return {"system": text}

    def tools(self, names: list[str]) -> dict:
        return {"tools": [{"type": "function", "function": {"name": name, "parameters": CITY}} for name in names]}

    def must_call(self, name: str | None) -> dict:
        return {"tool_choice": {"type": "function", "function": {"name": name}}} if name else {}

    def shape(self, schema: dict) -> dict:
        named = {"name": "answer", "schema": schema, "strict": True}
        return {"response_format": {"type": "json_schema", "json_schema": named}}

    def thinking(self) -> dict:
        return {"reasoning_effort": "low"}

    def limit(self, tokens: int) -> dict:
        return {"max_completion_tokens": tokens}

    def until(self, words: list[str]) -> dict:
        return {"stop": words}

    def status(self, error: Exception) -> int:
        return error.status_code


def _taken_back(message: dict) -> dict:
    """The message without what only its parser knows."""
    for call in message.get("tool_calls") or []:
        call.pop("index", None)
        call["function"].pop("parsed_arguments", None)
    return {name: value for name, value in message.items() if value is not None and name != "parsed"}
