"""Tasks and contexts of others."""

from __future__ import annotations

import json

from harness.a2a.wire import message

from ..attack import Attack, Right
from .requests import BY_BOB, CREATE, GET, REST, SUBSCRIBE, VERSIONS, call, sent

# Of ada, by bob.
HIJACKS = [
    *(
        Attack("A7", name, Right.NOT_THERE, operation, body, version, who=BY_BOB)
        for version in VERSIONS
        for name, operation, body in [
            ("get", "said $task", call(GET[version], '"id": "$task"')),
            ("subscribe", "subscribe", call(SUBSCRIBE[version], '"id": "$task"')),
            ("send-task", "send", sent(version, taskId="$task")),
            ("send-context", "send", sent(version, contextId="$context")),
            ("send-task-and-context", "send", sent(version, taskId="$task", contextId="$context")),
            ("send-reference", "send", sent(version, referenceTaskIds=["$task"])),
            (
                "push-create",
                "push_create",
                call(
                    CREATE[version],
                    '"taskId": "$task", "id": "c", "url": "https://hooks.example.org/x"'
                    if version == "1.0"
                    else '"taskId": "$task", "pushNotificationConfig": {"url": "https://hooks.example.org/x"}',
                ),
            ),
        ]
    ),
    *(
        Attack("A7", name, Right.NOT_THERE, operation, body, "1.0", who=BY_BOB)
        for name, operation, body in [
            ("push-get", "push_get", call("GetTaskPushNotificationConfig", '"taskId": "$task", "id": "c"')),
            ("push-list", "push_list", call("ListTaskPushNotificationConfigs", '"taskId": "$task"')),
            ("push-delete", "push_delete", call("DeleteTaskPushNotificationConfig", '"taskId": "$task", "id": "c"')),
            ("send-context-snake", "send", sent("1.0", context_id="$context")),
            ("send-task-snake", "send", sent("1.0", task_id="$task")),
            ("send-references-snake", "send", sent("1.0", reference_task_ids=["$task"])),
            ("push-list-snake", "push_list", call("ListTaskPushNotificationConfigs", '"task_id": "$task"')),
        ]
    ),
    *(
        Attack(
            "A7",
            f"push-{name}",
            Right.NOT_THERE,
            f"push_{name}",
            call(f"tasks/pushNotificationConfig/{name}", f'"id": "$task"{more}'),
            "0.3",
            who=BY_BOB,
        )
        for name, more in [("get", ""), ("list", ""), ("delete", ', "pushNotificationConfigId": "c"')]
    ),
    Attack("A7", "list", Right.EMPTY, "said $task", call("ListTasks", ""), who=BY_BOB),
    Attack("A7", "list-context", Right.EMPTY, "said $task", call("ListTasks", '"contextId": "$context"'), who=BY_BOB),
    Attack("A7", "http-list", Right.EMPTY, "said $task", method="GET", path="/tasks", who=BY_BOB),
    Attack(
        "A7", "http-list-context", Right.EMPTY, "said $task", method="GET", path="/tasks?contextId=$context", who=BY_BOB
    ),
    Attack(
        "A7",
        "http-list-context-snake",
        Right.EMPTY,
        "said $task",
        method="GET",
        path="/tasks?context_id=$context",
        who=BY_BOB,
    ),
    *(
        Attack(
            "A7",
            f"http-{name}",
            Right.NOT_THERE,
            operation,
            body,
            version,
            method=method,
            path=REST[version] + path,
            who=BY_BOB,
        )
        for version in VERSIONS
        for name, operation, method, path, body in [
            ("get", "said $task", "GET", "/tasks/$task", b""),
            ("subscribe", "subscribe", "GET", "/tasks/$task:subscribe", b""),
            ("push-list", "push_list", "GET", "/tasks/$task/pushNotificationConfigs", b""),
            ("push-get", "push_get", "GET", "/tasks/$task/pushNotificationConfigs/c", b""),
        ]
    ),
    Attack(
        "A7",
        "http-send-context",
        Right.NOT_THERE,
        "send",
        json.dumps(message("say hi", contextId="$context")),
        path="/message:send",
        who=BY_BOB,
    ),
    # HTTP+JSON of 0.3 has names of its own, in either spelling, and two for the message.
    *(
        Attack(
            "A7",
            f"http-send-{name}",
            Right.NOT_THERE,
            "send",
            json.dumps({member: {"content": [{"text": "say hi"}], "role": "ROLE_USER", **ids}}),
            "0.3",
            path="/v1/message:send",
            who=BY_BOB,
        )
        for name, member, ids in [
            ("message", "message", {"messageId": "m-1", "contextId": "$context"}),
            ("request-snake", "request", {"message_id": "m-1", "context_id": "$context"}),
            ("request-task", "request", {"message_id": "m-1", "task_id": "$task"}),
        ]
    ),
    Attack(
        "A10",
        "get-of-nobody",
        Right.NOT_THERE,
        "said result",
        call("GetTask", '"id": "00000000-0000-0000-0000-000000000000"'),
        who=BY_BOB,
    ),
]
