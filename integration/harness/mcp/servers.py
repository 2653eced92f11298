"""MCP servers as processes, and what they ran."""

from __future__ import annotations

import json
import re
import sys
import urllib.request
from typing import ClassVar

from ..bootstrap import ROOT
from ..envoy import eventually
from ..process import READY_SECONDS, Server
from .node import script

MODERN = "2026-07-28"
SESSIONS = ("2025-03-26", "2025-06-18", "2025-11-25")


class McpServer(Server):
    """A server on an official SDK. `answers` says how it likes to answer: `sse` or `json`.

    What it offers is in `mcp_servers/offer.json`. `/test` beside `/mcp` is for the test alone.
    """

    NAME: ClassVar[str]
    REVISIONS: ClassVar[tuple[str, ...]]

    def __init__(self, answers: str = "sse"):
        super().__init__()
        self.answers, self.port = answers, 0

    @property
    def url(self) -> str:
        """Where it listens. By this name: servers look at `Host`."""
        return f"http://localhost:{self.port}/mcp"

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

    # The side entrance.

    def ran(self) -> list[dict]:
        """The calls of tools since the last `forget`: `tool` and `arguments`."""
        return self._test("GET")

    def forget(self) -> None:
        """As new: nothing ran, nothing changed, nothing is paged."""
        self._test("DELETE")

    def change(self, changed: dict[str, dict], page: int | None = None) -> None:
        """Tools by name whose listing differs from now on, and how many entries a page of a list has."""
        self._test("PUT", {"changed": changed, "page": page})

    def _test(self, method: str, body: dict | None = None) -> list[dict]:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/test",
            method=method,
            data=json.dumps(body).encode() if body is not None else None,
            headers={"content-type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=5) as answer:
            return json.load(answer)


class PythonSdk(McpServer):
    """The official Python SDK."""

    NAME = "python"
    REVISIONS = (*SESSIONS, MODERN)

    def _command(self) -> list[str]:
        path = f"PYTHONPATH={ROOT / 'integration'}"
        return ["env", path, sys.executable, "-m", "mcp_servers.python_sdk", self.answers, str(self.port)]


class TypeScript2(McpServer):
    """Version 2 of the official TypeScript SDK."""

    NAME = "typescript-2"
    REVISIONS = (*SESSIONS, MODERN)

    def _command(self) -> list[str]:
        return script("server-v2.cjs", self.answers, str(self.port))


class TypeScript1(McpServer):
    """Version 1 of it, which most servers out there run."""

    NAME = "typescript-1"
    REVISIONS = SESSIONS

    def _command(self) -> list[str]:
        return script("server-v1.cjs", self.answers, str(self.port))


# By the short name that tests call a server by.
SERVERS: dict[str, type[McpServer]] = {server.NAME: server for server in (PythonSdk, TypeScript2, TypeScript1)}
