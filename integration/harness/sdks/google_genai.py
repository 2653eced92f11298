"""The google-genai SDK, generateContent."""

from __future__ import annotations

import base64
from typing import Any, Self

from google import genai
from google.genai import errors, types

from .questions import CITY, PDF, Call, Said, Sdk


class GeminiSdk(Sdk):
    """generateContent and streamGenerateContent."""

    ERROR = errors.APIError
    STREAM_ERROR = errors.APIError
    STOPS = {"end": "STOP", "stop_sequence": "STOP", "length": "MAX_TOKENS", "tools": "STOP", "refusal": "SAFETY"}

    @classmethod
    def connect(cls, url: str, key: str, version: str | None = "v1beta") -> Self:
        """Without a version it is the one that the SDK prefers."""
        options = types.HttpOptions(base_url=url, api_version=version, timeout=15_000)
        return cls(genai.Client(api_key=key, http_options=options))

    def create(self, model: str, messages: list, stream: bool, **more: Any) -> Said:
        config = types.GenerateContentConfig(
            automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True), **more
        )
        request = {"model": model, "contents": messages, "config": config}
        if stream:
            chunks = list(self.sdk.models.generate_content_stream(**request))
        else:
            chunks = [self.sdk.models.generate_content(**request)]
        parts = [part for chunk in chunks for part in _parts(chunk)]
        usage = chunks[-1].usage_metadata
        calls = [part.function_call for part in parts if part.function_call]
        return Said(
            "".join(part.text for part in parts if part.text and not part.thought),
            chunks[-1].candidates[0].finish_reason.value,
            usage.prompt_token_count,
            (usage.candidates_token_count or 0) + (usage.thoughts_token_count or 0),
            [Call(call.id, call.name, call.args) for call in calls],
            usage.cached_content_token_count or 0,
            thought="".join(part.text for part in parts if part.text and part.thought),
            turn=[types.Content(role="model", parts=[p for p in parts if p.text != ""])],
        )

    def user(self, parts: list) -> types.Content:
        return types.Content(role="user", parts=parts)

    def text(self, text: str) -> types.Part:
        return types.Part(text=text)

    def image(self, picture: str) -> types.Part:
        if picture.startswith("https:"):
            return types.Part.from_uri(file_uri=picture, mime_type="image/png")
        return types.Part.from_bytes(data=base64.b64decode(picture), mime_type="image/png")

    def document(self) -> types.Part:
        return types.Part.from_bytes(data=base64.b64decode(PDF), mime_type="application/pdf")

    def results(self, calls: list[Call]) -> list:
        results = [
            types.FunctionResponse(id=call.id, name=call.name, response={"result": f"{call.name} is fine"})
            for call in calls
        ]
        return [self.user([types.Part(function_response=result) for result in results])]

    def system(self, text: str) -> dict:
        return {"system_instruction": text}

    def tools(self, names: list[str]) -> dict:
        declared = [types.FunctionDeclaration(name=name, parameters_json_schema=CITY) for name in names]
        return {"tools": [types.Tool(function_declarations=declared)]}

    def must_call(self, name: str | None) -> dict:
        if name is None:
            return {}
        calling = types.FunctionCallingConfig(mode="ANY", allowed_function_names=[name])
        return {"tool_config": types.ToolConfig(function_calling_config=calling)}

    def shape(self, schema: dict) -> dict:
        return {"response_mime_type": "application/json", "response_json_schema": schema}

    def thinking(self) -> dict:
        return {"thinking_config": types.ThinkingConfig(include_thoughts=True, thinking_level="LOW")}

    def limit(self, tokens: int) -> dict:
        return {"max_output_tokens": tokens}

    def until(self, words: list[str]) -> dict:
        return {"stop_sequences": words}

    def status(self, error: Exception) -> int:
        return error.code


def _parts(chunk: types.GenerateContentResponse) -> list[types.Part]:
    content = chunk.candidates[0].content if chunk.candidates else None
    return (content and content.parts) or []
