"""The official conformance suite against a URL, and what two runs differ in.

Its exit code is no judge: with a server that is dead, dozens of its checks succeed. What counts is the set of checks.
"""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from .node import node, packages

REVISIONS = ("2025-11-25", "2026-07-28")
RUN_SECONDS = 120


@dataclass(frozen=True)
class Checks:
    """What a run found: how often each check (scenario, id, description) ended how."""

    found: Counter[tuple[str, str, str, str]]

    def count(self, status: str) -> int:
        """How many checks ended so."""
        return sum(times for (*_, ended), times in self.found.items() if ended == status)

    def failed(self) -> set[tuple[str, str]]:
        """Scenario and id of what failed or was warned of."""
        return {(scenario, check) for scenario, check, _, ended in self.found if ended in ("FAILURE", "WARNING")}

    def improved(self, other: Checks) -> Counter[tuple[str, str, str]]:
        """Checks that have failed and with the other do not."""
        lost, gained = self.found - other.found, other.found - self.found
        failed = Counter({tuple(check): times for (*check, ended), times in lost.items() if ended == "FAILURE"})
        return failed & Counter({tuple(check): times for (*check, ended), times in gained.items() if ended == "SUCCESS"})

    def differences(self, other: Checks) -> list[str]:
        """What one found and the other did not, but for what has improved; for people."""
        lost, gained = self.found - other.found, other.found - self.found
        for check, times in self.improved(other).items():
            lost[*check, "FAILURE"] -= times
            gained[*check, "SUCCESS"] -= times
        lost, gained = +lost, +gained
        return [f"- {' | '.join(check)}" for check in sorted(lost)] + [
            f"+ {' | '.join(check)}" for check in sorted(gained)
        ]


def conformance(url: str, revision: str, scenarios: tuple[str, ...] = (), seconds: int = 30) -> Checks:
    """Runs what the revision requires, or only these scenarios, against a server; each may take so many `seconds`."""
    with tempfile.TemporaryDirectory(prefix="tollgate-conformance-") as directory:
        for which in [["--scenario", one, "--spec-version", revision] for one in scenarios] or [
            ["--requirements", revision]
        ]:
            _run([*which, "--url", url, "--timeout", str(1000 * seconds), "--output-dir", directory])
        return _read(Path(directory))


def _run(options: list[str]) -> None:
    suite = packages() / "@modelcontextprotocol/conformance/dist/index.js"
    subprocess.run([node(), suite, "server", *options], capture_output=True, timeout=RUN_SECONDS, check=False)


def _read(directory: Path) -> Checks:
    found: Counter[tuple[str, str, str, str]] = Counter()
    for path in directory.rglob("checks.json"):
        # The folder is named after the scenario and the time.
        scenario = re.sub(r"-\d{4}-\d{2}-\d{2}T.*$", "", path.parent.name).removeprefix("server-")
        for check in json.loads(path.read_text()):
            if check["status"] != "INFO":  # these tell of ids that are never the same
                found[scenario, check["id"], check["description"], check["status"]] += 1
    return Checks(found)
