"""What all of api.openai.com has in common: keys, models, headers, errors, embeddings."""

from __future__ import annotations

import base64
import json
import struct
from typing import Any

from openai.types.embedding_create_params import EmbeddingCreateParams

from .faults import ErrorKind, Headers
from .model import words
from .server import Provider, Refused, Request
from .shape import flaw

EMBEDDINGS = "/embeddings"

# What it answers in `model`: the dated name behind an alias.
MODELS = {
    "gpt-4o": "gpt-4o-2024-08-06",
    "gpt-4o-mini": "gpt-4o-mini-2024-07-18",
    "gpt-5.5": "gpt-5.5-2026-04-23",
    # Of a fine-tuned model, of which no price is published.
    "a-model-of-our-own": "a-model-of-our-own",
}
REASONING_MODELS = ("gpt-5.5",)
# name -> length of its vectors
EMBEDDING_MODELS = {"text-embedding-3-small": 1536, "text-embedding-3-large": 3072}

# Required by the API description, and by nobody: every example leaves them out.
OPTIONAL = frozenset({"annotations", "detail", "id", "parameters", "status", "strict"})

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


class OpenAIApi(Provider[dict]):
    """A subclass has one `PATH` of its own, beside embeddings."""

    BASE_PATH = "/v1"
    PATH: str
    SHAPE: Any
    """The SDK's type of a request."""

    # Requests.

    def accept(self, request: Request) -> dict:
        self._authenticate(request)
        path = request.path.split("?")[0].removeprefix(self.BASE_PATH)
        if request.method != "POST" or path not in (self.PATH, EMBEDDINGS):
            raise refused(404, f"Invalid URL ({request.method} {request.path})")
        try:
            body = json.loads(request.body)
        except ValueError:
            raise refused(400, "We could not parse the JSON body of your request.") from None
        if not body.get("model"):
            raise refused(400, "you must provide a model parameter")
        if body["model"] not in (EMBEDDING_MODELS if path == EMBEDDINGS else self.models()):
            message = f"The model `{body['model']}` does not exist or you do not have access to it."
            raise refused(404, message, code="model_not_found")
        if path == EMBEDDINGS:
            _check_shape(body, EmbeddingCreateParams)
        else:
            _check_shape(self.known(body), self.SHAPE)
            self.check(body)
        return body

    def models(self) -> dict[str, str]:
        """What it serves, and what it calls that in its answers."""
        return MODELS

    def known(self, body: dict) -> dict:
        """The body as the API description has it: without what is accepted all the same."""
        return body

    def check(self, body: dict) -> None:
        """What a shape does not say."""
        raise NotImplementedError

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

    def streams(self, asked: dict) -> bool:
        return asked.get("stream") is True

    def without_model(self, request: Request, asked: dict) -> dict | None:
        if not request.path.startswith(self.BASE_PATH + EMBEDDINGS):
            return None
        texts = asked["input"] if isinstance(asked["input"], list) else [asked["input"]]
        length = asked.get("dimensions", EMBEDDING_MODELS[asked["model"]])
        # The point is the shape, not the meaning: a text's vector is its number of words, and zeros.
        vectors = [[float(words(text)), *[0.0] * (length - 1)] for text in texts]
        data = [{"object": "embedding", "index": i, "embedding": _encoded(v, asked)} for i, v in enumerate(vectors)]
        tokens = sum(map(words, texts))
        usage = {"prompt_tokens": tokens, "total_tokens": tokens}
        return {"object": "list", "data": data, "model": asked["model"], "usage": usage}

    # Answers.

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


def refused(status: int, message: str, param: str | None = None, code: str | None = None) -> Refused:
    """An error object of OpenAI's."""
    error = {"message": message, "type": "invalid_request_error", "param": param, "code": code}
    return Refused(status, {"error": error})


def check_calls(turns: list[tuple[str, str, int]], said: str, missing: str) -> None:
    """Every call of a tool has its result, and every result its call, in this order.

    A turn is (`call`, `result` or `other`, id, its number in the request). `said` and `missing` are the API's words
    for a result without a call and for a call without a result.
    """
    open_calls: dict[str, int] = {}
    for kind, id, number in turns:
        if kind == "result" and open_calls.pop(id, None) is None:
            raise refused(400, said.format(id=id), f"messages[{number}]")
        if kind == "call":
            open_calls[id] = number
        if kind == "other" and open_calls:
            break
    for id, number in open_calls.items():
        raise refused(400, missing.format(id=id), f"messages[{number}]")


def _check_shape(body: dict, shape: Any) -> None:
    # `stream` alone makes another type of the same request.
    found = flaw({name: value for name, value in body.items() if name != "stream"}, shape, OPTIONAL)
    if found is None:
        return
    where = found.where(brackets=True)
    if found.kind == "unknown":
        raise refused(400, f"Unknown parameter: '{where}'.", where, "unknown_parameter")
    if found.kind == "missing":
        raise refused(400, f"Missing required parameter: '{where}'.", where, "missing_required_parameter")
    value = body
    for step in found.path:
        value = value[step]
    raise refused(400, f"Invalid value: {value!r:.100}. Supported values are others.", where, "invalid_value")


def _encoded(vector: list[float], asked: dict) -> list[float] | str:
    if asked.get("encoding_format") != "base64":
        return vector
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
