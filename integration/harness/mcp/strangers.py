"""MCP servers that do not offer what `mcp_servers/offer.json` says: as they are out there."""

from __future__ import annotations

import os
from pathlib import Path

from ..bootstrap import ROOT
from ..process import ServerFailed
from .node import script
from .servers import MODERN, SESSIONS, McpServer


class Everything(McpServer):
    """The reference server `@modelcontextprotocol/server-everything`. It has no side entrance and answers by SSE."""

    NAME = "everything"
    REVISIONS = SESSIONS

    def forget(self) -> None:
        """Nothing: it keeps nothing that a test sees."""

    def _command(self) -> list[str]:
        return script("everything.cjs", str(self.port))


class FastMcp(McpServer):
    """A server with notes, made with FastMCP. It cannot be changed."""

    NAME = "fastmcp"
    REVISIONS = (*SESSIONS, MODERN)

    def _command(self) -> list[str]:
        python = Path(os.environ.get("TOLLGATE_FASTMCP", ROOT / ".tools/fastmcp")) / "bin/python"
        if not python.exists():
            raise ServerFailed(f"no {python}: run `make test-mcp`, or set TOLLGATE_FASTMCP")
        return [str(python), str(ROOT / "integration/mcp_servers/fast.py"), self.answers, str(self.port)]
