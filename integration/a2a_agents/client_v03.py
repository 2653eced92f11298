"""The last official Python client that speaks A2A 0.3 and nothing else, told what to do by line: see `lines.py`."""

from __future__ import annotations

from collections.abc import AsyncIterator

from a2a.client import A2ACardResolver, Client, ClientConfig, ClientFactory
from a2a.types import (
    GetTaskPushNotificationConfigParams,
    Message,
    MessageSendConfiguration,
    PushNotificationConfig,
    TaskIdParams,
    TaskPushNotificationConfig,
    TaskQueryParams,
)

from .lines import http, main


class Person:
    """Operations as the client has them; what comes back is as it understood it."""

    async def connect(self, told: dict) -> dict:
        client = http(told)
        card = await A2ACardResolver(client, told["url"]).get_agent_card()

        def create(streaming: bool, *push: PushNotificationConfig) -> Client:
            bindings = [told["binding"]]
            how = ClientConfig(streaming, httpx_client=client, supported_transports=bindings)
            how.push_notification_configs.extend(push)
            return ClientFactory(how).create(card)

        self._create, self._plain, self._streaming = create, create(False), create(True)
        return _plain(card)

    async def send(self, told: dict) -> dict:
        client = self._plain
        if told["push"] is not None:  # what it takes for one message alone, it cannot send over HTTP+JSON
            client = self._create(False, PushNotificationConfig.model_validate(told["push"]))
        return [event async for event in self._send(client, told)][0]

    async def stream(self, told: dict) -> AsyncIterator[dict]:
        async for event in self._send(self._streaming, told):
            yield event

    async def get(self, told: dict) -> dict:
        return _plain(await self._plain.get_task(TaskQueryParams(id=told["task"])))

    async def cancel(self, told: dict) -> dict:
        return _plain(await self._plain.cancel_task(TaskIdParams(id=told["task"])))

    async def subscribe(self, told: dict) -> AsyncIterator[dict]:
        async for event in self._streaming.resubscribe(TaskIdParams(id=told["task"])):
            yield _event(event)

    async def push_create(self, told: dict) -> dict:
        config = PushNotificationConfig.model_validate(told["push"])
        asked = TaskPushNotificationConfig(task_id=told["task"], push_notification_config=config)
        return _plain(await self._plain.set_task_callback(asked))

    async def push_get(self, told: dict) -> dict:
        asked = GetTaskPushNotificationConfigParams(id=told["task"], push_notification_config_id=told["config"])
        return _plain(await self._plain.get_task_callback(asked))

    async def extended_card(self, told: dict) -> dict:
        return _plain(await self._plain.get_card())

    async def _send(self, client, told: dict) -> AsyncIterator[dict]:
        message = Message.model_validate(
            {
                "messageId": told["message"],
                "role": "user",
                "parts": [{"kind": "text", "text": told["text"]}],
                "contextId": told["context"],
                "taskId": told["task"],
            }
        )
        configuration = MessageSendConfiguration(blocking=not told["at_once"])
        async for event in client.send_message(message, configuration=configuration):
            yield _event(event)


def _event(event) -> dict:
    if isinstance(event, Message):
        return _plain(event)
    task, update = event
    return _plain(task if update is None else update)


def _plain(model) -> dict:
    return model.model_dump(mode="json", by_alias=True, exclude_none=True)


if __name__ == "__main__":
    main(Person())
