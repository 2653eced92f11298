"""The official Python client, as a person has it."""

from __future__ import annotations

import warnings
from contextlib import ExitStack
from typing import Self

import httpx2
import mcp_types as types
from anyio.from_thread import start_blocking_portal
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPDeprecationWarning, MCPError

from .servers import MODERN
from .user import CALL_SECONDS, Called, Refused, User

MODES = {"auto": "auto", "legacy": "legacy", "modern": MODERN}


class PythonClient(User):
    """Its event loop runs in a thread; every call waits."""

    def __enter__(self) -> Self:
        with ExitStack() as running:
            self._portal = running.enter_context(start_blocking_portal())
            http = httpx2.AsyncClient(headers=self.headers, timeout=CALL_SECONDS)
            callbacks = {}
            if self.answer is not None:
                callbacks = {
                    "elicitation_callback": self._elicited,
                    "sampling_callback": self._sampled,
                    "list_roots_callback": self._roots,
                }
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", MCPDeprecationWarning)
                self._client = Client(
                    streamable_http_client(self.url, http_client=http),
                    mode=MODES[self.era],
                    read_timeout_seconds=CALL_SECONDS,
                    cache=None,
                    **callbacks,
                )
                running.enter_context(self._portal.wrap_async_context_manager(http))
                running.enter_context(self._portal.wrap_async_context_manager(self._client))
            self._running = running.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        # Without what was raised, which would come back in groups of groups.
        self._running.close()

    @property
    def revision(self) -> str:
        return self._client.session.protocol_version

    def call(self, tool: str, **arguments: object) -> Called:
        progress: list[float] = []

        async def progressed(done: float, total: float | None, message: str | None) -> None:
            progress.append(done)

        async def call():
            return await self._client.call_tool(tool, arguments, progress_callback=progressed)

        return Called(self._do(call), progress)

    def prompt(self, name: str, **arguments: str) -> dict:
        return self._do(lambda: self._client.get_prompt(name, arguments))

    def read(self, uri: str) -> dict:
        return self._do(lambda: self._client.read_resource(uri))

    def _listed(self, what: str) -> list[dict]:
        listed, cursor = [], None
        while True:
            page = self._do(lambda cursor=cursor: getattr(self._client, f"list_{what}")(cursor=cursor))
            listed += page[what]
            if (cursor := page.get("nextCursor")) is None:
                return listed

    def _do(self, coroutine) -> dict:
        try:
            return _plain(self._portal.call(coroutine))
        except MCPError as error:
            raise Refused(error.code, error.message, error.data) from error

    async def _elicited(self, context, params) -> types.ElicitResult:
        return types.ElicitResult.model_validate(self._answer("elicitation/create", _plain(params)))

    async def _sampled(self, context, params) -> types.CreateMessageResult:
        return types.CreateMessageResult.model_validate(self._answer("sampling/createMessage", _plain(params)))

    async def _roots(self, context) -> types.ListRootsResult:
        return types.ListRootsResult.model_validate(self._answer("roots/list", {}))


def _plain(model) -> dict:
    return model.model_dump(by_alias=True, mode="json", exclude_none=True)
