"""What the strict reader of MCP lets through, the readers of servers read the same: Python's own, the one in the official
Python SDK, and Node's."""

import json
import os
import random
import shutil
import subprocess
from pathlib import Path

import pydantic_core
import pytest

ROOT = Path(__file__).resolve().parents[2]
CALL = b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"safe","arguments":{"a":[1,-2.5e3,"x"],"b":{"c":null}}}}'
SPELLINGS = [
    b'\t{"params":{"arguments":{"\\u0061":"\\ud83d\\ude00\\/","":true},"n\\u0061me":"s\\u0061fe"},\r\n'
    b'"method":"tools\\/call","id":"\\u0041","jsonrpc":"2.0"} ',
    b'{"jsonrpc":"2.0","id":-9007199254740992,"method":"resources/read","params":{"uri":"file:///a"}}',
    '{"jsonrpc":"2.0","id":"é","method":"prompts/get","params":{"name":"p","arguments":{"ſ":"\u2028","__proto__":"x"}}}'.encode(),
    b'{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"safe","arguments":'
    b'{"n":[0,-0,1e-400,1E308,0.1,9007199254740993,123456789012345678901234567890]}}}',
    b'{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"safe","arguments":%s1%s}}' % (b'{"x":' * 60, b"}" * 60),
]
# What is put into bodies: all that some reader takes for something else than another does.
PIECES = [
    *(bytes([byte]) for byte in b'{}[],:"\\/ 01-+.eE'),
    *(b'"name":"evil",', b',"name":"evil"', b'"Name":"evil",', b'"n\\u0061me":"evil",', b'"name\\u0000":"evil",'),
    *(b'"method":"tools/call",', b'"result":{},', b'"id":2,', b'"id":1.0,', b'"id":null,', b'"_meta":{},'),
    *(b'"params":{"name":"evil"},', b"NaN", b"Infinity", b"1e400", b"/**/", b"//\n", b"'", b"\0", b"\x0b", b"\xc2\xa0"),
    *(b"\xef\xbb\xbf", b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\\ud800", b"\\u0000"),
]
NODE = """
const assert = require("assert"), fs = require("fs");
for (const [hex, ours] of JSON.parse(fs.readFileSync(0))) {
  // As servers do: text first, and that must be UTF-8.
  const body = JSON.parse(new TextDecoder("utf-8", {fatal: true, ignoreBOM: true}).decode(Buffer.from(hex, "hex")));
  const params = body.params ?? {};
  assert.ok(!Array.isArray(body), hex);
  assert.deepStrictEqual(body.id, ours.id, hex);
  assert.strictEqual(body.method, ours.seen.method, hex);
  if (ours.seen.name !== null) assert.strictEqual(params.name ?? params.uri ?? params.taskId, ours.seen.name, hex);
  assert.deepStrictEqual(params.arguments ?? null, JSON.parse(ours.seen.arguments), hex);
}
"""


def bodies() -> list[bytes]:
    """Good ones and what becomes of them by one to three changes: the same in every run."""
    chance = random.Random(20261126)
    made = [CALL, *SPELLINGS]
    for _ in range(20_000):
        body = chance.choice([CALL, *SPELLINGS])
        for _ in range(chance.randint(1, 3)):
            at, cut = chance.randint(0, len(body)), chance.choice([0, 0, 0, 1, 2, 8])
            body = body[:at] + chance.choice([*PIECES, b""]) + body[at + cut :]
        made.append(body)
    return made


@pytest.fixture(scope="module")
def accepted() -> list[tuple[bytes, dict]]:
    """What is let through, and as what."""
    command = ["cargo", "run", "--locked", "--quiet", "-p", "tollgate-kernel", "--example", "read_mcp"]
    made = bodies()
    lines = "".join(body.hex() + "\n" for body in made)
    out = subprocess.run(command, cwd=ROOT, input=lines, stdout=subprocess.PIPE, text=True, check=True).stdout
    seen = [json.loads(line) for line in out.rstrip("\n").split("\n")]
    assert len(seen) == len(made) and all(ours for ours in seen[: 1 + len(SPELLINGS)])
    calls = [(body, ours) for body, ours in zip(made, seen, strict=True) if "seen" in ours]
    # Enough of both, or nothing is tested.
    assert len(calls) > 500 and sum(ours == {} for ours in seen) > 10_000
    return calls


@pytest.mark.parametrize("read", [json.loads, pydantic_core.from_json], ids=["python", "python-sdk"])
def test_python_reads_what_was_decided_upon(accepted, read):
    for body, ours in accepted:
        message = read(body)
        params = message.get("params", {})
        assert (repr(message["id"]), message["method"]) == (repr(ours["id"]), ours["seen"]["method"]), body
        named = [params[key] for key in ("name", "uri", "taskId") if key in params]
        assert ours["seen"]["name"] is None or named == [ours["seen"]["name"]], body
        assert repr(canonical(params.get("arguments"))) == repr(canonical(read(ours["seen"]["arguments"].encode()))), body


def canonical(value):
    """Without the order of keys; `repr` then tells 1 from 1.0 and True."""
    if isinstance(value, dict):
        return sorted((key, canonical(inner)) for key, inner in value.items())
    return [canonical(inner) for inner in value] if isinstance(value, list) else value


@pytest.mark.skipif(shutil.which("node") is None and not os.environ.get("CI"), reason="needs Node on the PATH")
def test_node_reads_what_was_decided_upon(accepted):
    given = json.dumps([(body.hex(), ours) for body, ours in accepted])
    subprocess.run(["node", "-e", NODE], input=given, text=True, check=True)
