"""What the agents of both SDKs have beside A2A: what arrived, what ran, the side entrance, and what they show others.

`/test` is for the test alone. GET tells what ran, PUT says where the agent is found and how it calls others, POST lets
the task that holds go on, DELETE forgets what ran.
"""

from __future__ import annotations

import asyncio
import base64
import functools
import json
import logging
import socket
import ssl
import sys
from collections.abc import Callable
from contextvars import ContextVar

import httpx
import uvicorn
from starlette.requests import Request
from starlette.responses import Response

from .script import CallFailed
from .tracing import traced

# The names that request handlers of both SDKs have for operations, and ours.
OPERATIONS = {
    "on_message_send": "send",
    "on_message_send_stream": "stream",
    "on_get_task": "get",
    "on_list_tasks": "list",
    "on_cancel_task": "cancel",
    "on_subscribe_to_task": "subscribe",
    "on_resubscribe_to_task": "subscribe",
    "on_create_task_push_notification_config": "push_create",
    "on_set_task_push_notification_config": "push_create",
    "on_get_task_push_notification_config": "push_get",
    "on_list_task_push_notification_configs": "push_list",
    "on_list_task_push_notification_config": "push_list",
    "on_delete_task_push_notification_config": "push_delete",
    "on_get_extended_agent_card": "extended_card",
}
# What an agent copies by hand that carries the ticket so.
TICKET = "x-tollgate-ticket"
SECONDS = 30

# The request that is being worked on: path, query and headers as they came.
_arrived: ContextVar[dict] = ContextVar("arrived")


class Side:
    """What ran, and what the test set."""

    def __init__(self, name: str, carries: str):
        self.name, self.carries = name, carries
        self.go = asyncio.Event()
        self.ran: list[dict] = []
        self.found_at = ""
        self.calls: dict = {}

    @staticmethod
    def arrived(path: str, query: str, headers: list[list[str]]) -> None:
        """The request that is being worked on from now on."""
        _arrived.set({"path": path, "query": query, "headers": headers})

    def record(self, operation: str, params: dict) -> None:
        """Something ran, whatever comes of it."""
        self.ran.append({"operation": operation, "params": params} | _arrived.get())

    def watched(self, handler: type, plain: Callable[[object], dict]) -> type:
        """The same request handler, which records what it is asked for first."""

        def watch(name: str, operation: str):
            original = getattr(handler, name)

            @functools.wraps(original)
            def called(handling, params, *more, **named):
                self.record(operation, plain(params))
                return original(handling, params, *more, **named)

            return called

        members = {name: watch(name, operation) for name, operation in OPERATIONS.items() if hasattr(handler, name)}
        return type(f"Watched{handler.__name__}", (handler,), members)

    async def entrance(self, request: Request) -> Response:
        """The endpoint `/test`."""
        match request.method:
            case "PUT":
                self.calls = await request.json()
                self.found_at = self.calls["found_at"]
            case "POST":
                self.go.set()
            case "DELETE":
                self.ran.clear()
                self.go.clear()
        return Response(json.dumps(self.ran))  # lone surrogates and all

    # How it calls others.

    def peer(self, agent: str) -> tuple[str, httpx.AsyncClient]:
        """Where another agent is found, and an HTTP client that shows who this one is, and for whom it asks."""
        arrived = _arrived.get()["headers"]
        headers = {name: value for name, value in arrived if name == TICKET and self.carries == "ticket"}
        token = self.calls.get("tokens", {}).get(_user(arrived))
        if token is not None:
            headers["authorization"] = f"Bearer {token}"
        return self.calls["peers"][agent], httpx.AsyncClient(headers=headers, verify=self._tls(), timeout=SECONDS)

    def _tls(self) -> ssl.SSLContext | bool:
        if "certificate" not in self.calls:
            return True
        context = ssl.create_default_context(cafile=self.calls["authority"])
        context.load_cert_chain(self.calls["certificate"])
        return context

    # Its life.

    def serve(self, app, port: str) -> None:
        """Runs until it is killed."""
        asyncio.run(self.server(app, port))

    async def server(self, app, port: str) -> None:
        """The same, beside something else."""
        logging.basicConfig(level=logging.WARNING)
        # Where SDKs say that somebody asked for what cannot be done, which the tests do all day.
        logging.getLogger("a2a").setLevel(logging.CRITICAL)
        listening = socket.create_server(("127.0.0.1", int(port)))
        self.found_at = f"http://localhost:{listening.getsockname()[1]}"
        print(f"listening on {listening.getsockname()[1]}", flush=True)
        served = traced(app, self.name) if self.carries == "trace" else app
        config = uvicorn.Config(_remembers(served), log_level="warning", lifespan="off", ws="none")
        await uvicorn.Server(config).serve(sockets=[listening])


def said(agent: str, what: str, text: str) -> str:
    """What another agent's task came to."""
    if what != "completed":
        raise CallFailed(f"{agent}: {what}: {text}")
    return text


def arguments() -> tuple[str, str, str]:
    """An agent's name, its port, and what it carries from a request to those that it makes: trace, ticket or nothing."""
    given = sys.argv[1:]
    return (*given, *("planner", "0", "nothing")[len(given) :])


def _remembers(app):
    async def remembering(scope, receive, send):
        if scope["type"] == "http":
            headers = [[name.decode("latin-1"), value.decode("latin-1")] for name, value in scope["headers"]]
            path = scope["raw_path"].decode("latin-1")
            Side.arrived(path, scope["query_string"].decode("latin-1"), headers)
        await app(scope, receive, send)

    return remembering


def _user(headers: list[list[str]]) -> str | None:
    """For whom somebody asks. Who is in front of the agent has verified that."""
    token = next((value for name, value in headers if name == "authorization"), "").removeprefix("Bearer ")
    try:
        body = token.split(".")[1]
        return json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))["sub"]
    except (IndexError, KeyError, ValueError):
        return None
