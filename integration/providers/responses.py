"""OpenAI Responses, as api.openai.com speaks it."""

from __future__ import annotations

import itertools
import json
import re
import time
from collections.abc import Iterator

from openai.types.responses.response_create_params import ResponseCreateParamsNonStreaming

from .faults import ErrorKind
from .model import ANY_TOOL, Prompt, Reply, Tool, Usage, pieces, words
from .openai_api import ERRORS, REASONING_MODELS, OpenAIApi, check_calls, refused
from .thought import sign, signed

MIN_OUTPUT_TOKENS = 16
THINKER = "gpt"

# Why an answer is incomplete; all other answers are complete.
INCOMPLETE = {"length": "max_output_tokens", "refusal": "content_filter"}

Event = tuple[str, dict]


class Responses(OpenAIApi):
    """`with Responses(key="sk-...") as provider:` listens on `provider.port`."""

    NAME = "openai-responses"
    PATH = "/responses"
    SHAPE = ResponseCreateParamsNonStreaming

    # Requests.

    def check(self, body: dict) -> None:
        if body.get("previous_response_id"):
            message = f"Previous response with id '{body['previous_response_id']}' not found."
            raise refused(400, message, "previous_response_id", "previous_response_not_found")
        limit = body.get("max_output_tokens")
        if limit is not None and limit < MIN_OUTPUT_TOKENS:
            message = (
                "Invalid 'max_output_tokens': integer below minimum value. "
                f"Expected a value >= {MIN_OUTPUT_TOKENS}, but got {limit} instead."
            )
            raise refused(400, message, "max_output_tokens", "integer_below_min_value")
        if body.get("reasoning") and body["model"] not in REASONING_MODELS:
            message = "Unsupported parameter: 'reasoning.effort' is not supported with this model."
            raise refused(400, message, "reasoning.effort", "unsupported_parameter")
        for number, item in enumerate(_items(body)):
            _check_parts(number, item)
            _check_reasoning(number, item, _items(body)[number + 1 :])
        kinds = {"function_call": "call", "function_call_output": "result"}
        check_calls(
            [(kinds.get(i.get("type"), "other"), i.get("call_id", ""), n) for n, i in enumerate(_items(body))],
            "No tool call found for function call output with call_id {id}.",
            "No tool output found for function call {id}.",
        )

    def prompt(self, asked: dict) -> Prompt:
        items = _items(asked)
        users = [_text(item) for item in items if item.get("role") == "user"]
        parts = [part["type"] for item in items for part in _parts(item)]
        system = [
            asked.get("instructions") or "",
            *(_text(i) for i in items if i.get("role") in ("system", "developer")),
        ]
        last = itertools.takewhile(lambda item: item.get("type") == "function_call_output", reversed(items))
        form = asked.get("text", {}).get("format", {})
        return Prompt(
            text=users[-1] if users else "",
            words=words(asked.get("instructions") or "") + sum(words(_text(item)) for item in items),
            system=" ".join(filter(None, system)),
            images=parts.count("input_image"),
            documents=parts.count("input_file"),
            tools=tuple(Tool(t["name"], t.get("parameters") or {}) for t in asked.get("tools", ())),
            must_call=_must_call(asked.get("tool_choice")),
            tool_results=tuple(_text(item) for item in reversed(list(last))),
            thoughts=tuple(signed(THINKER, i["encrypted_content"]) for i in items if i.get("type") == "reasoning"),
            schema=form.get("schema"),
            reasoning=(asked.get("reasoning") or {}).get("effort") not in (None, "none"),
            max_tokens=asked.get("max_output_tokens"),
        )

    # Answers.

    def message(self, asked: dict, reply: Reply) -> dict:
        return self._response(asked, reply, [item for item, _ in self._output(asked, reply)])

    def events(self, asked: dict, reply: Reply) -> list[bytes]:
        numbers = itertools.count()
        begun = self._response(asked, None, [])
        events: list[Event] = [("response.created", {"response": begun}), ("response.in_progress", {"response": begun})]
        items = []
        for index, (item, inside) in enumerate(self._output(asked, reply)):
            empty = item | {"status": "in_progress"} | _emptied(item)
            if item["type"] == "reasoning":
                del empty["status"]
            place = {"output_index": index, "item_id": item["id"]}
            events.append(("response.output_item.added", {"output_index": index, "item": empty}))
            events += [(f"response.{name}", place | fields) for name, fields in inside]
            events.append(("response.output_item.done", {"output_index": index, "item": item}))
            items.append(item)
        done = self._response(asked, reply, items) | {"id": begun["id"]}
        events.append((f"response.{done['status']}", {"response": done}))
        return [_event(name, next(numbers), fields) for name, fields in events]

    def _output(self, asked: dict, reply: Reply) -> Iterator[tuple[dict, list[Event]]]:
        """The items of an answer, each with the events that build it up."""
        if reply.thought:
            shown = reply.thought if (asked.get("reasoning") or {}).get("summary") else ""
            yield _reasoning(self.id("rs_"), reply.thought, shown)
        if reply.text:
            yield _message(self.id("msg_"), reply)
        for call in reply.tool_calls:
            yield _function_call(self.id("fc_"), self.id("call_"), call.name, call.json)

    def _response(self, asked: dict, reply: Reply | None, output: list[dict]) -> dict:
        """The whole object: as it begins (no reply yet), or as it ends."""
        incomplete = INCOMPLETE.get(reply.stop) if reply else None
        status = "in_progress" if reply is None else "incomplete" if incomplete else "completed"
        tools = [{"description": None, "strict": True} | tool for tool in asked.get("tools", ())]
        return {
            "id": self.id("resp_"),
            "object": "response",
            "created_at": int(time.time()),
            "status": status,
            "background": False,
            "completed_at": int(time.time()) if status == "completed" else None,
            "error": None,
            "incomplete_details": {"reason": incomplete} if incomplete else None,
            "instructions": asked.get("instructions"),
            "max_output_tokens": asked.get("max_output_tokens"),
            "max_tool_calls": None,
            "model": self.models()[asked["model"]],
            "output": output,
            "parallel_tool_calls": asked.get("parallel_tool_calls", True),
            "previous_response_id": None,
            "prompt_cache_key": None,
            "reasoning": {"effort": None, "summary": None} | (asked.get("reasoning") or {}),
            "safety_identifier": None,
            "service_tier": "default" if reply else "auto",
            "store": asked.get("store", True),
            "temperature": asked.get("temperature", 1.0),
            "text": {"format": {"type": "text"}, "verbosity": "medium"} | asked.get("text", {}),
            "tool_choice": asked.get("tool_choice", "auto"),
            "tools": tools,
            "top_logprobs": 0,
            "top_p": asked.get("top_p", 1.0),
            "truncation": "disabled",
            "usage": _usage(reply.usage) if reply else None,
            "user": None,
            "metadata": asked.get("metadata") or {},
        }

    # Errors and signs of life.

    def error_event(self, kind: ErrorKind, after: int) -> bytes:
        type_, code, message = ERRORS[kind]
        return _event("error", after, {"code": code or type_, "message": message, "param": None})

    def ping(self) -> bytes:
        return b": keepalive\n\n"

    def events_before_pings(self) -> int:
        return 2


def _reasoning(id: str, thought: str, shown: str) -> tuple[dict, list[Event]]:
    summary = {"type": "summary_text", "text": shown}
    item = {"id": id, "type": "reasoning", "summary": [summary] if shown else []}
    item["encrypted_content"] = sign(THINKER, thought)
    if not shown:
        return item, []
    place = {"summary_index": 0}
    return item, [
        ("reasoning_summary_part.added", place | {"part": summary | {"text": ""}}),
        *(("reasoning_summary_text.delta", place | {"delta": p, "obfuscation": "kX3v"}) for p in pieces(shown)),
        ("reasoning_summary_text.done", place | {"text": shown}),
        ("reasoning_summary_part.done", place | {"part": summary}),
    ]


def _message(id: str, reply: Reply) -> tuple[dict, list[Event]]:
    part = {"type": "output_text", "annotations": [], "logprobs": [], "text": reply.text}
    status = "incomplete" if reply.stop in INCOMPLETE else "completed"
    item = {"id": id, "type": "message", "status": status, "content": [part], "role": "assistant"}
    place = {"content_index": 0}
    return item, [
        ("content_part.added", place | {"part": part | {"text": ""}}),
        *(("output_text.delta", place | {"delta": p, "logprobs": [], "obfuscation": "kX3v"}) for p in reply.pieces),
        ("output_text.done", place | {"text": reply.text, "logprobs": []}),
        ("content_part.done", place | {"part": part}),
    ]


def _function_call(id: str, call_id: str, name: str, arguments: str) -> tuple[dict, list[Event]]:
    item = {"id": id, "type": "function_call", "status": "completed", "arguments": arguments}
    item |= {"call_id": call_id, "name": name}
    return item, [
        *(
            ("function_call_arguments.delta", {"delta": piece, "obfuscation": "kX3v"})
            for piece in re.findall(r"(?s).{1,5}", arguments)
        ),
        ("function_call_arguments.done", {"arguments": arguments}),
    ]


def _emptied(item: dict) -> dict:
    """What an item holds before anything was said."""
    # The encrypted thought of an item that has just begun is none that can be used.
    before = {"content": [], "arguments": "", "summary": [], "encrypted_content": ""}
    return {name: value for name, value in before.items() if name in item}


def _event(name: str, number: int, fields: dict) -> bytes:
    data = json.dumps({"type": name} | fields | {"sequence_number": number}, separators=(",", ":"))
    return f"event: {name}\ndata: {data}\n\n".encode()


def _usage(usage: Usage) -> dict:
    """Inclusive figures, as in Chat Completions, under other names."""
    written = usage.cache_write_5m + usage.cache_write_1h
    return {
        "input_tokens": usage.all_input,
        "input_tokens_details": {"cached_tokens": usage.cache_read, "cache_write_tokens": written},
        "output_tokens": usage.all_output,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning},
        "total_tokens": usage.all_input + usage.all_output,
    }


def _items(body: dict) -> list[dict]:
    given = body.get("input", [])
    return [{"role": "user", "content": given}] if isinstance(given, str) else given


def _parts(item: dict) -> list[dict]:
    """The content of a message, or what a tool gave."""
    content = item.get("content") or item.get("output") or []
    return [{"type": "input_text", "text": content}] if isinstance(content, str) else content


def _text(item: dict) -> str:
    return " ".join(part["text"] for part in _parts(item) if part["type"] in ("input_text", "output_text"))


def _must_call(choice: str | dict | None) -> str | None:
    if isinstance(choice, dict):
        return choice["name"]
    return ANY_TOOL if choice == "required" else None


def _check_parts(number: int, item: dict) -> None:
    """What the model said is output, all else is input; the API description allows to mix them, the API does not."""
    if not isinstance(item.get("content"), list) or "role" not in item:
        return
    allowed = ("output_text", "refusal") if item["role"] == "assistant" else ("input_text", "input_image", "input_file")
    for position, part in enumerate(item["content"]):
        if part["type"] not in allowed:
            supported = ", ".join(f"'{name}'" for name in allowed)
            where = f"input[{number}].content[{position}]"
            raise refused(
                400, f"Invalid value: '{part['type']}'. Supported values are: {supported}.", where, "invalid_value"
            )


def _check_reasoning(number: int, item: dict, following: list[dict]) -> None:
    if item.get("type") != "reasoning":
        return
    if signed(THINKER, item.get("encrypted_content") or "") is None:
        message = (
            f"The encrypted content for item {item.get('id', number)} could not be verified. "
            "Reason: Encrypted content could not be decrypted or parsed."
        )
        raise refused(400, message, code="invalid_encrypted_content")
    if not following or following[0].get("type") == "function_call_output" or following[0].get("role") == "user":
        message = (
            f"Item '{item.get('id', number)}' of type 'reasoning' was provided without its required following item."
        )
        raise refused(400, message, "input")
