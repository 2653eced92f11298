"""What is asked and what is answered: chat requests of a given size, and one answer, whole and as a stream."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass

from harness import teams

# A model of the shipped config with one provider, OpenAI: what is measured is a request that goes well.
MODEL = "gpt-4o-mini"

TURN_BYTES = 600
WORDS = """
a about after again all and any because before between bill by can city "Oslo" each early either even every few first
for from gate given ground harbour if in into is it kilometre\n last late less like line many measure more most near
never next no not now of off on once one only or order other our out over own paid pass people price queue rather road
same second seven short side since so some still such than that the their then there these they third this through toll
too truck two under until up very was way week well were what when where whether which while who why will with without
""".strip(" \n").split(" ")


@dataclass(frozen=True)
class Case:
    """One kind of exchange."""

    name: str
    path: str
    body: bytes
    headers: dict[str, str]
    # One of these is in every whole answer.
    ends: tuple[bytes, ...] = ()
    # Its answer comes piece by piece, as slowly as models write: what a piece costs, not how long it takes.
    paced: bool = False
    # Files of a client that speaks TLS: whom it trusts (`authority`), and what it shows (`certificate`, with its key).
    tls: dict[str, str] | None = None


def cases() -> list[Case]:
    """All of them; the first is the one that the goal is about."""
    openai, anthropic = "/v1/chat/completions", "/v1/messages"
    return [
        _plain("1 KB, plain", openai, request(1_000)),
        _streamed("1 KB, streamed", openai, request(1_000, stream=True)),
        _plain("100 KB, plain", openai, request(100_000)),
        _streamed("100 KB, streamed", openai, request(100_000, stream=True)),
        _plain("1 KB, plain, translated", anthropic, request(1_000, max_tokens=1024)),
        _streamed("1 KB, streamed, translated", anthropic, request(1_000, max_tokens=1024, stream=True)),
        _streamed("1 KB, streamed in pieces", openai, request(1_000, stream=True), paced=True),
    ]


def _plain(name: str, path: str, body: bytes) -> Case:
    return Case(name, path, body, _headers("application/json"), ends=(b'"usage"',))


def _streamed(name: str, path: str, body: bytes, paced: bool = False) -> Case:
    headers = _headers("text/event-stream", "paced" if paced else "bench")
    return Case(name, path, body, headers, (b"[DONE]", b"message_stop"), paced)


def _headers(accept: str, agent: str = "bench") -> dict[str, str]:
    """What the client sends; `accept` and `user-agent` also tell the upstream how to answer."""
    return {
        "authorization": f"Bearer {teams.KEYS['support']}",
        "content-type": "application/json",
        "accept": accept,
        "user-agent": agent,
    }


def request(size: int, **fields: object) -> bytes:
    """A conversation that takes about `size` bytes as JSON, valid in both formats."""
    turns = size // TURN_BYTES // 2 * 2 + 1  # odd: the user speaks first and last
    messages = [{"role": ("user", "assistant")[turn % 2], "content": ""} for turn in range(turns)]
    body = {"model": MODEL, **fields, "temperature": 0.2, "messages": messages}
    room = (size - len(json.dumps(body))) // turns
    for turn, message in enumerate(messages):
        message["content"] = prose(room, turn)
    return json.dumps(body).encode()


def answer() -> bytes:
    """A chat completion as OpenAI sends it, about 1 KB."""
    message = {"role": "assistant", "content": prose(600), "refusal": None, "annotations": []}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    return json.dumps(_envelope("chat.completion") | {"choices": [choice], "usage": _usage()}).encode()


def stream() -> bytes:
    """The same as a stream, one word an event, with the usage chunk that the gate asks for."""
    deltas = [{"role": "assistant", "content": "", "refusal": None}]
    deltas += [{"content": word + " "} for word in prose(600).split(" ")]
    finished = [(delta, None) for delta in deltas] + [({}, "stop")]
    chunks = [
        {"choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}], "usage": None}
        for delta, finish in finished
    ]
    chunks.append({"choices": [], "usage": _usage()})
    events = [json.dumps(_envelope("chat.completion.chunk") | chunk, separators=(",", ":")) for chunk in chunks]
    return "".join(f"data: {event}\n\n" for event in [*events, "[DONE]"]).encode()


def _envelope(kind: str) -> dict:
    fixed = {"id": "chatcmpl-CcR4wXv2tQ8mJz1kLp0n", "object": kind, "created": 1_764_000_000}
    return fixed | {"model": "gpt-4o-mini-2024-07-18", "service_tier": "default", "system_fingerprint": "fp_50cad350e4"}


def _usage() -> dict:
    prompt = {"cached_tokens": 128, "audio_tokens": 0}
    completion = {
        "reasoning_tokens": 0,
        "audio_tokens": 0,
        "accepted_prediction_tokens": 0,
        "rejected_prediction_tokens": 0,
    }
    return {
        "prompt_tokens": 240,
        "completion_tokens": 120,
        "total_tokens": 360,
        "prompt_tokens_details": prompt,
        "completion_tokens_details": completion,
    }


def prose(size: int, seed: int = 0) -> str:
    """Text of `size` characters, the same every time."""
    chosen = random.Random(seed)
    text = ""
    while len(text) < size:
        text += chosen.choice(WORDS) + " "
    return text[:size].rstrip()
