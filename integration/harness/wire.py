"""A client below HTTP libraries: it sends exactly the bytes that it is told to."""

from __future__ import annotations

import http.client
import io
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from .gateway import Response

SECONDS = 10

Header = tuple[str, str | bytes]


@dataclass(frozen=True)
class Exchange:
    """A request whose every byte is known: what is not here is not sent, but `Host` and a length if none is given."""

    headers: list[Header]
    body: bytes
    method: str = "POST"
    path: str | None = None
    """Instead of the server's own."""


class Wire:
    """A server at a port and path, spoken to byte by byte."""

    def __init__(
        self,
        port: int,
        path: str,
        authority: str | None = None,
        seconds: float = SECONDS,
        tls: ssl.SSLContext | None = None,
    ):
        self.port, self.path, self.authority = port, path, authority or f"localhost:{port}"
        self.seconds, self.tls = seconds, tls

    def send(self, exchange: Exchange) -> Response:
        """Its answer; a stream is read until it ends or says nothing for a while."""
        with self.open(exchange) as answer:
            body = io.BytesIO()
            try:
                while piece := answer.read1(65536):
                    body.write(piece)
            except (TimeoutError, http.client.IncompleteRead):
                pass
            return Response(answer.status, answer.getheaders(), body.getvalue())

    @contextmanager
    def open(self, exchange: Exchange) -> Iterator[http.client.HTTPResponse]:
        """Its answer while it comes; leaving the block hangs up."""
        with self._connect() as connection:
            with suppress(ConnectionError, ssl.SSLEOFError):  # one who is refused early may still be talking
                connection.sendall(self.bytes(exchange))
            answer = http.client.HTTPResponse(connection, method=exchange.method)
            answer.begin()
            try:
                yield answer
            finally:
                answer.close()

    @contextmanager
    def half_sent(self, exchange: Exchange) -> Iterator[Callable[[], Response]]:
        """All of it but the second half of its body. What is yielded sends the rest, or what it is given instead, and has the
        answer."""
        sent = self.bytes(exchange)
        half = len(sent) - len(exchange.body) // 2
        with self._connect() as connection:
            connection.sendall(sent[:half])

            def rest(more: bytes = sent[half:]) -> Response:
                connection.sendall(more)
                answer = http.client.HTTPResponse(connection, method=exchange.method)
                answer.begin()
                return Response(answer.status, answer.getheaders(), answer.read())

            yield rest

    def _connect(self) -> socket.socket:
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=self.seconds)
        return plain if self.tls is None else self.tls.wrap_socket(plain, server_hostname="127.0.0.1")

    def bytes(self, exchange: Exchange) -> bytes:
        """What goes on the wire."""
        lines = [f"{exchange.method} {exchange.path or self.path} HTTP/1.1".encode()]
        names = {name.lower() for name, _ in exchange.headers}
        if "host" not in names:
            lines.append(f"host: {self.authority}".encode())
        lines += [name.encode("latin-1") + b": " + _raw(value) for name, value in exchange.headers]
        if not names & {"content-length", "transfer-encoding"}:
            lines.append(b"content-length: %d" % len(exchange.body))
        return b"\r\n".join(lines) + b"\r\n\r\n" + exchange.body


def _raw(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode()
