"""What the agents of the tests do, by the first word of what they are told; the agents of both SDKs play this.

`say x` answers with a message and begins no task. `make x` makes an artifact, a chunk for each word. `ask` wants to know
more, and `login` wants somebody to log in; what is told to their task then, a call too, ends it. `fail` fails. `hold` shows that it is
alive until the test says `go` or somebody cancels it. `call <agent> <what to tell it>` calls another agent and makes an
artifact of what that said; `watch` does so with a stream. `plan`, `research` and `bill` are one such call each: the planner
watches the researcher, who calls billing. `ring <n>` calls the next of the three, which does the same, n times.
`fan <n>` calls the next agent n times.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

AGENTS = {
    "planner": {"plan": "Plans a journey."},
    "researcher": {"research": "Finds out what a journey costs."},
    "billing": {"bill": "Writes an invoice.", "refund": "Gives money back."},
}
NEXT = {"planner": "researcher", "researcher": "billing", "billing": "planner"}
BEAT_SECONDS = 0.1


class CallFailed(Exception):
    """Another agent, or what is in front of it, did not do what it was asked for."""


class Work(Protocol):
    """One call of an agent, in the words of its SDK."""

    agent: str
    resumed: bool
    """It is about a task that is there already."""
    go: asyncio.Event

    async def answer(self, text: str) -> None:
        """Answers with a message."""

    async def begin(self) -> None:
        """Begins the task, if it did not begin yet."""

    async def state(self, state: str, text: str | None = None) -> None:
        """Says how the task stands, in the lower-case words of A2A 0.3."""

    async def artifact(self, name: str, chunks: list[str]) -> None:
        """Makes an artifact of chunks."""

    async def call(self, agent: str, text: str, streamed: bool) -> str:
        """Tells another agent something, and what it said."""


async def play(said: str, work: Work) -> None:
    """Does what was said."""
    verb, _, rest = said.partition(" ")
    if verb == "say" and not work.resumed:
        return await work.answer(rest)
    await work.begin()
    told = work.resumed and verb != "call"
    try:
        await _perform("told" if told else verb, said if told else rest, work)
    except CallFailed as failed:
        await work.state("failed", str(failed))


async def _perform(verb: str, rest: str, work: Work) -> None:
    match verb:
        case "make":
            await _make(work, rest.split(" "))
        case "told":
            await _make(work, ["told: ", rest])
        case "ask":
            await work.state("input-required", "which one?")
        case "login":
            await work.state("auth-required", "log in at https://login.example")
        case "fail":
            await work.state("failed", "it cannot be done")
        case "hold":
            await _hold(work)
        case "call" | "watch":
            agent, _, text = rest.partition(" ")
            await _call(work, agent, text, verb == "watch")
        case "plan":
            await _call(work, "researcher", "research " + rest, True)
        case "research":
            await _call(work, "billing", "bill " + rest, False)
        case "bill":
            await _make(work, ["invoice for ", rest])
        case "ring" if int(rest) > 0:
            await _call(work, NEXT[work.agent], f"ring {int(rest) - 1}", False)
        case "ring":
            await _make(work, ["round"])
        case "fan":
            for _ in range(int(rest)):
                await work.call(NEXT[work.agent], "make leaf", False)
            await _make(work, [f"called {rest} times"])
        case _:
            await work.state("rejected", "the script has no such word")


async def _make(work: Work, chunks: list[str]) -> None:
    await work.state("working")
    await work.artifact("made", chunks)
    await work.state("completed")


async def _call(work: Work, agent: str, text: str, streamed: bool) -> None:
    await work.state("working", f"calling {agent}")
    await work.artifact("answer", [f"{agent} said: {await work.call(agent, text, streamed)}"])
    await work.state("completed")


async def _hold(work: Work) -> None:
    while not work.go.is_set():
        await work.state("working")
        await asyncio.sleep(BEAT_SECONDS)
    work.go.clear()
    await _make(work, ["held"])
