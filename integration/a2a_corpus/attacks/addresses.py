"""Push notifications to where they must not go, and cards."""

from __future__ import annotations

import json

from harness.a2a.wire import message

from ..attack import Attack, Right
from .requests import VERSIONS, call, sent

URLS = {
    "other-host": "https://evil.example.org/x",
    "plain-http": "http://hooks.example.org/x",
    "loopback": "https://127.0.0.1/x",
    "localhost": "https://localhost/x",
    "decimal": "https://2130706433/x",
    "octal": "https://0177.0.0.1/x",
    "hex": "https://0x7f.1/x",
    "mapped": "https://[::ffff:127.0.0.1]/x",
    "zone": "https://[fe80::1%25eth0]/x",
    "metadata-service": "http://169.254.169.254/latest/meta-data",
    "user-info": "https://hooks.example.org@evil.example.org/x",
    "user-info-back": "https://evil.example.org\\@hooks.example.org/x",
    "trailing-dot": "https://hooks.example.org./x",
    "suffix": "https://hooks.example.org.evil.example/x",
    "punycode": "https://xn--hooks-9za.example.org/x",
    "full-width": "https://\uff48ooks.example.org/x",
    "port": "https://hooks.example.org:22/x",
    "line-break": "https://hooks.example.org/x\r\nhost: evil",
    "tab": "https://ho\toks.example.org/x",
    "file": "file:///etc/passwd",
    "relative": "//evil.example.org/x",
}


def inline(version: str, url: str, token: str = "t") -> str:
    """A message with an address for notifications in it."""
    member = "taskPushNotificationConfig" if version == "1.0" else "pushNotificationConfig"
    return sent(version, "make a", configuration={member: {"url": url, "token": token}})


PUSHES = [
    *(
        attack
        for name, url in URLS.items()
        for attack in [
            *(
                Attack("A8", f"inline-{name}", Right.DENIED, f"push {url}", inline(version, url), version)
                for version in VERSIONS
            ),
            Attack(
                "A8",
                f"create-{name}",
                Right.DENIED,
                f"push {url}",
                call("CreateTaskPushNotificationConfig", f'"taskId": "$task", "id": "c", "url": {json.dumps(url)}'),
            ),
        ]
    ),
    *(
        attack
        for name, url in list(URLS.items())[:4]
        for attack in [
            Attack(
                "A8",
                f"set-{name}",
                Right.DENIED,
                f"push {url}",
                call(
                    "tasks/pushNotificationConfig/set",
                    f'"taskId": "$task", "pushNotificationConfig": {{"url": {json.dumps(url)}}}',
                ),
                "0.3",
            ),
            Attack(
                "A8",
                f"http-create-{name}",
                Right.DENIED,
                f"push {url}",
                json.dumps({"url": url}),
                path="/tasks/$task/pushNotificationConfigs",
            ),
            Attack(
                "A8",
                f"http-create-{name}",
                Right.DENIED,
                f"push {url}",
                json.dumps(
                    {
                        "parent": "tasks/$task",
                        "config_id": "c",
                        "config": {
                            "name": "tasks/$task/pushNotificationConfigs/c",
                            "push_notification_config": {"url": url},
                        },
                    }
                ),
                "0.3",
                path="/v1/tasks/$task/pushNotificationConfigs",
            ),
            Attack(
                "A8",
                f"http-inline-{name}",
                Right.DENIED,
                f"push {url}",
                json.dumps(message("make a") | {"configuration": {"taskPushNotificationConfig": {"url": url}}}),
                path="/message:send",
            ),
            Attack(
                "A8",
                f"http-inline-{name}",
                Right.DENIED,
                f"push {url}",
                json.dumps(
                    {
                        "request": {"message_id": "m-1", "role": "ROLE_USER", "content": [{"text": "make a"}]},
                        "configuration": {"push_notification": {"url": url}},
                    }
                ),
                "0.3",
                path="/v1/message:send",
            ),
            Attack(
                "A8",
                f"inline-snake-{name}",
                Right.DENIED,
                f"push {url}",
                sent("1.0", "make a", configuration={"task_push_notification_config": {"url": url}}),
            ),
        ]
    ),
    Attack(
        "A8",
        "token-line-break",
        Right.DENIED,
        "push t\r\nx-evil: 1",
        inline("1.0", "https://hooks.example.org/x", "t\r\nx-evil: 1"),
    ),
    Attack(
        "A8",
        "no-task",
        Right.INVALID,
        "push_create",
        call("CreateTaskPushNotificationConfig", '"taskId": "", "url": "https://hooks.example.org/x"'),
    ),
]

CARDS = [
    Attack("A9", "public", Right.CARD, "said http://localhost:", method="GET", path="/.well-known/agent-card.json"),
    Attack(
        "A9",
        "public-0.3",
        Right.CARD,
        "said http://localhost:",
        method="GET",
        path="/.well-known/agent-card.json",
        version="0.3",
    ),
    Attack(
        "A9",
        "old-path",
        Right.CARD_IF_ANY,
        "said http://localhost:",
        method="GET",
        path="/.well-known/agent.json",
        version="0.3",
    ),
    Attack("A9", "extended", Right.CARD, "said http://localhost:", call("GetExtendedAgentCard", "")),
    Attack(
        "A9",
        "extended-0.3",
        Right.CARD,
        "said http://localhost:",
        call("agent/getAuthenticatedExtendedCard", ""),
        "0.3",
    ),
    Attack("A9", "http-extended", Right.CARD, "said http://localhost:", method="GET", path="/extendedAgentCard"),
    Attack(
        "A9", "http-extended-0.3", Right.CARD, "said http://localhost:", method="GET", path="/v1/card", version="0.3"
    ),
    Attack(
        "A9",
        "accepts-gzip",
        Right.CARD,
        "said http://localhost:",
        method="GET",
        path="/.well-known/agent-card.json",
        headers={"accept-encoding": ["gzip, br"]},
    ),
]
