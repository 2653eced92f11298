"""One round of one gateway: what it took from the processor, and how long its client waited."""

from __future__ import annotations

import json
import re
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from exchanges import Case
from gateways import Gateway
from harness import Envoy

# Enough to keep a worker busy.
BUSY_CONNECTIONS = 8
# A paced answer takes a second, so many must be on their way at once.
PACED_CONNECTIONS = 200

MAX_REQUESTS = 50_000


@dataclass(frozen=True)
class Sample:
    """Microseconds per request: CPU time of the gateway when busy and when it has one request at a time, and then also
    the client's wait. A paced answer takes as long as its pace, which says nothing about the gateway."""

    busy_cpu: float
    quiet_cpu: float | None = None
    p50: float | None = None
    p99: float | None = None


@dataclass(frozen=True)
class Loader:
    """The load generator. A round is as long busy as it is quiet."""

    binary: Path
    directory: Path
    seconds: float

    def sample(self, gateway: Gateway, envoy: Envoy, case: Case) -> Sample:
        """One round of one case."""
        busy_cpu, _ = self._measured(gateway, envoy, case, PACED_CONNECTIONS if case.paced else BUSY_CONNECTIONS)
        if case.paced:
            return Sample(busy_cpu)
        quiet_cpu, quiet = self._measured(gateway, envoy, case, connections=1)
        return Sample(busy_cpu, quiet_cpu, quiet["p50_us"], quiet["p99_us"])

    def _measured(self, gateway: Gateway, envoy: Envoy, case: Case, connections: int) -> tuple[float, dict]:
        before = cpu_seconds(envoy.pid)
        report = self.load(gateway, envoy, case, connections, MAX_REQUESTS)
        if not report["count"]:
            raise SystemExit(f"{gateway.name}, {case.name}: nothing was answered\n{envoy.log_tail()}")
        return (cpu_seconds(envoy.pid) - before) / report["count"] * 1e6, report

    def load(self, gateway: Gateway, envoy: Envoy, case: Case, connections: int, requests: int) -> dict:
        """The load generator's report on at most so many requests. Only whole answers count, and nothing else is accepted."""
        body = self.directory / f"{case.name}.json"
        body.write_bytes(case.body)
        plan = {
            "address": f"127.0.0.1:{envoy.port}",
            "path": case.path,
            "headers": case.headers | gateway.headers,
            "body_file": str(body),
            "connections": connections,
            "requests": requests,
            "seconds": self.seconds,
            "tls": case.tls,
        }
        run = subprocess.run([self.binary], input=json.dumps(plan), stdout=subprocess.PIPE, text=True, check=True)
        report = json.loads(run.stdout)
        if report["errors"]:
            said = f"{report['errors']} errors, the first: {report['first_error']}"
            raise SystemExit(f"{gateway.name}, {case.name}: {said}\n{envoy.log_tail()}")
        return report


def cpu_seconds(pid: int) -> float:
    """User and system time of a process: what `/proc/PID/stat` counts in ticks, in nanoseconds."""
    return time.clock_gettime((~pid << 3) | 2)  # clock_getcpuclockid(3)


def peak_memory(pid: int) -> int:
    """Bytes that a process held at most."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024
