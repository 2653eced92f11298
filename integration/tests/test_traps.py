"""The traps of Envoy and proxy-wasm, each by name."""

import gzip
import http.client
import json
import socket
import time
from contextlib import ExitStack

import pytest

from harness import Gateway, ask, teams
from harness.gateway import PATHS
from harness.http2 import post_with_trailers
from harness.sdks import CITY
from providers import faults
from providers.http2 import Http2Front
from providers.raw import RawServer, requests_in

KEY = ("authorization", f"Bearer {teams.KEYS['support']}")
JSON = ("content-type", "application/json")


def body_of(client, model="gpt-4o-mini", **more):
    return json.dumps(ask(client, model, **more)).encode()


# Trailers: the last piece of such a body never says that it is the last.


def test_a_request_with_trailers_is_served_whole(gateway, client):
    answer = post_with_trailers(gateway.envoy.port, PATHS[client], [KEY, JSON], body_of(client), [("x-after", "1")])
    assert answer.status == 200 and b"hello there" in answer.body
    assert gateway.openai.requests[0].json["messages"]
    assert gateway.record()["answer"]["end"] == "complete"


@pytest.mark.parametrize(
    ("key", "model", "status"),
    [
        ("Bearer tg_support_wrong", "gpt-4o-mini", 401),
        (f"Bearer {teams.KEYS['finance']}", "claude-sonnet", 403),
        (f"Bearer {teams.KEYS['support']}", "gpt-9", 404),
    ],
)
def test_trailers_do_not_get_a_request_past_the_gate(gateway, client, key, model, status):
    headers = [("authorization", key), JSON]
    answer = post_with_trailers(gateway.envoy.port, PATHS[client], headers, body_of(client, model), [("x-after", "1")])
    assert answer.status == status
    assert not gateway.openai.requests and not gateway.anthropic.requests


def test_a_body_of_trailers_only_is_refused(gateway, client):
    answer = post_with_trailers(gateway.envoy.port, PATHS[client], [KEY, JSON], b"", [("x-after", "1")])
    assert answer.status == 400


def test_a_request_with_tools_and_trailers_is_translated_whole(gateway, client):
    names = ["weather", "stocks"]
    if client == "openai":
        tools = [{"type": "function", "function": {"name": name, "parameters": CITY}} for name in names]
    else:
        tools = [{"name": name, "input_schema": CITY} for name in names]
    for model in ("gpt-4o-mini", "claude-alone"):
        body = body_of(client, model, text="use weather for Oslo", tools=tools)
        answer = post_with_trailers(gateway.envoy.port, PATHS[client], [KEY, JSON], body, [("x-after", "1")])
        assert answer.status == 200 and b"Oslo" in answer.body and b"weather" in answer.body


def put_http2_between(bootstrap, name, port):
    """A provider over HTTP/2 whose answers end with trailers."""
    bootstrap.point(name, port)
    for options in bootstrap.cluster(name)["typed_extension_protocol_options"].values():
        options["explicit_http_config"] = {"http2_protocol_options": {}}


@pytest.fixture(scope="module")
def trailing(tmp_path_factory):
    """A gateway whose providers end every answer with trailers."""

    def change(bootstrap):
        for provider in gateway.providers:
            front = stack.enter_context(Http2Front(provider))
            put_http2_between(bootstrap, provider.NAME, front.port)

    with ExitStack() as stack:
        gateway = Gateway(tmp_path_factory.mktemp("trailing"), change)
        yield stack.enter_context(gateway)


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
@pytest.mark.parametrize("model", ["gpt-4o-mini", "claude-alone"])
def test_an_answer_that_ends_with_trailers_arrives_whole(trailing, client, model, stream):
    trailing.fresh()
    said = trailing.sdk(client).ask(model, "one two three", stream=stream)
    assert (said.text, said.input, said.output) == ("You said: one two three", 3, 5)
    record = trailing.record()
    assert record["answer"]["end"] == "complete" and record["cost"]["certainty"] == "exact"


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
@pytest.mark.parametrize(
    "fault", [faults.Status(503), faults.NotJson(), faults.EmptyOk(), faults.ErrorIn200()], ids=repr
)
def test_a_failure_that_ends_with_trailers_goes_to_the_next_provider(trailing, client, fault, stream):
    trailing.fresh()
    trailing.anthropic.then(fault)
    assert trailing.sdk(client).ask("claude-sonnet", stream=stream).text == "You said: hello there"
    assert [attempt["outcome"] for attempt in trailing.record()["attempts"]] == ["failed", "served"]


@pytest.mark.parametrize("fault", [faults.Status(400), faults.Status(503), faults.NotJson()], ids=repr)
def test_the_last_providers_failure_that_ends_with_trailers_is_an_error_of_the_clients_format(trailing, client, fault):
    trailing.fresh()
    trailing.openai.then(fault)
    answer = trailing.post(client, "gpt-4o-mini")
    assert answer.status >= 400 and answer.error["message"]
    assert (client == "anthropic") == (answer.json.get("type") == "error")


def test_a_stream_that_trailers_end_in_the_middle_is_broken_off(trailing, client):
    # Envoy takes no error event in this place; a client of any format sees that something is missing.
    trailing.fresh()
    trailing.anthropic.then(faults.Cut(5, clean=True))
    with trailing.stream(client, "claude-alone") as stream, pytest.raises(http.client.IncompleteRead):
        stream.read()
    record = trailing.record()
    assert record["answer"]["end"] == "cut" and record["attempts"][0]["reason"] == "stream_cut"


# Headers: bytes that are no text, and names that come twice.


@pytest.mark.parametrize("name", ["x-odd", "user-agent", "traceparent", "accept", "cookie", "x-request-id"])
def test_a_header_that_is_not_utf8_does_no_harm(gateway, client, name):
    answer = gateway.send("POST", PATHS[client], [KEY, JSON, (name, b"caf\xe9\xff\xfe")], body_of(client))
    assert answer.status == 200


@pytest.mark.parametrize("name", ["authorization", "x-api-key", "api-key", "x-goog-api-key"])
def test_a_key_that_is_not_utf8_is_no_key(gateway, client, name):
    answer = gateway.send("POST", PATHS[client], [JSON, (name, b"Bearer tg_support_\xff\xfe")], body_of(client))
    assert answer.status == 401 and answer.error["message"]


def test_a_second_key_header_is_not_overlooked(gateway, client):
    headers = [("x-api-key", teams.KEYS["support"]), ("x-api-key", teams.KEYS["finance"]), JSON]
    assert gateway.send("POST", PATHS[client], headers, body_of(client)).status == 401


@pytest.mark.parametrize("second", ["gzip", "identity, gzip"])
def test_a_second_encoding_header_is_not_overlooked(gateway, client, second):
    headers = [KEY, JSON, ("content-encoding", "identity"), ("content-encoding", second)]
    assert gateway.send("POST", PATHS[client], headers, body_of(client)).status == 415


# Lengths: Envoy does not mend content-length after a body has changed.


@pytest.mark.parametrize("model", ["gpt-4o", "claude-sonnet"])
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
def test_a_changed_body_keeps_its_true_length_on_the_wire(start, client, model, stream):
    answers = {"gpt-4o": {"choices": []}, "claude-sonnet": {"content": []}}
    name = {"gpt-4o": "openai", "claude-sonnet": "anthropic"}[model]
    with RawServer(answers[model]) as raw:
        gateway = start(lambda bootstrap: bootstrap.point(name, raw.port))
        for text in ("short", "long " * 500, "short again"):
            gateway.post(client, model, text, stream=stream)
        for connection in raw.connections:
            requests, left = requests_in(bytes(connection))
            assert left == b""
            assert all(head.startswith(b"POST /v1/") and json.loads(body) for head, body in requests)
        assert sum(len(requests_in(bytes(connection))[0]) for connection in raw.connections) == 3


def test_a_translated_answer_has_its_true_length(gateway, client):
    for model in ("gpt-4o-mini", "claude-alone"):
        answer = gateway.post(client, model, "word " * 300)
        length = answer.header("content-length")
        assert length is None or int(length) == len(answer.body)
        assert answer.json


# Sizes.


def chunked(gateway, client, size):
    """A large request that does not say how large."""
    with socket.create_connection(("127.0.0.1", gateway.envoy.port), timeout=15) as wire:
        head = f"POST {PATHS[client]} HTTP/1.1\r\nhost: x\r\n{KEY[0]}: {KEY[1]}\r\n{JSON[0]}: {JSON[1]}\r\n"
        wire.sendall(head.encode() + b"transfer-encoding: chunked\r\nconnection: close\r\n\r\n")
        piece = b"%x\r\n" % 65536 + b" " * 65536 + b"\r\n"
        try:
            for _ in range(size // 65536):
                wire.sendall(piece)
            wire.sendall(b"0\r\n\r\n")
        except OSError:
            pass  # answered before all was said
        received = b""
        try:
            while more := wire.recv(65536):
                received += more
        except OSError:
            pass
    return received


def test_a_body_over_the_limit_is_refused_in_the_clients_format(gateway, client):
    answer = gateway.send("POST", PATHS[client], [KEY, JSON], b" " * (11 << 20))
    assert answer.status == 413 and answer.error["message"]
    assert client == "openai" or answer.json["error"]["type"] == "request_too_large"
    record = gateway.record()
    assert record["decision"]["reason"] == "request_too_large" and record["answer"]["end"] == "refused"
    assert not gateway.openai.requests


def test_a_body_over_the_limit_is_refused_also_when_it_hides_its_length(gateway, client):
    received = chunked(gateway, client, 11 << 20)
    assert received.startswith(b"HTTP/1.1 413") and b'"error"' in received
    assert gateway.record()["decision"]["reason"] == "request_too_large"


def test_a_body_under_the_limit_but_above_envoys_default_buffer_passes(gateway, client):
    said = gateway.sdk(client).ask("gpt-4o-mini", "word " * 500_000)
    assert said.input == 500_000


def test_a_large_body_falls_back_too(gateway, client):
    gateway.anthropic.then(faults.Status(503))
    assert gateway.sdk(client).ask("claude-sonnet", "word " * 500_000).input == 500_000


def test_a_large_answer_passes(gateway, client):
    for model in ("gpt-4o-mini", "claude-alone"):
        gateway.openai.always(faults.Huge(3 << 20))
        gateway.anthropic.always(faults.Huge(3 << 20))
        assert len(gateway.sdk(client).ask(model).text) == 3 << 20


def test_an_answer_over_the_limit_is_an_error_not_half_an_answer(start, client):
    gateway = start(lambda bootstrap: bootstrap.gate(bounds={"response_bytes": 65536}))
    gateway.openai.then(faults.Huge(1 << 20))
    answer = gateway.post(client, "gpt-4o-mini")
    assert answer.status >= 500 and answer.error["message"]


# Compression.


def test_a_compressed_request_is_refused(gateway, client):
    headers = [KEY, JSON, ("content-encoding", "gzip")]
    answer = gateway.send("POST", PATHS[client], headers, gzip.compress(body_of(client)))
    assert answer.status == 415 and answer.error["message"]
    assert gateway.record()["decision"]["reason"] == "unsupported_content_encoding"
    assert not gateway.openai.requests


def test_the_provider_is_not_asked_to_compress(gateway, client):
    gateway.post(client, "gpt-4o-mini", headers=[("accept-encoding", "gzip, br")])
    assert gateway.openai.requests[0].header("accept-encoding") in (None, "identity")


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
def test_an_answer_compressed_unasked_goes_to_the_next_provider(gateway, client, stream):
    gateway.anthropic.then(faults.Gzip())
    answer = gateway.post(client, "claude-sonnet", stream=stream)
    assert answer.status == 200 and b"hello" in answer.body and answer.header("content-encoding") is None
    failed, served = gateway.record()["attempts"]
    assert (failed["provider"], failed["reason"]) == ("anthropic", "encoded_answer")
    assert (served["provider"], served["outcome"]) == ("openai", "served")


def test_when_the_last_provider_compresses_unasked_the_client_is_told(gateway, client):
    gateway.openai.then(faults.Gzip())
    answer = gateway.post(client, "gpt-4o-mini")
    assert answer.status == 502 and answer.error["message"] and answer.header("content-encoding") is None


# Our own refusal passes back through our own response callbacks.


def test_our_own_refusal_is_recorded_once_and_not_translated(gateway, client):
    answer = gateway.post(client, "gpt-9")
    assert answer.error["message"]
    record = gateway.record()
    assert record["attempts"] == [] and record["answer"]["bytes"] == len(answer.body)
    time.sleep(0.2)
    assert len(gateway.records(1)) == 1


# A stream that another filter refused before us: we are called for its end only.


def test_a_stream_that_jwt_authn_refused_leaves_a_record_and_no_crash(start, client):
    gateway = start(put_jwt_authn_first)
    answer = gateway.post(client, "gpt-4o-mini")
    assert answer.status == 401 and b"Jwt is missing" in answer.body
    record = gateway.record()
    assert record["answer"]["status"] == 401 and record["attempts"] == [] and "subject" not in record


JWKS = json.dumps({"keys": [{"kty": "oct", "alg": "HS256", "kid": "any", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQ"}]})


def put_jwt_authn_first(bootstrap):
    """A filter before ours that wants a token nobody has."""
    provider = {"issuer": "test", "from_headers": [{"name": "x-jwt"}], "local_jwks": {"inline_string": JWKS}}
    jwt_authn = {
        "name": "envoy.filters.http.jwt_authn",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
            "providers": {"test": provider},
            "rules": [{"match": {"prefix": "/"}, "requires": {"provider_name": "test"}}],
        },
    }
    bootstrap.hcm["http_filters"].insert(0, jwt_authn)


# Our own headers are ours.

OURS = [
    ("x-tollgate-route", "gpt-4o-mini"),
    ("x-tollgate-targets", "AAAA"),
    ("x-tollgate-subject", "admin"),
    ("X-Tollgate-Team", "x"),
]


def test_headers_of_ours_that_a_client_sends_open_no_door(gateway, client):
    assert gateway.send("POST", PATHS[client], [*OURS, JSON], body_of(client)).status == 401
    assert not gateway.openai.requests


def test_headers_of_ours_that_a_client_sends_are_ignored(gateway, client):
    assert gateway.post(client, "claude-alone", headers=OURS).status == 200
    (request,) = gateway.anthropic.requests
    assert not gateway.openai.requests
    assert not [name for name, _ in request.headers if name.lower().startswith("x-tollgate")]
    assert gateway.record()["subject"]["team"] == "support"


# Connections are reused; nothing of one request may stay for the next.


def test_requests_on_one_connection_do_not_mix(gateway, client):
    connection = http.client.HTTPConnection("127.0.0.1", gateway.envoy.port, timeout=10)
    statuses = []
    for model, key in [("gpt-4o-mini", KEY), ("gpt-9", KEY), ("claude-alone", KEY), ("gpt-4o-mini", ("x-none", "1"))]:
        connection.request("POST", PATHS[client], body_of(client, model), dict([key, JSON]))
        answer = connection.getresponse()
        statuses.append(answer.status)
        answer.read()
    connection.close()
    assert statuses == [200, 404, 200, 401]
    assert [record["answer"]["status"] for record in gateway.records(4)] == statuses
