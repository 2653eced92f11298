"""Servers of ours that say where they listen, and have a side entrance for the test alone."""

from __future__ import annotations

import json
import re
import urllib.request

from .envoy import eventually
from .process import READY_SECONDS, Server


class WatchedServer(Server):
    """It writes `listening on <port>` when it is ready; `/test` is its side entrance."""

    def __init__(self) -> None:
        super().__init__()
        self.port = 0

    def _wait_ready(self) -> None:
        def ready() -> bool:
            if not self.alive():
                raise self._fail("did not start")
            return self._listening() is not None

        if not eventually(ready, READY_SECONDS):
            raise self._fail(f"is not ready after {READY_SECONDS} s")
        self.port = self._listening()

    def _listening(self) -> int | None:
        started = re.search(r"^listening on (\d+)$", self.log(), re.MULTILINE)
        return int(started[1]) if started else None

    def _test(self, method: str, body: dict | None = None) -> list[dict]:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/test",
            method=method,
            data=json.dumps(body).encode() if body is not None else None,
            headers={"content-type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=5) as answer:
            return json.load(answer)
