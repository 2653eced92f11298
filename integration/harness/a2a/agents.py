"""Agents as processes, and what they ran."""

from __future__ import annotations

import json
import os
import re
import sys
import urllib.request
from pathlib import Path
from typing import ClassVar

from ..bootstrap import ROOT
from ..envoy import eventually
from ..process import READY_SECONDS, Server, ServerFailed

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


class Agent(Server):
    """An agent by name on an official SDK. What it does is in `a2a_agents/script.py`; `/test` is for the test alone."""

    NAME: ClassVar[str]
    VERSIONS: ClassVar[tuple[str, ...]]

    def __init__(self, name: str = "planner"):
        super().__init__()
        self.name, self.port = name, 0

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


class PythonSdk(Agent):
    """The official Python SDK, which serves 1.0 and 0.3 at once."""

    NAME = "python"
    VERSIONS = ("1.0", "0.3")

    def _command(self) -> list[str]:
        return module(sys.executable, "agent", self.name, str(self.port))


class Python03(Agent):
    """The last one that serves 0.3 alone."""

    NAME = "python-0.3"
    VERSIONS = ("0.3",)

    def _command(self) -> list[str]:
        return module(old_python(), "agent_v03", self.name, str(self.port))


# By the short name that tests call an SDK by.
AGENTS: dict[str, type[Agent]] = {agent.NAME: agent for agent in (PythonSdk, Python03)}
