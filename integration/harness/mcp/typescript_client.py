"""The official TypeScript client, version 2."""

from __future__ import annotations

from .line_client import LineClient
from .node import script


class TypeScriptClient(LineClient):
    """As its documentation says to use it."""

    def _command(self) -> list[str]:
        return script("client.cjs")
