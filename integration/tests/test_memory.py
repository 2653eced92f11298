"""Answers that are held take memory. Below its bounds nothing breaks; past that of wasm the filter fails closed."""

import time

import pytest

from harness import teams
from harness.envoy import eventually
from harness.gateway import at_once
from providers import faults
from providers.raw import FloodServer

# The most that the config allows: together more than the 1 GiB of a VM.
MAXIMA = {"response_bytes": 256 << 20, "held_total_bytes": 512 << 20}
RELOAD_SECONDS = 15


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
def test_one_answer_above_the_budget_is_refused_and_the_next_is_served(start, client, stream):
    gateway = start(lambda bootstrap: bootstrap.gate(bounds={"held_total_bytes": 65536, "held_bytes": 1 << 20}))
    gateway.openai.then(faults.Huge(1 << 20))
    answer = gateway.post(client, "gpt-4o-mini", stream=stream)
    assert answer.status == 503 and answer.error["message"]
    assert gateway.record()["attempts"][0]["reason"] == "out_of_memory_budget"
    assert gateway.post(client, "gpt-4o-mini", stream=stream).status == 200


def test_answers_together_stay_within_the_budget_and_give_it_back(start, client):
    gateway = start(lambda bootstrap: bootstrap.gate(bounds={"held_total_bytes": 65536}))
    gateway.openai.always(faults.Huge(40_000), faults.Stall(0.5))
    statuses = [answer.status for answer in at_once(6, lambda: gateway.post(client, "gpt-4o-mini"))]
    assert set(statuses) <= {200, 503} and 503 in statuses
    failed = [record["attempts"][0] for record in gateway.records(6) if record["answer"]["status"] == 503]
    assert {attempt["reason"] for attempt in failed} == {"out_of_memory_budget"}
    for _ in range(3):
        assert gateway.post(client, "gpt-4o-mini").status == 200


def test_with_the_default_bounds_floods_from_all_sides_do_no_harm(start, client):
    with FloodServer() as flood:
        gateway = start(lambda bootstrap: bootstrap.point("openai", flood.port))
        answers = at_once(16, lambda: gateway.post(client, "gpt-4o-mini"))
        assert {answer.status for answer in answers} <= {502, 503}
        assert not [answer for answer in answers if b"flood" in answer.body]
        assert gateway.post(client, "claude-alone").status == 200
        assert gateway.envoy.resident < 1 << 30


def test_after_a_crash_the_filter_is_back_in_seconds_and_nothing_was_forwarded_unseen(start, client):
    with FloodServer() as flood:

        def change(bootstrap):
            bootstrap.gate(bounds=MAXIMA)
            bootstrap.point("openai", flood.port)

        gateway = start(change, allow_crash=True)
        crashed = at_once(8, lambda: gateway.post(client, "gpt-4o-mini"))
        assert "Uncaught RuntimeError" in gateway.envoy.log(), "the VM did not run out of memory"
        assert all(answer.status >= 500 and b"flood" not in answer.body for answer in crashed)

        served, strangers, began = 0, [], time.monotonic()
        while not served:
            assert time.monotonic() - began < RELOAD_SECONDS, gateway.envoy.log_tail()
            strangers.append(gateway.send("POST", "/v1/messages", [("content-type", "application/json")], b"{}").status)
            answer = gateway.post(client, "claude-alone")
            served += answer.status == 200
            assert answer.status == 200 or (answer.status == 503 and not gateway.anthropic.requests)
        assert set(strangers) <= {401, 503}
        for request in gateway.anthropic.requests:
            assert request.header("x-api-key") == teams.ANTHROPIC_KEY
            assert teams.KEYS["support"] not in repr(request.headers)
        assert len(gateway.anthropic.requests) == served
        assert any(value for name, value in gateway.envoy.stats().items() if name.endswith("vm_reload_success"))
        assert eventually(lambda: gateway.post(client, "claude-alone", stream=True).status == 200, 1)


def test_an_answer_of_many_tiny_parts_is_refused_and_harms_nobody(gateway):
    """Three bytes on the wire would be a hundred in memory."""
    gateway.anthropic.then(faults.Body('{"content":[' + ",".join(["{}"] * 3_000_000) + "]}"))
    assert gateway.post("anthropic", "claude-alone").status >= 500
    assert gateway.post("anthropic", "claude-alone").status == 200
