"""The official TypeScript client."""

from __future__ import annotations

from .line_client import LineClient
from .node import script


class TypeScriptClient(LineClient):
    """Version 2, as its documentation says to use it."""

    def _command(self) -> list[str]:
        return script("client.cjs")


class TypeScript1Client(LineClient):
    """Version 1, which most hosts out there are made with: revisions with sessions only, and tools only."""

    def _command(self) -> list[str]:
        return script("client-v1.cjs")
