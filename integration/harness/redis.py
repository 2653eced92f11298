"""A real Redis."""

from __future__ import annotations

import shutil
import socket
from pathlib import Path

from .bootstrap import ROOT
from .envoy import eventually
from .process import READY_SECONDS, Server


class Redis(Server):
    """It listens on a socket in its directory, so that no two tests want the same port. With `durable`, what was written
    survives a stop."""

    def __init__(self, durable: bool = False):
        super().__init__()
        self._durable = durable

    @property
    def url(self) -> str:
        """Where a client finds it."""
        return f"unix://{self._socket}"

    def command(self, *words: str | int) -> str | int | None:
        """What it answers to one command; for those that answer with a word, a number or nothing."""
        with socket.socket(socket.AF_UNIX) as wire:
            wire.settimeout(READY_SECONDS)
            wire.connect(str(self._socket))
            encoded = [str(word).encode() for word in words]
            wire.sendall(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in encoded))
            with wire.makefile("rb") as answer:
                kind, rest = answer.read(1), answer.readline().rstrip().decode()
                if kind == b"$":
                    return None if rest == "-1" else answer.read(int(rest)).decode()
        if kind == b"-":
            raise RuntimeError(rest)
        return int(rest) if kind == b":" else rest

    @property
    def _socket(self) -> Path:
        return self.directory / "socket"

    def _command(self) -> list[str]:
        options = {"port": "0", "unixsocket": str(self._socket), "dir": str(self.directory), "save": ""}
        if self._durable:
            options |= {"appendonly": "yes", "appendfsync": "always"}
        return [redis_server(), *(word for name, value in options.items() for word in (f"--{name}", value))]

    def _wait_ready(self) -> None:
        def ready() -> bool:
            if not self.alive():
                raise self._fail("did not start")
            try:
                return self.command("PING") == "PONG"
            except (OSError, RuntimeError):
                return False  # not there yet, or still reading what it kept

        if not eventually(ready, READY_SECONDS):
            raise self._fail(f"is not ready after {READY_SECONDS} s")


def redis_server() -> str:
    """What starts it."""
    ours = ROOT / ".tools/redis/redis-server"
    found = str(ours) if ours.exists() else shutil.which("redis-server")
    assert found, "no Redis: run `make test-envoy` once, or install redis-server"
    return found
