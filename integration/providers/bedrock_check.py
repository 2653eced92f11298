"""What Bedrock refuses. The shape of a request is botocore's own model of the service; the rest is in no model."""

from __future__ import annotations

import base64
import binascii
import re
from functools import cache

import botocore.session
from botocore.model import OperationModel, Shape
from botocore.validate import ParamValidator

NAME = re.compile(r"(?:[A-Za-z0-9()\[\]-]|\s(?!\s))+")


@cache
def _operation(name: str) -> OperationModel:
    return botocore.session.get_session().get_service_model("bedrock-runtime").operation_model(name)


def decoded(body: dict, operation: str) -> dict:
    """The request as boto3 would have it: bytes where JSON has base64."""
    return _decoded(body, _operation(operation).input_shape)


def _decoded(value: object, shape: Shape) -> object:
    if shape.type_name == "blob" and isinstance(value, str):
        try:
            return base64.b64decode(value, validate=True)
        except binascii.Error:
            return value  # which is no blob, so the validator will say
    if shape.type_name == "structure" and isinstance(value, dict):
        return {k: _decoded(v, shape.members[k]) if k in shape.members else v for k, v in value.items()}
    if shape.type_name == "list" and isinstance(value, list):
        return [_decoded(item, shape.member) for item in value]
    return value


def check(asked: dict, operation: str) -> str | None:
    """What is wrong with a request, in Bedrock's words."""
    shape = _operation(operation).input_shape
    report = ParamValidator().validate(asked, shape)
    if report.has_errors():
        return f"Malformed input request: {report.generate_report()}, please reformat your input and try again."
    return _beyond(asked, shape, "") or _conversation(asked)


def _beyond(value: object, shape: Shape, where: str) -> str | None:
    """Enums, patterns and bounds, which botocore knows and leaves to the service."""
    if shape.type_name == "structure" and isinstance(value, dict):
        members = [(v, shape.members[k], f"{where}.{k}") for k, v in value.items() if k in shape.members]
    elif shape.type_name == "list":
        members = [(item, shape.member, f"{where}.{number}") for number, item in enumerate(value)]
    else:
        return _scalar(value, shape, where.removeprefix("."))
    return next(filter(None, (_beyond(*member) for member in members)), None)


def _scalar(value: object, shape: Shape, where: str) -> str | None:
    meta = shape.metadata
    said = f"1 validation error detected: Value '{value}' at '{where}' failed to satisfy constraint: Member must"
    size = len(value) if isinstance(value, str | bytes) else value
    if meta.get("enum") and value not in meta["enum"]:
        return f"{said} satisfy enum value set: [{', '.join(meta['enum'])}]"
    if meta.get("pattern") and not re.fullmatch(meta["pattern"], value):
        return f"{said} satisfy regular expression pattern: {meta['pattern']}"
    if "max" in meta and size > meta["max"]:
        return f"{said} have length or value less than or equal to {meta['max']}"
    return None


def _conversation(asked: dict) -> str | None:
    """The rules of a conversation."""
    messages = asked.get("messages") or []
    if not messages or messages[0]["role"] != "user":
        return (
            "A conversation must start with a user message. Try again with a conversation that starts with a user "
            "message."
        )
    open_calls: set[str] = set()
    for number, message in enumerate(messages):
        if number and message["role"] == messages[number - 1]["role"]:
            return (
                "A conversation must alternate between user and assistant roles. Make sure the conversation alternates "
                "between user and assistant roles and try again."
            )
        if complaint := _blocks(number, message["content"]):
            return complaint
        answered = [block["toolResult"]["toolUseId"] for block in message["content"] if "toolResult" in block]
        if set(answered) != open_calls or len(answered) != len(open_calls):
            return (
                f"The number of toolResult blocks at messages.{number}.content does not match the toolUse blocks of "
                "previous turn."
            )
        open_calls = {block["toolUse"]["toolUseId"] for block in message["content"] if "toolUse" in block}
    blocks = [block for message in messages for block in message["content"]]
    if any("toolUse" in block or "toolResult" in block for block in blocks) and "toolConfig" not in asked:
        return "The toolConfig field must be defined when using toolUse and toolResult content blocks."
    return None


def _blocks(number: int, blocks: list[dict]) -> str | None:
    """The rules of a message's content."""
    if not blocks:
        return f"The content field in the Message object at messages.{number} is empty. Add a ContentBlock object."
    for position, block in enumerate(blocks):
        if "text" in block and not block["text"].strip():
            return (
                f"The text field in the ContentBlock object at messages.{number}.content.{position} is blank. Add text "
                "to the text field, and try again."
            )
        if "document" in block and not NAME.fullmatch(block["document"]["name"]):
            return (
                "The file name can only contain alphanumeric characters, whitespace characters, hyphens, parentheses, "
                "and square brackets. The name can't contain more than one consecutive whitespace character."
            )
    names = [block["document"]["name"] for block in blocks if "document" in block]
    if len(set(names)) < len(names):
        return "Duplicate document names are not allowed. Each document must have a unique name."
    if names and not any("text" in block for block in blocks):
        return "A text block must be included in the content field when a document is."
    return None
