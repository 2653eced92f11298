"""What is asked of an agent and what it answers: a message, answered by a task, whole and as a stream."""

from __future__ import annotations

import json
from dataclasses import replace

from exchanges import Case, prose
from harness.a2a import People
from harness.a2a.wire import basic, message, rpc

EVENTS = 20
# Where an answer has the context of its message.
CONTEXT = "CONTEXT"
# The agent tells in this header which ticket it was given.
GIVEN = "x-given-ticket"
TASK = "3f0c2c1e-7a55-4b8e-9d1e-5f3a0b6d7c21"


def cases(people: People) -> list[Case]:
    """All of them; the first two are those that the goal is about."""
    return [
        _case("message", people),
        _case(f"message, {EVENTS} events", people, "SendStreamingMessage", "streamed"),
        _case("message that follows from one", people, caller="planner", callee="researcher"),
    ]


def opening(people: People) -> Case:
    """The message that the last one follows from."""
    return _case("opening", people)


def following(case: Case, ticket: str) -> Case:
    """The same with this ticket, if it follows from another."""
    own = {"x-tollgate-ticket": ticket} if case.path.endswith("researcher") and ticket else {}
    return replace(case, headers=case.headers | own)


def answers() -> dict[str, tuple[str, str]]:
    """By the name that the client asks for in its `user-agent`: media type and body."""
    status = {"state": "TASK_STATE_COMPLETED", "timestamp": "2026-03-01T12:00:00Z"}
    task = {"id": TASK, "contextId": CONTEXT, "status": status, "artifacts": [_artifact(prose(700))]}
    return {"whole": ("application/json", _result({"task": task})), "streamed": ("text/event-stream", _stream())}


def _case(
    name: str,
    people: People,
    method: str = "SendMessage",
    answer: str = "whole",
    caller: str = "assistant",
    callee: str = "planner",
) -> Case:
    shown = people.shows(agent=caller)
    return Case(
        name,
        f"/agents/{callee}",
        rpc(method, message(prose(300))),
        dict(basic()) | shown["headers"] | {"user-agent": answer},
        ends=(b"TASK_STATE_COMPLETED",),
        tls={"authority": shown["authority"], "certificate": shown["certificate"]},
    )


def _stream() -> str:
    about = {"taskId": TASK, "contextId": CONTEXT}
    words = EVENTS - 3
    events = [{"task": {"id": TASK, "contextId": CONTEXT, "status": {"state": "TASK_STATE_SUBMITTED"}}}]
    events += [_update(about, "TASK_STATE_WORKING")]
    events += [
        {"artifactUpdate": about | {"artifact": _artifact(prose(60, number)), "append": number > 0}}
        for number in range(words)
    ]
    events += [_update(about, "TASK_STATE_COMPLETED")]
    return "".join(f"data: {_result(event)}\n\n" for event in events)


def _update(about: dict, state: str) -> dict:
    return {"statusUpdate": about | {"status": {"state": state, "timestamp": "2026-03-01T12:00:00Z"}}}


def _artifact(text: str) -> dict:
    return {"artifactId": "answer", "parts": [{"text": text}]}


def _result(result: dict) -> str:
    return json.dumps({"jsonrpc": "2.0", "id": 1, "result": result})
