"""A new configuration keeps what was counted; so does a worker that crashed, and a process that ended does not."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from harness import teams
from harness.envoy import eventually
from providers import faults
from providers.raw import FloodServer

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


def test_a_worker_that_crashes_forgets_nothing_and_what_it_had_reserved_lapses(start):
    """It runs out of memory, as in test_memory.py."""
    bounds = {"response_bytes": 256 << 20, "held_total_bytes": 512 << 20, "reservation_s": 5}
    with FloodServer() as flood:

        def change(bootstrap):
            bootstrap.gate(limits=[WHO | {"requests": 12}], bounds=bounds)
            bootstrap.point("openai", flood.port)

        gateway = start(change, allow_crash=True)
        assert [gateway.post("openai", "claude-alone").status for _ in range(4)] == [200] * 4
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda _: gateway.post("openai", "gpt-4o-mini"), range(8)))
        assert "Uncaught RuntimeError" in gateway.envoy.log(), "the VM did not run out of memory"
        # What the crash has cut left no record and is not counted: once that has lapsed there is room for it.
        assert 4 <= counted(gateway) < 12

        def used_up() -> bool:
            answer = gateway.post("openai", "claude-alone")
            return answer.status == 429 and int(answer.header("retry-after")) > 1

        assert eventually(used_up, 20)
        assert eventually(lambda: counted(gateway) == 12, 2), "all of it, and no more"


def counted(gateway) -> int:
    """What limits have counted, by the records."""
    return sum(entry["used"] for record in gateway.envoy.records() for entry in record.get("limits", ()))
