"""Who calls what must be confirmed, and who approves it."""

from __future__ import annotations

import json
from collections.abc import Sequence

from ..gateway import Response
from .gateway import PATHS, McpGateway, bearer
from .wire import Exchange, Header, Wire, meta, modern, rpc

PAGE = "/.tollgate/approvals"
TOOL = "database.delete_row"
CALL = {"table": "users", "id": 42}
FORM = {"elicitation": {"form": {}}}
KEY = "tollgate/approval"

BY_APPROVER = [
    {"name": "deletions", "confirm": {"tools": ["*.delete_row"], "by": "approver", "approvers": {"teams": ["dba"]}}},
    {"allow": {"tools": ["*"]}},
]
YES = {"action": "accept", "content": {"confirm": True}}


class Caller:
    """Somebody who calls the tool, byte by byte, in 2026-07-28."""

    def __init__(self, gateway: McpGateway, who: str = "support"):
        self._wire, self._who = Wire(gateway.envoy.port, PATHS["crm"]), who

    def call(
        self,
        arguments: dict = CALL,
        capabilities: dict = FORM,
        id: int = 1,
        who: str | None = None,
        **params: object,
    ) -> dict:
        """The result, or the error."""
        params = {"name": TOOL, "arguments": arguments, "_meta": meta(capabilities), **params}
        headers = [*modern("tools/call", TOOL), *bearer(who or self._who).items()]
        answer = self._wire.send(Exchange(headers, rpc("tools/call", params, id)))
        assert answer.status == 200, answer.body
        body = answer.body.decode()
        message = json.loads(body if body.startswith("{") else body.split("data: ")[-1])
        return message.get("result") or message["error"]

    def retry(self, asked: dict, reply: dict, **more: object) -> dict:
        """The same call with an answer to the question."""
        return self.call(requestState=asked["requestState"], inputResponses={KEY: reply}, id=2, **more)


class Approver:
    """Somebody at the page's JSON."""

    def __init__(self, gateway: McpGateway, who: str = "dba"):
        self._wire, self._who = Wire(gateway.envoy.port, PAGE), who

    def list(self) -> dict:
        """What it shows."""
        headers = [("accept", "application/json"), *bearer(self._who).items()]
        answer = self._wire.send(Exchange(headers, b"", method="GET"))
        assert answer.status == 200, answer.body
        return answer.json

    def say(self, id: str, decision: str, reason: str = "", headers: Sequence[Header] = ()) -> Response:
        """Answers."""
        headers = [("content-type", "application/json"), *bearer(self._who).items(), *headers]
        body = json.dumps({"decision": decision, "reason": reason}).encode()
        return self._wire.send(Exchange(headers, body, path=f"{PAGE}/{id}"))


def waiting(approver: Approver) -> dict:
    """The only call that waits."""
    (entry,) = approver.list()["waiting"]
    return entry


def text(result: dict) -> str:
    """What the model reads."""
    return result["content"][0]["text"]
