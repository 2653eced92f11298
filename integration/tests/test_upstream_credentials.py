"""`envoy/llm-providers.yaml` without our filter: Envoy itself gives each provider the credentials that it wants."""

import json
import urllib.error
import urllib.request
from contextlib import ExitStack
from pathlib import Path

import pytest

from harness import Envoy, everyone
from harness.gateway import ask, path

CLIENT = {"openai-responses": "responses", "vertex": "gemini", "bedrock-key": "bedrock", "compatible": "openai"}
VERTEX_PATH = "/v1/projects/acme/locations/europe-west4/publishers/google/models/gemini-3.8-flash:generateContent"


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """Envoy, and the providers by name; a request is routed by its `x-provider` header."""
    with ExitStack() as stack:
        servers = {name: stack.enter_context(server) for name, server in everyone.servers().items()}
        ports = {name: server.port for name, server in servers.items()}
        directory = tmp_path_factory.mktemp("credentials")
        bootstrap = everyone.bootstrap(directory, ports, {}, wasm=Path("unused"))
        without_our_filter(bootstrap)
        yield stack.enter_context(Envoy(bootstrap.config)), servers


@pytest.fixture
def envoy(running):
    return running[0]


@pytest.fixture
def servers(running):
    for server in running[1].values():
        server.reset()
    return running[1]


def without_our_filter(bootstrap):
    bootstrap.hcm["http_filters"] = [f for f in bootstrap.hcm["http_filters"] if f["name"] != "tollgate.gate"]
    for cluster in bootstrap.config["static_resources"]["clusters"]:
        for options in cluster.get("typed_extension_protocol_options", {}).values():
            options["http_filters"] = [f for f in options["http_filters"] if f["name"] != "tollgate.provider"]
    limit = {"request_body_buffer_limit": bootstrap.route["request_body_buffer_limit"]}
    bootstrap.hcm["route_config"]["virtual_hosts"][0]["routes"] = [
        {"match": {"prefix": "/"}, "route": {"cluster_header": "x-provider"}} | limit
    ]


def post(envoy, provider, text="hello there", **headers):
    client = CLIENT.get(provider, provider)
    model = everyone.SERVED[provider][0]
    where = {"vertex": VERTEX_PATH, "compatible": "/inference/chat/completions"}.get(provider, path(client, model))
    sent = {"content-type": "application/json", "x-provider": provider, "anthropic-version": "2023-06-01"} | headers
    body = json.dumps(ask(client, model, text)).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{envoy.port}{where}", body, sent)
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


@pytest.mark.parametrize("provider", everyone.SERVED)
def test_each_provider_gets_its_own_credentials(envoy, servers, provider):
    assert post(envoy, provider) == 200
    assert servers[provider].requests[0].prompt.text == "hello there"


@pytest.mark.parametrize("provider", everyone.SERVED)
def test_a_clients_own_credentials_do_not_replace_them(envoy, provider):
    stranger = {"authorization": "Bearer stranger", "x-api-key": "stranger", "x-goog-api-key": "stranger"}
    # Of those in another place than the provider's own our filter takes care.
    place = {"anthropic": "x-api-key", "gemini": "x-goog-api-key"}.get(provider, "authorization")
    assert post(envoy, provider, **{place: stranger[place]}) == 200


def test_a_signature_covers_the_body_also_when_it_is_large(envoy, servers):
    assert post(envoy, "bedrock", "word " * 1_000_000) == 200
    (request,) = servers["bedrock"].requests
    assert len(request.body) > 5_000_000 and request.header("x-amz-content-sha256") not in (None, "UNSIGNED-PAYLOAD")


def test_googles_token_is_fetched_at_most_once_and_kept(envoy, servers):
    assert [post(envoy, "vertex") for _ in range(3)] == [200] * 3
    assert len(servers["gcp-metadata"].requests) <= 1


def test_googles_token_goes_to_vertex_alone(envoy, servers):
    for provider in everyone.SERVED:
        post(envoy, provider)
    served = {name: server for name, server in servers.items() if name != "gcp-metadata"}  # who gave it
    got = [name for name, server in served.items() if everyone.VERTEX_TOKEN in repr(server.requests)]
    assert got == ["vertex"]
