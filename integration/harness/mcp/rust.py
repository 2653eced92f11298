"""What is made with the official Rust SDK: `integration/rust_mcp`."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from ..bootstrap import ROOT
from .line_client import LineClient
from .servers import MODERN, SESSIONS, McpServer


class Database(McpServer):
    """An MCP server over a SQLite database of a shop, with `customers` and `orders`.

    `forget` makes the data as it was at first. With `json` it has no sessions in the older revisions.
    """

    NAME = "database"
    REVISIONS = (*SESSIONS, MODERN)

    def rows(self, table: str) -> int | None:
        """How many rows the file itself has in a table, if it has the table."""
        with closing(sqlite3.connect(f"file:{self._file}?mode=ro", uri=True)) as file:
            if not file.execute("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?", [table]).fetchone():
                return None
            return file.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0]

    def has(self, table: str, id: int) -> bool:
        """The file itself has this row."""
        with closing(sqlite3.connect(f"file:{self._file}?mode=ro", uri=True)) as file:
            return file.execute(f'SELECT 1 FROM "{table}" WHERE id = ?', [id]).fetchone() is not None

    @property
    def _file(self) -> Path:
        return self.directory / "shop.sqlite"

    def _command(self) -> list[str]:
        return [built("mcp-database"), str(self._file), self.answers, str(self.port)]


class RustClient(LineClient):
    """Of `revisions` it offers the last. With `tasks` a call may come to a task, whose state `task` tells."""

    tasks = False

    def task(self, id: str) -> dict:
        """How far a task is."""
        return self._do("task", id=id)

    def cancel_task(self, id: str) -> None:
        """Asks the server to stop a task."""
        self._do("cancel_task", id=id)

    def _command(self) -> list[str]:
        return [built("mcp-person")]

    def _how(self) -> dict[str, object]:
        return {"tasks": self.tasks}


def built(name: str) -> str:
    """Where `make` put one of its programs."""
    path = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug" / name
    assert path.exists(), f"no {path}: run `make rust-mcp`"
    return str(path)
