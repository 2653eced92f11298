"""A person with an A2A client, whichever SDK it is made with."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Self

OPERATIONS = (
    "send",
    "stream",
    "get",
    "list",
    "cancel",
    "subscribe",
    "push_create",
    "push_get",
    "push_list",
    "push_delete",
    "extended_card",
)


class Refused(Exception):
    """What was asked for ended in an error, in the client's own words: the class of the error and what it says."""

    def __init__(self, kind: str, message: str):
        super().__init__(kind, message)
        self.kind, self.message = kind, message


class User:
    """`with Python(url) as user:` has read the agent's card. What comes back is JSON as the client understood it.

    `certificate` is shown to what is verified by `authority`; both are files.
    """

    def __init__(
        self,
        url: str,
        version: str = "1.0",
        binding: str = "JSONRPC",
        headers: dict[str, str] | None = None,
        authority: str | None = None,
        certificate: str | None = None,
    ):
        self.url, self.version, self.binding = url, version, binding
        self.shows = {"headers": headers or {}, "authority": authority, "certificate": certificate}

    def __enter__(self) -> Self:
        raise NotImplementedError

    def __exit__(self, *raised: object) -> None:
        raise NotImplementedError

    @property
    def card(self) -> dict:
        """The public card."""
        raise NotImplementedError

    def send(
        self,
        text: str,
        context: str | None = None,
        task: str | None = None,
        at_once: bool = False,
        push: dict | None = None,
    ) -> dict:
        """Sends a message; `at_once` does not wait for the task. What comes back is a task or a message."""
        return self._do("send", **_message(text, context, task, at_once, push))

    def stream(self, text: str, context: str | None = None, task: str | None = None) -> Iterator[dict]:
        """Sends a message, and the events of what comes of it."""
        return self._events("stream", **_message(text, context, task, False, None))

    def get(self, task: str) -> dict:
        """A task."""
        return self._do("get", task=task)

    def list(self, context: str) -> dict:
        """The tasks of a context."""
        return self._do("list", context=context)

    def cancel(self, task: str) -> dict:
        """Cancels a task."""
        return self._do("cancel", task=task)

    def subscribe(self, task: str) -> Iterator[dict]:
        """The events of a task from now on."""
        return self._events("subscribe", task=task)

    def push_create(self, task: str, push: dict) -> dict:
        """Has the agent tell `push["url"]` of a task."""
        return self._do("push_create", task=task, push=push)

    def push_get(self, task: str, config: str) -> dict:
        """Who is told of a task."""
        return self._do("push_get", task=task, config=config)

    def push_list(self, task: str) -> dict:
        """All who are told of a task."""
        return self._do("push_list", task=task)

    def push_delete(self, task: str, config: str) -> None:
        """Tells one of them no longer."""
        self._do("push_delete", task=task, config=config)

    def extended_card(self) -> dict:
        """The card for those who are known."""
        return self._do("extended_card")

    def _do(self, operation: str, **how: object) -> dict:
        raise NotImplementedError

    def _events(self, operation: str, **how: object) -> Iterator[dict]:
        raise NotImplementedError


def _message(text: str, context: str | None, task: str | None, at_once: bool, push: dict | None) -> dict:
    return {"message": "m-1", "text": text, "context": context, "task": task, "at_once": at_once, "push": push}


def task_in(answer: dict) -> dict:
    """The task in an answer, or what of it a stream tells."""
    return answer.get("task", answer)


def state_of(answer: dict) -> str:
    """How a task stands, in the words of 0.3."""
    return task_in(answer)["status"]["state"].removeprefix("TASK_STATE_").lower().replace("_", "-")
