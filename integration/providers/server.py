"""An HTTP server in its own thread: what arrived is kept, what goes wrong is ordered by the test."""

from __future__ import annotations

import asyncio
import itertools
import json
import socket
import struct
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from typing import ClassVar, Generic, Self, TypeVar

from aiohttp import web

from .faults import Answer, ErrorKind, Fault, Headers
from .model import COUNTED, Prompt, Reply, Stop, ToolCall, Usage, finish, reply_to

# A request as its format understands it.
Asked = TypeVar("Asked")

# A test that forgot to give a turn must not hang.
TURN_SECONDS = 10


@dataclass
class Request:
    """One request as it arrived, headers and body byte for byte."""

    method: str
    path: str
    headers: list[tuple[str, str]]
    body: bytes
    connection: int
    """Number of the connection it came on, counted from 0."""
    prompt: Prompt | None = None
    """What it asks the model, whatever the format; None when it was refused or asks no model."""
    sent: list[tuple[float, bytes]] = field(default_factory=list)
    """Each part of the answer, and when it was handed to the operating system (`time.monotonic`)."""
    aborted: bool = False
    """The other side went away before the answer was complete."""

    def header(self, name: str) -> str | None:
        """The value of a header that must not be there twice."""
        values = self.header_values(name)
        assert len(values) < 2, f"{name} came {len(values)} times"
        return values[0] if values else None

    def header_values(self, name: str) -> list[str]:
        """All values of a header."""
        return [value for key, value in self.headers if key.lower() == name]

    @property
    def json(self) -> dict:
        """The body."""
        return json.loads(self.body)


class Refused(Exception):
    """The provider does not accept the request: the answer is an error in its own format."""

    def __init__(self, status: int, body: dict, headers: Headers | None = None):
        super().__init__(status)
        self.status, self.body, self.headers = status, body, headers or []


class Provider(Generic[Asked]):
    """What all providers share; a subclass speaks one wire format.

    Use it as a context manager. Faults, `answers` and `requests` may be used from any thread.
    """

    NAME: ClassVar[str]

    def __init__(self, key: str):
        self.key = self._given_key = key
        self.port = 0
        self.requests: list[Request] = []
        self._queue: deque[tuple[Fault, ...]] = deque()
        self._always: tuple[Fault, ...] = ()
        self._reply: Reply | None = None
        self._connections: dict[int, int] = {}
        self._ids = itertools.count(1)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"provider-{self.NAME}", daemon=True)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    # What a test orders.

    def then(self, *faults: Fault | tuple[Fault, ...]) -> None:
        """The next requests meet these faults, one each (a tuple: all of it at once); after them all is well again."""
        self._queue.extend(_tuple(fault) for fault in faults)

    def always(self, *faults: Fault) -> None:
        """Every request that `then` says nothing about meets these faults."""
        self._always = faults

    def answers(
        self, text: str = "", tool_calls: tuple[ToolCall, ...] = (), usage: Usage = COUNTED, stop: Stop = "end"
    ) -> None:
        """The model says this, whatever it is asked. Without a usage the tokens are counted."""
        self._reply = Reply(text, tuple(tool_calls), stop=stop, usage=usage)

    def change_key(self) -> None:
        """The key that was given is no longer good."""
        self.key = "changed"

    def reset(self) -> None:
        """As new: healthy, listening, nothing asked yet."""
        self.key = self._given_key
        self._queue.clear()
        self._always, self._reply = (), None
        self.requests.clear()
        self._connections.clear()
        self.listen()

    # Its life.

    def __enter__(self) -> Self:
        self._thread.start()
        self._run(self._start())
        return self

    def __exit__(self, *_: object) -> None:
        self._run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    def listen(self) -> None:
        """Listens (again, on the same port)."""
        self._run(self._listen())

    def stop_listening(self) -> None:
        """Connections are refused, and those that are open are closed."""
        self._run(self._refuse())

    async def _start(self) -> None:
        self._site: web.TCPSite | None = None
        self._server = web.Server(self._handle, request_factory=self._large, access_log=None)
        self._runner = web.ServerRunner(self._server, handle_signals=False, shutdown_timeout=0.1)
        await self._runner.setup()
        await self._listen()

    async def _close(self) -> None:
        await self._runner.cleanup()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    def _large(self, *parts: object) -> web.BaseRequest:
        return web.BaseRequest(*parts, loop=self._loop, client_max_size=1 << 30)

    async def _listen(self) -> None:
        if self._site is None:
            self._site = web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True)
            await self._site.start()
            self.port = self._runner.addresses[0][1]

    async def _refuse(self) -> None:
        if self._site is not None:
            await self._site.stop()
            self._site = None
        for connection in list(self._server.connections):
            if connection.transport is not None:
                connection.transport.abort()

    def _run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)

    # One request.

    async def _handle(self, http: web.BaseRequest) -> web.StreamResponse:
        request = await self._note(http)
        answer = self.answer(request)
        try:
            return await _send(http, answer, request)
        except (ConnectionError, asyncio.CancelledError):
            request.aborted = True
            raise

    async def _note(self, http: web.BaseRequest) -> Request:
        connection = self._connections.setdefault(id(http.protocol), len(self._connections))
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in http.raw_headers]
        request = Request(http.method, http.path_qs, headers, await http.read(), connection)
        self.requests.append(request)
        return request

    def answer(self, request: Request) -> Answer:
        """What it says to a request, faults and all."""
        faults = self._queue.popleft() if self._queue else self._always
        try:
            asked = self.accept(request)
        except Refused as refused:
            return self._json(refused.body, refused.status, refused.headers)
        if (said := self.without_model(request, asked)) is not None:
            answer = self._json(said)
        else:
            answer = self._modelled(request, asked, faults)
        for fault in faults:
            answer = fault.on_answer(answer, self)
        return answer

    def _modelled(self, request: Request, asked: Asked, faults: tuple[Fault, ...]) -> Answer:
        """The model's answer, plain or streamed."""
        request.prompt = prompt = self.prompt(asked)
        reply = finish(self._reply, prompt) if self._reply else reply_to(prompt)
        for fault in faults:
            reply = fault.on_reply(reply)
        if self.streams(asked):
            return Answer(200, self.headers(stream=True), self.events(asked, reply), stream=True)
        return self._json(self.message(asked, reply))

    def _json(self, body: dict, status: int = 200, headers: Headers | None = None) -> Answer:
        return Answer(status, self.headers() + (headers or []), [json.dumps(body).encode()])

    def id(self, prefix: str) -> str:
        """The next id of its kind, as long as the real ones."""
        return f"{prefix}{next(self._ids):024d}"

    # What a wire format says for itself. See `faults.Dialect` too.

    def accept(self, request: Request) -> Asked:
        """Checks all that the provider checks and gives the request as the format understands it; raises `Refused`."""
        raise NotImplementedError

    def without_model(self, request: Request, asked: Asked) -> dict | None:
        """The answer to what is not for the model to answer: an embedding, a token count."""
        del request, asked

    def prompt(self, asked: Asked) -> Prompt:
        """What the model is asked."""
        raise NotImplementedError

    def streams(self, asked: Asked) -> bool:
        """The answer is to be a stream."""
        raise NotImplementedError

    def message(self, asked: Asked, reply: Reply) -> dict:
        """The JSON answer."""
        raise NotImplementedError

    def events(self, asked: Asked, reply: Reply) -> list[bytes]:
        """The streamed answer."""
        raise NotImplementedError

    def headers(self, stream: bool = False) -> Headers:
        """The response headers."""
        raise NotImplementedError

    def error_object(self, kind: ErrorKind) -> dict:
        """The error object that stands in a body or an event."""
        raise NotImplementedError


async def _send(http: web.BaseRequest, answer: Answer, request: Request) -> web.StreamResponse:
    """Puts an answer on the wire, pauses and all."""
    await asyncio.sleep(answer.pause_before_headers)
    if answer.ending == "reset_before_headers":
        return _reset(http)
    response = web.StreamResponse(status=answer.status)
    for name, value in answer.headers:
        response.headers.add(name, value)
    if answer.stream or len(answer.parts) > 1:
        response.enable_chunked_encoding()
    else:
        # A reset answer promises more than it gives, as a server that dies does.
        response.content_length = sum(map(len, answer.parts)) * (2 if answer.ending == "reset" else 1)
    await response.prepare(http)
    for number, part in enumerate(answer.parts):
        await asyncio.sleep(answer.pauses.get(number, 0))
        if answer.turns is not None:
            await asyncio.to_thread(answer.turns.acquire, timeout=TURN_SECONDS)
        request.sent.append((time.monotonic(), part))
        await response.write(part)
    if answer.ending == "reset":
        await asyncio.sleep(0.02)  # so that what was written has left before the reset overtakes it
        return _reset(http)
    await response.write_eof()
    return response


def _reset(http: web.BaseRequest) -> web.StreamResponse:
    transport = http.transport
    if transport is not None:
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    return web.StreamResponse()


def _tuple(fault: Fault | tuple[Fault, ...]) -> tuple[Fault, ...]:
    return fault if isinstance(fault, tuple) else (fault,)
