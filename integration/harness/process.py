"""A server of the tests that can be stopped, started again where it was, and made to hang."""

from __future__ import annotations

import contextlib
import ctypes
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import Self

READY_SECONDS = 30


class ServerFailed(AssertionError):
    """A server did not start; the message ends with what it wrote."""


class Server:
    """`with Redis() as redis:` runs it and stops it, whatever happens. What it keeps is in `directory`."""

    def __init__(self) -> None:
        self._process: subprocess.Popen | None = None

    def __enter__(self) -> Self:
        self.directory = Path(tempfile.mkdtemp(prefix="tollgate-server-"))
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    def start(self) -> None:
        """Starts it, or starts it again: where it was, with what it kept."""
        with (self.directory / "log").open("ab") as log:
            self._process = subprocess.Popen(
                self._command(), stdout=log, stderr=log, process_group=0, preexec_fn=_die_with_parent
            )
        self._wait_ready()

    def stop(self) -> None:
        """Ends it, also when it hangs: as a machine that is switched off."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def pause(self) -> None:
        """It hangs: what connects to it is taken in by the system and never answered."""
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """And goes on."""
        self._process.send_signal(signal.SIGCONT)

    def alive(self) -> bool:
        """It runs."""
        return self._process is not None and self._process.poll() is None

    def log(self) -> str:
        """What it wrote since its first start."""
        return (self.directory / "log").read_text(errors="replace")

    def _command(self) -> list[str]:
        raise NotImplementedError

    def _wait_ready(self) -> None:
        raise NotImplementedError

    def _fail(self, why: str) -> ServerFailed:
        return ServerFailed(f"{type(self).__name__} {why}\n{self.log()[-4000:]}")


def _die_with_parent() -> None:
    """Linux: a test run that is killed leaves none behind, not even one that hangs."""
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def as_at_a_terminal() -> None:
    """Lets Ctrl-C interrupt a process that is started so, also where it is ignored: in what a shell runs in the background."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
