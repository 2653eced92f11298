"""A new configuration keeps what was counted; so does a worker that crashed, and a process that ended does not."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from harness import teams
from harness.envoy import eventually
from providers import faults

WHO = {"name": "day", "per": ["team"], "every": "day"}


def updates(gateway) -> int:
    """How often Envoy has taken new listeners."""
    return gateway.envoy.stats()["listener_manager.lds.update_success"]


def reload(gateway, **gate) -> None:
    """Gives a running Envoy another configuration, and waits until it has taken it."""
    before = updates(gateway)
    gateway.bootstrap.gate(**gate)
    gateway.bootstrap.write_listeners()
    assert eventually(lambda: updates(gateway) > before, 10), gateway.envoy.log_tail()
    # Workers take it one after the other.
    assert eventually(lambda: gateway.envoy.stats()["listener_manager.total_filter_chains_draining"] == 0, 10)


def limited(bootstrap) -> None:
    """An Envoy that watches its listeners."""
    bootstrap.gate(limits=[WHO | {"requests": 3}])
    bootstrap.watch_listeners()


@pytest.fixture
def running(start):
    """It runs, with two workers."""
    return start(limited, concurrency=2)


def served(gateway, count, **more) -> list[int]:
    return [gateway.post("openai", "gpt-4o-mini", **more).status for _ in range(count)]


def test_counters_survive_a_new_configuration_and_amounts_may_be_changed_while_they_count(running):
    assert served(running, 2) == [200, 200]
    reload(running, models=teams.MODELS | {"another": {"targets": [teams.MINI]}})
    assert served(running, 2) == [200, 429], "the third of three"
    reload(running, limits=[WHO | {"requests": 5}])
    assert served(running, 3) == [200, 200, 429], "the fourth and fifth of five"
    reload(running, limits=[WHO | {"requests": 4}])
    assert served(running, 1) == [429]
    reload(running, limits=[WHO | {"requests": 3}, WHO | {"name": "other", "requests": 9}])
    assert served(running, 1) == [429]
    assert served(running, 1, team="finance") == [200]


def test_a_configuration_that_is_refused_changes_nothing(running):
    assert served(running, 3) == [200] * 3
    running.bootstrap.gate(limits=[WHO | {"requests": 0}])
    running.bootstrap.write_listeners()
    assert eventually(lambda: running.envoy.stats()["listener_manager.lds.update_rejected"] == 1, 10)
    assert "gate.limits[0]: must allow something" in running.envoy.log()
    running.envoy._log_checked = len(running.envoy.log())
    assert served(running, 1) == [429]


def test_a_request_that_began_under_the_old_configuration_is_settled_under_it(start):
    running = start(limited, concurrency=2, drain_seconds=3)
    running.openai.then(faults.Delay(2))
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(served, running, 1)
        assert eventually(lambda: running.openai.requests, 5)
        reload(running, limits=[WHO | {"requests": 3, "mode": "shadow"}])
        assert slow.result() == [200]
    assert served(running, 3) == [200] * 3
    entries = [record["limits"][0] for record in running.records(4)]
    assert [entry["total"] for entry in entries] == [1, 2, 3, 4]
    assert [entry["verdict"] for entry in entries] == ["allowed"] * 3 + ["would_refuse"]
