"""The command line of the official MCP inspector: a process per thing that a person asks of it."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile

from .node import node, packages
from .user import CALL_SECONDS, Called, Refused


class Inspector:
    """`Inspector(url).tools()`. `era` is `auto`, `modern` or `legacy`. It looks a tool up before it calls it."""

    def __init__(self, url: str, era: str = "auto", headers: dict[str, str] | None = None):
        self.url, self.era, self.headers = url, era, headers or {}

    def tools(self) -> list[dict]:
        """The tools that it shows."""
        return self._do("tools/list")["tools"]

    def call(self, tool: str, **arguments: object) -> Called:
        """Calls a tool; raises `Refused` where it ends in an error that is no result."""
        return Called(self._do("tools/call", *_named(tool, arguments)))

    def calls(self, times: int, per_second: int, tool: str, **arguments: object) -> dict:
        """Calls a tool again and again, and tells how many `requests` were `ok`, `toolErrors` or `errors`."""
        load = ["--load", "--load-requests", str(times), "--load-rate", str(per_second)]
        return self._do("tools/call", *_named(tool, arguments), *load)

    def _do(self, method: str, *options: str) -> dict:
        inspector = packages() / "@modelcontextprotocol/inspector/clients/launcher/build/index.js"
        where = ["--cli", "--transport", "http", "--server-url", self.url, "--protocol-era", self.era]
        headers = [option for name, value in self.headers.items() for option in ("--header", f"{name}: {value}")]
        with tempfile.TemporaryDirectory(prefix="tollgate-inspector-") as home:
            ended = subprocess.run(
                [node(), inspector, *where, *headers, "--method", method, *options, "--format", "json", "--quiet"],
                capture_output=True,
                text=True,
                timeout=CALL_SECONDS,
                check=False,
                env=os.environ | {"HOME": home},
            )
        if ended.stdout.strip():
            return json.loads(ended.stdout)["result"]
        raise _refused(ended.stderr)


def _named(tool: str, arguments: dict[str, object]) -> list[str]:
    return ["--tool-name", tool, "--tool-args-json", json.dumps(arguments)]


def _refused(told: str) -> Refused:
    try:
        error = json.loads(told)["error"]
    except (ValueError, KeyError):
        return Refused(None, told)
    return Refused(None, error["message"], error)
