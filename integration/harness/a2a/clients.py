"""The official clients, each a process that is told what to do."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, Self

from ..bootstrap import ROOT
from ..process import ServerFailed
from .agents import INTEGRATION, module, old_python
from .user import OPERATIONS, Refused, User

SECONDS = 30


class Client(User):
    """What `lines.py` speaks."""

    NAME: ClassVar[str]
    VERSIONS: ClassVar[tuple[str, ...]]
    LACKS: ClassVar[dict[tuple[str, str], set[str]]] = {}
    """Operations that it has not, by version and binding."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._command(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        try:
            how = {"url": self.url, "version": self.version, "binding": self.binding}
            self._card = self._do("connect", **how, **self.shows)
        except BaseException:
            self._process.kill()
            self._process.communicate()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._process.communicate(timeout=5)  # the end of what it is told ends it
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()

    @property
    def card(self) -> dict:
        return self._card

    @classmethod
    def has(cls, version: str, binding: str) -> list[str]:
        """The operations that it has."""
        return [one for one in OPERATIONS if one not in cls.LACKS.get((version, binding), ())]

    def _command(self) -> list[str]:
        raise NotImplementedError

    def _do(self, operation: str, **how: object) -> dict:
        events = self._events(operation, **how)
        try:
            event = next(events)
        except StopIteration as end:
            return end.value
        raise AssertionError(f"{operation} is no stream, but told {event}")

    def _events(self, operation: str, **how: object) -> Iterator[dict]:
        self._process.stdin.write(json.dumps({"do": operation} | how) + "\n")
        self._process.stdin.flush()
        hung = threading.Timer(SECONDS, self._process.kill)
        hung.start()
        try:
            while line := self._process.stdout.readline():
                match json.loads(line):
                    case {"event": event}:
                        yield event
                    case {"refused": refused}:
                        raise Refused(refused["kind"], refused["message"])
                    case {"done": done}:
                        return done
        finally:
            hung.cancel()
        raise ServerFailed(f"the {type(self).__name__} client ended\n{self._process.stderr.read()[-4000:]}")


class Python(Client):
    """The official Python client."""

    NAME = "python"
    VERSIONS = ("1.0", "0.3")
    LACKS = {("0.3", "JSONRPC"): {"list"}, ("0.3", "HTTP+JSON"): {"list", "push_list", "push_delete"}}

    def _command(self) -> list[str]:
        return module(sys.executable, "client")


class PythonOld(Client):
    """The last one that speaks 0.3 alone."""

    NAME = "python-0.3"
    VERSIONS = ("0.3",)
    LACKS = {("0.3", binding): {"list", "push_list", "push_delete"} for binding in ("JSONRPC", "HTTP+JSON")}

    def _command(self) -> list[str]:
        return module(old_python(), "client_v03")


class Grpc(Client):
    """The official Python client over gRPC. Its `url` is where, and no card is read."""

    NAME = "python-grpc"
    VERSIONS = ("1.0", "0.3")

    def _command(self) -> list[str]:
        return module(sys.executable, "client_grpc")


class JavaScript(Client):
    """The official JavaScript client."""

    NAME = "javascript"
    VERSIONS = ("1.0", "0.3")
    LACKS = {("0.3", binding): {"list"} for binding in ("JSONRPC", "HTTP+JSON")}

    def _command(self) -> list[str]:
        return _script("client.cjs")


class JavaScript03(Client):
    """The last one that speaks 0.3 alone."""

    NAME = "javascript-0.3"
    VERSIONS = ("0.3",)
    LACKS = {("0.3", binding): {"list"} for binding in ("JSONRPC", "HTTP+JSON")}

    def _command(self) -> list[str]:
        return _script("client-v03.cjs")


def _script(name: str) -> list[str]:
    """The command that runs a script on Node, with what `make` installed for it or `TOLLGATE_A2A_NODE` names."""
    packages = Path(os.environ.get("TOLLGATE_A2A_NODE", ROOT / ".tools/a2a-node")) / "node_modules"
    if not packages.exists():
        raise ServerFailed(f"no npm packages in {packages}: run `make test-a2a`, or set TOLLGATE_A2A_NODE")
    found = shutil.which("node")
    if found is None:
        raise ServerFailed("no node on the PATH: install Node 20 or newer")
    return ["env", f"NODE_PATH={packages}", found, str(INTEGRATION / "a2a_agents/node" / name)]


# By the short name that tests call a client by.
CLIENTS: dict[str, type[Client]] = {client.NAME: client for client in (Python, PythonOld, JavaScript, JavaScript03)}
