"""The rate limit service of the tests, and a client that asks it without Envoy."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from . import http2
from .bootstrap import ROOT
from .envoy import eventually
from .process import READY_SECONDS, Server
from .redis import Redis

HTTP = "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
PATH = "/envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit"


@dataclass(frozen=True)
class Limit:
    """A limit of Limitador's: `max_value` in every `seconds`, counted from the first hit, for each value of `variables`,
    of the requests that meet `conditions`; both are CEL over `descriptors`."""

    max_value: int
    seconds: int
    variables: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
    namespace: str = "tollgate"


class RateLimitService(Server):
    """`integration/rls`, which answers as Limitador's server does, counting in `redis`. Started again it has the same
    `port`."""

    def __init__(self, redis: Redis, limits: list[Limit]):
        super().__init__()
        self._redis, self._limits, self.port = redis, limits, 0

    def ask(self, *descriptors: dict[str, str], hits: int = 0, domain: str = "tollgate") -> str:
        """`OK`, `OVER_LIMIT` or `UNKNOWN`; or `gRPC status <n>`; or `reset`."""
        message = _text(1, domain) + b"".join(_field(2, _descriptor(entries)) for entries in descriptors)
        message += b"\x18" + _varint(hits) if hits else b""
        headers = [("content-type", "application/grpc"), ("te", "trailers")]
        answer = http2.post(self.port, PATH, headers, b"\0" + len(message).to_bytes(4, "big") + message)
        status = answer.header("grpc-status")
        if status != "0":
            return f"gRPC status {status}" if status else "reset"
        # As Limitador's, it tells nothing but the overall code, and not even that when it is 0.
        return {b"": "UNKNOWN", b"\x08\x01": "OK", b"\x08\x02": "OVER_LIMIT"}[answer.body[5:]]

    def cluster(self, name: str) -> dict:
        """It, as a cluster of Envoy's."""
        address = {"socket_address": {"address": "127.0.0.1", "port_value": self.port}}
        endpoints = [{"lb_endpoints": [{"endpoint": {"address": address}}]}]
        http2 = {"@type": HTTP, "explicit_http_config": {"http2_protocol_options": {}}}
        return {
            "name": name,
            "type": "STATIC",
            "connect_timeout": "1s",
            "load_assignment": {"cluster_name": name, "endpoints": endpoints},
            "typed_extension_protocol_options": {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": http2},
        }

    def _command(self) -> list[str]:
        limits = self.directory / "limits.json"
        limits.write_text(json.dumps([vars(limit) for limit in self._limits]))
        (self.directory / "port").write_text("")
        # The shell puts what it prints where it can be read while it runs.
        start = f'exec "$0" "$@" >{self.directory / "port"}'
        return ["sh", "-c", start, str(_binary()), str(limits), self._redis.url, str(self.port)]

    def _wait_ready(self) -> None:
        def ready() -> bool:
            if not self.alive():
                raise self._fail("did not start")
            return (self.directory / "port").read_text().endswith("\n")

        if not eventually(ready, READY_SECONDS):
            raise self._fail(f"is not ready after {READY_SECONDS} s")
        self.port = int((self.directory / "port").read_text())


def _binary() -> Path:
    path = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug/rls"
    assert path.exists(), f"no rate limit service at {path}: run `make rls`"
    return path


# Protobuf, as far as a request needs it.


def _descriptor(entries: dict[str, str]) -> bytes:
    return b"".join(_field(1, _text(1, key) + _text(2, value)) for key, value in entries.items())


def _text(number: int, text: str) -> bytes:
    return _field(number, text.encode())


def _field(number: int, data: bytes) -> bytes:
    return bytes([number << 3 | 2]) + _varint(len(data)) + data


def _varint(value: int) -> bytes:
    rest = bytearray()
    while value > 0x7F:
        rest.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*rest, value])
