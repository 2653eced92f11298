"""A client that is a process: it is told a line of JSON and tells one."""

from __future__ import annotations

import json
import subprocess
import threading
from typing import Self

from ..process import ServerFailed
from .user import CALL_SECONDS, Called, Refused, User


class LineClient(User):
    """`revisions` are those that it offers where there are sessions; its own without."""

    revisions: tuple[str, ...] = ()

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._command(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        try:
            self._agreed = self._do(
                "connect",
                url=self.url,
                era=self.era,
                headers=self.headers,
                answers=self.answer is not None,
                revisions=self.revisions,
                **self._how(),
            )["revision"]
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
    def revision(self) -> str:
        return self._agreed

    def call(self, tool: str, **arguments: object) -> Called:
        said = self._do("call", name=tool, arguments=arguments)
        return Called(said["result"], said["progress"])

    def prompt(self, name: str, **arguments: str) -> dict:
        return self._do("prompt", name=name, arguments=arguments)

    def read(self, uri: str) -> dict:
        return self._do("read", uri=uri)

    def _command(self) -> list[str]:
        raise NotImplementedError

    def _how(self) -> dict[str, object]:
        """What else it is told to connect with."""
        return {}

    def _listed(self, what: str) -> list[dict]:
        listed, cursor = [], {}
        while True:
            page = self._do("list", what=what, params=cursor)
            listed += page[what]
            if "nextCursor" not in page:
                return listed
            cursor = {"cursor": page["nextCursor"]}

    def _do(self, do: str, **how: object) -> dict:
        self._tell({"do": do} | how)
        hung = threading.Timer(CALL_SECONDS, self._process.kill)
        hung.start()
        try:
            while line := self._process.stdout.readline():
                match json.loads(line):
                    case {"asked": method, "params": params}:
                        self._tell({"answer": self._answer(method, params)})
                    case {"refused": refused}:
                        raise Refused(refused.get("code"), refused["message"], refused.get("data"))
                    case {"done": done}:
                        return done
        finally:
            hung.cancel()
        raise ServerFailed(f"the {type(self).__name__} ended\n{self._process.stderr.read()[-4000:]}")

    def _tell(self, line: dict) -> None:
        self._process.stdin.write(json.dumps(line) + "\n")
        self._process.stdin.flush()
