"""What the MCP servers of the tests offer, from `offer.json`, which the servers of every SDK read.

A tool's `does` says what a call of it does: `runs` (tells its arguments), `answers`, `fails`, `fills`, `sleeps`,
`logs`, `progresses`, `hangs_up`, `needs` a capability of the client, `changes` a list, or `asks` the client in rounds:
as requests of the server's own in the older revisions, as `input_required` results in 2026-07-28.
The tools, prompts and resources named `test_` are those that the official conformance suite asks for.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

OFFER = json.loads((Path(__file__).parent / "offer.json").read_text())
BEHAVIOUR = {tool["name"]: tool["does"] for tool in OFFER["tools"]}
PROMPTS = {prompt["name"]: prompt for prompt in OFFER["prompts"]}
RESOURCES = {resource["uri"]: resource for resource in OFFER["resources"]}
NOTHING = {"type": "object", "properties": {}}

# Which capability of the client a question needs.
CAPABILITY = {"elicitation/create": "elicitation", "sampling/createMessage": "sampling", "roots/list": "roots"}


def tools(changed: dict[str, dict]) -> list[dict]:
    """As `tools/list` shows them, with what the test changed since."""
    return [
        {"description": f"Fixture {tool['name']}.", "inputSchema": NOTHING}
        | {key: value for key, value in tool.items() if key != "does"}
        | changed.get(tool["name"], {})
        for tool in OFFER["tools"]
    ]


def prompts() -> list[dict]:
    """As `prompts/list` shows them."""
    hidden = ("messages", "asks")
    return [
        {"description": f"Fixture {prompt['name']}."}
        | {key: value for key, value in prompt.items() if key not in hidden}
        for prompt in OFFER["prompts"]
    ]


def resources() -> list[dict]:
    """As `resources/list` shows them."""
    return [
        {
            "uri": resource["uri"],
            "name": resource["uri"].split("//")[1],
            "description": f"Fixture {resource['uri']}.",
            "mimeType": resource["mimeType"],
        }
        for resource in OFFER["resources"]
    ]


def templates() -> list[dict]:
    """As `resources/templates/list` shows them."""
    hidden = ("text",)
    return [{key: value for key, value in template.items() if key not in hidden} for template in OFFER["templates"]]


def contents(uri: str) -> dict | None:
    """What a URI holds, if anything."""
    if uri in RESOURCES:
        return RESOURCES[uri]
    for template in OFFER["templates"]:
        before, after = template["uriTemplate"].split("{id}")
        if match := re.fullmatch(f"{re.escape(before)}([^/]+){re.escape(after)}", uri):
            return {"uri": uri, "mimeType": template["mimeType"], "text": filled(template["text"], {"id": match[1]})}
    return None


def filled(node: object, arguments: dict) -> object:
    """The same with `{name}` replaced by that argument."""
    if isinstance(node, str):
        for name, value in arguments.items():
            node = node.replace("{" + name + "}", str(value))
        return node
    if isinstance(node, dict):
        return {key: filled(value, arguments) for key, value in node.items()}
    return [filled(value, arguments) for value in node] if isinstance(node, list) else node


def askable(questions: dict, capabilities: dict) -> dict:
    """Those questions that the client said it can answer."""
    return {key: asked for key, asked in questions.items() if CAPABILITY[asked["method"]] in capabilities}


def answers(questions: dict, responses: dict) -> bool:
    """Every question has an answer of its kind."""
    return all(_answers(asked, responses.get(key)) for key, asked in questions.items())


def _answers(asked: dict, response: object) -> bool:
    if not isinstance(response, dict):
        return False
    match asked["method"]:
        case "elicitation/create":
            required = asked["params"]["requestedSchema"].get("required", [])
            return response.get("action") in ("decline", "cancel") or (
                response.get("action") == "accept" and set(required) <= (response.get("content") or {}).keys()
            )
        case "sampling/createMessage":
            return "content" in response
        case _:
            return "roots" in response


def page(entries: list[dict], cursor: str | None, size: int | None) -> tuple[list[dict], str | None]:
    """The entries after the cursor, at most `size` of them, and the next cursor."""
    if size is None:
        return entries, None
    start = int(cursor or 0)
    end = start + size
    return entries[start:end], str(end) if end < len(entries) else None
