"""A provider behind HTTP/2, whose answers end with trailers: no piece of such a body is the last."""

from __future__ import annotations

import contextlib
import socketserver

import h2.config
import h2.connection
import h2.events

from .raw import ThreadedServer
from .server import Provider, Request

TRAILERS = [("x-checksum", "0")]
FRAME_BYTES = 16_384


class Http2Front(ThreadedServer):
    """Takes a provider's requests over HTTP/2 and sends its answers, as small as a flow-control window."""

    def __init__(self, provider: Provider):
        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                with contextlib.suppress(ConnectionError):
                    _serve(self.request, provider)

        super().__init__(Handler)


def _serve(wire, provider: Provider) -> None:
    connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding="utf-8"))
    connection.initiate_connection()
    wire.sendall(connection.data_to_send())
    heads: dict[int, list[tuple[str, str]]] = {}
    bodies: dict[int, bytes] = {}
    while received := wire.recv(65536):
        for event in connection.receive_data(received):
            if isinstance(event, h2.events.RequestReceived):
                heads[event.stream_id], bodies[event.stream_id] = event.headers, b""
            elif isinstance(event, h2.events.DataReceived):
                bodies[event.stream_id] += event.data
                connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            elif isinstance(event, h2.events.StreamEnded):
                _answer(connection, event.stream_id, heads.pop(event.stream_id), bodies.pop(event.stream_id), provider)
        wire.sendall(connection.data_to_send())


def _answer(connection, stream: int, head: list[tuple[str, str]], body: bytes, provider: Provider) -> None:
    pseudo = dict(head)
    headers = [(name, value) for name, value in head if not name.startswith(":")]
    request = Request(pseudo[":method"], pseudo[":path"], headers, body, connection=0)
    provider.requests.append(request)
    answer = provider.answer(request)
    connection.send_headers(stream, [(":status", str(answer.status)), *answer.headers])
    for part in answer.parts:
        for start in range(0, len(part), FRAME_BYTES):
            connection.send_data(stream, part[start : start + FRAME_BYTES])
    connection.send_headers(stream, TRAILERS, end_stream=True)
