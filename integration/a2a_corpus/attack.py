"""What an attack is, and what is right to answer to it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import Enum

from harness.a2a import ADA
from harness.a2a.wire import messages
from harness.gateway import Response

# What `protect` configures, in words.
POLICY = """\
The assistant, for anybody, may do everything at every agent but cancel tasks. The planner may act for users on tier gold
alone. Whoever calls has a certificate and a token that agree. Push notifications go to https://hooks.example.org alone.
Nobody has a tenant, an extension, a method beside those of A2A, or gRPC."""

CHAPTERS = {
    "A1": "forged identity headers",
    "A2": "unverified tokens",
    "A3": "forged chains of actors",
    "A4": "a confused deputy",
    "A6": "loops",
    "A7": "tasks and contexts of others",
    "A8": "push notifications to where they must not go",
    "A9": "agent cards",
    "A10": "looking for tasks",
    "A11": "ambiguous JSON",
    "A12": "confusion of versions",
    "A13": "confusion of bindings",
    "A14": "tricks with paths",
    "A15": "abuse of tenants",
    "A16": "extensions",
    "A18": "exhaustion",
    "A19": "evasion of the audit",
}
ELSEWHERE = {
    "A5": "needs a ticket of the filter's own to replay",
    "A17": "is in answers: a test scripts an agent",
    "A20": "never comes to the gateway",
}

NOT_FOUND = -32001


class Right(Enum):
    """What a filter that is right answers: HTTP statuses, and codes of JSON-RPC, which tells them with status 200."""

    DENIED = ((403,), "error")
    """The policy refuses it, in the shape of the binding."""
    MISMATCH = ((403,), "identity_mismatch")
    """Certificate and token disagree: the answer has this word."""
    LOOP = ((200,), "loop")
    """It goes as deep as is allowed: what is deeper is refused to the agent that asked."""
    NO_TOKEN = ((401,), "any")
    """Envoy's `jwt_authn` refuses it, in its own words."""
    NO_HANDSHAKE = ((), "any")
    """Envoy closes the connection."""
    ALLOWED = ((200,), "result")
    """It goes through, without what must not arrive."""
    NOT_THERE = ((404,), (NOT_FOUND,))
    """Exactly what the agent says of a task that is not there."""
    EMPTY = ((200,), "empty")
    """A list without what belongs to others."""
    UNPARSEABLE = ((400,), (-32700, -32600))
    """It is not what JSON, or a request, in A2A may be."""
    INVALID = ((400,), (-32602,))
    """Its parameters are not what they must be, or stand where readers differ on them."""
    VERSION = ((400,), (-32009,))
    """It is of no version that is spoken here, or of two."""
    MEDIA = ((415,), "error")
    """It is not JSON in UTF-8 without an encoding."""
    TOO_LARGE = ((413,), "error")
    NO_AGENT = ((400, 403, 404), "any")
    """It is no agent's path, or no operation's."""
    NOT_HTTP = ((400, 501), "any")
    """Envoy itself refuses it, in its own words."""
    NO_GRPC = ((200, 403, 415), "any")
    """An error of gRPC, which has status 200."""
    CARD = ((200,), "card")
    """A card on which every address is the gateway's, and nothing is signed by somebody else."""
    CARD_IF_ANY = ((200, 404), "card")
    """The same, or none: where only some agents have one."""

    def problems(self, answer: Response | None, direct: str = "") -> list[str]:
        """What is wrong with an answer; `direct` is the agent's own address, which no card may show."""
        statuses, wants = self.value
        if answer is None:
            return [] if self is Right.NO_HANDSHAKE else ["no answer"]
        try:
            said = messages(answer)
        except ValueError:
            said = []
        if isinstance(wants, tuple) and said and "jsonrpc" in said[0]:
            statuses = (200,)
        wrong = [] if answer.status in statuses else [f"status {answer.status}, not one of {statuses}"]
        if wants == "any":
            return wrong
        if not said:
            return [*wrong, f"no message: {answer.body[:200]!r}"]
        return wrong + self._problems(answer, said[0], direct)

    def _problems(self, answer: Response, said: dict, direct: str) -> list[str]:
        wants = self.value[1]
        failed = "error" in said or said.keys() >= {"type", "message"}  # so does HTTP+JSON in 0.3
        match wants:
            case "result" | "loop":
                return [f"an error: {said}"] if failed else []
            case "empty":
                held = said.get("result", said).get("tasks")
                return [] if held == [] else [f"tasks: {held}"]
            case "card":
                shown = [word for word in (direct, "signatures") if word and word in json.dumps(said)]
                return [f"the card shows {shown}"] if shown else []
            case _ if not failed:
                return [f"no error: {said}"]
            case "error":
                return []
            case "identity_mismatch":
                return [] if wants.encode() in answer.body.lower() else [f"no {wants}: {said}"]
        code = said.get("error", {}).get("code")
        if "jsonrpc" not in said:  # of HTTP+JSON, where the code is the status
            return [] if code in (None, answer.status) else [f"code {code} of status {answer.status}"]
        return [] if code in wants else [f"code {code}, not one of {wants}"]


@dataclass(frozen=True)
class Who:
    """Who asks: what they show."""

    certificate: str | None = "assistant"
    user: str = ADA
    acts: str = "assistant"
    """Who the token says acts for the user."""
    claims: tuple[tuple[str, object], ...] = ()
    """Instead of the ordinary ones. `$digest <name>` stands for that of a certificate."""
    token: str = "issued"
    """Or `none`, `unsigned`, `of-another-issuer`, `with-public-key`, `expired`, `basic`."""


@dataclass(frozen=True)
class Attack:
    """A request to an agent. `$task` and `$context` in it are ada's."""

    chapter: str
    name: str
    right: Right
    must_not: str
    """What must not happen: an operation; `header <name>: <value>`, with which something arrives that begins so; `push <url>`
    or `text <text>` in what runs; `said <text>` in the answer; `times <n>`: that anything runs so often."""
    body: bytes | str = b""
    version: str | None = "1.0"
    """That of the agents it can be sent to; which header says so is in `headers` where it is not the ordinary one."""
    headers: dict[str, list[str | bytes]] = field(default_factory=dict)
    """Instead of the ordinary ones of that name, in any number."""
    method: str = "POST"
    path: str = ""
    """Behind the agent's own."""
    who: Who = field(default_factory=Who)
    seconds: float = 2
    """How long an answer may say nothing before it is over."""
    authority: str | None = None
    """A host of its own, where the path is not behind anything."""

    @property
    def label(self) -> str:
        """For people."""
        return f"{self.chapter}/{self.name}/{self.version}"
