"""OpenAI Chat Completions, as api.openai.com speaks it."""

from __future__ import annotations

import json
import re
import time

from .faults import ErrorKind, Headers
from .model import Prompt, Reply, Tool, words
from .server import Provider, Refused, Request

PATH = "/v1/chat/completions"

# What it answers in `model`: the dated name behind an alias.
MODELS = {
    "gpt-4o": "gpt-4o-2024-08-06",
    "gpt-4o-mini": "gpt-4o-mini-2024-07-18",
}

ROLES = ("system", "assistant", "user", "function", "tool", "developer")

_FIELDS = """
audio frequency_penalty function_call functions logit_bias logprobs max_completion_tokens max_tokens messages
metadata modalities model n parallel_tool_calls prediction presence_penalty prompt_cache_key reasoning_effort
response_format safety_identifier seed service_tier stop store stream stream_options temperature tool_choice
tools top_logprobs top_p user verbosity web_search_options
"""
FIELDS = frozenset(_FIELDS.split())

SERVER_ERROR = "The server had an error while processing your request. Sorry about that!"

# kind -> type, code, message
ERRORS = {
    "rate_limit": (
        "tokens",
        "rate_limit_exceeded",
        "Rate limit reached for gpt-4o in organization org-tollgatetest on tokens per min (TPM): Limit 30000, "
        "Used 29871, Requested 421. Please try again in 584ms. Visit "
        "https://platform.openai.com/account/rate-limits to learn more.",
    ),
    "overloaded": ("server_error", None, "The server is currently overloaded with other requests. Sorry about that!"),
    "server": ("server_error", None, SERVER_ERROR),
    "invalid_request": ("invalid_request_error", "invalid_value", "Invalid value."),
}

FINISH = {"end": "stop", "stop_sequence": "stop", "length": "length", "tools": "tool_calls"}


class OpenAI(Provider):
    """`with OpenAI(key="sk-...") as provider:` listens on `provider.port`."""

    NAME = "openai"

    # Requests.

    def accept(self, request: Request) -> dict:
        self._authenticate(request)
        if (request.method, request.path.split("?")[0]) != ("POST", PATH):
            raise refused(404, f"Invalid URL ({request.method} {request.path})")
        try:
            body = json.loads(request.body)
        except ValueError:
            raise refused(400, "We could not parse the JSON body of your request.") from None
        if not body.get("model"):
            raise refused(400, "you must provide a model parameter")
        if body["model"] not in MODELS:
            message = f"The model `{body['model']}` does not exist or you do not have access to it."
            raise refused(404, message, code="model_not_found")
        for name in body.keys() - FIELDS:
            raise refused(400, f"Unknown parameter: '{name}'.", param=name, code="unknown_parameter")
        self._check_messages(body.get("messages"))
        if "stream_options" in body and not body.get("stream"):
            message = "The 'stream_options' parameter is only allowed when 'stream' is enabled."
            raise refused(400, message, param="stream_options")
        return body

    def _authenticate(self, request: Request) -> None:
        given = request.header("authorization") or ""
        if not given.startswith("Bearer "):
            raise refused(
                401,
                "You didn't provide an API key. You need to provide your API key in an Authorization "
                "header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY).",
            )
        if (key := given.removeprefix("Bearer ")) != self.key:
            # The real one shows this much of a wrong key.
            shown = key[:8] + "*" * max(len(key) - 12, 0) + key[-4:]
            message = (
                f"Incorrect API key provided: {shown}. You can find your API key at "
                "https://platform.openai.com/account/api-keys."
            )
            raise refused(401, message, code="invalid_api_key")

    @staticmethod
    def _check_messages(messages: list | None) -> None:
        if not messages:
            raise refused(400, "Missing required parameter: 'messages'.", "messages", "missing_required_parameter")
        open_calls: set[str] = set()
        for number, message in enumerate(messages):
            role = message.get("role")
            if role not in ROLES:
                supported = ", ".join(f"'{role}'" for role in ROLES)
                raise refused(
                    400,
                    f"Invalid value: '{role}'. Supported values are: {supported}.",
                    f"messages[{number}].role",
                    "invalid_value",
                )
            if role == "tool":
                if message.get("tool_call_id") not in open_calls:
                    raise refused(
                        400,
                        "Invalid parameter: messages with role 'tool' must be a response to a "
                        "preceeding message with 'tool_calls'.",
                        f"messages.[{number}].role",
                    )
                open_calls.discard(message["tool_call_id"])
            elif open_calls:
                break
            else:
                open_calls = {call["id"] for call in message.get("tool_calls") or []}
        if open_calls:
            raise refused(
                400,
                "An assistant message with 'tool_calls' must be followed by tool messages responding "
                "to each 'tool_call_id'.",
                f"messages.[{number}].role",
            )

    def prompt(self, body: dict) -> Prompt:
        messages = body["messages"]
        users = [_text(message) for message in messages if message["role"] == "user"]
        results = []
        while messages[len(messages) - 1 - len(results)]["role"] == "tool":
            results.append(_text(messages[len(messages) - 1 - len(results)]))
        stop = body.get("stop") or ()
        return Prompt(
            text=users[-1] if users else "",
            words=sum(words(_text(message)) for message in messages),
            images=sum(part["type"] == "image_url" for message in messages for part in _parts(message)),
            tools=tuple(
                Tool(t["function"]["name"], t["function"].get("parameters", {})) for t in body.get("tools", ())
            ),
            tool_results=tuple(reversed(results)),
            stop=(stop,) if isinstance(stop, str) else tuple(stop),
            max_tokens=body.get("max_completion_tokens") or body.get("max_tokens"),
        )

    # Answers.

    def message(self, body: dict, reply: Reply) -> dict:
        message = {"role": "assistant", "content": reply.text or None, "refusal": None, "annotations": []}
        if reply.tool_calls:
            message["tool_calls"] = [
                {"id": self.id("call_"), "type": "function", "function": {"name": call.name, "arguments": call.json}}
                for call in reply.tool_calls
            ]
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": FINISH[reply.stop]}
        return self._envelope(body, "chat.completion") | {"choices": [choice], "usage": _usage(reply)}

    def events(self, body: dict, reply: Reply) -> list[bytes]:
        options = body.get("stream_options") or {}
        usage_asked = options.get("include_usage") is True
        envelope = self._envelope(body, "chat.completion.chunk")
        # Padding that hides the size of a piece from someone who watches the wire.
        padding = {} if options.get("include_obfuscation") is False else {"obfuscation": "kX3v9Q"}

        def chunk(delta: dict, finish: str | None = None) -> bytes:
            choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
            return _event(envelope | {"choices": [choice]} | ({"usage": None} if usage_asked else {}) | padding)

        events = [chunk({"role": "assistant", "content": None if reply.tool_calls else "", "refusal": None})]
        events += [chunk({"content": piece}) for piece in reply.pieces]
        for index, call in enumerate(reply.tool_calls):
            function = {"name": call.name, "arguments": ""}
            first = {"index": index, "id": self.id("call_"), "type": "function", "function": function}
            events.append(chunk({"tool_calls": [first]}))
            for piece in re.findall(r".{1,5}", call.json, re.DOTALL):
                events.append(chunk({"tool_calls": [{"index": index, "function": {"arguments": piece}}]}))
        events.append(chunk({}, FINISH[reply.stop]))
        if usage_asked:
            events.append(_event(envelope | {"choices": [], "usage": _usage(reply)} | padding))
        return events + [b"data: [DONE]\n\n"]

    def _envelope(self, body: dict, kind: str) -> dict:
        return {
            "id": self.id("chatcmpl-"),
            "object": kind,
            "created": int(time.time()),
            "model": MODELS[body["model"]],
            "service_tier": "default",
            "system_fingerprint": "fp_50cad350e4",
        }

    def headers(self, stream: bool = False) -> Headers:
        return [
            ("content-type", "text/event-stream; charset=utf-8" if stream else "application/json"),
            ("access-control-expose-headers", "X-Request-ID"),
            ("openai-organization", "tollgate-test"),
            ("openai-processing-ms", "42"),
            ("openai-version", "2020-10-01"),
            ("x-ratelimit-limit-requests", "10000"),
            ("x-ratelimit-remaining-requests", "9999"),
            ("x-ratelimit-reset-requests", "8.64s"),
            ("x-ratelimit-remaining-tokens", "29578"),
            ("x-request-id", self.id("req_")),
            ("set-cookie", "__cf_bm=openai-edge; path=/; HttpOnly; Secure"),
            ("set-cookie", "_cfuvid=openai-visitor; path=/; HttpOnly; Secure"),
            ("server", "cloudflare"),
            ("alt-svc", 'h3=":443"; ma=86400'),
        ]

    # Errors.

    def error_object(self, kind: ErrorKind) -> dict:
        type_, code, message = ERRORS[kind]
        return {"error": {"message": message, "type": type_, "param": None, "code": code}}

    def error(self, status: int) -> tuple[Headers, bytes]:
        if status in (502, 504):
            # Not the API but the edge in front of it.
            html = [(k, v) for k, v in self.headers() if k != "content-type"] + [("content-type", "text/html")]
            return html, f"<html><head><title>{status}</title></head><body>cloudflare</body></html>".encode()
        kind: ErrorKind = {429: "rate_limit", 503: "overloaded"}.get(
            status, "server" if status >= 500 else "invalid_request"
        )
        waits = [("retry-after", "1"), ("retry-after-ms", "584")] if status == 429 else []
        return self.headers() + waits, json.dumps(self.error_object(kind)).encode()

    def error_event(self, kind: ErrorKind) -> bytes:
        return _event(self.error_object(kind))

    def ping(self) -> bytes:
        # OpenAI itself sends none; servers that speak its format send comments.
        return b": PROCESSING\n\n"

    def events_before_pings(self) -> int:
        return 0


def refused(status: int, message: str, param: str | None = None, code: str | None = None) -> Refused:
    """An error object of OpenAI's."""
    error = {"message": message, "type": "invalid_request_error", "param": param, "code": code}
    return Refused(status, {"error": error})


def _event(data: dict) -> bytes:
    return b"data: " + json.dumps(data, separators=(",", ":")).encode() + b"\n\n"


def _usage(reply: Reply) -> dict:
    """OpenAI's figures contain each other: the cached are part of the prompt, the reasoning part of the completion."""
    usage = reply.usage
    prompt = usage.input + usage.cache_read + usage.cache_write_5m + usage.cache_write_1h
    completion = usage.output + usage.reasoning
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": usage.cache_read, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": usage.reasoning,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def _parts(message: dict) -> list[dict]:
    content = message.get("content") or []
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def _text(message: dict) -> str:
    return " ".join(part["text"] for part in _parts(message) if part["type"] == "text")
