"""The foreign readers agree on what is one thing to everybody, and show where servers would not."""

import pytest

from harness.mcp.readers import READERS, Read, readings
from mcp_corpus import CONTROLS, corpus

NAMES = list(READERS)


def read(body):
    return {name: made[0] for name, made in readings([body]).items()}


@pytest.mark.parametrize(
    ("body", "reads"),
    [
        (
            '{"id": 1, "method": "tools/call", "params": {"name": "a", "arguments": {"x": [1, null]}}}',
            Read(1, "tools/call", "a", {"x": [1, None]}),
        ),
        ('\n {"params":{"name":"\\u0061"},"method":"x","id":"7"}\r\n', Read("7", "x", "a", None)),
        (
            '{"method": "ä\u2028😀", "params": {"arguments": {"": {"": 0.5}}}}',
            Read(None, "ä\u2028😀", None, {"": {"": 0.5}}),
        ),
        ('{"params": {"arguments": {"n": 9007199254740991}}}', Read(None, None, None, {"n": 2**53 - 1})),
    ],
)
def test_all_readers_read_the_same(body, reads):
    made = read(body.encode())
    # In Go a text that is not there is empty.
    made["go"] = Read(made["go"].id, made["go"].method or None, made["go"].name or None, made["go"].arguments)
    assert made == dict.fromkeys(NAMES, reads)


@pytest.mark.parametrize("body", [b"", b"{", b"{'a': 1}", b'{"a": 1} {}', b'{"a": 1,}', b'{"a": 01}', b"\x00{}"])
def test_what_is_no_json_is_none_to_all(body):
    assert read(body) == dict.fromkeys(NAMES)


# What is something else to different servers, and the names it has there.
DIFFERENT = {
    b'{"method": "a", "Method": "b"}': {"a": {"python", "pydantic", "node", "rust"}, "b": {"go"}},
    b'{"METHOD": "b"}': {None: {"python", "pydantic", "node", "rust"}, "b": {"go"}},
    b'\xef\xbb\xbf{"method": "a"}': {"a": {"python"}, "none": {"pydantic", "node", "go", "rust"}},
    b'{"method": "a", "id": NaN}': {"a": {"python"}, "none": {"pydantic", "node", "go", "rust"}},
    '{"method": "a"}'.encode("utf-16"): {"a": {"python"}, "none": {"pydantic", "node", "go", "rust"}},
    b'{"method": "a\xff"}': {"a\ufffd": {"node", "go"}, "none": {"python", "pydantic", "rust"}},
}


@pytest.mark.parametrize("body", DIFFERENT)
def test_readers_differ_where_servers_do(body):
    found = {}
    for name, made in read(body).items():
        found.setdefault("none" if made is None else made.method, set()).add(name)
    assert found == DIFFERENT[body]


def test_the_last_of_two_members_counts_to_all():
    made = read(b'{"method": "a", "method": "b", "params": {"name": "c", "name": "d"}}')
    assert {(one.method, one.name) for one in made.values()} == {("b", "d")}


def called(made):
    """What a server would do of it, for comparison."""
    return None if made is None else repr((made.method, made.name))


def test_what_must_go_through_is_one_thing_to_all_readers():
    """So the tests of a filter may ask any of them."""
    attempts = [made for made in corpus(CONTROLS) if not made.attack.headers]
    told = readings([made.body() for made in attempts])
    assert len(attempts) > 10
    for place, made in enumerate(attempts):
        assert {called(told[name][place]) for name in NAMES} == {repr(("tools/call", made.attack.tool))}, made.name


def test_many_attacks_are_one_thing_to_one_server_and_another_to_the_next():
    attempts = corpus()
    told = readings([made.body() for made in attempts])
    split = [
        made.name for place, made in enumerate(attempts) if len({called(told[name][place]) for name in NAMES}) > 1
    ]
    assert len(split) > 20
