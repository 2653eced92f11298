"""A server that speaks OpenAI Chat Completions nearly: what vLLM, Ollama and a hundred hosted ones are like."""

from __future__ import annotations

from .model import Reply
from .openai import OpenAI, event, usage_of
from .openai_api import refused

MODELS = {"llama-4-maverick": "meta-llama/Llama-4-Maverick-17B-128E-Instruct"}

# It reads OpenAI's API as it was, and refuses what came later.
UNKNOWN = ("max_completion_tokens", "stream_options", "store", "metadata", "prediction", "service_tier", "verbosity")


class Compatible(OpenAI):
    """All that such servers do otherwise, in one.

    No `/v1`. Only `max_tokens`. No `stream_options`: usage comes unasked, in every chunk, grows from chunk to chunk,
    and its last one stands in a chunk that still has choices. No `[DONE]`.
    """

    NAME = "compatible"
    BASE_PATH = "/inference"

    def models(self) -> dict[str, str]:
        return MODELS

    def check_model(self, body: dict) -> None:
        for name in UNKNOWN:
            if name in body:
                raise refused(400, f"Extra inputs are not permitted: '{name}'", name, "extra_forbidden")

    def events(self, asked: dict, reply: Reply) -> list[bytes]:
        envelope = self._envelope(asked, "chat.completion.chunk")
        choices = self.choices(reply)
        total = usage_of(reply.usage)
        usages = [_begun(total, number / len(choices)) for number in range(1, len(choices))] + [total]
        return [
            event(envelope | {"choices": [choice], "usage": usage})
            for choice, usage in zip(choices, usages, strict=True)
        ]


def _begun(total: dict, part: float) -> dict:
    """The figures when only a part of the answer is out: the input is known, the output grows."""
    said = int(total["completion_tokens"] * part)
    return total | {
        "completion_tokens": said,
        "total_tokens": total["prompt_tokens"] + said,
        "completion_tokens_details": None,
    }
