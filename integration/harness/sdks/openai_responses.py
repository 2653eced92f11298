"""The openai SDK, Responses."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Self

import openai
from openai.types.responses import Response, ResponseStreamEvent

from .questions import CITY, PDF, Call, Said, Sdk, StreamFailed


class ResponsesSdk(Sdk):
    """Responses, without the provider's memory: the application sends the whole conversation each time."""

    ERROR = openai.APIStatusError
    # The SDK raises only on an event that has an `error` in it, as OpenAI sends beside what it documents.
    STREAM_ERROR = (StreamFailed, openai.APIError)
    STOPS = {
        "end": "completed",
        "stop_sequence": "completed",
        "length": "max_output_tokens",
        "tools": "completed",
        "refusal": "content_filter",
    }

    @classmethod
    def connect(cls, url: str, key: str) -> Self:
        return cls(openai.OpenAI(base_url=url + "/v1", api_key=key, max_retries=0, timeout=15))

    def create(self, model: str, messages: list, stream: bool, **more: Any) -> Said:
        answer = self.sdk.responses.create(model=model, input=messages, stream=stream, store=False, **more)
        if stream:
            answer = _last(answer)
        usage = answer.usage
        summaries = [part.text for item in answer.output if item.type == "reasoning" for part in item.summary]
        return Said(
            answer.output_text,
            answer.incomplete_details.reason if answer.status == "incomplete" else answer.status,
            usage.input_tokens,
            usage.output_tokens,
            [Call(i.call_id, i.name, json.loads(i.arguments)) for i in answer.output if i.type == "function_call"],
            cached=usage.input_tokens_details.cached_tokens,
            thought="".join(summaries),
            turn=[item.to_dict() for item in answer.output],
        )

    def user(self, parts: list) -> dict:
        return {"role": "user", "content": parts}

    def text(self, text: str) -> dict:
        return {"type": "input_text", "text": text}

    def image(self, picture: str) -> dict:
        url = picture if picture.startswith("https:") else f"data:image/png;base64,{picture}"
        return {"type": "input_image", "image_url": url, "detail": "auto"}

    def document(self) -> dict:
        return {"type": "input_file", "filename": "report.pdf", "file_data": f"data:application/pdf;base64,{PDF}"}

    def results(self, calls: list[Call]) -> list:
        return [
            {"type": "function_call_output", "call_id": call.id, "output": f"{call.name} is fine"} for call in calls
        ]

    def system(self, text: str) -> dict:
        return {"instructions": text}

    def tools(self, names: list[str]) -> dict:
        return {"tools": [{"type": "function", "name": n, "parameters": CITY, "strict": True} for n in names]}

    def must_call(self, name: str | None) -> dict:
        return {"tool_choice": {"type": "function", "name": name}} if name else {}

    def shape(self, schema: dict) -> dict:
        return {"text": {"format": {"type": "json_schema", "name": "answer", "schema": schema, "strict": True}}}

    def thinking(self) -> dict:
        return {"reasoning": {"effort": "low", "summary": "auto"}, "include": ["reasoning.encrypted_content"]}

    def limit(self, tokens: int) -> dict:
        return {"max_output_tokens": tokens}

    def until(self, words: list[str]) -> dict:
        raise NotImplementedError("Responses has no stop sequences")

    def status(self, error: Exception) -> int:
        return error.status_code


def _last(events: Iterable[ResponseStreamEvent]) -> Response:
    """The response at the end of a stream, which must be what its pieces say and what its items say."""
    said, items = "", {}
    for number, event in enumerate(events):
        assert event.sequence_number == number, f"event {number} has number {event.sequence_number}"
        match event.type:
            case "error":
                raise StreamFailed(event.message)
            case "response.failed":
                raise StreamFailed(event.response.error.message)
            case "response.output_text.delta":
                said += event.delta
            case "response.output_item.done":
                items[event.output_index] = event.item
            case "response.completed" | "response.incomplete":
                assert event.response.output_text == said, f"{said!r} came in pieces"
                assert event.response.output == [items[index] for index in sorted(items)]
                return event.response
    raise StreamFailed("the stream ended without an end")
