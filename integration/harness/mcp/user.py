"""A person with an MCP client, whichever SDK it is made with: all names are the tests' own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

# Answers what a server asks, (method, params) -> result: `elicitation/create`, `sampling/createMessage`, `roots/list`.
Answer = Callable[[str, dict], dict]

CALL_SECONDS = 30


class Refused(Exception):
    """What was asked for ended in an error: of JSON-RPC with its code, or of HTTP with its status."""

    def __init__(self, code: int | None, message: str, data: object = None):
        super().__init__(code, message)
        self.code, self.message, self.data = code, message, data


@dataclass(frozen=True)
class Called:
    """What a call of a tool came to."""

    result: dict
    progress: list[float] = field(default_factory=list)

    @property
    def text(self) -> str:
        """What the model reads."""
        return "".join(part["text"] for part in self.result["content"] if part["type"] == "text")

    @property
    def failed(self) -> bool:
        """The model is told that it failed."""
        return self.result.get("isError", False)


class User:
    """`with PythonClient(url) as user:` is connected. `era` is `auto`, `modern` or `legacy`."""

    def __init__(
        self,
        url: str,
        era: str = "auto",
        headers: dict[str, str] | None = None,
        answer: Answer | None = None,
    ):
        self.url, self.era, self.headers, self.answer = url, era, headers or {}, answer
        self.asked: list[tuple[str, dict]] = []

    def __enter__(self) -> Self:
        raise NotImplementedError

    def __exit__(self, *raised: object) -> None:
        raise NotImplementedError

    @property
    def revision(self) -> str:
        """What client and server agreed on."""
        raise NotImplementedError

    def tools(self) -> list[dict]:
        """All pages of them, as the client understood them."""
        return self._listed("tools")

    def prompts(self) -> list[dict]:
        """All pages of them."""
        return self._listed("prompts")

    def resources(self) -> list[dict]:
        """All pages of them."""
        return self._listed("resources")

    def call(self, tool: str, **arguments: object) -> Called:
        """Calls a tool; raises `Refused` where it ends in an error that is no result."""
        raise NotImplementedError

    def prompt(self, name: str, **arguments: str) -> dict:
        """Gets a prompt."""
        raise NotImplementedError

    def read(self, uri: str) -> dict:
        """Reads a resource."""
        raise NotImplementedError

    def _listed(self, what: str) -> list[dict]:
        raise NotImplementedError

    def _answer(self, method: str, params: dict) -> dict:
        self.asked.append((method, params))
        return self.answer(method, params)
