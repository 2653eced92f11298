"""Anthropic Messages, API versions 2023-06-01 and 2026-10-21, as api.anthropic.com speaks them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from anthropic.types.message_count_tokens_params import MessageCountTokensParams
from anthropic.types.message_create_params import MessageCreateParamsNonStreaming

from .anthropic_check import (
    THINKER,
    blocks_of,
    limits_complaint,
    messages_complaint,
    must_call,
    shape_complaint,
    text_of,
)
from .faults import ErrorKind, Headers
from .model import Prompt, Reply, Tool, Usage, pieces, words
from .server import Provider, Refused, Request
from .thought import sign, signed

MESSAGES = "/v1/messages"
COUNT_TOKENS = "/v1/messages/count_tokens"
VERSIONS = ("2023-06-01", "2026-10-21")
# What 2026-10-21 took away. Its SDK (2.0 and later) always says that version.
REMOVED = ("temperature", "top_p", "top_k")

# What it answers in `model`: the dated name behind an alias.
MODELS = {
    "claude-sonnet-5-5": "claude-sonnet-5-5",
    "claude-haiku-4-5": "claude-haiku-4-5-20251001",
}

ERRORS = {
    "rate_limit": (
        "rate_limit_error",
        "This request would exceed your organization's rate limit of 50 requests per minute.",
    ),
    "overloaded": ("overloaded_error", "Overloaded"),
    "server": ("api_error", "Internal server error"),
    "invalid_request": ("invalid_request_error", "Invalid request"),
}

STOP = {
    "end": "end_turn",
    "length": "max_tokens",
    "stop_sequence": "stop_sequence",
    "tools": "tool_use",
    "refusal": "refusal",
}


# What a block of a stream holds before its deltas.
_EMPTY = {"text": {"text": ""}, "thinking": {"thinking": "", "signature": ""}, "tool_use": {"input": {}}}


class Anthropic(Provider[dict]):
    """`with Anthropic(key="sk-ant-...") as provider:` listens on `provider.port`."""

    NAME = "anthropic"

    # Requests.

    def accept(self, request: Request) -> dict:
        self._authenticate(request)
        path = request.path.split("?")[0]
        if request.method != "POST" or path not in (MESSAGES, COUNT_TOKENS):
            raise self._refused(404, "not_found_error", "Not Found")
        version = request.header("anthropic-version")
        if version is None:
            raise self._invalid("anthropic-version: header is required")
        if version not in VERSIONS:
            raise self._invalid(f'anthropic-version: "{version}" is not a valid version')
        try:
            body = json.loads(request.body)
        except ValueError:
            raise self._invalid("The request body is not valid JSON") from None
        if path == COUNT_TOKENS:
            self._check(body, MessageCountTokensParams)
        else:
            # An older version of the API took more than the SDK of today describes.
            removed = REMOVED if version != VERSIONS[-1] else ()
            self._check(
                {k: v for k, v in body.items() if k not in (*removed, "stream")}, MessageCreateParamsNonStreaming
            )
            if complaint := limits_complaint(body):
                raise self._invalid(complaint)
        return body

    def _authenticate(self, request: Request) -> None:
        # Its SDK sent `x-api-key` for years and sends the same key as a bearer token since 2.0: both are good.
        given = request.header("x-api-key")
        bearer = request.header("authorization")
        if given is None and bearer is None:
            raise self._refused(401, "authentication_error", "x-api-key header is required")
        if given is not None and given != self.key:
            raise self._refused(401, "authentication_error", "invalid x-api-key")
        if given is None and bearer != f"Bearer {self.key}":
            raise self._refused(401, "authentication_error", "Invalid bearer token")

    def _check(self, body: dict, shape: type) -> None:
        if complaint := messages_complaint(body.get("messages")) or shape_complaint(body, shape):
            raise self._invalid(complaint)
        if body["model"] not in MODELS:
            raise self._refused(404, "not_found_error", f"model: {body['model']}")

    def streams(self, asked: dict) -> bool:
        return asked.get("stream") is True

    def without_model(self, request: Request, asked: dict) -> dict | None:
        if request.path.split("?")[0] != COUNT_TOKENS:
            return None
        return {"input_tokens": self.prompt(asked).tokens}

    def prompt(self, asked: dict) -> Prompt:
        blocks = [(message["role"], block) for message in asked["messages"] for block in blocks_of(message["content"])]
        kinds = [block["type"] for _, block in blocks]
        system = " ".join(block["text"] for block in blocks_of(asked.get("system", [])))
        results = [text_of(block.get("content", [])) for _, block in blocks if block["type"] == "tool_result"]
        last = blocks_of(asked["messages"][-1]["content"])
        users = [text_of(m["content"]) for m in asked["messages"] if m["role"] == "user" and text_of(m["content"])]
        said = [block["text"] for _, block in blocks if block["type"] == "text"]
        return Prompt(
            text=users[-1] if users else "",
            words=words(system) + sum(map(words, said)) + sum(map(words, results)),
            system=system,
            images=kinds.count("image"),
            documents=kinds.count("document"),
            tools=tuple(Tool(tool["name"], tool["input_schema"]) for tool in asked.get("tools", ())),
            must_call=must_call(asked.get("tool_choice")),
            tool_results=tuple(text_of(block.get("content", [])) for block in last if block["type"] == "tool_result"),
            thoughts=tuple(signed(THINKER, b["signature"]) for _, b in blocks if b["type"] == "thinking"),
            schema=((asked.get("output_config") or {}).get("format") or {}).get("schema"),
            reasoning=(asked.get("thinking") or {}).get("type", "disabled") != "disabled",
            stop=tuple(asked.get("stop_sequences") or ()),
            max_tokens=asked.get("max_tokens"),
        )

    # Answers.

    def message(self, asked: dict, reply: Reply) -> dict:
        content = [block for block, _ in self._content(asked, reply)]
        usage = _input(reply.usage) | _output(reply.usage) | {"service_tier": "standard"}
        return self._envelope(asked) | {"content": content} | _stop(reply) | {"usage": usage}

    def events(self, asked: dict, reply: Reply) -> list[bytes]:
        usage = _input(reply.usage) | {"output_tokens": 1, "service_tier": "standard"}
        start = self._envelope(asked) | {"content": [], "stop_reason": None, "stop_sequence": None, "usage": usage}
        events = [_event("message_start", message=start)]
        for index, (block, deltas) in enumerate(self._content(asked, reply)):
            events.append(_event("content_block_start", index=index, content_block=block | _EMPTY[block["type"]]))
            if index == 0:
                events.append(self.ping())
            events += [_event("content_block_delta", index=index, delta=delta) for delta in deltas]
            events.append(_event("content_block_stop", index=index))
        total = {k: v for k, v in _input(reply.usage).items() if k != "cache_creation"} | _output(reply.usage)
        events.append(_event("message_delta", delta=_stop(reply), usage=total))
        return [*events, _event("message_stop")]

    def _content(self, asked: dict, reply: Reply) -> Iterator[tuple[dict, list[dict]]]:
        """The blocks of an answer, each with the deltas that build it up."""
        if reply.thought:
            thinking, signature = _shown(asked, reply.thought), sign(THINKER, reply.thought)
            deltas = [{"type": "thinking_delta", "thinking": piece} for piece in pieces(thinking)]
            deltas.append({"type": "signature_delta", "signature": signature})
            yield {"type": "thinking", "thinking": thinking, "signature": signature}, deltas
        if reply.text:
            yield {"type": "text", "text": reply.text}, [{"type": "text_delta", "text": p} for p in reply.pieces]
        for call in reply.tool_calls:
            # The first piece of a tool's input is always empty.
            deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in ["", *_slices(call.json)]]
            yield {"type": "tool_use", "id": self.id("toolu_"), "name": call.name, "input": call.arguments}, deltas

    def _envelope(self, asked: dict) -> dict:
        return {"model": MODELS[asked["model"]], "id": self.id("msg_"), "type": "message", "role": "assistant"}

    def headers(self, stream: bool = False) -> Headers:
        return [
            ("content-type", "text/event-stream; charset=utf-8" if stream else "application/json"),
            ("anthropic-organization-id", "00000000-0000-4000-8000-000000000000"),
            ("anthropic-ratelimit-requests-limit", "50"),
            ("anthropic-ratelimit-requests-remaining", "49"),
            ("anthropic-ratelimit-requests-reset", "2026-11-22T12:00:01Z"),
            ("anthropic-ratelimit-tokens-remaining", "39000"),
            ("request-id", self.id("req_")),
            ("set-cookie", "_cfuvid=anthropic-visitor; path=/; HttpOnly; Secure"),
            ("strict-transport-security", "max-age=31536000; includeSubDomains; preload"),
            ("via", "1.1 google"),
            ("server", "cloudflare"),
        ]

    # Errors.

    def _refused(self, status: int, type_: str, message: str) -> Refused:
        error = {"type": type_, "message": message}
        return Refused(status, {"type": "error", "error": error, "request_id": self.id("req_")})

    def _invalid(self, message: str) -> Refused:
        return self._refused(400, "invalid_request_error", message)

    def error_object(self, kind: ErrorKind) -> dict:
        type_, message = ERRORS[kind]
        return {"type": "error", "error": {"type": type_, "message": message}, "request_id": self.id("req_")}

    def error(self, status: int) -> tuple[Headers, bytes]:
        kind: ErrorKind = {429: "rate_limit", 529: "overloaded"}.get(
            status, "server" if status >= 500 else "invalid_request"
        )
        waits = [("retry-after", "17"), ("x-should-retry", "true")] if status in (429, 529) else []
        return self.headers() + waits, json.dumps(self.error_object(kind)).encode()

    def error_event(self, kind: ErrorKind, after: int) -> bytes:
        return _event("error", error=self.error_object(kind)["error"])

    def ping(self) -> bytes:
        return _event("ping")

    def events_before_pings(self) -> int:
        return 1


def _event(name: str, **fields: object) -> bytes:
    data = json.dumps({"type": name} | fields, separators=(",", ":"))
    return f"event: {name}\ndata: {data}\n\n".encode()


def _input(usage: Usage) -> dict:
    """Anthropic's `input_tokens` leave the cache out."""
    return {
        "input_tokens": usage.input,
        "cache_creation_input_tokens": usage.cache_write_5m + usage.cache_write_1h,
        "cache_read_input_tokens": usage.cache_read,
        "cache_creation": {
            "ephemeral_5m_input_tokens": usage.cache_write_5m,
            "ephemeral_1h_input_tokens": usage.cache_write_1h,
        },
    }


def _output(usage: Usage) -> dict:
    """Thinking is part of the output, and named."""
    return {
        "output_tokens": usage.all_output,
        "output_tokens_details": {"thinking_tokens": usage.reasoning},
    }


def _stop(reply: Reply) -> dict:
    stop = {"stop_reason": STOP[reply.stop], "stop_sequence": reply.stop_sequence}
    if reply.stop == "refusal":
        stop["stop_details"] = {"type": "refusal", "category": None, "explanation": None}
    return stop


def _shown(asked: dict, thought: str) -> str:
    """Adaptive thinking keeps its thoughts to itself unless asked for them."""
    thinking = asked["thinking"]
    default = "summarized" if thinking["type"] == "enabled" else "omitted"
    return thought if (thinking.get("display") or default) == "summarized" else ""


def _slices(text: str) -> list[str]:
    return re.findall(r"(?s).{1,5}", text)
