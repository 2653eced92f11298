"""Google Gemini, generateContent and streamGenerateContent, as generativelanguage.googleapis.com speaks them."""

from __future__ import annotations

import base64
import json
import mimetypes
import re
from typing import Any

import pydantic
from google.genai import types
from google.genai._common import BaseModel

from .faults import ErrorKind, Headers
from .model import ANY_TOOL, Prompt, Reply, Stop, Tool, ToolCall, Usage, words
from .server import Provider, Refused, Request
from .thought import sign, signed

PATH = re.compile(
    r"(?P<base>.*)/models/(?P<model>[^/:]+):(?P<method>generateContent|streamGenerateContent)(\?(?P<query>.*))?"
)
THINKER = "gemini"
# From 3 on, a call of a tool comes back with its signature or not at all.
MODELS = ("gemini-2.5-flash", "gemini-3.8-flash")
# What Google gives to those who bring a history from another model.
NO_SIGNATURE = "skip_thought_signature_validator"

STATUS = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND"}
STATUS |= {429: "RESOURCE_EXHAUSTED", 500: "INTERNAL", 503: "UNAVAILABLE", 504: "DEADLINE_EXCEEDED"}

# kind -> status, message
ERRORS = {
    "rate_limit": (429, "You exceeded your current quota, please check your plan and billing details."),
    "overloaded": (503, "The model is overloaded. Please try again later."),
    "server": (500, "An internal error has occurred. Please retry or report in https://developers.generativeai.google"),
    "invalid_request": (400, "Request contains an invalid argument."),
}

FINISH: dict[Stop, str] = {
    "end": "STOP",
    "stop_sequence": "STOP",
    "tools": "STOP",
    "length": "MAX_TOKENS",
    "refusal": "SAFETY",
}


class GenerateContent(BaseModel):
    """A request. The SDK has the types of its parts, which read both spellings of a name, as Google itself does."""

    model: str
    stream: bool
    contents: list[types.Content]
    system_instruction: types.Content | None = None
    tools: list[types.Tool] = []
    tool_config: types.ToolConfig | None = None
    generation_config: types.GenerationConfig = types.GenerationConfig()
    safety_settings: list[types.SafetySetting] = []
    cached_content: str | None = None
    labels: dict[str, str] | None = None
    service_tier: str | None = None
    store: bool | None = None


class Gemini(Provider[GenerateContent]):
    """`with Gemini(key="AIza...") as provider:` listens on `provider.port`."""

    NAME = "gemini"
    BASE_PATHS = ("/v1beta", "/v1")
    CALLS_HAVE_IDS = True

    # Requests.

    def accept(self, request: Request) -> GenerateContent:
        self.authenticate(request)
        path = PATH.fullmatch(request.path)
        if request.method != "POST" or path is None or path["base"] not in self.BASE_PATHS:
            raise refused(404, f"Requested entity was not found: {request.path}")
        if path["model"] not in MODELS:
            raise refused(404, f"models/{path['model']} is not found for API version v1beta.")
        stream = path["method"] == "streamGenerateContent"
        if stream and "alt=sse" not in (path["query"] or ""):
            raise refused(501, "This server streams events only; the real one would send one long JSON array.")
        try:
            given = json.loads(request.body)
            asked = GenerateContent.model_validate_json(json.dumps(given | {"model": path["model"], "stream": stream}))
        except pydantic.ValidationError as error:
            raise _unreadable(error) from None
        except ValueError:
            raise refused(400, "Invalid JSON payload received. Unexpected token.") from None
        self._check(asked)
        return asked

    def authenticate(self, request: Request) -> None:
        """Checks the key."""
        given = request.header("x-goog-api-key")
        if given is None:
            raise refused(
                403,
                "Method doesn't allow unregistered callers (callers without established identity). "
                "Please use API Key or other form of API consumer identity to call this API.",
            )
        if given != self.key:
            # Not a 401: Google finds the argument invalid.
            reason = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}
            details = [reason | {"domain": "googleapis.com"}]
            raise refused(400, "API key not valid. Please pass a valid API key.", details)

    def _check(self, asked: GenerateContent) -> None:
        if not asked.contents:
            raise refused(400, "* GenerateContentRequest.contents: contents is not specified")
        calls = 0
        for number, content in enumerate(asked.contents):
            if content.role not in ("user", "model", "function", None):
                raise refused(400, "Please use a valid role: user, model.")
            if not content.parts:
                raise refused(
                    400, f"* GenerateContentRequest.contents[{number}].parts: contents.parts must not be empty."
                )
            results = sum(part.function_response is not None for part in content.parts)
            if results != calls:
                raise refused(
                    400,
                    "Please ensure that the number of function response parts is equal to the number of function call "
                    "parts of the function call turn.",
                )
            calls = sum(part.function_call is not None for part in content.parts)
            self._check_signatures(number, content, asked)

    def _check_signatures(self, number: int, content: types.Content, asked: GenerateContent) -> None:
        """Signatures are good, and the first call of each step has one, back to the last thing the user said."""
        called = [part for part in content.parts if part.function_call is not None]
        current = not any(part.text for c in asked.contents[number + 1 :] if c.role == "user" for part in c.parts)
        if called and current and asked.model.startswith("gemini-3") and called[0].thought_signature is None:
            name = called[0].function_call.name
            message = (
                f"Function call `{name}` in the `{number + 1}.` content block is missing a `thought_signature`. "
                "Learn more: https://ai.google.dev/gemini-api/docs/thought-signatures"
            )
            raise refused(400, message)
        for part in content.parts:
            if part.thought_signature is not None and not _is_good(part.thought_signature):
                raise refused(400, "Corrupted thought signature.")

    def streams(self, asked: GenerateContent) -> bool:
        return asked.stream

    def prompt(self, asked: GenerateContent) -> Prompt:
        parts = [part for content in asked.contents for part in content.parts]
        system = _text(asked.system_instruction.parts) if asked.system_instruction else ""
        said = _text(parts)
        users = [text for c in asked.contents if c.role != "model" and (text := _text(c.parts))]
        results = [_result(part.function_response) for part in parts if part.function_response]
        media = [kind for part in parts if (kind := _media_type(part))]
        config = asked.generation_config
        thinking = config.thinking_config or types.ThinkingConfig()
        return Prompt(
            text=users[-1] if users else "",
            words=words(system) + words(said) + sum(map(words, results)),
            system=system,
            images=sum(kind.startswith("image/") for kind in media),
            documents=sum(not kind.startswith("image/") for kind in media),
            tools=tuple(_tool(declared) for tool in asked.tools for declared in tool.function_declarations or ()),
            must_call=_must_call(asked.tool_config),
            tool_results=tuple(_result(p.function_response) for p in asked.contents[-1].parts if p.function_response),
            thoughts=tuple(filter(None, (_thought(part.thought_signature) for part in parts))),
            schema=config.response_json_schema or _plain(config.response_schema),
            reasoning=bool(thinking.include_thoughts or thinking.thinking_level or thinking.thinking_budget),
            stop=tuple(config.stop_sequences or ()),
            max_tokens=config.max_output_tokens,
        )

    # Answers.

    def message(self, asked: GenerateContent, reply: Reply) -> dict:
        parts = [*self._thoughts(asked, reply), *([{"text": reply.text}] if reply.text else []), *self._calls(reply)]
        return self._chunk(asked, reply.usage, parts, FINISH[reply.stop]) | {"responseId": self.id("r")}

    def events(self, asked: GenerateContent, reply: Reply) -> list[bytes]:
        # Text and thoughts in pieces; calls of tools whole, all in one chunk.
        said = [[part] for part in [*self._thoughts(asked, reply), *({"text": piece} for piece in reply.pieces)]]
        said += [calls] if (calls := self._calls(reply)) else []
        id = {"responseId": self.id("r")}
        chunks = [self._chunk(asked, _so_far(reply.usage, n, len(said)), parts) | id for n, parts in enumerate(said)]
        # The end often is a chunk of its own, with an empty text.
        chunks.append(self._chunk(asked, reply.usage, [{"text": ""}], FINISH[reply.stop]) | id)
        return [_event(chunk) for chunk in chunks]

    def _thoughts(self, asked: GenerateContent, reply: Reply) -> list[dict]:
        thinking = asked.generation_config.thinking_config
        if not reply.thought or not thinking.include_thoughts:
            return []
        return [{"text": reply.thought, "thought": True}]

    def _calls(self, reply: Reply) -> list[dict]:
        parts = [{"functionCall": self._call(call)} for call in reply.tool_calls]
        if parts:
            # Of calls in parallel only the first one is signed.
            parts[0]["thoughtSignature"] = sign(THINKER, reply.thought)
        return parts

    def _call(self, call: ToolCall) -> dict:
        id = {"id": self.id("")[-8:]} if self.CALLS_HAVE_IDS else {}
        return {"name": call.name, "args": call.arguments} | id

    def _chunk(self, asked: GenerateContent, usage: Usage, parts: list[dict], finish: str | None = None) -> dict:
        candidate: dict[str, Any] = {"content": {"parts": parts, "role": "model"}, "index": 0}
        if finish:
            candidate["finishReason"] = finish
        return {"candidates": [candidate], "usageMetadata": _usage(usage), "modelVersion": asked.model}

    def headers(self, stream: bool = False) -> Headers:
        return [
            ("content-type", "text/event-stream" if stream else "application/json; charset=UTF-8"),
            ("vary", "Origin"),
            ("vary", "X-Origin"),
            ("server", "scaffolding on HTTPServer2"),
            ("x-xss-protection", "0"),
            ("x-frame-options", "SAMEORIGIN"),
            ("x-content-type-options", "nosniff"),
            ("server-timing", "gfet4t7; dur=511"),
            ("alt-svc", 'h3=":443"; ma=2592000,h3-29=":443"; ma=2592000'),
        ]

    # Errors and signs of life.

    def error_object(self, kind: ErrorKind) -> dict:
        return _error(*ERRORS[kind])

    def error(self, status: int) -> tuple[Headers, bytes]:
        message = next((text for code, text in ERRORS.values() if code == status), ERRORS["server"][1])
        return self.headers(), json.dumps(_error(status, message)).encode()

    def error_event(self, kind: ErrorKind, after: int) -> bytes:
        return _event(self.error_object(kind))

    def ping(self) -> bytes:
        # It has none, and its SDK takes a comment for an error.
        return b""

    def events_before_pings(self) -> int:
        return 0


def refused(status: int, message: str, details: list[dict] | None = None) -> Refused:
    """An error object of Google's."""
    return Refused(status, _error(status, message, details))


def _error(status: int, message: str, details: list[dict] | None = None) -> dict:
    error = {"code": status, "message": message, "status": STATUS.get(status, "UNKNOWN")}
    return {"error": error | ({"details": details} if details else {})}


def _unreadable(error: pydantic.ValidationError) -> Refused:
    """Google says where a field is, and that it does not know it."""
    first = error.errors()[0]
    *path, name = first["loc"]
    where = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")
    if first["type"] != "extra_forbidden":
        return refused(400, f"Invalid value at '{where}.{name}'".replace("'.", "'"))
    message = f"Invalid JSON payload received. Unknown name \"{name}\" at '{where}': Cannot find field."
    return refused(400, message.replace(" at ''", ""))


def _event(data: dict) -> bytes:
    return b"data: " + json.dumps(data).encode() + b"\r\n\r\n"


def _usage(usage: Usage) -> dict:
    """What was cached is part of the prompt; what was thought is not part of the candidates. Zeros are left out."""
    modal = {"TEXT": usage.input + usage.cache_read, "IMAGE": usage.input_image, "AUDIO": usage.input_audio}
    given = {"TEXT": usage.output, "IMAGE": usage.output_image, "AUDIO": usage.output_audio}
    metadata = {
        "promptTokenCount": usage.all_input,
        "candidatesTokenCount": usage.all_output - usage.reasoning,
        "totalTokenCount": usage.all_input + usage.all_output,
        "cachedContentTokenCount": usage.cache_read,
        "promptTokensDetails": _by_modality(modal),
        "cacheTokensDetails": _by_modality({"TEXT": usage.cache_read}),
        "candidatesTokensDetails": _by_modality(given) if usage.output_image or usage.output_audio else [],
        "thoughtsTokenCount": usage.reasoning,
    }
    return {name: value for name, value in metadata.items() if value}


def _by_modality(tokens: dict[str, int]) -> list[dict]:
    return [{"modality": name, "tokenCount": count} for name, count in tokens.items() if count]


def _so_far(usage: Usage, number: int, of: int) -> Usage:
    """What is used when only some chunks of the answer are out."""
    part = (number + 1) / (of + 1)
    return Usage(
        **vars(usage) | {name: int(getattr(usage, name) * part) for name in ("output", "output_image", "output_audio")}
    )


def _text(parts: list[types.Part]) -> str:
    return " ".join(part.text for part in parts if part.text and not part.thought)


def _media_type(part: types.Part) -> str | None:
    if part.inline_data:
        return part.inline_data.mime_type
    # Of a file it is not required; where it is missing, the name tells.
    return part.file_data and (part.file_data.mime_type or mimetypes.guess_type(part.file_data.file_uri)[0])


def _result(response: types.FunctionResponse) -> str:
    """What a tool gave: an object, of which the model reads the values."""
    return " ".join(value if isinstance(value, str) else json.dumps(value) for value in response.response.values())


def _tool(declared: types.FunctionDeclaration) -> Tool:
    return Tool(declared.name, declared.parameters_json_schema or _plain(declared.parameters) or {})


def _plain(schema: types.Schema | None) -> dict | None:
    """A schema of Google's own as JSON."""
    return schema and schema.model_dump(mode="json", exclude_none=True, by_alias=True)


def _must_call(config: types.ToolConfig | None) -> str | None:
    calling = config and config.function_calling_config
    if not calling or calling.mode != types.FunctionCallingConfigMode.ANY:
        return None
    return calling.allowed_function_names[0] if calling.allowed_function_names else ANY_TOOL


def _thought(signature: bytes | None) -> str | None:
    return signature and signed(THINKER, base64.b64encode(signature).decode())


def _is_good(signature: bytes) -> bool:
    return _thought(signature) is not None or base64.urlsafe_b64encode(signature).decode() == NO_SIGNATURE
