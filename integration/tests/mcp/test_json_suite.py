"""What is no JSON reaches no server, and what is one means to it what the gate has decided on. With JSONTestSuite's texts."""

import hashlib
import json
import subprocess

import pytest

from harness.mcp import ALLOW_ALL, Exchange, McpGateway, Wire
from harness.mcp.node import script
from harness.mcp.readers import READERS, readings
from harness.mcp.wire import basic
from mcp_corpus import controls
from mcp_servers.weak import WeakServer

# JSON that is refused all the same: two readers may make two things of it.
TWO_THINGS = {"y_object_duplicated_key.json", "y_object_duplicated_key_and_value.json", "y_object_escaped_null_in_key.json"}
# What the texts of the suite cannot hold, because they are texts.
BYTES = {
    "n_string_invalid_utf8": b'"\xff"',
    "n_string_overlong": b'"\xc0\xaf"',
    "n_string_overlong_six_bytes": b'"\xfc\x83\xbf\xbf\xbf\xbf"',
    "n_string_continuation_alone": b'"\x81"',
    "n_string_cut": b'"\xe2\x82"',
    "n_string_beyond_unicode": b'"\xf4\xbf\xbf\xbf"',
    "n_string_surrogate": b'"\xed\xa0\x80"',
    "n_string_surrogate_pair": b'"\xed\xa0\x81\xed\xb0\x80"',
    "n_string_latin_1": b'"\xe9"',
    "n_number_arabic": '"a": \u0661'.encode(),
    "n_space_no_break": b"\xc2\xa01",
    "n_space_vertical": b"\x0b1",
    "n_mark": b"\xef\xbb\xbf1",
    "y_string_last_character": b'"\xf4\x8f\xbf\xbf"',
    "y_string_line_separator": b'"\xe2\x80\xa8"',
    "y_number_long": b"123456789012345678901234567890.5",
    "y_number_zero_exponent": b"0e-99",
    "y_number_minus_zero": b"-0.0",
}


@pytest.fixture(scope="module")
def suite():
    """The texts by name, as bytes."""
    told = subprocess.run(script("suite.cjs"), capture_output=True, check=True, timeout=30)
    texts = {text["name"]: text["input"] for text in json.loads(told.stdout)}
    # Bytes that are no text have become replacement characters.
    kept = {name: text.encode("utf-8", "surrogatepass") for name, text in texts.items() if "\ufffd" not in text}
    return kept | BYTES


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with WeakServer() as server, McpGateway(tmp_path_factory.mktemp("json"), rules=ALLOW_ALL, crm=server) as gateway:
        yield server, gateway


def call(text, id=1):
    begin = b'{"jsonrpc": "2.0", "id": %d, "method": "tools/call", "params": {"name": "crm.search", "arguments": {"a": ' % id
    return begin + text + b"}}}"


def send(running, body):
    server, gateway = running
    server.forget()
    return Wire(gateway.envoy.port, "/crm/mcp", seconds=5).send(Exchange(basic(), body)), server


def test_the_suite_is_whole(suite):
    kinds = [name[0] for name in suite]
    assert kinds.count("n") > 180 and kinds.count("y") > 90 and kinds.count("i") > 15


def test_what_is_no_json_reaches_no_server(suite, running):
    for name, text in suite.items():
        if name.startswith("n_"):
            for body in (call(text), text):
                answer, server = send(running, body)
                assert answer.status == 400 and answer.json["error"]["code"] in (-32700, -32600), name
                assert server.received == [], name


def test_what_is_json_reaches_the_server_byte_for_byte(suite, running):
    refused = set()
    for name, text in suite.items():
        if name.startswith("y_"):
            body = call(text)
            answer, server = send(running, body)
            if answer.status == 400:
                assert server.received == []
                refused.add(name)
            else:
                assert (answer.status, [one.body for one in server.received]) == (200, [body]), name
    assert refused == TWO_THINGS


class Number(str):
    """As it is written."""


def canonical(value):
    """The one spelling of a value, written from what docs say of it and not from the gate's code."""
    match value:
        case dict():
            keys = sorted(value, key=lambda key: key.encode("utf-16-be"))
            return "{" + ",".join(f"{canonical(key)}:{canonical(value[key])}" for key in keys) + "}"
        case list():
            return "[" + ",".join(map(canonical, value)) + "]"
        case Number():
            return str(value)
        case _:
            return json.dumps(value, ensure_ascii=False)


def read(body):
    """With numbers as they are written."""
    return json.loads(body, parse_int=Number, parse_float=Number)


def plain(value):
    """Numbers as doubles, as which JavaScript and Go read them; to the last bit of one not all agree."""
    match value:
        case bool() | None | str():
            return value
        case dict():
            return {key: plain(one) for key, one in value.items()}
        case list():
            return [plain(one) for one in value]
        case _:
            return float(f"{float(value):.12g}")


def test_what_the_gate_lets_through_is_one_thing_to_all_readers_and_to_its_record(suite, running):
    """Method, tool and arguments: read by five, and in the record as digest."""
    texts = [text for name, text in suite.items() if not name.startswith("n_")]
    bodies = [call(text, id) for id, text in enumerate(texts)]
    bodies += [made.body() for made in controls() if not made.attack.headers and made.era == "legacy"]
    # The id of each, for its record.
    bodies = [body.replace(b'"id": 1,', b'"id": %d,' % (5000 + at), 1) for at, body in enumerate(bodies)]
    let_through = [body for body in bodies if send(running, body)[1].received]
    assert len(let_through) > 100
    told = readings(let_through)
    gateway = running[1]
    records = gateway.envoy.wait_records(gateway.envoy.stats()["http.mcp.downstream_rq_total"])
    asked = {record["asked"].get("jsonrpc.request.id"): record["asked"] for record in records}
    for place, body in enumerate(let_through):
        message = read(body)
        record, params = asked[message["id"]], message["params"]
        assert record["mcp.method.name"] == message["method"]
        assert record["gen_ai.tool.name"] == f"crm.{params['name']}"
        spelled = canonical(params["arguments"]).encode()
        assert record["arguments_sha256"] == hashlib.sha256(spelled).hexdigest(), body
        expected = plain(json.loads(body)["params"]["arguments"])
        for name in READERS:
            reading = told[name][place]
            assert (reading.method, reading.name) == (message["method"], params["name"]), (name, body)
            assert plain(reading.arguments) == expected, (name, body)
