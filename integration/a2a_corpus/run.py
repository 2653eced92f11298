"""Makes an attempt and tells what became of it."""

from __future__ import annotations

import json
from dataclasses import dataclass

from harness.a2a import Agent, People
from harness.a2a.wire import Exchange, Header, Wire, basic, message, messages, rpc
from harness.gateway import Response
from harness.identity import Issuer

from .attack import Attack, Who

METHODS = {"1.0": "SendMessage", "0.3": "message/send"}
OTHER = Issuer()


@dataclass(frozen=True)
class Outcome:
    """What became of an attempt."""

    answer: Response | None
    """None where the connection was closed without one."""
    ran: bool
    """What must not happen did."""

    def __str__(self) -> str:
        return "ran" if self.ran else str(self.answer.status if self.answer else "closed")


class Stage:
    """An agent, what is in front of it, and a task of ada's there that waits for her."""

    def __init__(self, agent: Agent, people: People, port: int, path: str = "", secure: bool = False):
        self.agent, self.people, self.port, self.path = agent, people, port, path
        self.secure = secure
        version = agent.VERSIONS[0]
        asked = Exchange(
            [*basic(version), ("authorization", f"Bearer {people.token()}")],
            rpc(METHODS[version], message("ask", version)),
        )
        (said,) = messages(self.wire(Who(), 10).send(asked))
        task = said["result"].get("task", said["result"])
        self.names = {"$task": task["id"], "$context": task["contextId"]}

    def wire(self, who: Who, seconds: float) -> Wire:
        """Bytes from somebody with this certificate."""
        tls = self.people.tls(who.certificate) if self.secure else None
        return Wire(self.port, self.path or "/", seconds=seconds, tls=tls)

    def exchange(self, attack: Attack) -> Exchange:
        """The request."""
        ordinary: list[Header] = basic("1.0" if attack.version == "1.0" else None)
        shown = shows(self.people, attack.who)
        headers = [(name, value) for name, value in [*ordinary, *shown] if name not in attack.headers]
        headers += [(name, self._filled(value)) for name, values in attack.headers.items() for value in values]
        if attack.authority is not None:
            headers.append(("host", attack.authority))
        before = self.path if attack.authority is None else ""
        path = attack.path if before or attack.path.startswith("/") else "/" + attack.path
        return Exchange(headers, self._filled(attack.body, encoded=True), attack.method, self._filled(before + path))

    def _filled(self, text: str | bytes, encoded: bool = False) -> str | bytes:
        if isinstance(text, bytes):
            for name, value in self.names.items():
                text = text.replace(name.encode(), value.encode())
            return text
        for name, value in self.names.items():
            text = text.replace(name, value)
        return text.encode("utf-8", "surrogatepass") if encoded else text


def attempt(attack: Attack, stage: Stage) -> Outcome:
    """Sends it."""
    stage.agent.forget()
    try:
        answer = stage.wire(attack.who, attack.seconds).send(stage.exchange(attack))
    except (OSError, EOFError):
        answer = None
    return Outcome(answer, _happened(attack, stage, answer))


def _happened(attack: Attack, stage: Stage, answer: Response | None) -> bool:
    what, _, how = attack.must_not.partition(" ")
    ran = stage.agent.ran()
    match what:
        case "header":
            name, _, value = how.partition(": ")
            arrived = [(key.replace("_", "-"), held) for one in ran for key, held in one["headers"]]
            return any(key == name and held.startswith(value) for key, held in arrived)
        case "push":
            return any(json.dumps(how) in json.dumps(one["params"]) for one in ran)
        case "said":
            return answer is not None and answer.status == 200 and stage._filled(how).encode() in answer.body
        case "times":
            return len(ran) >= int(how)
        case "text":
            return any(how in json.dumps(one["params"]) for one in ran)
    return any(one["operation"] == what for one in ran)


def shows(people: People, who: Who) -> list[Header]:
    """The header that proves who asks, and for whom."""
    claims = {name: _claim(people, value) for name, value in who.claims}
    match who.token:
        case "none":
            return []
        case "basic":
            return [("authorization", "Basic YWRhOmFkYQ==")]
        case "expired":
            return [("authorization", f"Bearer {people.token(who.user, who.acts, exp=1_700_000_000, **claims)}")]
        case "of-another-issuer":
            return [("authorization", f"Bearer {OTHER.token('ES256', sub=who.user, **claims)}")]
        case "with-public-key":
            return [("authorization", f"Bearer {people.issuer.token('HS256', sub=who.user, **claims)}")]
        case "unsigned":
            return [("authorization", f"Bearer {people.issuer.token('none', sub=who.user, **claims)}")]
    return [("authorization", f"Bearer {people.token(who.user, who.acts, **claims)}")]


def _claim(people: People, value: object) -> object:
    if isinstance(value, str) and value.startswith("$digest "):
        return {"x5t#S256": people.digest(value.removeprefix("$digest "))}
    return value
