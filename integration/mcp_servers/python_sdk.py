"""An MCP server on the official Python SDK, in all revisions it speaks: `python -m mcp_servers.python_sdk sse`.

Beside `/mcp` it has `/test`, for the test alone: GET tells which tools ran, PUT sets what is paged and changed,
DELETE forgets all of it.
"""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import sys
import warnings

import mcp_types as types
import uvicorn
from mcp.server import CacheHint, Server, ServerRequestContext
from mcp.server.request_state import RequestStateBoundary, RequestStateSecurity
from mcp.server.streamable_http import EventMessage, EventStore
from mcp.server.subscriptions import InMemorySubscriptionBus, ListenHandler, PromptsListChanged, ToolsListChanged
from mcp.server.transport_security import TransportSecuritySettings
from mcp.shared.exceptions import MCPDeprecationWarning, MCPError
from mcp.shared.message import ServerMessageMetadata
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from . import offer

NAME = "python-sdk"
MODERN = "2026-07-28"
# The names that a server answers to: its own and the one that Envoy routes by authority.
HOSTS = ["localhost", "localhost:*", "127.0.0.1:*", "reports.example", "reports.example:*"]
# How long a tool rests between two signs of life.
STEP_SECONDS = 0.05


class Memory(EventStore):
    """Events that a client may ask for again."""

    def __init__(self) -> None:
        self._events: list[tuple[str, types.JSONRPCMessage | None]] = []

    async def store_event(self, stream_id: str, message: types.JSONRPCMessage | None) -> str:
        self._events.append((stream_id, message))
        return str(len(self._events))

    async def replay_events_after(self, last_event_id: str, send_callback) -> str | None:
        number = int(last_event_id)
        stream = self._events[number - 1][0]
        for event, (of, message) in enumerate(self._events, 1):
            if event > number and of == stream and message is not None:
                await send_callback(EventMessage(message, str(event)))
        return stream


class Offering:
    """The handlers, what ran, and what the test set."""

    def __init__(self) -> None:
        self.bus = InMemorySubscriptionBus()
        self.forget()

    def forget(self) -> None:
        """As new."""
        self.ran: list[dict] = []
        self.page: int | None = None
        self.changed: dict[str, dict] = {}

    # Lists.

    async def list_tools(self, ctx: ServerRequestContext, params) -> types.ListToolsResult:
        tools, cursor = offer.page(offer.tools(self.changed), _cursor(params), self.page)
        return types.ListToolsResult.model_validate({"tools": tools, "nextCursor": cursor})

    async def list_prompts(self, ctx: ServerRequestContext, params) -> types.ListPromptsResult:
        prompts, cursor = offer.page(offer.prompts(), _cursor(params), self.page)
        return types.ListPromptsResult.model_validate({"prompts": prompts, "nextCursor": cursor})

    async def list_resources(self, ctx: ServerRequestContext, params) -> types.ListResourcesResult:
        resources, cursor = offer.page(offer.resources(), _cursor(params), self.page)
        return types.ListResourcesResult.model_validate({"resources": resources, "nextCursor": cursor})

    async def list_templates(self, ctx: ServerRequestContext, params) -> types.ListResourceTemplatesResult:
        return types.ListResourceTemplatesResult.model_validate({"resourceTemplates": offer.templates()})

    # Prompts and resources.

    async def get_prompt(self, ctx: ServerRequestContext, params: types.GetPromptRequestParams):
        prompt = offer.PROMPTS.get(params.name)
        if prompt is None:
            raise MCPError(types.INVALID_PARAMS, f"Unknown prompt: {params.name}")
        result = {"messages": offer.filled(prompt["messages"], params.arguments or {})}
        if "asks" in prompt:
            said = await self._ask(ctx, params, {"asks": prompt["asks"]})
            if isinstance(said, types.InputRequiredResult):
                return said
        return types.GetPromptResult.model_validate(result)

    async def read_resource(self, ctx: ServerRequestContext, params: types.ReadResourceRequestParams):
        contents = offer.contents(str(params.uri))
        if contents is None:
            code = types.INVALID_PARAMS if ctx.protocol_version == MODERN else -32002
            raise MCPError(code, "Resource not found", {"uri": str(params.uri)})
        return types.ReadResourceResult.model_validate({"contents": [contents]})

    async def complete(self, ctx: ServerRequestContext, params: types.CompleteRequestParams) -> types.CompleteResult:
        values = [value for value in ("paris", "park", "party") if value.startswith(params.argument.value)]
        return types.CompleteResult.model_validate({"completion": {"values": values, "total": len(values)}})

    async def accept(self, ctx: ServerRequestContext, params) -> types.EmptyResult:
        return types.EmptyResult()

    # Tools.

    async def call_tool(self, ctx: ServerRequestContext, params: types.CallToolRequestParams):
        does = offer.BEHAVIOUR.get(params.name)
        if does is None:
            raise MCPError(types.INVALID_PARAMS, f"Unknown tool: {params.name}")
        arguments = params.arguments or {}
        if "asks" not in does or (params.request_state is None and params.input_responses is None):
            self.ran.append({"tool": params.name, "arguments": arguments})
        match does:
            case {"answers": result}:
                return types.CallToolResult.model_validate(result)
            case {"asks": _}:
                return await self._ask(ctx, params, does)
            case {"needs": capability} if capability not in _capabilities(ctx):
                if ctx.protocol_version != MODERN:
                    return _failed(f"this needs a client with {capability}")
                lacking = {"requiredCapabilities": {capability: {}}}
                raise MCPError(types.MISSING_REQUIRED_CLIENT_CAPABILITY, f"{capability} is needed", lacking)
            case {"fails": why}:
                return _failed(why)
            case {"fills": _}:
                return _text("x" * int(arguments["bytes"]))
        await self._act(ctx, does, arguments)
        return _text(f"ran {params.name} {json.dumps(arguments, sort_keys=True)}")

    async def _act(self, ctx: ServerRequestContext, does: dict, arguments: dict) -> None:
        match does:
            case {"sleeps": _}:
                await asyncio.sleep(float(arguments["seconds"]))
            case {"logs": lines}:
                for line in lines:
                    await ctx.session.send_log_message("info", line, related_request_id=ctx.request_id)
                    await asyncio.sleep(STEP_SECONDS)
            case {"progresses": steps}:
                for step in steps:
                    await ctx.session.report_progress(step, steps[-1])
                    await asyncio.sleep(STEP_SECONDS)
            case {"hangs_up": _}:
                if ctx.close_sse_stream is not None:
                    await ctx.close_sse_stream()
                await asyncio.sleep(STEP_SECONDS)
            case {"changes": what}:
                if ctx.protocol_version == MODERN:
                    await self.bus.publish(ToolsListChanged() if what == "tools" else PromptsListChanged())
                elif what == "tools":
                    await ctx.session.send_tool_list_changed()
                else:
                    await ctx.session.send_prompt_list_changed()

    # Questions to the client.

    async def _ask(self, ctx: ServerRequestContext, params, does: dict):
        rounds = [offer.filled(questions, params.arguments or {}) for questions in does["asks"]]
        said: dict[str, object] = {}
        if ctx.protocol_version == MODERN:
            number = int(params.request_state or 0)
            responses = {key: _plain(response) for key, response in (params.input_responses or {}).items()}
            questions = offer.askable(rounds[number], _capabilities(ctx))
            if not questions:
                lacking = {offer.CAPABILITY[asked["method"]]: {} for asked in rounds[number].values()}
                raise MCPError(
                    types.MISSING_REQUIRED_CLIENT_CAPABILITY,
                    "the client cannot be asked",
                    {"requiredCapabilities": lacking},
                )
            if responses and offer.answers(questions, responses):
                number, said = number + 1, responses
            if number < len(rounds):
                asked = {"inputRequests": offer.askable(rounds[number], _capabilities(ctx))}
                remembers = {"requestState": str(number)} if does.get("remembers") else {}
                return types.InputRequiredResult.model_validate(asked | remembers)
        else:
            for questions in rounds:
                if not (askable := offer.askable(questions, _capabilities(ctx))):
                    return _failed("the client cannot be asked")
                for key, asked in askable.items():
                    said[key] = _plain(await self._request(ctx, asked))
        return _text(f"{does.get('says', '')} {' '.join(map(_told, said.values()))}")

    async def _request(self, ctx: ServerRequestContext, asked: dict):
        kinds = {
            "elicitation/create": (types.ElicitRequest, types.ElicitResult),
            "sampling/createMessage": (types.CreateMessageRequest, types.CreateMessageResult),
            "roots/list": (types.ListRootsRequest, types.ListRootsResult),
        }
        request, result = kinds[asked["method"]]
        related = ServerMessageMetadata(related_request_id=ctx.request_id)
        return await ctx.session.send_request(request.model_validate(asked), result, metadata=related)

    # The side entrance.

    async def side_entrance(self, request: Request) -> Response:
        if request.method == "PUT":
            wanted = await request.json()
            self.page, self.changed = wanted.get("page"), wanted.get("changed", {})
            await self.bus.publish(ToolsListChanged())
        elif request.method == "DELETE":
            self.forget()
        return Response(json.dumps(self.ran))  # NaN and all


def _cursor(params) -> str | None:
    return params.cursor if params is not None else None


def _capabilities(ctx: ServerRequestContext) -> dict:
    declared = ctx.session.client_capabilities
    return declared.model_dump(by_alias=True, exclude_none=True) if declared is not None else {}


def _plain(result) -> dict:
    return result if isinstance(result, dict) else result.model_dump(by_alias=True, mode="json", exclude_none=True)


def _told(response: dict) -> str:
    if "action" in response:
        return f"action={response['action']}, content={json.dumps(response.get('content'))}"
    return response["content"]["text"] if "content" in response else json.dumps(response)


def _text(text: str) -> types.CallToolResult:
    return types.CallToolResult.model_validate({"content": [{"type": "text", "text": text}]})


def _failed(why: str) -> types.CallToolResult:
    return types.CallToolResult.model_validate({"content": [{"type": "text", "text": why}], "isError": True})


def app(offering: Offering, answers: str):
    """The ASGI application; `answers` is `json` or `sse`."""
    cached = ("tools/list", "prompts/list", "resources/list", "resources/templates/list", "resources/read")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MCPDeprecationWarning)
        server = Server(
            NAME,
            version="1",
            cache_hints={method: CacheHint(ttl_ms=1000, scope="public") for method in cached},
            get_tool_input_schema={tool["name"]: tool["inputSchema"] for tool in offer.tools({})}.get,
            on_list_tools=offering.list_tools,
            on_call_tool=offering.call_tool,
            on_list_resources=offering.list_resources,
            on_list_resource_templates=offering.list_templates,
            on_read_resource=offering.read_resource,
            on_subscribe_resource=offering.accept,
            on_unsubscribe_resource=offering.accept,
            on_subscriptions_listen=ListenHandler(offering.bus),
            on_list_prompts=offering.list_prompts,
            on_get_prompt=offering.get_prompt,
            on_completion=offering.complete,
            on_set_logging_level=offering.accept,
        )
    server.middleware.append(RequestStateBoundary(RequestStateSecurity.ephemeral(), default_audience=NAME))
    return server.streamable_http_app(
        json_response=answers == "json",
        event_store=Memory(),
        retry_interval=100,
        transport_security=TransportSecuritySettings(
            enable_dns_rebinding_protection=True,
            allowed_hosts=HOSTS,
            allowed_origins=[f"http://{host}" for host in HOSTS],
        ),
        custom_starlette_routes=[Route("/test", offering.side_entrance, methods=["GET", "PUT", "DELETE"])],
    )


def main(answers: str, port: str = "0") -> None:
    warnings.simplefilter("ignore", MCPDeprecationWarning)
    logging.basicConfig(level=logging.WARNING)
    listening = socket.create_server(("127.0.0.1", int(port)))
    print(f"listening on {listening.getsockname()[1]}", flush=True)
    config = uvicorn.Config(app(Offering(), answers), log_level="warning", lifespan="on", ws="none")
    uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    main(*sys.argv[1:])
