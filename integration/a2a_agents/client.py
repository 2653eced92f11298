"""The official Python client, in A2A 1.0 and 0.3, told what to do line by line: see `lines.py`."""

from __future__ import annotations

from collections.abc import AsyncIterator

from a2a.client import A2ACardResolver, ClientConfig, ClientFactory
from a2a.types import (
    AgentCard,
    CancelTaskRequest,
    DeleteTaskPushNotificationConfigRequest,
    GetExtendedAgentCardRequest,
    GetTaskPushNotificationConfigRequest,
    GetTaskRequest,
    ListTaskPushNotificationConfigsRequest,
    ListTasksRequest,
    SendMessageRequest,
    SubscribeToTaskRequest,
    TaskPushNotificationConfig,
)
from google.protobuf.json_format import MessageToDict, ParseDict

from .lines import http, main


class Person:
    """Operations as the client has them; what comes back is as it understood it."""

    async def connect(self, told: dict) -> dict:
        client = http(told)
        self._card = await A2ACardResolver(client, told["url"]).get_agent_card()
        # Which of the interfaces is the person's choice, and the client takes versions before all else.
        wanted = AgentCard()
        wanted.CopyFrom(self._card)
        del wanted.supported_interfaces[:]
        wanted.supported_interfaces.extend(
            interface
            for interface in self._card.supported_interfaces
            if interface.protocol_version.startswith(told["version"])
        )

        def how(streaming: bool) -> ClientConfig:
            bindings = [told["binding"]]
            return ClientConfig(streaming=streaming, httpx_client=client, supported_protocol_bindings=bindings)

        self._plain = ClientFactory(how(False)).create(wanted)
        self._streaming = ClientFactory(how(True)).create(wanted)
        return MessageToDict(self._card)

    async def send(self, told: dict) -> dict:
        return [event async for event in self._send(self._plain, told)][0]

    async def stream(self, told: dict) -> AsyncIterator[dict]:
        async for event in self._send(self._streaming, told):
            yield event

    async def get(self, told: dict) -> dict:
        return MessageToDict(await self._plain.get_task(GetTaskRequest(id=told["task"])))

    async def list(self, told: dict) -> dict:
        return MessageToDict(await self._plain.list_tasks(ListTasksRequest(context_id=told["context"])))

    async def cancel(self, told: dict) -> dict:
        return MessageToDict(await self._plain.cancel_task(CancelTaskRequest(id=told["task"])))

    async def subscribe(self, told: dict) -> AsyncIterator[dict]:
        async for event in self._streaming.subscribe(SubscribeToTaskRequest(id=told["task"])):
            yield MessageToDict(event)

    async def push_create(self, told: dict) -> dict:
        config = ParseDict(told["push"], TaskPushNotificationConfig(task_id=told["task"]))
        return MessageToDict(await self._plain.create_task_push_notification_config(config))

    async def push_get(self, told: dict) -> dict:
        asked = GetTaskPushNotificationConfigRequest(task_id=told["task"], id=told["config"])
        return MessageToDict(await self._plain.get_task_push_notification_config(asked))

    async def push_list(self, told: dict) -> dict:
        asked = ListTaskPushNotificationConfigsRequest(task_id=told["task"])
        return MessageToDict(await self._plain.list_task_push_notification_configs(asked))

    async def push_delete(self, told: dict) -> None:
        asked = DeleteTaskPushNotificationConfigRequest(task_id=told["task"], id=told["config"])
        await self._plain.delete_task_push_notification_config(asked)

    async def extended_card(self, told: dict) -> dict:
        return MessageToDict(await self._plain.get_extended_agent_card(GetExtendedAgentCardRequest()))

    async def _send(self, client, told: dict) -> AsyncIterator[dict]:
        message = {"messageId": told["message"], "role": "ROLE_USER", "parts": [{"text": told["text"]}]}
        message |= {field: told[key] for key, field in (("context", "contextId"), ("task", "taskId")) if told[key]}
        configuration = {"returnImmediately": told["at_once"]}
        if told["push"] is not None:
            configuration["taskPushNotificationConfig"] = told["push"]
        request = ParseDict({"message": message, "configuration": configuration}, SendMessageRequest())
        async for event in client.send_message(request):
            yield MessageToDict(event)


if __name__ == "__main__":
    main(Person())
