"""An MCP server as people write them with FastMCP, in all revisions it speaks: `python fast.py sse`.

It runs in the environment that `make` installs for it. `/test` beside `/mcp` is for the test alone: GET tells which
tools ran, DELETE forgets it.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import sys

import uvicorn
from fastmcp import Context, FastMCP
from fastmcp.exceptions import ToolError
from starlette.requests import Request
from starlette.responses import JSONResponse

NOTES = {1: "Call Ada back about the invoice.", 2: "Order lamps for Zürich.", 3: "Ben is away until May."}
HOSTS = ["localhost", "127.0.0.1", "reports.example"]

server = FastMCP("notes")
ran: list[dict] = []


@server.tool(annotations={"readOnlyHint": True})
def search_notes(words: str) -> list[int]:
    """The ids of the notes with these words."""
    ran.append({"tool": "search_notes", "arguments": {"words": words}})
    return [id for id, note in NOTES.items() if words.lower() in note.lower()]


@server.tool(annotations={"readOnlyHint": True})
async def read_notes(ids: list[int], ctx: Context) -> dict[str, str]:
    """These notes, by id."""
    ran.append({"tool": "read_notes", "arguments": {"ids": ids}})
    for done, _ in enumerate(ids, 1):
        await ctx.report_progress(done, len(ids))
    return {str(id): NOTES[id] for id in ids if id in NOTES}


@server.tool(annotations={"destructiveHint": True})
def delete_note(id: int) -> str:
    """Deletes a note."""
    ran.append({"tool": "delete_note", "arguments": {"id": id}})
    if id not in NOTES:
        raise ToolError(f"no note {id}")
    return f"deleted note {id}"


@server.prompt
def sum_up(topic: str) -> str:
    """Sums up the notes on a topic."""
    return f"Sum up the notes on {topic}."


@server.resource("notes://{id}")
def note(id: int) -> str:
    """A note."""
    return NOTES[id]


@server.resource("notes://all")
def notes() -> str:
    """All of them."""
    return "\n".join(NOTES.values())


@server.custom_route("/test", methods=["GET", "DELETE"])
async def side_entrance(request: Request) -> JSONResponse:
    """The test's own."""
    if request.method == "DELETE":
        ran.clear()
    return JSONResponse(ran)


async def main(answers: str, port: str = "0") -> None:
    """Serves until it is ended."""
    json_response = answers == "json"
    app = server.http_app("/mcp", json_response=json_response, host_origin_protection=True, allowed_hosts=HOSTS)
    logging.disable(logging.CRITICAL)
    listening = socket.create_server(("127.0.0.1", int(port)))
    print(f"listening on {listening.getsockname()[1]}", flush=True)
    await uvicorn.Server(uvicorn.Config(app, log_level="critical")).serve([listening])


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
