"""What Anthropic refuses, in its words. The shape of a request is its SDK's own type; the rest is in no type."""

from __future__ import annotations

from .model import ANY_TOOL
from .shape import flaw
from .thought import signed

THINKER = "claude"
MIN_THINKING_TOKENS = 1024

FLAWS = {"unknown": "Extra inputs are not permitted", "missing": "Field required", "wrong": "Input should be valid"}


def shape_complaint(body: dict, shape: type) -> str | None:
    """Fields that are unknown, missing or hold what they must not."""
    found = flaw(body, shape)
    return found and f"{found.where()}: {FLAWS[found.kind]}"


def limits_complaint(body: dict) -> str | None:
    """Values that are possible, but not these or not together."""
    if body["max_tokens"] < 1:
        return "max_tokens: Input should be greater than or equal to 1"
    if not 0 <= body.get("temperature", 1) <= 1:
        return "temperature: range: 0..1"
    thinking = body.get("thinking") or {"type": "disabled"}
    budget = thinking.get("budget_tokens", MIN_THINKING_TOKENS)
    if budget < MIN_THINKING_TOKENS:
        return "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024"
    if thinking["type"] == "enabled" and budget >= body["max_tokens"]:
        return "`max_tokens` must be greater than `thinking.budget_tokens`."
    if thinking["type"] != "disabled" and must_call(body.get("tool_choice")):
        return "Thinking may not be enabled when tool_choice forces tool use."
    return None


def messages_complaint(messages: list[dict] | None) -> str | None:
    """The rules of a conversation."""
    if messages is None:
        return "messages: Field required"
    if not messages:
        return "messages: at least one message is required"
    open_calls: set[str] = set()
    for number, message in enumerate(messages):
        blocks = blocks_of(message.get("content"))
        if complaint := _role(number, message) or _blocks(number, blocks):
            return complaint
        answered = {block["tool_use_id"] for block in blocks if block["type"] == "tool_result"}
        if missing := open_calls - answered:
            return (
                f"messages.{number - 1}: `tool_use` ids were found without `tool_result` blocks immediately after: "
                f"{', '.join(sorted(missing))}."
            )
        if unexpected := answered - open_calls:
            return (
                f"messages.{number}.content.0: unexpected `tool_use_id` found in `tool_result` blocks: "
                f"{', '.join(sorted(unexpected))}."
            )
        open_calls = {block["id"] for block in blocks if block["type"] == "tool_use"}
    return None if messages[0]["role"] == "user" else 'messages: first message must use the "user" role'


def _role(number: int, message: dict) -> str | None:
    if message.get("role") == "system":
        return (
            f'messages.{number}.role: Unexpected role "system". The Messages API accepts a top-level `system` '
            'parameter, not "system" as an input message role.'
        )
    if message.get("role") not in ("user", "assistant"):
        return f"messages.{number}.role: Input should be 'user' or 'assistant'"
    return None


def _blocks(number: int, blocks: list[dict]) -> str | None:
    for position, block in enumerate(blocks):
        if block["type"] == "text" and not block["text"]:
            return "messages: text content blocks must be non-empty"
        if block["type"] == "thinking":
            thought = signed(THINKER, block["signature"])
            # A thought that was not shown comes back empty.
            if thought is None or block["thinking"] not in ("", thought):
                return f"messages.{number}.content.{position}: Invalid `signature` in `thinking` block"
    return None


def must_call(choice: dict | None) -> str | None:
    """The tool that must be called."""
    match choice:
        case {"type": "any"}:
            return ANY_TOOL
        case {"type": "tool", "name": name}:
            return name
    return None


def blocks_of(content: str | list[dict] | None) -> list[dict]:
    """Content, which may be text alone, as blocks."""
    return [{"type": "text", "text": content}] if isinstance(content, str) else content or []


def text_of(content: str | list[dict]) -> str:
    """The text in it."""
    return " ".join(block["text"] for block in blocks_of(content) if block["type"] == "text")
