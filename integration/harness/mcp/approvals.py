"""Who calls what must be confirmed, and who approves it."""

from __future__ import annotations

import json
from collections.abc import Sequence

from ..gateway import Response
from .gateway import PATHS, McpGateway, bearer
from .wire import Exchange, Header, Wire, legacy, messages, meta, modern, rpc

PAGE = "/.tollgate/approvals"
TOOL = "database.delete_row"
CALL = {"table": "users", "id": 42}
FORM = {"elicitation": {"form": {}}}
KEY = "tollgate/approval"

BY_APPROVER = [
    {"name": "deletions", "confirm": {"tools": ["*.delete_row"], "by": "approver", "approvers": {"teams": ["dba"]}}},
    {"allow": {"tools": ["*"]}},
]
BY_CALLER = [
    {"confirm": {"tools": ["*.delete_row", "*.confirm_and_send"], "by": "caller"}},
    {"allow": {"tools": ["*"]}},
]
YES = {"action": "accept", "content": {"confirm": True}}


class Caller:
    """Somebody who calls the tool, byte by byte, in 2026-07-28."""

    def __init__(self, gateway: McpGateway, who: str = "support", proof: dict[str, str] | None = None):
        self._wire, self._proof = Wire(gateway.envoy.port, PATHS["crm"]), proof or bearer(who)

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
        headers = [*modern("tools/call", TOOL), *(bearer(who) if who else self._proof).items()]
        answer = self._wire.send(Exchange(headers, rpc("tools/call", params, id)))
        assert answer.status in (200, 429), answer.body
        body = answer.body.decode()
        message = json.loads(body if body.startswith("{") else body.split("data: ")[-1])
        return message.get("result") or message["error"]

    def retry(self, asked: dict, reply: dict, **more: object) -> dict:
        """The same call with an answer to the question."""
        return self.call(requestState=asked["requestState"], inputResponses={KEY: reply}, id=2, **more)


class SessionCaller:
    """Somebody who calls the tool in a session whose client said at its start what it can."""

    def __init__(
        self,
        gateway: McpGateway,
        capabilities: dict,
        revision: str = "2025-11-25",
        proof: dict[str, str] | None = None,
    ):
        self.wire, self._proof = Wire(gateway.envoy.port, PATHS["crm"]), list((proof or bearer("support")).items())
        self._revision = revision
        self.session = self.wire.open_session(revision, self._proof, capabilities)

    def call(self, arguments: dict = CALL) -> dict:
        """The result, or the error."""
        params = {"name": TOOL, "arguments": arguments}
        headers = [*legacy(self._revision, self.session), *self._proof]
        answer = self.wire.send(Exchange(headers, rpc("tools/call", params)))
        assert answer.status == 200, answer.body
        (message,) = messages(answer)
        return message.get("result") or message["error"]


class Approver:
    """Somebody at the page's JSON."""

    def __init__(self, gateway: McpGateway, who: str = "dba", proof: dict[str, str] | None = None):
        self._wire, self._proof = Wire(gateway.envoy.port, PAGE), proof or bearer(who)

    def list(self) -> dict:
        """What it shows."""
        headers = [("accept", "application/json"), *self._proof.items()]
        answer = self._wire.send(Exchange(headers, b"", method="GET"))
        assert answer.status == 200, answer.body
        return answer.json

    def say(self, id: str, decision: str, reason: str = "", headers: Sequence[Header] = ()) -> Response:
        """Answers."""
        headers = [("content-type", "application/json"), *self._proof.items(), *headers]
        body = json.dumps({"decision": decision, "reason": reason}).encode()
        return self._wire.send(Exchange(headers, body, path=f"{PAGE}/{id}"))


def is_asked(result: dict) -> bool:
    """The person at the client is asked by the gate, and by nobody else."""
    return result.get("resultType") == "input_required" and list(result["inputRequests"]) == [KEY]


def waiting(approver: Approver) -> dict:
    """The only call that waits."""
    (entry,) = approver.list()["waiting"]
    return entry


def text(result: dict) -> str:
    """What the model reads."""
    return result["content"][0]["text"]
