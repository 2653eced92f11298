"""OpenAI Chat Completions, as api.openai.com speaks it."""

from __future__ import annotations

import json
import re
import time

from openai.types.chat.completion_create_params import CompletionCreateParamsNonStreaming

from .faults import ErrorKind
from .model import ANY_TOOL, Prompt, Reply, Tool, Usage, words
from .openai_api import REASONING_MODELS, OpenAIApi, check_calls, refused

# What reasoning models do not take, and the value of it that they let pass.
NOT_FOR_REASONING = {"temperature": 1, "top_p": 1, "presence_penalty": 0, "frequency_penalty": 0, "stop": None}

FINISH = {
    "end": "stop",
    "stop_sequence": "stop",
    "length": "length",
    "tools": "tool_calls",
    "refusal": "content_filter",
}


class OpenAI(OpenAIApi):
    """`with OpenAI(key="sk-...") as provider:` listens on `provider.port`."""

    NAME = "openai"
    PATH = "/chat/completions"
    SHAPE = CompletionCreateParamsNonStreaming

    # Requests.

    def known(self, body: dict) -> dict:
        # What it said itself it takes back as it said it, though the API description has no `annotations` here.
        messages = [{k: v for k, v in m.items() if k != "annotations"} for m in body.get("messages", [])]
        return body | {"messages": messages}

    def check(self, body: dict) -> None:
        if not body["messages"]:
            raise refused(400, "Missing required parameter: 'messages'.", "messages", "missing_required_parameter")
        if "stream_options" in body and not body.get("stream"):
            message = "The 'stream_options' parameter is only allowed when 'stream' is enabled."
            raise refused(400, message, param="stream_options")
        self.check_model(body)
        turns = []
        for number, message in enumerate(body["messages"]):
            calls = message.get("tool_calls") or []
            if message["role"] == "tool":
                turns.append(("result", message["tool_call_id"], number))
            else:
                turns += [("other", "", number), *[("call", call["id"], number) for call in calls]]
        check_calls(
            turns,
            "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with "
            "'tool_calls'.",
            "An assistant message with 'tool_calls' must be followed by tool messages responding to each "
            "'tool_call_id'. The following tool_call_ids did not have response messages: {id}",
        )

    def check_model(self, body: dict) -> None:
        """What this model does not take."""
        if body["model"] not in REASONING_MODELS:
            if "reasoning_effort" in body:
                message = "Unrecognized request argument supplied: reasoning_effort"
                raise refused(400, message, "reasoning_effort", "unknown_parameter")
            return
        if body.get("max_tokens") is not None:
            message = "Unsupported parameter: 'max_tokens' is not supported with this model."
            raise refused(400, f"{message} Use 'max_completion_tokens' instead.", "max_tokens", "unsupported_parameter")
        for name, harmless in NOT_FOR_REASONING.items():
            if body.get(name, harmless) not in (harmless, None):
                message = f"Unsupported parameter: '{name}' is not supported with this model."
                raise refused(400, message, name, "unsupported_parameter")

    def prompt(self, asked: dict) -> Prompt:
        messages = asked["messages"]
        users = [_text(message) for message in messages if message["role"] == "user"]
        parts = [part["type"] for message in messages for part in _parts(message)]
        results = []
        while messages[len(messages) - 1 - len(results)]["role"] == "tool":
            results.append(_text(messages[len(messages) - 1 - len(results)]))
        stop = asked.get("stop") or ()
        return Prompt(
            text=users[-1] if users else "",
            words=sum(words(_text(message)) for message in messages),
            system=" ".join(_text(m) for m in messages if m["role"] in ("system", "developer")),
            images=parts.count("image_url"),
            documents=parts.count("file"),
            tools=tuple(
                Tool(t["function"]["name"], t["function"].get("parameters", {})) for t in asked.get("tools", ())
            ),
            must_call=_must_call(asked.get("tool_choice")),
            tool_results=tuple(reversed(results)),
            schema=((asked.get("response_format") or {}).get("json_schema") or {}).get("schema"),
            reasoning=asked.get("reasoning_effort") not in (None, "none"),
            stop=(stop,) if isinstance(stop, str) else tuple(stop),
            max_tokens=asked.get("max_completion_tokens") or asked.get("max_tokens"),
        )

    # Answers.

    def message(self, asked: dict, reply: Reply) -> dict:
        message = {"role": "assistant", "content": reply.text or None, "refusal": None, "annotations": []}
        if reply.tool_calls:
            message["tool_calls"] = [
                {"id": self.id("call_"), "type": "function", "function": {"name": call.name, "arguments": call.json}}
                for call in reply.tool_calls
            ]
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": FINISH[reply.stop]}
        return self._envelope(asked, "chat.completion") | {"choices": [choice], "usage": usage_of(reply.usage)}

    def events(self, asked: dict, reply: Reply) -> list[bytes]:
        options = asked.get("stream_options") or {}
        usage_asked = options.get("include_usage") is True
        envelope = self._envelope(asked, "chat.completion.chunk")
        # Padding that hides the size of a piece from someone who watches the wire.
        padding = {} if options.get("include_obfuscation") is False else {"obfuscation": "kX3v9Q"}
        no_usage = {"usage": None} if usage_asked else {}
        events = [event(envelope | {"choices": [choice]} | no_usage | padding) for choice in self.choices(reply)]
        if usage_asked:
            events.append(event(envelope | {"choices": [], "usage": usage_of(reply.usage)} | padding))
        return [*events, b"data: [DONE]\n\n"]

    def choices(self, reply: Reply) -> list[dict]:
        """What the chunks of a stream say, one after the other."""
        deltas = [{"role": "assistant", "content": None if reply.tool_calls else "", "refusal": None}]
        deltas += [{"content": piece} for piece in reply.pieces]
        for index, call in enumerate(reply.tool_calls):
            first = {"index": index, "id": self.id("call_"), "type": "function"}
            deltas.append({"tool_calls": [first | {"function": {"name": call.name, "arguments": ""}}]})
            for piece in re.findall(r".{1,5}", call.json, re.DOTALL):
                deltas.append({"tool_calls": [{"index": index, "function": {"arguments": piece}}]})
        finish = [None] * len(deltas) + [FINISH[reply.stop]]
        return [
            {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
            for delta, reason in zip([*deltas, {}], finish, strict=True)
        ]

    def _envelope(self, asked: dict, kind: str) -> dict:
        return {
            "id": self.id("chatcmpl-"),
            "object": kind,
            "created": int(time.time()),
            "model": self.models()[asked["model"]],
            "service_tier": "default",
            "system_fingerprint": "fp_50cad350e4",
        }

    # Errors and signs of life.

    def error_event(self, kind: ErrorKind, after: int) -> bytes:
        return event(self.error_object(kind))

    def ping(self) -> bytes:
        # OpenAI itself sends none; servers that speak its format send comments.
        return b": PROCESSING\n\n"

    def events_before_pings(self) -> int:
        return 0


def event(data: dict) -> bytes:
    """An event without a name."""
    return b"data: " + json.dumps(data, separators=(",", ":")).encode() + b"\n\n"


def usage_of(usage: Usage) -> dict:
    """OpenAI's figures contain each other: the cached are part of the prompt, the reasoning part of the completion."""
    return {
        "prompt_tokens": usage.all_input,
        "completion_tokens": usage.all_output,
        "total_tokens": usage.all_input + usage.all_output,
        "prompt_tokens_details": {
            "cached_tokens": usage.cache_read,
            "cache_write_tokens": usage.cache_write_5m + usage.cache_write_1h,
            "audio_tokens": usage.input_audio,
            "image_tokens": usage.input_image,
        },
        "completion_tokens_details": {
            "reasoning_tokens": usage.reasoning,
            "audio_tokens": usage.output_audio,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def _must_call(choice: str | dict | None) -> str | None:
    if isinstance(choice, dict):
        return choice["function"]["name"]
    return ANY_TOOL if choice == "required" else None


def _parts(message: dict) -> list[dict]:
    content = message.get("content") or []
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def _text(message: dict) -> str:
    return " ".join(part["text"] for part in _parts(message) if part["type"] == "text")
