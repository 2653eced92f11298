"""What an attack is, and what is right to answer to it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import Enum

from harness.gateway import Response
from harness.mcp.wire import Exchange, Header, legacy, messages, meta, modern

LEGACY, MODERN_ERA = "legacy", "modern"
# What the attacks of the era with sessions speak.
REVISION = "2025-11-25"

EVIL = "database.delete_row"
SAFE = "crm.search"


class Right(Enum):
    """What a filter that is right answers: HTTP statuses, and codes of JSON-RPC where it must be an error."""

    DENIED = ((200,), "error result")
    """It is an ordinary call of the forbidden tool: the policy refuses it with a result that the model can read."""
    ALLOWED = ((200,), "result")
    """It is an ordinary call of a tool that is allowed: it runs."""
    UNPARSEABLE = ((400,), (-32700, -32600))
    """It is not what JSON-RPC in MCP may be."""
    INVALID = ((400,), (-32602,))
    """Its parameters are not what they must be."""
    REVISION = ((400,), (-32022,))
    """It is of a revision that is not spoken here."""
    MISMATCH = ((400,), (-32020,))
    """Headers and body disagree."""
    AMBIGUOUS = ((400,), (-32020, -32600, -32602))
    """A header that must be there once is there twice, or says what the body cannot mean."""
    MEDIA = ((415,), ())
    """It is not JSON in UTF-8 without an encoding."""
    TOO_LARGE = ((413,), ())
    METHOD = ((405,), ())
    UNKNOWN = ((200, 400, 403, 404), ())
    """A method that nobody knows, which the policy refuses."""
    NOT_HTTP = ((400, 501), "any")
    """Envoy itself refuses it, in its own words."""
    NO_SERVER = ((400, 404), "any")
    """It is no server's path: Envoy's router says so, in its own words."""

    def problems(self, answer: Response) -> list[str]:
        """What is wrong with an answer."""
        statuses, codes = self.value
        wrong = [] if answer.status in statuses else [f"status {answer.status}, not one of {statuses}"]
        if codes == "any":
            return wrong
        try:
            said = messages(answer)
        except ValueError:
            said = []
        if len(said) != 1:
            return [*wrong, f"{len(said)} messages, not one: {answer.body[:200]!r}"]
        if codes in ("result", "error result"):
            failed = said[0].get("result", {}).get("isError", False) if "result" in said[0] else None
            return wrong if failed is (codes == "error result") else [*wrong, f"no {codes}: {said[0]}"]
        code = said[0].get("error", {}).get("code")
        if code is None or (codes and code not in codes):
            return [*wrong, f"code {code}, not one of {codes or 'any'}"]
        return wrong


@dataclass(frozen=True)
class Attack:
    """A request. In a body that is text, `@` is where `_meta` goes in 2026-07-28, at the start of an object."""

    name: str
    body: bytes | str
    right: Right
    eras: tuple[str, ...] = (LEGACY, MODERN_ERA)
    headers: dict[str, list[str | bytes]] = field(default_factory=dict)
    """Instead of the ordinary ones of that name, in any number."""
    tool: str = EVIL
    """What must not run."""
    named: str | None = None
    """What `Mcp-Name` says; the tool that must not run if nothing else is said."""
    method: str = "POST"
    path: str | None = None
    """In front of an Envoy, `/mcp` in it stands for the server's path."""
    trailers: tuple[Header, ...] = ()
    """Only HTTP/2 has these."""


@dataclass(frozen=True)
class Attempt:
    """An attack in one era."""

    attack: Attack
    era: str

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.attack.name}/{self.era}"

    def body(self) -> bytes:
        """The body's bytes."""
        if isinstance(self.attack.body, bytes):
            return self.attack.body
        inserted = f'"_meta": {json.dumps(meta())}, ' if self.era == MODERN_ERA else ""
        return self.attack.body.replace("@", inserted).encode("utf-8", "surrogatepass")

    def exchange(self, session: str, path: str = "/mcp") -> Exchange:
        """The request, in a session where the era has them."""
        attack = self.attack
        if self.era == MODERN_ERA:
            ordinary = modern("tools/call", attack.named or attack.tool)
        else:
            ordinary = legacy(REVISION, session)
        headers: list[Header] = [(name, value) for name, value in ordinary if name not in attack.headers]
        headers += [(name, _filled(value, session)) for name, values in attack.headers.items() for value in values]
        asked = attack.path.replace("/mcp", path) if attack.path else path
        return Exchange(headers, self.body(), attack.method, asked)


def _filled(value: str | bytes, session: str) -> str | bytes:
    return value.replace("{session}", session) if isinstance(value, str) else value
