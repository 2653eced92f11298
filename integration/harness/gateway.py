"""Envoy with the filter, both providers behind it, and the clients that people use in front."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import anthropic
import openai

from providers import Anthropic, OpenAI

from . import teams
from .bootstrap import Bootstrap
from .envoy import Envoy, eventually
from .sdks import AnthropicSdk, OpenAISdk

PATHS = {"openai": "/v1/chat/completions", "anthropic": "/v1/messages"}


@dataclass(frozen=True)
class Response:
    """An answer, byte for byte."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def json(self) -> dict:
        """The body."""
        return json.loads(self.body)

    @property
    def error(self) -> dict:
        """The error object in it, which both formats call so."""
        return self.json["error"]

    def header(self, name: str) -> str | None:
        """The first value of a header."""
        return next((value for key, value in self.headers if key.lower() == name), None)


class Gateway:
    """`with Gateway(directory) as gateway:`; `change` sees the bootstrap before Envoy starts.

    `models` are the tests'; None leaves those that are shipped.
    """

    def __init__(
        self,
        directory: Path,
        change: Callable[[Bootstrap], None] = lambda bootstrap: None,
        keys: list[dict] = teams.GATE_KEYS,
        models: dict | None = teams.MODELS,
        bootstrap: Callable[[Path, dict[str, int], dict[str, str]], Bootstrap] = Bootstrap,
        **envoy: object,
    ):
        self.openai, self.anthropic = OpenAI(teams.OPENAI_KEY), Anthropic(teams.ANTHROPIC_KEY)
        self._gate = {"keys": keys} | ({"models": models} if models else {})
        self._directory, self._change, self._bootstrap, self._envoy_options = directory, change, bootstrap, envoy

    def __enter__(self) -> Self:
        self.openai.__enter__()
        self.anthropic.__enter__()
        try:
            ports = {"openai": self.openai.port, "anthropic": self.anthropic.port}
            self.bootstrap = self._bootstrap(self._directory, ports, teams.CREDENTIALS)
            self.bootstrap.gate(**self._gate)
            self._change(self.bootstrap)
            self.envoy = Envoy(self.bootstrap.config, **self._envoy_options)
            self.envoy.__enter__()
        except BaseException:
            self._stop_providers()
            raise
        self._mark = 0
        return self

    def __exit__(self, *raised: object) -> None:
        try:
            self.envoy.__exit__(*raised)
        finally:
            self._stop_providers()

    def _stop_providers(self) -> None:
        self.openai.__exit__()
        self.anthropic.__exit__()

    def fresh(self) -> None:
        """Healthy providers, and only records from now on."""
        self.openai.reset()
        self.anthropic.reset()
        # A record is written when its exchange is over, which a client that hung up does not wait for.
        eventually(lambda: len(self.envoy.records()) >= self._exchanges(), 2)
        self._mark = len(self.envoy.records())

    def _exchanges(self) -> int:
        return self.envoy.stats()["http.llm.downstream_rq_total"]

    @property
    def providers(self) -> list[OpenAI | Anthropic]:
        """Both."""
        return [self.openai, self.anthropic]

    @property
    def url(self) -> str:
        """What a client is given for a base URL."""
        return f"http://127.0.0.1:{self.envoy.port}"

    # Records.

    def records(self, count: int) -> list[dict]:
        """The `count` records since the test began, and no more than these."""
        records = self.envoy.wait_records(self._mark + count)[self._mark :]
        assert len(records) == count, f"{len(records)} records instead of {count}"
        return records

    def record(self) -> dict:
        """The record of the only exchange since the test began."""
        return self.records(1)[0]

    # Clients.

    def sdk(self, client: str, team: str = "support", key: str | None = None) -> OpenAISdk | AnthropicSdk:
        """The client's official SDK, unchanged but for base URL and key."""
        options = {"api_key": key or teams.KEYS[team], "max_retries": 0, "timeout": 15}
        if client == "openai":
            return OpenAISdk(openai.OpenAI(base_url=self.url + "/v1", **options))
        return AnthropicSdk(anthropic.Anthropic(base_url=self.url, **options))

    def post(
        self,
        client: str,
        model: str,
        text: str = "hello there",
        headers: list[tuple[str, str]] | None = None,
        team: str = "support",
        **more: object,
    ) -> Response:
        """A request in the client's format (`openai` or `anthropic`), answered whole."""
        return self.send(
            "POST", PATHS[client], self.headers(team, headers), json.dumps(ask(client, model, text, **more))
        )

    def send(self, method: str, path: str, headers: list[tuple[str, str | bytes]], body: str | bytes = b"") -> Response:
        """Any request, headers as they are."""
        with self._connection() as connection:
            with suppress(ConnectionError):  # one who is refused early may still be talking
                _request(connection, method, path, headers, body)
            answer = connection.getresponse()
            return Response(answer.status, answer.getheaders(), answer.read())

    @contextmanager
    def stream(
        self, client: str, model: str, text: str = "hello there", team: str = "support", **more: object
    ) -> Iterator[Stream]:
        """A streamed request; leaving the block hangs up."""
        body = json.dumps(ask(client, model, text, stream=True, **more))
        with self._connection() as connection:
            _request(connection, "POST", PATHS[client], self.headers(team), body)
            yield Stream(connection.getresponse())

    @contextmanager
    def unanswered(self, client: str, model: str, **more: object) -> Iterator[None]:
        """A request whose answer nobody reads; leaving the block hangs up."""
        with self._connection() as connection:
            _request(connection, "POST", PATHS[client], self.headers(), json.dumps(ask(client, model, **more)))
            yield

    @staticmethod
    def headers(team: str = "support", more: list[tuple[str, str]] | None = None) -> list[tuple[str, str]]:
        """Headers of an ordinary request."""
        return [("authorization", f"Bearer {teams.KEYS[team]}"), ("content-type", "application/json"), *(more or [])]

    @contextmanager
    def _connection(self) -> Iterator[http.client.HTTPConnection]:
        connection = http.client.HTTPConnection("127.0.0.1", self.envoy.port, timeout=15)
        try:
            yield connection
        finally:
            connection.close()


class Stream:
    """A streamed answer as it arrives."""

    def __init__(self, answer: http.client.HTTPResponse):
        self._answer = answer
        self.status, self.headers = answer.status, answer.getheaders()

    def chunks(self) -> Iterator[tuple[float, bytes]]:
        """What arrives, with the time (`time.monotonic`); ends where the stream ends, raises where it is cut."""
        while chunk := self._answer.read1():
            yield time.monotonic(), chunk

    def read(self) -> bytes:
        """All of it."""
        return b"".join(chunk for _, chunk in self.chunks())


def ask(client: str, model: str, text: str = "hello there", **more: object) -> dict:
    """A request body in the client's format."""
    limit = {"max_tokens": 1000} if client == "anthropic" else {}
    return {"model": model, "messages": [{"role": "user", "content": text}]} | limit | more


def _request(connection, method, path, headers, body) -> None:
    body = body.encode() if isinstance(body, str) else body
    connection.putrequest(method, path, skip_accept_encoding=True)
    for name, value in headers:
        connection.putheader(name, value)
    if body and not any(name.lower() in ("content-length", "transfer-encoding") for name, _ in headers):
        connection.putheader("content-length", str(len(body)))
    connection.endheaders(body or None)
