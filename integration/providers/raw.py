"""Servers below HTTP libraries: one that keeps what they would forgive, one whose answers never end."""

from __future__ import annotations

import contextlib
import json
import socket
import socketserver
import threading
from typing import Self


class ThreadedServer:
    """A TCP server on a free port, a thread for each connection."""

    def __init__(self, handler: type[socketserver.BaseRequestHandler]):
        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        # One that floods may be in the middle of it; leaving does not wait for its thread.
        self._server.block_on_close = False
        self.port = self._server.server_address[1]

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class RawServer(ThreadedServer):
    """Answers every request with the same JSON and keeps each connection's bytes."""

    def __init__(self, answer: dict):
        self.connections: list[bytearray] = []
        body = json.dumps(answer).encode()
        head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body)
        connections = self.connections

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                received = bytearray()
                connections.append(received)
                answered = 0
                while piece := self.request.recv(65536):
                    received += piece
                    for _ in requests_in(bytes(received))[0][answered:]:
                        answered += 1
                        self.request.sendall(head + body)

        super().__init__(Handler)


class Listening:
    """A server that keeps what comes of one request, to the byte, and answers nothing, or at once these bytes."""

    def __init__(self, answer: bytes = b""):
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self.received, self.ended, self._answer = b"", threading.Event(), answer
        threading.Thread(target=self._receive, daemon=True).start()

    def _receive(self) -> None:
        connection, _ = self._listening.accept()
        with connection:
            try:
                while data := connection.recv(65536):
                    self.received += data
                    if b"\r\n\r\n" in self.received and self._answer:
                        connection.sendall(self._answer)
                        self._answer = b""
            except OSError:
                pass
        self.ended.set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._listening.close()


class FloodServer(ThreadedServer):
    """A provider whose answers never end: JSON that goes on and on, as fast as it is taken."""

    PIECE = b"flood-" * 50_000

    def __init__(self):
        piece = self.PIECE
        head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n"

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                with contextlib.suppress(ConnectionError):
                    self.request.recv(65536)
                    self.request.sendall(head + b'{"id": "')
                    while True:
                        self.request.sendall(piece)

        super().__init__(Handler)


def requests_in(received: bytes) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """The complete requests (head, body) in the bytes of a connection, by the letter of HTTP/1.1, and what is left."""
    requests = []
    while b"\r\n\r\n" in received:
        head, rest = received.split(b"\r\n\r\n", 1)
        fields = [line.split(b": ", 1) for line in head.lower().split(b"\r\n")[1:]]
        lengths = [value for name, value in fields if name == b"content-length"]
        chunked = (b"transfer-encoding", b"chunked") in [tuple(field) for field in fields]
        assert len(lengths) + chunked <= 1, "a body of two lengths"
        body, rest = _dechunked(rest) if chunked else _measured(rest, int(lengths[0]) if lengths else 0)
        if body is None:
            break
        requests.append((head, body))
        received = rest
    return requests, received


def _measured(data: bytes, length: int) -> tuple[bytes | None, bytes]:
    return (data[:length], data[length:]) if len(data) >= length else (None, data)


def _dechunked(data: bytes) -> tuple[bytes | None, bytes]:
    body = b""
    while b"\r\n" in data:
        size, data = data.split(b"\r\n", 1)
        length = int(size, 16)
        if len(data) < length + 2:
            break
        body, data = body + data[:length], data[length + 2 :]
        if length == 0:
            return body, data
    return None, data
