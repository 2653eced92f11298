"""An agent that forgives everything, and whose answers can be scripted to the byte, as one that is broken or hostile would."""

from __future__ import annotations

from harness.scripted import Answer, Received, ScriptedServer, plain, understood


class WeakAgent(ScriptedServer):
    """`with WeakAgent() as agent:`; what ran are the methods of JSON-RPC and their params. It calls nobody."""

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://localhost:{self.port}"

    def live(self, found_at: str | None = None, **_: object) -> None:
        """Where it is found and how it would call others is nothing to it."""

    def _answer(self, request: Received) -> Answer:
        said = understood(request)
        said = said if isinstance(said, dict) else {}
        self._ran.append({"operation": said.get("method"), "params": said.get("params")})
        return plain(result(task(), id=said.get("id")))


def task(id: str = "t-1", context: str = "c-1", state: str = "TASK_STATE_COMPLETED", **more: object) -> dict:
    """A task in version 1.0."""
    return {"task": {"id": id, "contextId": context, "status": {"state": state}} | more}


def update(id: str = "t-1", context: str = "c-1", state: str = "TASK_STATE_WORKING") -> dict:
    """An event of one."""
    return {"statusUpdate": {"taskId": id, "contextId": context, "status": {"state": state}}}


def result(what: dict, id: object = 1) -> dict:
    """What JSON-RPC has around it."""
    return {"jsonrpc": "2.0", "id": id, "result": what}
