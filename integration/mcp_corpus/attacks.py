"""The attacks, by the trick they use."""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from dataclasses import replace

from harness.mcp.wire import meta

from .attack import EVIL, LEGACY, MODERN_ERA, SAFE, Attack, Right

ARGUMENTS = '{"table": "customers", "id": 7}'
CALL = (
    f'{{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {{@"name": "{EVIL}", "arguments": {ARGUMENTS}}}}}'
)
# A call without `_meta` or with all of it, for bodies that are not text.
OLD = CALL.replace("@", "").encode()
NEW = CALL.replace("@", f'"_meta": {json.dumps(meta())}, ').encode()
JSON = "application/json"


def call(params: str, more: str = "", id: str = "1", method: str = "tools/call") -> str:
    """A call whose params are written out; `more` are members of the message, each with a comma behind it."""
    return f'{{{more}"jsonrpc": "2.0", "id": {id}, "method": "{method}", "params": {{@{params}}}}}'


def evil(arguments: str = ARGUMENTS) -> str:
    """Params that call the forbidden tool."""
    return f'"name": "{EVIL}", "arguments": {arguments}'


def both(name: str, change, right: Right, **how: object) -> list[Attack]:
    """The same change to a body's bytes in each era."""
    return [Attack(name, change(body), right, (era,), **how) for era, body in ((LEGACY, OLD), (MODERN_ERA, NEW))]


def harmless(body: bytes | str) -> bytes | str:
    """The same body with a tool that is allowed."""
    return body.replace(EVIL.encode(), SAFE.encode()) if isinstance(body, bytes) else body.replace(EVIL, SAFE)


PLAIN = [Attack("plain", CALL, Right.DENIED)]

# One reader takes the first, another the last.
TWICE = [
    Attack(
        "twice-name-evil-last", call(f'"name": "{SAFE}", "name": "{EVIL}", "arguments": {ARGUMENTS}'), Right.UNPARSEABLE
    ),
    Attack(
        "twice-name-evil-first",
        call(f'"name": "{EVIL}", "name": "{SAFE}", "arguments": {ARGUMENTS}'),
        Right.UNPARSEABLE,
    ),
    Attack(
        "twice-name-escaped",
        call(f'"name": "{SAFE}", "n\\u0061me": "{EVIL}", "arguments": {ARGUMENTS}'),
        Right.UNPARSEABLE,
    ),
    Attack("twice-method", call(evil(), more='"method": "tools/list", '), Right.UNPARSEABLE),
    Attack("twice-params", call(evil(), more=f'"params": {{"name": "{SAFE}"}}, '), Right.UNPARSEABLE),
    Attack("twice-id", call(evil(), more='"id": 2, '), Right.UNPARSEABLE),
    Attack(
        "twice-in-arguments",
        call('"name": "mail.send", "arguments": {"to": "ada", "to": "eve", "body": "hi"}'),
        Right.UNPARSEABLE,
        tool="mail.send",
    ),
    Attack(
        "twice-deep-in-arguments",
        call('"name": "mail.send", "arguments": {"to": "ada", "body": "hi", "more": {"a": [{"b": 1, "b": 2}]}}'),
        Right.UNPARSEABLE,
        tool="mail.send",
    ),
    Attack(
        "twice-name-header-is-last",
        call(f'"name": "{SAFE}", "name": "{EVIL}", "arguments": {ARGUMENTS}'),
        Right.UNPARSEABLE,
        (MODERN_ERA,),
        named=EVIL,
    ),
]

# The same to a parser, not to a search.
SPELLINGS = [
    Attack("escaped-key", call(f'"n\\u0061me": "{EVIL}", "arguments": {ARGUMENTS}'), Right.DENIED),
    Attack("escaped-method", call(evil(), method="tools\\/call"), Right.DENIED),
    Attack("escaped-name", call(f'"name": "database\\u002edelete_row", "arguments": {ARGUMENTS}'), Right.DENIED),
    Attack(
        "folded-key-title", call(f'"name": "{SAFE}", "Name": "{EVIL}", "arguments": {ARGUMENTS}'), Right.UNPARSEABLE
    ),
    Attack(
        "folded-key-upper", call(f'"NAME": "{EVIL}", "name": "{SAFE}", "arguments": {ARGUMENTS}'), Right.UNPARSEABLE
    ),
    Attack("folded-key-long-s", call(f'{evil()}, "argument\u017f": {{}}'), Right.UNPARSEABLE),
    Attack("folded-method", call(evil(), more='"Method": "tools/list", '), Right.UNPARSEABLE),
    Attack(
        "nul-in-key", call(f'"name": "{SAFE}", "name\\u0000": "{EVIL}", "arguments": {ARGUMENTS}'), Right.UNPARSEABLE
    ),
    Attack("nul-in-name", call(f'"name": "{EVIL}\\u0000", "arguments": {ARGUMENTS}'), Right.INVALID),
    Attack("nul-in-method", call(evil(), method="tools/call\\u0000"), Right.UNPARSEABLE),
    Attack("method-case", call(evil(), method="Tools/Call"), Right.UNKNOWN, (LEGACY,)),
    Attack("method-space", call(evil(), method="tools/call "), Right.UNPARSEABLE, (LEGACY,)),
    Attack("name-case", call(f'"name": "Database.Delete_Row", "arguments": {ARGUMENTS}'), Right.DENIED, (LEGACY,)),
    Attack("name-space", call(f'"name": " {EVIL}", "arguments": {ARGUMENTS}'), Right.INVALID, (LEGACY,)),
    Attack(
        "name-full-width",
        call(f'"name": "\uff44atabase.delete_row", "arguments": {ARGUMENTS}'),
        Right.INVALID,
        (LEGACY,),
    ),
    Attack(
        "name-zero-width",
        call(f'"name": "database.\u200bdelete_row", "arguments": {ARGUMENTS}'),
        Right.INVALID,
        (LEGACY,),
    ),
    Attack(
        "name-homoglyph", call(f'"name": "d\u0430tabase.delete_row", "arguments": {ARGUMENTS}'), Right.INVALID, (LEGACY,)
    ),
]

# What is not JSON, though some read it.
NOT_JSON = [
    Attack("nan", call(evil('{"table": "customers", "id": 7, "more": NaN}')), Right.UNPARSEABLE),
    Attack("infinity", call(evil('{"table": "customers", "id": 7, "more": -Infinity}')), Right.UNPARSEABLE),
    Attack("overflow", call(evil('{"table": "customers", "id": 7, "more": 1e400}')), Right.UNPARSEABLE),
    Attack("minus-zero", call(evil('{"table": "customers", "id": -0}')), Right.DENIED),
    Attack("leading-zero", call(evil('{"table": "customers", "id": 07}')), Right.UNPARSEABLE),
    *both("byte-order-mark", lambda body: b"\xef\xbb\xbf" + body, Right.UNPARSEABLE),
    *both("utf-16", lambda body: body.decode().encode("utf-16"), Right.UNPARSEABLE),
    *both(
        "utf-16-labelled",
        lambda body: body.decode().encode("utf-16"),
        Right.MEDIA,
        headers={"content-type": [f"{JSON}; charset=utf-16"]},
    ),
    *both("utf-8-broken", lambda body: body.replace(b"customers", b"cust\xff\xfeomers"), Right.UNPARSEABLE),
    *both("utf-8-overlong", lambda body: body.replace(b"customers", b"cust\xc0\xafomers"), Right.UNPARSEABLE),
    Attack("lone-surrogate", call(evil('{"table": "cust\\ud800omers", "id": 7}')), Right.UNPARSEABLE),
    Attack("lone-surrogate-raw", call(evil('{"table": "cust\ud800omers", "id": 7}')), Right.UNPARSEABLE),
    Attack("garbage-behind", f"{CALL} garbage", Right.UNPARSEABLE),
    Attack("second-object", f"{CALL}{CALL}", Right.UNPARSEABLE),
    Attack("second-line", f"{CALL}\n{CALL}", Right.UNPARSEABLE),
    Attack("nul-behind", f"{CALL}\0", Right.UNPARSEABLE),
    Attack("comment", f"/* safe */ {CALL}", Right.UNPARSEABLE),
    Attack("trailing-comma", f"{CALL[:-1]},}}", Right.UNPARSEABLE),
    Attack("single-quotes", CALL.replace("@", "").replace('"', "'"), Right.UNPARSEABLE, (LEGACY,)),
    Attack("control-in-string", call(f'"name": "{EVIL}\n", "arguments": {ARGUMENTS}'), Right.UNPARSEABLE),
    Attack("empty", b"", Right.UNPARSEABLE),
]

# What is JSON, but no message.
SHAPES = [
    Attack("batch", f"[{CALL}]", Right.UNPARSEABLE),
    Attack("batch-of-two", f'[{{"jsonrpc": "2.0", "id": 2, "method": "ping"}}, {CALL}]', Right.UNPARSEABLE),
    Attack("batch-of-2025-03-26", f"[{CALL}]", Right.UNPARSEABLE, (LEGACY,), {"mcp-protocol-version": ["2025-03-26"]}),
    *(
        Attack(f"id-{name}", call(evil(), id=id), Right.UNPARSEABLE)
        for name, id in [
            ("null", "null"),
            ("object", "{}"),
            ("array", "[1]"),
            ("true", "true"),
            ("fraction", "7.5"),
            ("float", "7.0"),
            ("overflow", "1e400"),
            ("huge", "9" * 400),
        ]
    ),
    Attack("no-id", f'{{"jsonrpc": "2.0", "method": "tools/call", "params": {{@{evil()}}}}}', Right.UNPARSEABLE),
    Attack("no-version", f'{{"id": 1, "method": "tools/call", "params": {{@{evil()}}}}}', Right.UNPARSEABLE),
    Attack("version-1", call(evil(), more="").replace('"2.0"', '"1.0"'), Right.UNPARSEABLE),
    Attack("result-and-method", call(evil(), more='"result": {}, '), Right.UNPARSEABLE),
    Attack("error-and-method", call(evil(), more='"error": {"code": 1, "message": ""}, '), Right.UNPARSEABLE),
    Attack("unknown-member", call(evil(), more='"more": 1, '), Right.UNPARSEABLE),
    Attack(
        "params-array",
        f'{{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": ["{EVIL}", {ARGUMENTS}]}}',
        Right.UNPARSEABLE,
    ),
    Attack(
        "params-text", f'{{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": "{EVIL}"}}', Right.UNPARSEABLE
    ),
    Attack("name-array", call(f'"name": ["{EVIL}"], "arguments": {ARGUMENTS}'), Right.INVALID),
    Attack("arguments-array", call(f'"name": "{EVIL}", "arguments": [{ARGUMENTS}]'), Right.INVALID),
]

# Where a reader gives up or looks no further.
SIZES = [
    Attack(
        "name-behind-12-kib",
        call(f'"arguments": {{"table": "{"x" * 12288}", "id": 7}}, "name": "{EVIL}"'),
        Right.DENIED,
    ),
    Attack("unknown-member-of-12-kib", call(evil(), more=f'"more": "{"x" * 12288}", '), Right.UNPARSEABLE),
    Attack("white-space-of-12-kib", " " * 12288 + CALL, Right.DENIED),
    Attack(
        "nested-100",
        call(evil(f'{{"table": "customers", "id": 7, "more": {"[" * 100}{"]" * 100}}}')),
        Right.UNPARSEABLE,
    ),
    Attack(
        "nested-20000",
        call(evil(f'{{"table": "customers", "id": 7, "more": {"[" * 20000}{"]" * 20000}}}')),
        Right.UNPARSEABLE,
    ),
    Attack("of-3-mib", call(evil(f'{{"table": "{"x" * (3 << 20)}", "id": 7}}')), Right.TOO_LARGE),
]

# What the body is said to be.
MEDIA = [
    Attack("type-in-capitals", CALL, Right.DENIED, headers={"content-type": ["Application/JSON"]}),
    Attack("type-list", CALL, Right.MEDIA, headers={"content-type": [f"{JSON}, text/plain"]}),
    Attack("type-twice", CALL, Right.MEDIA, headers={"content-type": [JSON, "text/plain"]}),
    Attack("type-twice-json-last", CALL, Right.MEDIA, headers={"content-type": ["text/plain", JSON]}),
    Attack("type-text", CALL, Right.MEDIA, headers={"content-type": ["text/plain"]}),
    Attack("type-of-a-form", CALL, Right.MEDIA, headers={"content-type": ["application/x-www-form-urlencoded"]}),
    Attack("type-json-rpc", CALL, Right.MEDIA, headers={"content-type": ["application/json-rpc"]}),
    Attack("type-missing", CALL, Right.MEDIA, headers={"content-type": []}),
    Attack("type-empty", CALL, Right.MEDIA, headers={"content-type": [""]}),
    Attack("charset-latin-1", CALL, Right.MEDIA, headers={"content-type": [f"{JSON}; charset=iso-8859-1"]}),
    Attack("charset-utf-8", CALL, Right.DENIED, headers={"content-type": [f"{JSON}; charset=utf-8"]}),
    *both("gzip", gzip.compress, Right.MEDIA, headers={"content-encoding": ["gzip"]}),
    *both("deflate", zlib.compress, Right.MEDIA, headers={"content-encoding": ["deflate"]}),
    *both("gzip-in-capitals", gzip.compress, Right.MEDIA, headers={"content-encoding": ["GZIP"]}),
    Attack("gzip-only-said", CALL, Right.MEDIA, headers={"content-encoding": ["gzip"]}),
    Attack("identity", CALL, Right.DENIED, headers={"content-encoding": ["identity"]}),
]


def chunked(size: int, extension: bytes = b""):
    """A body in chunks of this size."""

    def change(body: bytes) -> bytes:
        pieces = [body[start : start + size] for start in range(0, len(body), size)]
        return b"".join(b"%x%b\r\n%b\r\n" % (len(piece), extension, piece) for piece in pieces) + b"0\r\n\r\n"

    return change


CHUNKED = {"transfer-encoding": ["chunked"]}
FRAMES = [
    *both("chunks-of-one", chunked(1), Right.DENIED, headers=CHUNKED),
    *both("chunks-with-extensions", chunked(16, b";name=safe"), Right.DENIED, headers=CHUNKED),
    *both(
        "chunks-and-length",
        chunked(16),
        Right.NOT_HTTP,
        headers=CHUNKED | {"content-length": ["5"]},
    ),
    *both("chunked-twice", chunked(16), Right.NOT_HTTP, headers={"transfer-encoding": ["chunked", "chunked"]}),
    *both("chunked-gzip", chunked(16), Right.NOT_HTTP, headers={"transfer-encoding": ["gzip, chunked"]}),
    *both("lengths-differ", lambda body: body, Right.NOT_HTTP, headers={"content-length": ["5", "300"]}),
]


def sentinel(value: str, prefix: str = "=?base64?") -> str:
    """A header value as 2026-07-28 writes those that a header cannot hold."""
    return f"{prefix}{base64.b64encode(value.encode()).decode()}?="


# Headers that say something else than the body.
HEADERS = [
    Attack("name-header-lies", CALL, Right.MISMATCH, headers={"mcp-name": [SAFE]}),
    Attack("method-header-lies", CALL, Right.MISMATCH, headers={"mcp-method": ["tools/list"]}),
    Attack("both-headers-lie", CALL, Right.MISMATCH, headers={"mcp-method": ["tools/call"], "mcp-name": [SAFE]}),
    Attack("name-header-missing", CALL, Right.MISMATCH, (MODERN_ERA,), {"mcp-name": []}),
    Attack("method-header-missing", CALL, Right.MISMATCH, (MODERN_ERA,), {"mcp-method": []}),
    Attack("name-header-twice", CALL, Right.AMBIGUOUS, (MODERN_ERA,), {"mcp-name": [SAFE, EVIL]}),
    Attack("name-header-twice-evil-first", CALL, Right.AMBIGUOUS, (MODERN_ERA,), {"mcp-name": [EVIL, SAFE]}),
    Attack("name-header-in-base64", CALL, Right.DENIED, (MODERN_ERA,), {"mcp-name": [sentinel(EVIL)]}),
    Attack("name-header-in-base64-lies", CALL, Right.MISMATCH, (MODERN_ERA,), {"mcp-name": [sentinel(SAFE)]}),
    Attack(
        "name-header-in-capital-base64",
        CALL,
        Right.MISMATCH,
        (MODERN_ERA,),
        {"mcp-name": [sentinel(EVIL, "=?BASE64?")]},
    ),
    Attack(
        "name-header-in-broken-base64", CALL, Right.MISMATCH, (MODERN_ERA,), {"mcp-name": ["=?base64?ZGF0YWJhc2U?="]}
    ),
    Attack("name-header-case", CALL, Right.MISMATCH, (MODERN_ERA,), {"mcp-name": [EVIL.upper()]}),
    Attack("name-header-spaces", CALL, Right.DENIED, (MODERN_ERA,), {"mcp-name": [f"  {EVIL}  "]}),
    Attack("revision-twice", CALL, Right.AMBIGUOUS, headers={"mcp-protocol-version": ["2025-11-25", "2026-07-28"]}),
    Attack("revision-missing", CALL, Right.DENIED, (LEGACY,), {"mcp-protocol-version": []}),
    Attack("revision-missing", CALL, Right.MISMATCH, (MODERN_ERA,), {"mcp-protocol-version": []}),
    Attack(
        "revision-of-the-other-era",
        CALL,
        Right.AMBIGUOUS,
        headers={"mcp-protocol-version": ["2025-06-18"]},
        eras=(MODERN_ERA,),
    ),
    Attack(
        "revision-of-the-other-era",
        CALL,
        Right.AMBIGUOUS,
        headers={"mcp-protocol-version": ["2026-07-28"]},
        eras=(LEGACY,),
    ),
    Attack("revision-unknown", CALL, Right.REVISION, (LEGACY,), {"mcp-protocol-version": ["2099-01-01"]}),
    Attack("revision-unknown", CALL, Right.MISMATCH, (MODERN_ERA,), {"mcp-protocol-version": ["2099-01-01"]}),
    Attack("session-twice", CALL, Right.AMBIGUOUS, (LEGACY,), {"mcp-session-id": ["{session}", "other"]}),
    Attack(
        "unasked-answers",
        call(f'{evil()}, "inputResponses": {{"sure": {{"action": "accept", "content": {{"sure": true}}}}}}'),
        Right.DENIED,
        (MODERN_ERA,),
    ),
    Attack(
        "forged-state",
        call(f'{evil()}, "inputResponses": {{"sure": {{"action": "accept"}}}}, "requestState": "v1.approved.0000"'),
        Right.DENIED,
        (MODERN_ERA,),
    ),
]

# Arguments that a proxy reads in a header. The tool is allowed; the lie is not.
ROWS = '"name": "database.read_rows", "arguments": {"region": "eu", "table": "customers", "limit": 7}'
PARAM_HEADERS = [
    Attack(f"param-header-{name}", call(ROWS), Right.MISMATCH, (MODERN_ERA,), headers, tool="database.read_rows")
    for name, headers in {
        "lies": {"mcp-param-region": ["us"], "mcp-param-limit": ["7"]},
        "missing": {"mcp-param-limit": ["7"]},
        "twice": {"mcp-param-region": ["eu", "us"], "mcp-param-limit": ["7"]},
        "in-broken-base64": {"mcp-param-region": ["=?base64?ZX?="], "mcp-param-limit": ["7"]},
        "number-lies": {"mcp-param-region": ["eu"], "mcp-param-limit": ["8"]},
    }.items()
]

# Other ways to the same server.
WAYS = [
    *(
        Attack(f"path-{name}", CALL, Right.NO_SERVER, path=path)
        for name, path in [
            ("slash-behind", "/mcp/"),
            ("in-capitals", "/MCP"),
            ("parameter", "/mcp;a"),
            ("escaped-slash", "/x%2fmcp"),
            ("sse", "/sse"),
            ("messages", "/messages?sessionId=1"),
        ]
    ),
    *(
        Attack(f"path-{name}", CALL, Right.DENIED, path=path)
        for name, path in [
            ("query", "/mcp?x=1"),
            ("dots", "/x/..//mcp"),
            ("two-slashes", "//mcp"),
        ]
    ),
    Attack("path-escaped", CALL, Right.NO_SERVER, path="/%6dcp"),
    Attack("put", CALL, Right.METHOD, method="PUT"),
    Attack("patch", CALL, Right.METHOD, method="PATCH"),
    Attack("get-with-body", CALL, Right.METHOD, method="GET", headers={"accept": [JSON]}),
    Attack("delete-with-body", CALL, Right.METHOD, (MODERN_ERA,), method="DELETE"),
    Attack("method-override", CALL, Right.METHOD, method="PUT", headers={"x-http-method-override": ["POST"]}),
]

ATTACKS = [*PLAIN, *TWICE, *SPELLINGS, *NOT_JSON, *SHAPES, *SIZES, *MEDIA, *FRAMES, *HEADERS, *PARAM_HEADERS, *WAYS]

# Over HTTP/2, which the servers themselves do not speak.
HTTP2 = [
    Attack("trailers", CALL, Right.UNPARSEABLE, trailers=(("x-more", "1"),)),
    Attack("trailers-lie", CALL, Right.UNPARSEABLE, trailers=(("mcp-name", SAFE), ("content-type", "text/plain"))),
    Attack("name-header-twice", CALL, Right.AMBIGUOUS, (MODERN_ERA,), {"mcp-name": [SAFE, EVIL]}),
]

# What a filter must not lose: the same odd shapes around a tool that is allowed. Here it is right that the tool runs.
CONTROLS = [
    *(
        replace(attack, body=harmless(attack.body), right=Right.ALLOWED, tool=SAFE)
        for attack in [*PLAIN, *SIZES, *MEDIA, *WAYS]
        if attack.right is Right.DENIED
    ),
    *both("chunks-of-one", lambda body: chunked(1)(harmless(body)), Right.ALLOWED, headers=CHUNKED, tool=SAFE),
    *both(
        "chunks-with-extensions",
        lambda body: chunked(16, b";name=evil")(harmless(body)),
        Right.ALLOWED,
        headers=CHUNKED,
        tool=SAFE,
    ),
]
