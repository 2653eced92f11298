"""The same agent on the last official Python SDK that speaks A2A 0.3 and nothing else, both bindings."""

from __future__ import annotations

import httpx
from a2a.client import ClientConfig, ClientFactory
from a2a.server.agent_execution import AgentExecutor, RequestContext
from a2a.server.apps import A2ARESTFastAPIApplication, A2AStarletteApplication
from a2a.server.events import EventQueue
from a2a.server.request_handlers import DefaultRequestHandler
from a2a.server.tasks import (
    BasePushNotificationSender,
    InMemoryPushNotificationConfigStore,
    InMemoryTaskStore,
    TaskUpdater,
)
from a2a.types import AgentCard, Message, Part, Role, TaskArtifactUpdateEvent, TaskState, TextPart
from a2a.utils import get_message_text, new_agent_text_message, new_task
from a2a.utils.message import new_agent_parts_message
from a2a.utils.parts import get_text_parts
from starlette.routing import Route

from .script import AGENTS, CallFailed, play
from .side import SECONDS, Side, arguments, said

# Words at which a stream of 0.3 ends.
FINAL = ("input-required", "auth-required")


def _text(text: str) -> list[Part]:
    return [Part(root=TextPart(text=text))]


class SdkWork:
    """The script's `Work` with this SDK."""

    def __init__(self, side: Side, context: RequestContext, queue: EventQueue):
        self.agent, self.go, self.resumed = side.name, side.go, context.current_task is not None
        self._side, self._context, self._queue = side, context, queue
        self._updates = TaskUpdater(queue, context.task_id, context.context_id)

    async def answer(self, text: str) -> None:
        await self._queue.enqueue_event(new_agent_text_message(text, self._context.context_id))

    async def begin(self) -> None:
        if not self.resumed:
            await self._queue.enqueue_event(new_task(self._context.message))

    async def state(self, state: str, text: str | None = None) -> None:
        message = self._updates.new_agent_message(_text(text)) if text is not None else None
        await self._updates.update_status(TaskState(state), message, final=state in FINAL)

    async def artifact(self, name: str, chunks: list[str]) -> None:
        for at, chunk in enumerate(chunks):
            last = at + 1 == len(chunks)
            await self._updates.add_artifact(_text(chunk), artifact_id=name, name=name, append=at > 0, last_chunk=last)

    async def call(self, agent: str, text: str, streamed: bool) -> str:
        url, http = self._side.peer(agent)
        texts, state, why = [], "completed", ""
        async with http:
            try:
                client = await ClientFactory.connect(url, ClientConfig(streaming=streamed, httpx_client=http))
                message = new_agent_parts_message(_text(text))
                message.role = Role.user
                async for event in client.send_message(message):
                    if isinstance(event, Message):
                        texts.append(get_message_text(event))
                        continue
                    task, update = event
                    if update is None:
                        texts += [part for artifact in task.artifacts or [] for part in get_text_parts(artifact.parts)]
                    elif isinstance(update, TaskArtifactUpdateEvent):
                        texts += get_text_parts(update.artifact.parts)
                    state = task.status.state.value
                    why = get_message_text(task.status.message) if task.status.message else ""
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
    return AgentCard.model_validate(
        {
            "name": name,
            "description": f"The {name} of the tests.",
            "version": "1",
            "protocolVersion": "0.3.0",
            "url": url,
            "preferredTransport": "JSONRPC",
            "additionalInterfaces": [{"url": url, "transport": "HTTP+JSON"}],
            "provider": {"organization": "Example", "url": "https://example.org"},
            "capabilities": {"streaming": True, "pushNotifications": True},
            "supportsAuthenticatedExtendedCard": True,
            "securitySchemes": {"bearer": {"type": "http", "scheme": "Bearer", "bearerFormat": "JWT"}},
            "security": [{"bearer": []}],
            "defaultInputModes": ["text/plain"],
            "defaultOutputModes": ["text/plain"],
            "skills": skills,
        }
    )


def app(side: Side):
    """The ASGI application."""

    def current(_: AgentCard) -> AgentCard:
        return card(side.name, side.found_at)

    def extended(_: AgentCard, context: object) -> AgentCard:
        side.record("extended_card", {})
        return card(side.name, side.found_at, extended=True)

    configs = InMemoryPushNotificationConfigStore()
    handler = side.watched(DefaultRequestHandler, lambda params: params.model_dump(mode="json", exclude_none=True))(
        agent_executor=Executor(side),
        task_store=InMemoryTaskStore(),
        push_config_store=configs,
        push_sender=BasePushNotificationSender(httpx.AsyncClient(timeout=SECONDS), configs),
    )
    offered = {"agent_card": card(side.name, ""), "http_handler": handler, "card_modifier": current}
    application = A2ARESTFastAPIApplication(**offered, extended_card_modifier=extended).build()
    application.routes.append(Route("/test", side.entrance, methods=["GET", "PUT", "POST", "DELETE"]))
    A2AStarletteApplication(**offered, extended_card_modifier=extended).add_routes_to_app(application)
    return application


def main(name: str, port: str, carries: str) -> None:
    side = Side(name, carries)
    side.serve(app(side), port)


if __name__ == "__main__":
    main(*arguments())
