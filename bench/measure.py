"""One round of one gateway: what it took from the processor, and how long its client waited."""

from __future__ import annotations

import json
import re
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from exchanges import Case

# Enough to keep a worker busy; and one at a time, for what a client waits that does not queue.
BUSY_CONNECTIONS, QUIET_CONNECTIONS = 8, 1
# A paced answer takes a second, so many must be on their way at once.
PACED_CONNECTIONS = 200

MAX_REQUESTS = 50_000


@dataclass(frozen=True)
class Sample:
    """Microseconds per request: of the gateway's CPU, and of its client's patience. A paced answer takes its pace."""

    cpu: float
    p50: float | None = None
    p99: float | None = None


@dataclass(frozen=True)
class Loader:
    """The load generator. A round is as long busy as it is quiet."""

    binary: Path
    directory: Path
    seconds: float

    def sample(self, pid: int, port: int, case: Case, headers: dict[str, str]) -> Sample:
        """One round of the gateway with this process and port; `headers` besides the case's own."""
        before = cpu_seconds(pid)
        connections = PACED_CONNECTIONS if case.paced else BUSY_CONNECTIONS
        busy = self.load(port, case, headers, connections, self.seconds)
        cpu = (cpu_seconds(pid) - before) / busy["count"] * 1e6
        if case.paced:
            return Sample(cpu)
        quiet = self.load(port, case, headers, QUIET_CONNECTIONS, self.seconds)
        return Sample(cpu, quiet["p50_us"], quiet["p99_us"])

    def load(self, port: int, case: Case, headers: dict[str, str], connections: int, seconds: float) -> dict:
        """The load generator's report. Only whole answers count, and nothing but whole answers is accepted."""
        body = self.directory / f"{case.name}.json"
        body.write_bytes(case.body)
        plan = {
            "address": f"127.0.0.1:{port}",
            "path": case.path,
            "headers": case.headers | headers,
            "body_file": str(body),
            "connections": connections,
            "requests": MAX_REQUESTS,
            "seconds": seconds,
        }
        run = subprocess.run([self.binary], input=json.dumps(plan), stdout=subprocess.PIPE, text=True, check=True)
        report = json.loads(run.stdout)
        if report["errors"] or not report["count"]:
            raise SystemExit(f"{case.name}: {report['errors']} errors, the first: {report['first_error']}")
        return report


def cpu_seconds(pid: int) -> float:
    """User and system time of a process: what `/proc/PID/stat` counts in ticks, in nanoseconds."""
    return time.clock_gettime((~pid << 3) | 2)  # clock_getcpuclockid(3)


def peak_memory(pid: int) -> int:
    """Bytes that a process held at most."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024
