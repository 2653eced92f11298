"""An HTTP/2 client that does what ordinary ones hide: trailers."""

from __future__ import annotations

import socket
import ssl

import h2.config
import h2.connection
import h2.events

from .gateway import Response


def post_with_trailers(
    port: int,
    path: str,
    headers: list[tuple[str, str]],
    body: bytes,
    trailers: list[tuple[str, str]],
    tls: ssl.SSLContext | None = None,
) -> Response:
    """One request whose end is its trailers, so that no piece of its body is the last."""
    connection = _begin(port, path, headers)
    connection.send_data(1, body)
    connection.send_headers(1, trailers, end_stream=True)
    return _answer(connection, port, tls)


def post(
    port: int, path: str, headers: list[tuple[str, str]], body: bytes, tls: ssl.SSLContext | None = None
) -> Response:
    """One request; the response's trailers are among its headers."""
    connection = _begin(port, path, headers)
    connection.send_data(1, body, end_stream=True)
    return _answer(connection, port, tls)


def post_unchecked(port: int, headers: list[tuple[str, str]], body: bytes) -> Response:
    """One request of exactly these headers, the pseudo ones among them, right or wrong."""
    lenient = h2.config.H2Configuration(validate_outbound_headers=False, normalize_outbound_headers=False)
    connection = h2.connection.H2Connection(lenient)
    connection.initiate_connection()
    connection.send_headers(1, headers)
    connection.send_data(1, body, end_stream=True)
    return _answer(connection, port)


def _begin(port: int, path: str, headers: list[tuple[str, str]]) -> h2.connection.H2Connection:
    connection = h2.connection.H2Connection()
    connection.initiate_connection()
    start = [(":method", "POST"), (":scheme", "http"), (":path", path), (":authority", f"127.0.0.1:{port}")]
    connection.send_headers(1, start + headers)
    return connection


def _answer(connection: h2.connection.H2Connection, port: int, tls: ssl.SSLContext | None = None) -> Response:
    plain = socket.create_connection(("127.0.0.1", port), timeout=10)
    with plain if tls is None else tls.wrap_socket(plain, server_hostname="127.0.0.1") as wire:
        wire.sendall(connection.data_to_send())
        return _response(connection, wire)


def _response(connection: h2.connection.H2Connection, wire: socket.socket) -> Response:
    headers: list[tuple[str, str]] = []
    body = b""
    while received := wire.recv(65536):
        for event in connection.receive_data(received):
            if isinstance(event, (h2.events.ResponseReceived, h2.events.TrailersReceived)):
                headers += [(_text(name), _text(value)) for name, value in event.headers]
            elif isinstance(event, h2.events.DataReceived):
                body += event.data
                connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            elif isinstance(event, (h2.events.StreamEnded, h2.events.StreamReset)):
                return Response(int(dict(headers).get(":status", 0)), headers, body)
        wire.sendall(connection.data_to_send())
    raise ConnectionError("the connection was closed before the response was complete")


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value


def reset_after_first_data(port: int, path: str, headers: list[tuple[str, str]], body: bytes) -> None:
    """One request whose stream is reset as soon as the first data of its response came."""
    connection = _begin(port, path, headers)
    connection.send_data(1, body, end_stream=True)
    with socket.create_connection(("127.0.0.1", port), timeout=10) as wire:
        wire.sendall(connection.data_to_send())
        while received := wire.recv(65536):
            if any(isinstance(event, h2.events.DataReceived) for event in connection.receive_data(received)):
                connection.reset_stream(1)
            wire.sendall(connection.data_to_send())
            if connection.streams[1].closed:
                return
