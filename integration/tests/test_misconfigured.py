"""Something behind the gate is wrong: the client is never blamed, and the record says what Envoy knows."""

import socket

import pytest

from harness.envoy import eventually
from providers import faults


def without_provider_filter(bootstrap):
    options = bootstrap.cluster("openai")["typed_extension_protocol_options"]
    filters = next(iter(options.values()))["http_filters"]
    filters[:] = [entry for entry in filters if entry["name"] != "tollgate.provider"]


def without_secret(bootstrap):
    (bootstrap.directory / "openai.yaml").write_text("resources: []\n")


def without_cluster(bootstrap):
    providers = bootstrap.gate_config["providers"]
    bootstrap.gate(providers=providers | {"openai": providers["openai"] | {"cluster": "misspelt"}})


def without_endpoint(bootstrap):
    cluster = bootstrap.cluster("openai")
    cluster["load_assignment"]["endpoints"] = []
    cluster["type"] = "STATIC"


@pytest.mark.parametrize("fault", [without_provider_filter, without_secret, without_cluster, without_endpoint])
def test_the_client_is_told_of_a_fault_of_the_gateway_in_its_own_format(start, client, fault):
    gateway = start(fault, allow_crash=fault is without_provider_filter)  # which is told by an error in the log
    answer = gateway.post(client, "gpt-4o-mini")
    assert answer.status >= 500 and answer.error["message"] == "no provider could answer"
    record = gateway.record()
    assert record["answer"]["end"] == "failed" and record["answer"]["details"]


def test_an_answer_that_no_provider_filter_saw_is_not_counted_as_free(start):
    gateway = start(without_provider_filter, allow_crash=True)
    gateway.post("openai", "gpt-4o-mini")
    assert gateway.record()["cost"]["certainty"] == "missing"
    assert "passed no provider filter" in gateway.envoy.log()


def test_a_model_that_the_provider_no_longer_has_is_asked_of_the_next_one(gateway, client):
    gateway.anthropic.then(faults.Status(404))
    assert gateway.post(client, "claude-sonnet").status == 200
    assert [attempt["outcome"] for attempt in gateway.record()["attempts"]] == ["failed", "served"]


def test_a_rotated_provider_key_is_used_within_seconds(start):
    gateway = start()
    gateway.openai.key = "sk-rotated-0123456789"
    assert gateway.post("openai", "gpt-4o-mini").status == 502
    secret = gateway.bootstrap.directory / "openai.yaml"
    fresh = secret.with_suffix(".new")
    fresh.write_text(secret.read_text().replace("sk-proj-provider-openai-Tr4nQ7", "sk-rotated-0123456789"))
    fresh.rename(secret)
    assert eventually(lambda: gateway.post("openai", "gpt-4o-mini").status == 200, 10)


def test_a_request_that_never_became_one_leaves_a_line_of_json_too(gateway):
    with socket.create_connection(("127.0.0.1", gateway.envoy.port)) as wire:
        wire.sendall(b"POST / HTTP/1.1\r\n")
    record = gateway.record()
    assert record["decision"] == {"verdict": "unknown", "reason": "no_record"}
