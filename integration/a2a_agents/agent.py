"""An agent on the official Python SDK, in A2A 1.0 and 0.3, both bindings: `python -m a2a_agents.agent planner`."""

from __future__ import annotations

import warnings

import httpx
from a2a.client import ClientConfig, create_client
from a2a.helpers import (
    get_artifact_text,
    get_message_text,
    new_task_from_user_message,
    new_text_message,
    new_text_part,
)
from a2a.server.agent_execution import AgentExecutor, RequestContext
from a2a.server.events import EventQueue
from a2a.server.request_handlers import DefaultRequestHandler
from a2a.server.routes import create_agent_card_routes, create_jsonrpc_routes, create_rest_routes
from a2a.server.tasks import (
    BasePushNotificationSender,
    InMemoryPushNotificationConfigStore,
    InMemoryTaskStore,
    TaskUpdater,
)
from a2a.types import AgentCard, Role, SendMessageRequest, TaskState
from google.protobuf.json_format import MessageToDict, ParseDict
from starlette.applications import Starlette
from starlette.routing import Route

from .script import AGENTS, CallFailed, play
from .side import SECONDS, Side, arguments, said


def _state(word: str) -> TaskState:
    return TaskState.Value("TASK_STATE_" + word.upper().replace("-", "_"))


def _word(state: TaskState) -> str:
    return TaskState.Name(state).removeprefix("TASK_STATE_").lower().replace("_", "-")


class SdkWork:
    """The script's `Work` with this SDK."""

    def __init__(self, side: Side, context: RequestContext, queue: EventQueue):
        self.agent, self.go, self.resumed = side.name, side.go, context.current_task is not None
        self._side, self._context, self._queue = side, context, queue
        self._updates = TaskUpdater(queue, context.task_id, context.context_id)

    async def answer(self, text: str) -> None:
        await self._queue.enqueue_event(new_text_message(text, context_id=self._context.context_id))

    async def begin(self) -> None:
        if not self.resumed:
            await self._queue.enqueue_event(new_task_from_user_message(self._context.message))

    async def state(self, state: str, text: str | None = None) -> None:
        message = self._updates.new_agent_message([new_text_part(text)]) if text is not None else None
        await self._updates.update_status(_state(state), message)

    async def artifact(self, name: str, chunks: list[str]) -> None:
        for at, chunk in enumerate(chunks):
            last = at + 1 == len(chunks)
            await self._updates.add_artifact(
                [new_text_part(chunk)], artifact_id=name, name=name, append=at > 0, last_chunk=last
            )

    async def call(self, agent: str, text: str, streamed: bool) -> str:
        url, http = self._side.peer(agent)
        texts, state, why = [], "completed", ""
        async with http:
            try:
                client = await create_client(url, ClientConfig(streaming=streamed, httpx_client=http))
                request = SendMessageRequest(message=new_text_message(text, role=Role.ROLE_USER))
                async for event in client.send_message(request):
                    match event.WhichOneof("payload"):
                        case "message":
                            texts.append(get_message_text(event.message))
                        case "task":
                            texts += [get_artifact_text(artifact, "") for artifact in event.task.artifacts]
                            state, why = _word(event.task.status.state), get_message_text(event.task.status.message)
                        case "artifact_update":
                            texts.append(get_artifact_text(event.artifact_update.artifact, ""))
                        case "status_update":
                            status = event.status_update.status
                            state, why = _word(status.state), get_message_text(status.message)
            except Exception as error:
                raise CallFailed(f"{agent}: {error}") from error
        return said(agent, state, why or "".join(texts))


class Executor(AgentExecutor):
    """Plays the script."""

    def __init__(self, side: Side):
        self._side = side

    async def execute(self, context: RequestContext, event_queue: EventQueue) -> None:
        await play(context.get_user_input(), SdkWork(self._side, context, event_queue))

    async def cancel(self, context: RequestContext, event_queue: EventQueue) -> None:
        await TaskUpdater(event_queue, context.task_id, context.context_id).cancel()


def card(name: str, url: str, extended: bool = False) -> AgentCard:
    """The agent's card, public or extended, with interfaces at this URL."""
    skills = [
        {"id": id, "name": id, "description": description, "tags": [name]} for id, description in AGENTS[name].items()
    ]
    if extended:
        skills.append({"id": "admin", "name": "admin", "description": "For those who are known.", "tags": [name]})
    interfaces = [
        {"url": url, "protocolBinding": binding, "protocolVersion": version}
        for version in ("1.0", "0.3")
        for binding in ("JSONRPC", "HTTP+JSON")
    ]
    return ParseDict(
        {
            "name": name,
            "description": f"The {name} of the tests.",
            "version": "1",
            "supportedInterfaces": interfaces,
            "provider": {"organization": "Example", "url": "https://example.org"},
            "capabilities": {"streaming": True, "pushNotifications": True, "extendedAgentCard": True},
            "securitySchemes": {"bearer": {"httpAuthSecurityScheme": {"scheme": "Bearer", "bearerFormat": "JWT"}}},
            "securityRequirements": [{"schemes": {"bearer": {"list": []}}}],
            "defaultInputModes": ["text/plain"],
            "defaultOutputModes": ["text/plain"],
            "skills": skills,
        },
        AgentCard(),
    )


def handling(side: Side) -> DefaultRequestHandler:
    """What does what is asked for, in every binding."""

    async def current(_: AgentCard, context: object = None) -> AgentCard:
        return card(side.name, side.found_at, extended=context is not None)

    configs = InMemoryPushNotificationConfigStore()
    return side.watched(DefaultRequestHandler, MessageToDict)(
        agent_executor=Executor(side),
        task_store=InMemoryTaskStore(),
        agent_card=card(side.name, side.found_at),
        push_config_store=configs,
        push_sender=BasePushNotificationSender(httpx.AsyncClient(timeout=SECONDS), configs),
        extended_agent_card=card(side.name, side.found_at, extended=True),
        extended_card_modifier=current,
    )


def app(side: Side) -> Starlette:
    """The ASGI application."""

    async def current(_: AgentCard) -> AgentCard:
        return card(side.name, side.found_at)

    handler = handling(side)
    return Starlette(
        routes=[
            Route("/test", side.entrance, methods=["GET", "PUT", "POST", "DELETE"]),
            *create_agent_card_routes(card(side.name, side.found_at), card_modifier=current),
            *create_jsonrpc_routes(handler, "/", enable_v0_3_compat=True),
            *create_rest_routes(handler, enable_v0_3_compat=True),
        ]
    )


def main(name: str, port: str, carries: str) -> None:
    warnings.simplefilter("ignore", DeprecationWarning)
    side = Side(name, carries)
    side.serve(app(side), port)


if __name__ == "__main__":
    main(*arguments())
