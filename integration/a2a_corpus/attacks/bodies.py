"""JSON that readers take in different ways."""

from __future__ import annotations

import gzip

from ..attack import Attack, Right
from .requests import BY_BOB, GET, JSON, call, each, evil, sent


def both_ways(name: str, change, right: Right, **how: object) -> list[Attack]:
    """The same change to a body's bytes in each version."""
    return each("A11", name, lambda method, _: change(evil(method).encode()), right, **how)


def chunked(body: bytes) -> bytes:
    """A byte a chunk, which splits every key."""
    return b"".join(b"1\r\n%b\r\n" % bytes([byte]) for byte in body) + b"0\r\n\r\n"


AMBIGUOUS = [
    *each(
        "A11",
        "method-twice",
        lambda method, version: (
            f'{{"jsonrpc": "2.0", "id": 1, "method": "{GET[version]}", "params": {{"id": "$task"}}, "method": "{method}"}}'
        ),
        Right.UNPARSEABLE,
    ),
    *each(
        "A11",
        "method-twice-first",
        lambda method, version: (
            f'{{"jsonrpc": "2.0", "id": 1, "method": "{method}", "params": {{"id": "$task"}}, "method": "{GET[version]}"}}'
        ),
        Right.UNPARSEABLE,
    ),
    *each(
        "A11",
        "method-twice-escaped",
        lambda method, version: (
            f'{{"jsonrpc": "2.0", "id": 1, "method": "{GET[version]}", "params": {{"id": "$task"}}, "m\\u0065thod": "{method}"}}'
        ),
        Right.UNPARSEABLE,
    ),
    *each(
        "A11",
        "params-twice",
        lambda method, _: (
            f'{{"jsonrpc": "2.0", "id": 1, "method": "{method}", "params": {{"id": "x"}}, "params": {{"id": "$task"}}}}'
        ),
        Right.UNPARSEABLE,
    ),
    *each("A11", "task-twice", lambda method, _: call(method, '"id": "x", "id": "$task"'), Right.UNPARSEABLE),
    *each("A11", "method-escaped", lambda method, _: evil(method.replace("ancel", "\\u0061ncel")), Right.DENIED),
    *each("A11", "method-in-capitals", lambda method, _: evil(method.upper()), Right.DENIED),
    *each("A11", "method-with-space", lambda method, _: evil(method + " "), Right.UNPARSEABLE),
    *each(
        "A11",
        "method-behind-1-mib",
        lambda method, _: (
            f'{{"jsonrpc": "2.0", "id": 1, "params": {{"id": "$task", "metadata": {{"x": "{"x" * (1 << 20)}"}}}}, "method": "{method}"}}'
        ),
        Right.DENIED,
    ),
    *each(
        "A11",
        "of-9-mib",
        lambda method, _: call(method, f'"id": "$task", "metadata": {{"x": "{"x" * (9 << 20)}"}}'),
        Right.TOO_LARGE,
    ),
    *each(
        "A11",
        "nested-100",
        lambda method, _: call(method, f'"id": "$task", "metadata": {{"x": {"[" * 100}{"]" * 100}}}'),
        Right.UNPARSEABLE,
    ),
    *each(
        "A11",
        "nested-20000",
        lambda method, _: call(method, f'"id": "$task", "metadata": {{"x": {"[" * 20000}{"]" * 20000}}}'),
        Right.UNPARSEABLE,
    ),
    *each("A11", "nan", lambda method, _: call(method, '"id": "$task", "metadata": {"x": NaN}'), Right.UNPARSEABLE),
    *each(
        "A11",
        "lone-surrogate",
        lambda method, _: call(method, '"id": "$task", "metadata": {"x": "\\ud800"}'),
        Right.UNPARSEABLE,
    ),
    *each("A11", "batch", lambda method, _: f"[{evil(method)}]", Right.UNPARSEABLE),
    *each("A11", "second-object", lambda method, _: evil(method) * 2, Right.UNPARSEABLE),
    *each("A11", "garbage-behind", lambda method, _: evil(method) + " x", Right.UNPARSEABLE),
    *each("A11", "no-version", lambda method, _: evil(method).replace('"jsonrpc": "2.0", ', ""), Right.UNPARSEABLE),
    *each("A11", "id-object", lambda method, _: call(method, '"id": "$task"', id="{}"), Right.UNPARSEABLE),
    *each("A11", "no-id", lambda method, _: evil(method).replace('"id": 1, ', ""), Right.UNPARSEABLE),
    *each(
        "A11",
        "params-array",
        lambda method, _: f'{{"jsonrpc": "2.0", "id": 1, "method": "{method}", "params": ["$task"]}}',
        Right.UNPARSEABLE,
    ),
    Attack(
        "A11",
        "context-in-both-spellings",
        Right.UNPARSEABLE,
        "send",
        sent("1.0", contextId="mine", context_id="$context"),
        who=BY_BOB,
    ),
    Attack(
        "A11", "task-in-both-spellings", Right.UNPARSEABLE, "send", sent("1.0", task_id="mine", taskId="$task"), who=BY_BOB
    ),
    *both_ways("byte-order-mark", lambda body: b"\xef\xbb\xbf" + body, Right.UNPARSEABLE),
    *both_ways("utf-16", lambda body: body.decode().replace("$task", "x").encode("utf-16"), Right.UNPARSEABLE),
    *both_ways("utf-8-broken", lambda body: body[:-2] + b', "metadata": {"x": "\xff"}}}', Right.UNPARSEABLE),
    *both_ways(
        "gzip",
        lambda body: gzip.compress(body.replace(b"$task", b"x")),
        Right.MEDIA,
        headers={"content-encoding": ["gzip"]},
    ),
    *both_ways("gzip-only-said", lambda body: body, Right.MEDIA, headers={"content-encoding": ["gzip"]}),
    *both_ways("type-text", lambda body: body, Right.MEDIA, headers={"content-type": ["text/plain"]}),
    *both_ways("type-missing", lambda body: body, Right.MEDIA, headers={"content-type": []}),
    *both_ways("type-twice", lambda body: body, Right.MEDIA, headers={"content-type": [JSON, "text/plain"]}),
    *both_ways(
        "charset-latin-1", lambda body: body, Right.MEDIA, headers={"content-type": [f"{JSON}; charset=iso-8859-1"]}
    ),
    *both_ways("type-a2a", lambda body: body, Right.MEDIA, headers={"content-type": ["application/a2a+json"]}),
    *both_ways(
        "chunks-of-one",
        lambda body: chunked(body.replace(b"$task", b"x")),
        Right.DENIED,
        headers={"transfer-encoding": ["chunked"]},
    ),
    *both_ways(
        "chunks-and-length",
        lambda body: chunked(body.replace(b"$task", b"x")),
        Right.NOT_HTTP,
        headers={"transfer-encoding": ["chunked"], "content-length": ["5"]},
    ),
    *both_ways("empty", lambda body: b"", Right.UNPARSEABLE),
]
