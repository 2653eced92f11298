"""MCP servers as processes, and what they ran."""

from __future__ import annotations

import sys
from typing import ClassVar

from ..bootstrap import ROOT
from ..watched import WatchedServer
from .node import script

MODERN = "2026-07-28"
SESSIONS = ("2025-03-26", "2025-06-18", "2025-11-25")


class McpServer(WatchedServer):
    """A server on an official SDK. `answers` says how it likes to answer: `sse` or `json`.

    What it offers is in `mcp_servers/offer.json`. `/test` beside `/mcp` is for the test alone.
    """

    NAME: ClassVar[str]
    REVISIONS: ClassVar[tuple[str, ...]]

    def __init__(self, answers: str = "sse"):
        super().__init__()
        self.answers = answers

    @property
    def url(self) -> str:
        """Where it listens. By this name: servers look at `Host`."""
        return f"http://localhost:{self.port}/mcp"

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
