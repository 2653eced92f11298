"""Envoy with the filter, providers behind it, and the clients that people use in front."""

from __future__ import annotations

import http.client
import json
import ssl
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self, TypeVar
from urllib.parse import quote

from providers import Anthropic, OpenAI, Provider

from . import teams
from .bootstrap import Bootstrap
from .envoy import Envoy, eventually
from .sdks import SDKS, Sdk

T = TypeVar("T")

# Where a client asks, if that does not depend on what it asks.
PATHS = {"openai": "/v1/chat/completions", "responses": "/v1/responses", "anthropic": "/v1/messages"}


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
        """The error object in it, which all formats call so but Bedrock's: there it is the whole body."""
        return self.json.get("error", self.json)

    def header(self, name: str) -> str | None:
        """The first value of a header."""
        return next((value for key, value in self.headers if key.lower() == name), None)


def at_once(count: int, ask: Callable[[], T]) -> list[T]:
    """The answers to so many requests at the same time."""
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(lambda _: ask(), range(count)))


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
        servers: Callable[[], dict[str, Provider]] = teams.servers,
        **envoy: object,
    ):
        self.servers = servers()
        self._gate = {"keys": keys} | ({"models": models} if models else {})
        self._directory, self._change, self._bootstrap, self._envoy_options = directory, change, bootstrap, envoy

    def __enter__(self) -> Self:
        with ExitStack() as running:
            for server in self.servers.values():
                running.enter_context(server)
            ports = {name: server.port for name, server in self.servers.items()}
            self.bootstrap = self._bootstrap(self._directory, ports, teams.CREDENTIALS)
            self.bootstrap.gate(**self._gate)
            self._change(self.bootstrap)
            audit = self._directory / "audit.jsonl"
            self.envoy = running.enter_context(Envoy(self.bootstrap.config, audit=audit, **self._envoy_options))
            self._running = running.pop_all()
        self._mark = 0
        return self

    tls: ssl.SSLContext | None = None
    """How clients encrypt, where the listener does."""

    def __exit__(self, *raised: object) -> None:
        self._running.__exit__(*raised)

    def fresh(self) -> None:
        """Healthy providers, and only records from now on."""
        for provider in self.providers:
            provider.reset()
        # A record is written when its exchange is over, which a client that hung up does not wait for.
        eventually(lambda: len(self.envoy.records()) >= self._exchanges(), 2)
        self._mark = len(self.envoy.records())

    def _exchanges(self) -> int:
        return self.envoy.stats()["http.llm.downstream_rq_total"]

    @property
    def providers(self) -> list[Provider]:
        """All of them."""
        return list(self.servers.values())

    @property
    def openai(self) -> OpenAI:
        """The provider behind the cluster of that name."""
        return self.servers["openai"]

    @property
    def anthropic(self) -> Anthropic:
        """The provider behind the cluster of that name."""
        return self.servers["anthropic"]

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

    def sdk(self, client: str, team: str = "support", key: str | None = None) -> Sdk:
        """The client's official SDK, unchanged but for base URL and key."""
        return SDKS[client].connect(self.url, key or teams.KEYS[team])

    def post(
        self,
        client: str,
        model: str,
        text: str = "hello there",
        headers: list[tuple[str, str]] | None = None,
        team: str = "support",
        **more: object,
    ) -> Response:
        """A request in the client's format, by the short name of its SDK, answered whole."""
        where = path(client, model, stream=more.get("stream") is True)
        return self.send("POST", where, self.headers(team, headers), json.dumps(ask(client, model, text, **more)))

    def send(self, method: str, path: str, headers: list[tuple[str, str | bytes]], body: str | bytes = b"") -> Response:
        """Any request, headers as they are."""
        with self._connection() as connection:
            with suppress(ConnectionError):  # one who is refused early may still be talking
                _request(connection, method, path, headers, body)
            answer = connection.getresponse()
            return Response(answer.status, answer.getheaders(), answer.read())

    @contextmanager
    def stream(
        self,
        client: str,
        model: str,
        text: str = "hello there",
        headers: list[tuple[str, str]] | None = None,
        team: str = "support",
        **more: object,
    ) -> Iterator[Stream]:
        """A streamed request; leaving the block hangs up."""
        body = json.dumps(ask(client, model, text, stream=True, **more))
        with self._connection() as connection:
            _request(connection, "POST", path(client, model, stream=True), self.headers(team, headers), body)
            yield Stream(connection.getresponse())

    @contextmanager
    def unanswered(self, client: str, model: str, **more: object) -> Iterator[None]:
        """A request whose answer nobody reads; leaving the block hangs up."""
        where = path(client, model, stream=more.get("stream") is True)
        with self._connection() as connection:
            _request(connection, "POST", where, self.headers(), json.dumps(ask(client, model, **more)))
            yield

    @staticmethod
    def headers(team: str = "support", more: list[tuple[str, str]] | None = None) -> list[tuple[str, str]]:
        """Headers of an ordinary request."""
        return [("authorization", f"Bearer {teams.KEYS[team]}"), ("content-type", "application/json"), *(more or [])]

    @contextmanager
    def _connection(self) -> Iterator[http.client.HTTPConnection]:
        if self.tls:
            connection = http.client.HTTPSConnection("127.0.0.1", self.envoy.port, timeout=15, context=self.tls)
        else:
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


def path(client: str, model: str, stream: bool = False) -> str:
    """Where a client of this format asks."""
    match client:
        case "gemini":
            return f"/v1beta/models/{model}:{'streamGenerateContent?alt=sse' if stream else 'generateContent'}"
        case "bedrock":
            return f"/model/{quote(model, safe='')}/converse{'-stream' if stream else ''}"
        case _:
            return PATHS[client]


def ask(client: str, model: str, text: str = "hello there", **more: object) -> dict:
    """A request body in the client's format."""
    match client:
        case "gemini" | "bedrock":
            more.pop("stream", None)  # the path says it
            part = {"text": text}
            question = {"contents": [{"role": "user", "parts": [part]}]}
            return (question if client == "gemini" else {"messages": [{"role": "user", "content": [part]}]}) | more
        case "responses":
            return {"model": model, "input": text} | more
        case _:
            limit = {"max_tokens": 1000} if client == "anthropic" else {}
            return {"model": model, "messages": [{"role": "user", "content": text}]} | limit | more


def _request(connection, method, path, headers, body) -> None:
    body = body.encode() if isinstance(body, str) else body
    own_host = any(name.lower() == "host" for name, _ in headers)
    connection.putrequest(method, path, skip_host=own_host, skip_accept_encoding=True)
    for name, value in headers:
        connection.putheader(name, value)
    if body and not any(name.lower() in ("content-length", "transfer-encoding") for name, _ in headers):
        connection.putheader("content-length", str(len(body)))
    connection.endheaders(body or None)
