"""boto3, Bedrock Converse."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from typing import Any, Self

import boto3
import botocore
from botocore.awsrequest import AWSPreparedRequest
from botocore.config import Config
from botocore.exceptions import ClientError, EventStreamError

from .questions import CITY, PDF, Call, Said, Sdk

REGION = "us-east-1"


class BedrockSdk(Sdk):
    """Converse and ConverseStream."""

    ERROR = ClientError
    STREAM_ERROR = EventStreamError
    STOPS = {
        "end": "end_turn",
        "stop_sequence": "stop_sequence",
        "length": "max_tokens",
        "tools": "tool_use",
        "refusal": "content_filtered",
    }

    @classmethod
    def connect(cls, url: str, key: str) -> Self:
        """With a Bedrock API key, as `AWS_BEARER_TOKEN_BEDROCK` does it; which boto3 itself does over TLS only."""
        sdk = _client(url, signature_version=botocore.UNSIGNED)

        def authorize(request: AWSPreparedRequest, **_: object) -> None:
            request.headers["authorization"] = f"Bearer {key}"

        sdk.meta.events.register("before-send", authorize)
        return cls(sdk)

    @classmethod
    def signed(cls, url: str, access_key_id: str, secret_access_key: str) -> Self:
        """With AWS credentials."""
        return cls(_client(url, aws_access_key_id=access_key_id, aws_secret_access_key=secret_access_key))

    def create(self, model: str, messages: list, stream: bool, **more: Any) -> Said:
        request = {"modelId": model, "messages": messages} | more
        if stream:
            answer = _whole(self.sdk.converse_stream(**request)["stream"])
        else:
            answer = self.sdk.converse(**request)
        message, usage = answer["output"]["message"], answer["usage"]
        cached = usage.get("cacheReadInputTokens", 0)
        used = [block["toolUse"] for block in message["content"] if "toolUse" in block]
        thoughts = [block["reasoningContent"] for block in message["content"] if "reasoningContent" in block]
        return Said(
            "".join(block.get("text", "") for block in message["content"]),
            answer["stopReason"],
            usage["inputTokens"] + cached + usage.get("cacheWriteInputTokens", 0),
            usage["outputTokens"],
            [Call(tool["toolUseId"], tool["name"], tool["input"]) for tool in used],
            cached,
            thought="".join(thought["reasoningText"]["text"] for thought in thoughts),
            turn=[message],
        )

    def user(self, parts: list) -> dict:
        return {"role": "user", "content": parts}

    def text(self, text: str) -> dict:
        return {"text": text}

    def image(self, picture: str) -> dict:
        return {"image": {"format": "png", "source": {"bytes": base64.b64decode(picture)}}}

    def document(self) -> dict:
        return {"document": {"format": "pdf", "name": "report", "source": {"bytes": base64.b64decode(PDF)}}}

    def results(self, calls: list[Call]) -> list:
        results = [{"toolUseId": call.id, "content": [{"text": f"{call.name} is fine"}]} for call in calls]
        return [self.user([{"toolResult": result} for result in results])]

    def system(self, text: str) -> dict:
        return {"system": [{"text": text}]}

    def tools(self, names: list[str]) -> dict:
        specs = [{"name": name, "inputSchema": {"json": CITY}} for name in names]
        return {"toolConfig": {"tools": [{"toolSpec": spec} for spec in specs]}}

    def must_call(self, name: str | None) -> dict:
        return {"toolConfig": {"toolChoice": {"tool": {"name": name}}}} if name else {}

    @staticmethod
    def joined(one: dict, other: dict) -> dict:
        # Tools and their choice are one field.
        both = one | other
        return both | {"toolConfig": one.get("toolConfig", {}) | other.get("toolConfig", {})}

    def shape(self, schema: dict) -> dict:
        structure = {"jsonSchema": {"schema": json.dumps(schema), "name": "answer"}}
        return {"outputConfig": {"textFormat": {"type": "json_schema", "structure": structure}}}

    def thinking(self) -> dict:
        return {"additionalModelRequestFields": {"thinking": {"type": "adaptive", "display": "summarized"}}}

    def limit(self, tokens: int) -> dict:
        return {"inferenceConfig": {"maxTokens": tokens}}

    def until(self, words: list[str]) -> dict:
        return {"inferenceConfig": {"stopSequences": words}}

    def status(self, error: Exception) -> int:
        return error.response["ResponseMetadata"]["HTTPStatusCode"]


def _client(url: str, signature_version: object = None, **credentials: str) -> Any:
    config = Config(retries={"total_max_attempts": 1}, read_timeout=15, signature_version=signature_version)
    return boto3.client("bedrock-runtime", region_name=REGION, endpoint_url=url, config=config, **credentials)


def _whole(events: Iterable[dict]) -> dict:
    """The answer that Converse would have given, put together from the events of ConverseStream."""
    blocks: dict[int, dict] = {}
    answer: dict = {}
    for event in events:
        match event:
            case {"contentBlockStart": {"contentBlockIndex": index, "start": {"toolUse": tool}}}:
                blocks[index] = {"toolUse": tool | {"input": ""}}
            case {"contentBlockDelta": {"contentBlockIndex": index, "delta": delta}}:
                _grow(blocks.setdefault(index, {}), delta)
            case {"messageStop": stop}:
                answer |= stop
            case {"metadata": metadata}:
                answer |= metadata
    for block in blocks.values():
        if "toolUse" in block:
            block["toolUse"]["input"] = json.loads(block["toolUse"]["input"] or "{}")
    return answer | {"output": {"message": {"role": "assistant", "content": [blocks[i] for i in sorted(blocks)]}}}


def _grow(block: dict, delta: dict) -> None:
    match delta:
        case {"text": piece}:
            block["text"] = block.get("text", "") + piece
        case {"toolUse": {"input": piece}}:
            block["toolUse"]["input"] += piece
        case {"reasoningContent": thought}:
            shown = block.setdefault("reasoningContent", {}).setdefault("reasoningText", {"text": ""})
            for name, piece in thought.items():
                shown[name] = shown.get(name, "") + piece
