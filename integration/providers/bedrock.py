"""Amazon Bedrock, Converse and ConverseStream, as bedrock-runtime.us-east-1.amazonaws.com speaks them."""

from __future__ import annotations

import itertools
import json
import re
import uuid
from dataclasses import replace
from urllib.parse import unquote

from .bedrock_check import check, decoded
from .eventstream import MEDIA_TYPE, frame
from .faults import ErrorKind, Headers
from .model import ANY_TOOL, Prompt, Reply, Tool, Usage, pieces, words
from .server import Provider, Refused, Request
from .sigv4 import Signer
from .thought import sign, signed

PATH = re.compile(r"/model/(?P<model>[^/]+)/(?P<method>converse|converse-stream)")
THINKER = "claude"
MODELS = ("us.anthropic.claude-sonnet-5-5-v1:0", "amazon.nova-2-pro-v1:0")

# kind -> status, exception, message
ERRORS = {
    "rate_limit": (429, "ThrottlingException", "Too many requests, please wait before trying again."),
    "overloaded": (503, "ServiceUnavailableException", "Bedrock is unable to process your request."),
    "server": (500, "InternalServerException", "The system encountered an unexpected error during processing."),
    "invalid_request": (400, "ValidationException", "The provided request is not valid"),
}
BY_STATUS = {status: kind for kind, (status, *_) in ERRORS.items()}

STOP = {
    "end": "end_turn",
    "length": "max_tokens",
    "stop_sequence": "stop_sequence",
    "tools": "tool_use",
    "refusal": "content_filtered",
}


class Bedrock(Provider[dict]):
    """`with Bedrock(key="ABSK...", signer=Signer(...)) as provider:` takes an API key, or a signature."""

    NAME = "bedrock"

    def __init__(self, key: str, signer: Signer):
        super().__init__(key)
        self.signer = self._given_signer = signer

    def change_key(self) -> None:
        super().change_key()
        self.signer = replace(self.signer, secret_access_key="changed")

    def reset(self) -> None:
        super().reset()
        self.signer = self._given_signer

    # Requests.

    def accept(self, request: Request) -> dict:
        self._authenticate(request)
        path = PATH.fullmatch(request.path)
        if path is None:
            raise refused(404, "UnknownOperationException", "")
        if request.method != "POST":
            raise refused(405, "UnsupportedOperationException", "The HTTP method is not supported.")
        model = unquote(path["model"])
        if model not in MODELS:
            raise refused(400, "ValidationException", "The provided model identifier is invalid.")
        try:
            body = json.loads(request.body)
        except ValueError:
            raise refused(400, "SerializationException", "") from None
        operation = "ConverseStream" if path["method"] == "converse-stream" else "Converse"
        asked = decoded(body | {"modelId": model}, operation)
        if complaint := check(asked, operation):
            raise refused(400, "ValidationException", complaint)
        self._check_thoughts(asked)
        return asked | {"operation": operation}

    def _authenticate(self, request: Request) -> None:
        given = request.header("authorization")
        if given is None:
            raise refused(403, "MissingAuthenticationTokenException", "Missing Authentication Token")
        if given.startswith("Bearer "):
            if given != f"Bearer {self.key}":
                message = "Authentication failed: Please make sure your API Key is valid."
                raise refused(403, "AccessDeniedException", message)
        elif complaint := self.signer.complaint(request):
            raise refused(403, *complaint)

    def _check_thoughts(self, asked: dict) -> None:
        for number, message in enumerate(asked["messages"]):
            for position, block in enumerate(message["content"]):
                shown = block.get("reasoningContent", {}).get("reasoningText")
                if shown and signed(THINKER, shown.get("signature", "")) not in {shown["text"]}:
                    where = f"messages.{number}.content.{position}"
                    message = f"{where}: Invalid `signature` in `thinking` block"
                    raise refused(400, "ValidationException", f"The model returned the following errors: {message}")

    def streams(self, asked: dict) -> bool:
        return asked["operation"] == "ConverseStream"

    def prompt(self, asked: dict) -> Prompt:
        blocks = [block for message in asked["messages"] for block in message["content"]]
        users = [text for m in asked["messages"] if m["role"] == "user" and (text := _text(m["content"]))]
        system = _text(asked.get("system", []))
        results = [_result(block["toolResult"]) for block in blocks if "toolResult" in block]
        tools = [tool["toolSpec"] for tool in asked.get("toolConfig", {}).get("tools", []) if "toolSpec" in tool]
        config = asked.get("inferenceConfig", {})
        form = asked.get("outputConfig", {}).get("textFormat", {}).get("structure", {}).get("jsonSchema", {})
        thoughts = [block["reasoningContent"]["reasoningText"] for block in blocks if "reasoningContent" in block]
        return Prompt(
            text=users[-1] if users else "",
            words=words(system) + words(_text(blocks)) + sum(map(words, results)),
            system=system,
            images=sum("image" in block for block in blocks),
            documents=sum("document" in block for block in blocks),
            tools=tuple(Tool(tool["name"], tool["inputSchema"]["json"]) for tool in tools),
            must_call=_must_call(asked.get("toolConfig", {}).get("toolChoice", {})),
            tool_results=tuple(
                _result(block["toolResult"]) for block in asked["messages"][-1]["content"] if "toolResult" in block
            ),
            thoughts=tuple(signed(THINKER, thought["signature"]) for thought in thoughts),
            schema=json.loads(form["schema"]) if form else None,
            # Converse has no field for it: it goes to the model as the model's own API has it.
            reasoning=(asked.get("additionalModelRequestFields") or {}).get("thinking", {}).get("type", "disabled")
            != "disabled",
            stop=tuple(config.get("stopSequences", ())),
            max_tokens=config.get("maxTokens"),
        )

    # Answers.

    def message(self, asked: dict, reply: Reply) -> dict:
        content = []
        if reply.thought:
            text = {"text": reply.thought, "signature": sign(THINKER, reply.thought)}
            content.append({"reasoningContent": {"reasoningText": text}})
        if reply.text:
            content.append({"text": reply.text})
        for call in reply.tool_calls:
            content.append({"toolUse": {"toolUseId": self._id(), "name": call.name, "input": call.arguments}})
        return {
            "metrics": {"latencyMs": 551},
            "output": {"message": {"content": content, "role": "assistant"}},
            "stopReason": STOP[reply.stop],
            "usage": _usage(reply.usage),
        }

    def events(self, asked: dict, reply: Reply) -> list[bytes]:
        numbers = itertools.count()
        events = [_event("messageStart", role="assistant")]
        if reply.thought:
            thinking = [{"reasoningContent": {"text": piece}} for piece in pieces(reply.thought)]
            thinking.append({"reasoningContent": {"signature": sign(THINKER, reply.thought)}})
            events += _block(next(numbers), thinking)
        if reply.text:
            events += _block(next(numbers), [{"text": piece} for piece in reply.pieces])
        for call in reply.tool_calls:
            deltas = [{"toolUse": {"input": piece}} for piece in re.findall(r"(?s).{1,5}", call.json)]
            events += _block(next(numbers), deltas, {"toolUse": {"toolUseId": self._id(), "name": call.name}})
        events.append(_event("messageStop", stopReason=STOP[reply.stop]))
        return [*events, _event("metadata", metrics={"latencyMs": 551}, usage=_usage(reply.usage))]

    def _id(self) -> str:
        return self.id("tooluse_")

    def headers(self, stream: bool = False) -> Headers:
        return [
            ("content-type", MEDIA_TYPE if stream else "application/json"),
            ("x-amzn-requestid", str(uuid.uuid4())),
        ]

    # Errors and signs of life.

    def error_object(self, kind: ErrorKind) -> dict:
        return {"message": ERRORS[kind][2]}

    def error(self, status: int) -> tuple[Headers, bytes]:
        kind: ErrorKind = BY_STATUS.get(status, "server" if status >= 500 else "invalid_request")
        headers = [*self.headers(), ("x-amzn-errortype", f"{ERRORS[kind][1]}:http://internal.amazon.com/coral/")]
        return headers, json.dumps(self.error_object(kind)).encode()

    def error_event(self, kind: ErrorKind, after: int) -> bytes:
        name = ERRORS[kind][1]
        headers = {":exception-type": name[0].lower() + name[1:], ":content-type": "application/json"}
        return frame(headers | {":message-type": "exception"}, json.dumps(self.error_object(kind)).encode())

    def ping(self) -> bytes:
        # It has none.
        return b""

    def events_before_pings(self) -> int:
        return 1


def refused(status: int, exception: str, message: str) -> Refused:
    """An error as AWS sends it: what it is stands in a header."""
    return Refused(status, {"message": message}, [("x-amzn-errortype", exception)])


def _event(name: str, **fields: object) -> bytes:
    # Padding that hides the size of a piece from someone who watches the wire.
    payload = json.dumps(fields | {"p": "abcdefghijklmnopqrstuv"}, separators=(",", ":")).encode()
    return frame({":event-type": name, ":content-type": "application/json", ":message-type": "event"}, payload)


def _block(index: int, deltas: list[dict], start: dict | None = None) -> list[bytes]:
    """A block. Only tools announce theirs; text and thoughts begin with their first delta."""
    place = {"contentBlockIndex": index}
    first = [_event("contentBlockStart", start=start, **place)] if start else []
    said = [_event("contentBlockDelta", delta=delta, **place) for delta in deltas]
    return [*first, *said, _event("contentBlockStop", **place)]


def _usage(usage: Usage) -> dict:
    """The cache is not part of the input; thoughts are part of the output, and not named."""
    written = {"5m": usage.cache_write_5m, "1h": usage.cache_write_1h}
    figures = {
        "inputTokens": usage.input + usage.input_audio + usage.input_image,
        "outputTokens": usage.all_output,
        "totalTokens": usage.all_input + usage.all_output,
        "cacheReadInputTokens": usage.cache_read,
        "cacheWriteInputTokens": usage.cache_write_5m + usage.cache_write_1h,
    }
    details = [{"ttl": ttl, "inputTokens": tokens} for ttl, tokens in written.items() if tokens]
    return figures | ({"cacheDetails": details} if details else {})


def _text(blocks: list[dict]) -> str:
    return " ".join(block["text"] for block in blocks if "text" in block)


def _result(result: dict) -> str:
    return " ".join(part["text"] if "text" in part else json.dumps(part.get("json")) for part in result["content"])


def _must_call(choice: dict) -> str | None:
    return choice["tool"]["name"] if "tool" in choice else ANY_TOOL if "any" in choice else None
