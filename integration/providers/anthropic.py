"""Anthropic Messages, API versions 2023-06-01 and 2026-10-21, as api.anthropic.com speaks them."""

from __future__ import annotations

import json
import re

from .faults import ErrorKind, Headers
from .model import Prompt, Reply, Tool, Usage, words
from .server import Provider, Refused, Request

PATH = "/v1/messages"
VERSIONS = ("2023-06-01", "2026-10-21")
# What 2026-10-21 took away. Its SDK (2.0 and later) always says that version.
REMOVED = ("temperature", "top_p", "top_k")

# What it answers in `model`: the dated name behind an alias.
MODELS = {
    "claude-sonnet-5-5": "claude-sonnet-5-5",
    "claude-haiku-4-5": "claude-haiku-4-5-20251001",
}

_FIELDS = """
container context_management inference_geo max_tokens mcp_servers messages metadata model output_config
service_tier stop_sequences stream system temperature thinking tool_choice tools top_k top_p
"""
FIELDS = frozenset(_FIELDS.split())

ERRORS = {
    "rate_limit": (
        "rate_limit_error",
        "This request would exceed your organization's rate limit of 50 requests per minute.",
    ),
    "overloaded": ("overloaded_error", "Overloaded"),
    "server": ("api_error", "Internal server error"),
    "invalid_request": ("invalid_request_error", "Invalid request"),
}

STOP = {"end": "end_turn", "length": "max_tokens", "stop_sequence": "stop_sequence", "tools": "tool_use"}


class Anthropic(Provider):
    """`with Anthropic(key="sk-ant-...") as provider:` listens on `provider.port`."""

    NAME = "anthropic"

    # Requests.

    def accept(self, request: Request) -> dict:
        self._authenticate(request)
        if (request.method, request.path.split("?")[0]) != ("POST", PATH):
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
        if version == "2026-10-21":
            for name in REMOVED:
                if name in body:
                    raise self._invalid(f"{name}: Extra inputs are not permitted")
        self._check(body)
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

    def _check(self, body: dict) -> None:
        for name in ("model", "max_tokens", "messages"):
            if name not in body:
                raise self._invalid(f"{name}: Field required")
        if body["model"] not in MODELS:
            raise self._refused(404, "not_found_error", f"model: {body['model']}")
        if not isinstance(body["max_tokens"], int) or body["max_tokens"] < 1:
            raise self._invalid("max_tokens: Input should be greater than or equal to 1")
        for name in body.keys() - FIELDS:
            raise self._invalid(f"{name}: Extra inputs are not permitted")
        if not 0 <= body.get("temperature", 1) <= 1:
            raise self._invalid("temperature: range: 0..1")
        self._check_messages(body["messages"])

    def _check_messages(self, messages: list[dict]) -> None:
        if not messages:
            raise self._invalid("messages: at least one message is required")
        open_calls: set[str] = set()
        for number, message in enumerate(messages):
            if message.get("role") == "system":
                raise self._invalid(
                    f'messages.{number}.role: Unexpected role "system". The Messages API accepts a '
                    'top-level `system` parameter, not "system" as an input message role.'
                )
            if message.get("role") not in ("user", "assistant"):
                raise self._invalid(f"messages.{number}.role: Input should be 'user' or 'assistant'")
            blocks = _blocks(message.get("content"))
            if any(block["type"] == "text" and not block["text"] for block in blocks):
                raise self._invalid("messages: text content blocks must be non-empty")
            answered = {block["tool_use_id"] for block in blocks if block["type"] == "tool_result"}
            if missing := open_calls - answered:
                raise self._invalid(
                    f"messages.{number - 1}: `tool_use` ids were found without `tool_result` blocks "
                    f"immediately after: {', '.join(sorted(missing))}."
                )
            if unexpected := answered - open_calls:
                raise self._invalid(
                    f"messages.{number}.content.0: unexpected `tool_use_id` found in `tool_result` "
                    f"blocks: {', '.join(sorted(unexpected))}."
                )
            open_calls = {block["id"] for block in blocks if block["type"] == "tool_use"}
        if messages[0]["role"] != "user":
            raise self._invalid('messages: first message must use the "user" role')

    def prompt(self, body: dict) -> Prompt:
        blocks = [(message["role"], block) for message in body["messages"] for block in _blocks(message["content"])]
        system = " ".join(block["text"] for block in _blocks(body.get("system", [])))
        results = [_text(block.get("content", [])) for _, block in blocks if block["type"] == "tool_result"]
        last = _blocks(body["messages"][-1]["content"])
        users = [_text(m["content"]) for m in body["messages"] if m["role"] == "user" and _text(m["content"])]
        said = [block["text"] for _, block in blocks if block["type"] == "text"]
        return Prompt(
            text=users[-1] if users else "",
            words=words(system) + sum(map(words, said)) + sum(map(words, results)),
            images=sum(block["type"] == "image" for _, block in blocks),
            tools=tuple(Tool(tool["name"], tool["input_schema"]) for tool in body.get("tools", ())),
            tool_results=tuple(_text(block.get("content", [])) for block in last if block["type"] == "tool_result"),
            stop=tuple(body.get("stop_sequences") or ()),
            max_tokens=body["max_tokens"],
        )

    # Answers.

    def message(self, body: dict, reply: Reply) -> dict:
        content = [{"type": "text", "text": reply.text}] if reply.text else []
        content += [
            {"type": "tool_use", "id": self.id("toolu_"), "name": call.name, "input": call.arguments}
            for call in reply.tool_calls
        ]
        stop = {"stop_reason": STOP[reply.stop], "stop_sequence": reply.stop_sequence}
        usage = _input(reply.usage) | {"output_tokens": _output(reply.usage), "service_tier": "standard"}
        return self._envelope(body) | {"content": content} | stop | {"usage": usage}

    def events(self, body: dict, reply: Reply) -> list[bytes]:
        usage = _input(reply.usage) | {"output_tokens": 1, "service_tier": "standard"}
        start = self._envelope(body) | {"content": [], "stop_reason": None, "stop_sequence": None, "usage": usage}
        events = [_event("message_start", message=start)]
        blocks: list[tuple[dict, list[dict]]] = []
        if reply.text:
            pieces = [{"type": "text_delta", "text": piece} for piece in reply.pieces]
            blocks.append(({"type": "text", "text": ""}, pieces))
        for call in reply.tool_calls:
            # The first piece of a tool's input is always empty.
            pieces = [{"type": "input_json_delta", "partial_json": p} for p in ["", *_slices(call.json)]]
            blocks.append(({"type": "tool_use", "id": self.id("toolu_"), "name": call.name, "input": {}}, pieces))
        for index, (block, pieces) in enumerate(blocks):
            events.append(_event("content_block_start", index=index, content_block=block))
            if index == 0:
                events.append(self.ping())
            events += [_event("content_block_delta", index=index, delta=piece) for piece in pieces]
            events.append(_event("content_block_stop", index=index))
        stop = {"stop_reason": STOP[reply.stop], "stop_sequence": reply.stop_sequence}
        total = {k: v for k, v in _input(reply.usage).items() if k != "cache_creation"}
        events.append(_event("message_delta", delta=stop, usage=total | {"output_tokens": _output(reply.usage)}))
        return events + [_event("message_stop")]

    def _envelope(self, body: dict) -> dict:
        return {"model": MODELS[body["model"]], "id": self.id("msg_"), "type": "message", "role": "assistant"}

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

    def error_event(self, kind: ErrorKind) -> bytes:
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


def _output(usage: Usage) -> int:
    """Thinking is part of the output and, since it is billed the same, not reported on its own here."""
    return usage.output + usage.reasoning


def _slices(text: str) -> list[str]:
    return re.findall(r"(?s).{1,5}", text)


def _blocks(content: str | list[dict] | None) -> list[dict]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content or []


def _text(content: str | list[dict]) -> str:
    return " ".join(block["text"] for block in _blocks(content) if block["type"] == "text")
