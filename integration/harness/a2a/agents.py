"""Agents as processes, and what they ran."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import ClassVar

from ..bootstrap import ROOT
from ..process import ServerFailed
from ..watched import WatchedServer

INTEGRATION = ROOT / "integration"


def old_python() -> Path:
    """The Python that has the SDK of A2A 0.3, or the one that `TOLLGATE_A2A_03` names."""
    path = Path(os.environ.get("TOLLGATE_A2A_03", ROOT / ".tools/a2a-0.3/bin/python"))
    if not path.exists():
        raise ServerFailed(f"no SDK of A2A 0.3 at {path}: run `make test-a2a`, or set TOLLGATE_A2A_03")
    return path


def module(python: Path | str, name: str, *arguments: str) -> list[str]:
    """The command that runs a module of `a2a_agents`."""
    return ["env", f"PYTHONPATH={INTEGRATION}", str(python), "-m", f"a2a_agents.{name}", *arguments]


class Agent(WatchedServer):
    """An agent by name on an official SDK. What it does is in `a2a_agents/script.py`; `/test` is for the test alone.

    From a request to those that it makes it carries `trace`, which OpenTelemetry does, the `ticket`, which it copies by
    hand, or `nothing`.
    """

    NAME: ClassVar[str]
    VERSIONS: ClassVar[tuple[str, ...]]

    def __init__(self, name: str = "planner", carries: str = "nothing"):
        super().__init__()
        self.name, self.carries = name, carries

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://localhost:{self.port}"

    def ran(self) -> list[dict]:
        """What ran since the last `forget`: `operation`, `params` as the SDK read them, `path`, `query`, `headers`."""
        return self._test("GET")

    def forget(self) -> None:
        """Nothing ran."""
        self._test("DELETE")

    def go(self) -> None:
        """Lets the task that holds go on, or the next one that does."""
        self._test("POST")

    def live(self, found_at: str | None = None, **calls: object) -> None:
        """Where its card says that it is, and how it calls others: `peers`, `tokens`, `certificate`, `authority`."""
        self._test("PUT", {"found_at": found_at or self.url, "peers": {}} | calls)


class PythonSdk(Agent):
    """The official Python SDK, which serves 1.0 and 0.3 at once."""

    NAME = "python"
    VERSIONS = ("1.0", "0.3")

    def _command(self) -> list[str]:
        return module(sys.executable, "agent", self.name, str(self.port), self.carries)


class Python03(Agent):
    """The last one that serves 0.3 alone."""

    NAME = "python-0.3"
    VERSIONS = ("0.3",)

    def _command(self) -> list[str]:
        return module(old_python(), "agent_v03", self.name, str(self.port), self.carries)


class GrpcAgent(Agent):
    """The official Python SDK, over gRPC alone, in both versions; `grpc_port` is where."""

    NAME = "python-grpc"
    VERSIONS = ("1.0", "0.3")

    @property
    def grpc_port(self) -> int:
        return int(re.search(r"^gRPC on (\d+)$", self.log(), re.MULTILINE)[1])

    def _command(self) -> list[str]:
        return module(sys.executable, "agent_grpc", self.name, str(self.port), self.carries)


# By the short name that tests call an SDK by.
AGENTS: dict[str, type[Agent]] = {agent.NAME: agent for agent in (PythonSdk, Python03)}
