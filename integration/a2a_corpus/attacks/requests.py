"""Requests of which attacks are made."""

from __future__ import annotations

import json

from harness.a2a import BOB
from harness.a2a.wire import message

from ..attack import Attack, Right, Who

CANCEL = {"1.0": "CancelTask", "0.3": "tasks/cancel"}
GET = {"1.0": "GetTask", "0.3": "tasks/get"}
SEND = {"1.0": "SendMessage", "0.3": "message/send"}
SUBSCRIBE = {"1.0": "SubscribeToTask", "0.3": "tasks/resubscribe"}
CREATE = {"1.0": "CreateTaskPushNotificationConfig", "0.3": "tasks/pushNotificationConfig/set"}
# Where HTTP+JSON of each version is.
REST = {"1.0": "", "0.3": "/v1"}
VERSIONS = ("1.0", "0.3")
JSON = "application/json"
BY_BOB = Who(user=BOB)


def call(method: str, params: str, more: str = "", id: str = "1") -> str:
    """A JSON-RPC request whose params are written out; `more` are members, each with a comma behind it."""
    return f'{{{more}"jsonrpc": "2.0", "id": {id}, "method": "{method}", "params": {{{params}}}}}'


def each(chapter: str, name: str, body, right: Right, must_not: str = "cancel", **how: object) -> list[Attack]:
    """The same in both versions; `body` makes it of the method that cancels and its version."""
    return [
        Attack(chapter, name, right, must_not, body(CANCEL[version], version), version, **how) for version in VERSIONS
    ]


def sent(
    version: str, text: str = "say hi", metadata: dict | None = None, configuration: dict | None = None, **more: object
) -> str:
    """A request that sends a message; `more` are members of the message."""
    params = message(text, version, **more)
    params |= {} if metadata is None else {"metadata": metadata}
    params |= {} if configuration is None else {"configuration": configuration}
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": SEND[version], "params": params})


def send(chapter: str, name: str, right: Right, must_not: str, version: str = "1.0", **how: object) -> Attack:
    """An ordinary message that goes wrong elsewhere."""
    return Attack(chapter, name, right, must_not, sent(version), version, **how)


def evil(method: str, _: str = "") -> str:
    """Cancels ada's task."""
    return call(method, '"id": "$task"')
