"""A server that forgives everything: it runs whatever Python's JSON reader makes of a body, and keeps every byte.

A filter is right when this server never runs what the filter's policy forbids. What it answers can be scripted to the
byte, as a server that is broken or hostile would.
"""

from __future__ import annotations

import json

from harness.scripted import Answer, Received, ScriptedServer, response, understood

from . import offer

CAPABILITIES = {"tools": {}, "prompts": {}, "resources": {}}


class WeakServer(ScriptedServer):
    """`with WeakServer() as server:`; what ran are the calls of tools."""

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://localhost:{self.port}/mcp"

    def _answer(self, request: Received) -> Answer:
        said = understood(request)
        messages = said if isinstance(said, list) else [said]
        answers = [self._run(message) for message in messages if isinstance(message, dict)]
        answers = [answer for answer in answers if answer is not None]
        if not answers:
            return Answer([response(b"", status="202 Accepted")])
        body = json.dumps(answers if isinstance(said, list) else answers[0]).encode()
        return Answer([response(body, headers=("mcp-session-id: weak",))])

    def _run(self, message: dict) -> dict | None:
        params = message.get("params")
        match message.get("method"), params:
            case "tools/call", {"name": str(name)}:
                self._ran.append({"tool": name, "arguments": params.get("arguments")})
                result = {"content": [{"type": "text", "text": f"ran {name}"}], "resultType": "complete"}
            case "tools/list", _:
                result = {"tools": offer.tools({}), "resultType": "complete", "ttlMs": 1000, "cacheScope": "public"}
            case "prompts/get", _:
                result = {"messages": [], "resultType": "complete"}
            case "initialize", {"protocolVersion": revision}:
                info = {"name": "weak", "version": "1"}
                result = {"protocolVersion": revision, "capabilities": CAPABILITIES, "serverInfo": info}
            case "server/discover", _:
                offered = {"supportedVersions": ["2026-07-28"], "capabilities": CAPABILITIES}
                result = offered | {"resultType": "complete", "ttlMs": 0, "cacheScope": "private"}
            case _:
                result = {"resultType": "complete"}
        return {"jsonrpc": "2.0", "id": message["id"], "result": result} if "id" in message else None
