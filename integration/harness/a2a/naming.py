"""Requests that name a task or a context, in both versions and bindings, byte by byte."""

from __future__ import annotations

import json

from .wire import Exchange, Header, basic, message, rpc

WAYS = [(version, binding) for version in ("1.0", "0.3") for binding in ("JSONRPC", "HTTP+JSON")]
METHODS = {
    "send": ("SendMessage", "message/send"),
    "stream": ("SendStreamingMessage", "message/stream"),
    "get": ("GetTask", "tasks/get"),
    "list": ("ListTasks", "tasks/list"),
    "cancel": ("CancelTask", "tasks/cancel"),
    "subscribe": ("SubscribeToTask", "tasks/resubscribe"),
    "push_create": ("CreateTaskPushNotificationConfig", "tasks/pushNotificationConfig/set"),
    "push_get": ("GetTaskPushNotificationConfig", "tasks/pushNotificationConfig/get"),
    "push_list": ("ListTaskPushNotificationConfigs", "tasks/pushNotificationConfig/list"),
    "push_delete": ("DeleteTaskPushNotificationConfig", "tasks/pushNotificationConfig/delete"),
}
PUSH = "https://hooks.example.org/x"
# What HTTP has beside messages: method and path behind the version's own.
PATHS = {
    "get": ("GET", "/tasks/{task}"),
    "list": ("GET", "/tasks?contextId={context}"),
    "cancel": ("POST", "/tasks/{task}:cancel"),
    "subscribe": ("GET", "/tasks/{task}:subscribe"),
    "push_create": ("POST", "/tasks/{task}/pushNotificationConfigs"),
    "push_get": ("GET", "/tasks/{task}/pushNotificationConfigs/c"),
    "push_list": ("GET", "/tasks/{task}/pushNotificationConfigs"),
    "push_delete": ("DELETE", "/tasks/{task}/pushNotificationConfigs/c"),
}
# What a message can name.
NAMES = ("context", "task", "both", "reference")


class Asker:
    """Somebody who shows a token, and asks the agent at `path` in this way."""

    def __init__(self, version: str, binding: str, token: str, path: str):
        self.version, self.binding, self.path = version, binding, path
        self.headers: list[Header] = [*basic(version), ("authorization", f"Bearer {token}")]

    def says(self, text: str, operation: str = "send", **ids: object) -> Exchange:
        """A message; `contextId`, `taskId`, `referenceTaskIds`."""
        if self.binding == "JSONRPC":
            return self._rpc(operation, message(text, self.version, **ids))
        if self.version == "1.0":
            return self._http("POST", f"/message:{operation}", message(text, **ids))
        said = {"messageId": "m-1", "role": "ROLE_USER", "content": [{"text": text}]} | ids
        return self._http("POST", f"/message:{operation}", {"message": said})

    def asks(self, operation: str, task: str = "", context: str = "") -> Exchange:
        """Anything else about a task, or the tasks of a context."""
        if self.binding == "HTTP+JSON":
            method, path = PATHS[operation]
            return self._http(method, path.format(task=task, context=context), self._body(operation, task))
        match operation, self.version:
            case ("get" | "cancel" | "subscribe", _) | ("push_get" | "push_list", "0.3"):
                params: dict = {"id": task}
            case "list", _:
                params = {"contextId": context} if context else {}
            case "push_create", "0.3":
                params = {"taskId": task, "pushNotificationConfig": {"url": PUSH}}
            case "push_delete", "0.3":
                params = {"id": task, "pushNotificationConfigId": "c"}
            case "push_list", _:
                params = {"taskId": task}
            case _:
                params = {"taskId": task, "id": "c"} | ({"url": PUSH} if operation == "push_create" else {})
        return self._rpc(operation, params)

    def naming(self, task: str, context: str) -> dict[str, Exchange]:
        """Everything that can name them."""
        ids = {
            "context": {"contextId": context},
            "task": {"taskId": task},
            "both": {"taskId": task, "contextId": context},
            "reference": {"referenceTaskIds": [task]},
        }
        said = {
            f"{operation} {name}": self.says("say hi", operation, **ids[name])
            for operation in ("send", "stream")
            for name in NAMES
            # HTTP+JSON of 0.3 has no such member.
            if (name, self.version, self.binding) != ("reference", "0.3", "HTTP+JSON")
        }
        asked = [one for one in PATHS if (one, self.version) != ("list", "0.3")]
        return said | {operation: self.asks(operation, task, context) for operation in asked}

    def _body(self, operation: str, task: str) -> dict | None:
        if operation != "push_create":
            return {} if operation == "cancel" else None
        if self.version == "1.0":
            return {"id": "c", "url": PUSH}
        return {
            "parent": f"tasks/{task}",
            "configId": "c",
            "config": {"name": f"tasks/{task}/pushNotificationConfigs/c", "pushNotificationConfig": {"url": PUSH}},
        }

    def _rpc(self, operation: str, params: dict) -> Exchange:
        return Exchange(self.headers, rpc(METHODS[operation][self.version == "0.3"], params), path=self.path or "/")

    def _http(self, method: str, path: str, body: dict | None) -> Exchange:
        before = self.path + ("/v1" if self.version == "0.3" else "")
        if body is None:
            headers = [(name, value) for name, value in self.headers if name != "content-type"]
            return Exchange(headers, b"", method, before + path)
        return Exchange(self.headers, json.dumps(body).encode(), method, before + path)
