"""Limits that a rate limit service keeps for several Envoys: real Envoys, a real service, a real Redis; each part stopped in
turn."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from fractions import Fraction

import pytest

from harness import ask, teams
from harness.bootstrap import documented
from harness.envoy import eventually
from harness.fleet import TIMEOUT_MS, fleet, kept
from harness.money import NANO
from harness.redis import Redis
from harness.rls import Limit
from providers import Usage, faults

MINI = teams.GPT_4O_MINI
PER_HIT = NANO // 10_000
OF_FLEET = {"store": "fleet", "when_store_fails": "deny"}


def reserved(max_tokens: int) -> int:
    """Nano-dollars that are reserved for a short question to gpt-4o-mini (docs/limits.md)."""
    tokens = -(-len(json.dumps(ask("openai", "gpt-4o-mini", max_tokens=max_tokens))) // 4)
    price = {name: Fraction(str(dollars)) for name, dollars in MINI.items()}
    return round((tokens * price["input"] + max_tokens * price["output"]) / 1_000_000 * NANO)


def hits(nano_usd: int) -> int:
    """As a service counts dollars."""
    return -(-nano_usd // PER_HIT)


def usd(name: str, dollars: float, **more: object) -> dict:
    """A monthly budget of each team, kept for the fleet."""
    return {"name": name, "per": ["team"], "usd": dollars, "every": "month"} | OF_FLEET | more


def post(gateway, **more):
    """A request that reserves `reserved(10_000)`."""
    return gateway.post("openai", "gpt-4o-mini", **({"max_tokens": 10_000} | more))


@pytest.fixture
def run(tmp_path_factory):
    """Starts a fleet of the test's own."""
    with ExitStack() as stack:
        yield lambda *args, **options: stack.enter_context(fleet(tmp_path_factory.mktemp, *args, **options))


WORKERS = 2


def test_of_64_requests_at_once_a_budget_with_room_for_ten_lets_ten_through_and_at_most_a_draw_more_for_each_other_worker(run):
    budget = 10 * hits(reserved(10_000))
    month = usd("month", budget * PER_HIT / NANO)
    two = run([month], [kept("month", budget, "team")], concurrency=WORKERS)
    # Limitador reads before it counts: what workers draw at the same moment may all pass.
    beyond = WORKERS * len(two.gateways) - 1
    for gateway in two.gateways:
        gateway.openai.always(faults.Delay(2))
    with ThreadPoolExecutor(64) as pool:
        answers = list(pool.map(lambda number: post(two.gateways[number % 2]), range(64)))
    statuses = [answer.status for answer in answers]
    served = statuses.count(200)
    assert 10 <= served <= 10 + beyond
    assert served + statuses.count(429) == 64
    assert sum(len(gateway.openai.requests) for gateway in two.gateways) == served
    counted = two.counted()
    assert served * reserved(10_000) <= counted * PER_HIT
    assert counted <= budget + beyond * hits(reserved(10_000))
    refused = next(answer for answer in answers if answer.status == 429)
    assert "`month`" in refused.error["message"] and refused.header("x-should-retry") == "false"
    assert int(refused.header("retry-after")) <= 31 * 86_400
    # What the served did not use is with their Envoys, and serves more.
    assert [post(gateway).status for gateway in two.gateways] == [200, 200]
    assert two.counted() == counted


@pytest.mark.parametrize("replaced", [False, True], ids=["", "also when its configuration is replaced meanwhile"])
def test_what_a_client_that_leaves_has_drawn_is_there_for_the_next(run, replaced):
    one = run([usd("month", 100)], [kept("month", 10**6, "team")], envoys=1, timeout_ms=10_000)
    (gateway,) = one.gateways
    one.service.pause()
    with gateway.unanswered("openai", "gpt-4o-mini", max_tokens=10_000):
        assert eventually(lambda: one.asked(gateway) == 1, 5)
    (record,) = gateway.records(1)
    assert record["limits"][0]["verdict"] == "given_back" and not gateway.openai.requests
    if replaced:
        one.reconfigure(gateway, ratelimit_headers=True)
    one.service.resume()
    assert eventually(lambda: one.counted() == hits(reserved(10_000)), 5)
    assert eventually(lambda: one.asked(gateway) == 0, 5)
    assert post(gateway).status == 200
    assert one.counted() == hits(reserved(10_000))


def test_nothing_is_lost_while_configurations_come_and_go_under_load(run):
    one = run([usd("month", 100)], [kept("month", 10**6, "team")], envoys=1, timeout_ms=5_000, concurrency=WORKERS)
    (gateway,) = one.gateways
    with ThreadPoolExecutor(9) as pool:
        answers = [pool.submit(post, gateway) for _ in range(400)]
        for number in range(6):
            one.reconfigure(gateway, ratelimit_headers=number % 2 == 0)
        assert {answer.result().status for answer in answers} == {200}
    spent = sum(record["cost"]["nano_usd"] for record in gateway.records(400))
    drawn = one.counted()
    left = drawn * PER_HIT - spent
    # All that is left is with this Envoy: so many go on at the same time, and not one more.
    room = left // reserved(10_000)
    gateway.openai.always(faults.Delay(2))
    with ThreadPoolExecutor(room) as pool:
        assert [answer.status for answer in pool.map(lambda _: post(gateway), range(room))] == [200] * room
    assert one.counted() == drawn
    with ThreadPoolExecutor(room + 1) as pool:
        assert [answer.status for answer in pool.map(lambda _: post(gateway), range(room + 1))] == [200] * (room + 1)
    assert one.counted() > drawn


@pytest.mark.parametrize("when", ["deny", "allow"])
def test_a_queue_at_a_slow_service_is_decided_within_the_timeout(run, when):
    one = run([usd("month", 100, when_store_fails=when)], [kept("month", 10**6, "team")], envoys=1, concurrency=WORKERS)
    (gateway,) = one.gateways
    with broken(one, "the service is slow"), ThreadPoolExecutor(30) as pool:
        answers = list(pool.map(lambda _: post(gateway), range(30)))
    assert {answer.status for answer in answers} == {503 if when == "deny" else 200}
    records = gateway.records(30)
    assert {record["limits"][0]["verdict"] for record in records} == {
        "refused_uncounted" if when == "deny" else "allowed_uncounted"
    }
    # Also that of the last in the queue, which never was the first.
    assert max(record["answer"]["ms"] for record in records) < TIMEOUT_MS + 1000


def test_most_requests_ask_nobody_and_the_service_counts_what_was_given_out(run):
    (gateway,) = (one := run([usd("month", 100)], [kept("month", 10**6, "team")], envoys=1)).gateways
    assert [post(gateway).status for _ in range(20)] == [200] * 20
    spent = sum(record["cost"]["nano_usd"] for record in gateway.records(20))
    # What one may use was drawn, and then only what they did use.
    assert hits(spent) <= one.counted() <= hits(reserved(10_000)) + hits(spent) + 1


def test_what_docs_say_of_limitador_is_what_runs(run):
    (written,) = documented("the tests run this limit")
    limit = Limit(**(written | {"variables": tuple(written["variables"]), "conditions": tuple(written["conditions"])}))
    month = {"name": "support-month", "match": {"team": ["support"]}, "per": ["team"], "usd": 500, "every": "month"}
    one = run([month | OF_FLEET], [limit], envoys=1)
    assert post(one.gateways[0]).status == 200
    assert one.counted() == hits(reserved(10_000))
    assert post(one.gateways[0], team="finance").status == 200
    assert one.counted() == hits(reserved(10_000)), "no limit counts for finance"


def test_a_budget_survives_the_restart_of_everything(tmp_path_factory):
    budget = 3 * hits(reserved(10_000))
    month = usd("month", budget * PER_HIT / NANO)
    with Redis(durable=True) as redis:
        for expected in ([200, 200, 429], [429]):
            with fleet(tmp_path_factory.mktemp, [month], [kept("month", budget, "team")], 1, redis) as one:
                gateway = one.gateways[0]
                gateway.openai.always(faults.Delay(1))
                with ThreadPoolExecutor(4) as pool:
                    statuses = sorted(pool.map(lambda _: post(gateway, max_tokens=15_000).status, expected))
                assert statuses == expected
            redis.stop()
            redis.start()


FAILURES = {
    "redis is gone": lambda one: one.redis.stop(),
    "the service is gone": lambda one: one.service.stop(),
    "the service is slow": lambda one: one.service.pause(),
    "redis is slow": lambda one: one.redis.pause(),
}
REPAIRS = {
    "redis is gone": lambda one: one.redis.start(),
    "the service is gone": lambda one: one.service.start(),
    "the service is slow": lambda one: one.service.resume(),
    "redis is slow": lambda one: one.redis.resume(),
}


@contextmanager
def broken(one, how):
    """While a part is."""
    FAILURES[how](one)
    try:
        yield
    finally:
        REPAIRS[how](one)


@pytest.mark.parametrize("how", FAILURES)
def test_without_the_store_the_configuration_decides_within_the_timeout_and_it_is_recorded(run, how):
    limits = [
        usd("strict", 100, match={"team": ["support"]}),
        usd("loose", 100, match={"team": ["research"]}, when_store_fails="allow"),
    ]
    one = run(limits, [kept("strict", 10**6, "team"), kept("loose", 10**6, "team")], envoys=1)
    (gateway,) = one.gateways
    with broken(one, how):
        began = time.monotonic()
        denied = post(gateway, team="support")
        assert (denied.status, denied.error["code"]) == (503, "limit_store_failed")
        assert denied.header("retry-after") == "1"
        allowed = gateway.post(
            "openai", "gpt-4o", team="research", max_tokens=10_000
        )
        assert allowed.status == 200
        assert time.monotonic() - began < 2 * TIMEOUT_MS / 1000 + 1
    records = gateway.records(2)
    assert records[0]["decision"] == {"verdict": "deny", "rule": "limits.strict", "reason": "limit_store_failed"}
    assert [record["limits"][0]["verdict"] for record in records] == ["refused_uncounted", "allowed_uncounted"]
    outcomes = {labels["outcome"] for labels, _ in gateway.envoy.metrics("tollgate_limits_total")}
    assert outcomes == {"refused_uncounted", "allowed_uncounted"}
    # When it is back, what was used meanwhile is drawn too.
    before = one.counted()
    assert eventually(lambda: post(gateway, team="support").status == 200, 15)
    after = one.counted()
    answer = gateway.post("openai", "gpt-4o", team="research", max_tokens=10_000)
    assert answer.status == 200
    owed = records[1]["cost"]["nano_usd"]
    assert owed > 0 and after > before and one.counted() - after > hits(owed)


def test_one_limit_that_refuses_takes_nothing_of_what_another_has_drawn(run):
    budget = hits(reserved(10_000))
    limits = [usd("team", 100), {"name": "all", "requests": 1, "every": "day"} | OF_FLEET]
    one = run(limits, [kept("team", 10**6, "team"), kept("all", 1)], envoys=1)
    (gateway,) = one.gateways
    assert post(gateway, team="support").status == 200
    assert [post(gateway, team="finance").status for _ in range(5)] == [429] * 5
    # Finance's first draw is still there for its next request: nothing was drawn twice.
    assert one.counted() == 2 * budget + 1


def test_shadow_asks_too_and_refuses_nobody(run):
    one = run([usd("try", 0.0001, mode="shadow")], [kept("try", 1, "team")], envoys=1)
    (gateway,) = one.gateways
    assert post(gateway).status == 200
    assert gateway.record()["limits"][0]["verdict"] == "would_refuse"


def test_an_envoy_that_is_killed_takes_what_it_held_with_it_and_the_others_go_on_within_the_budget(run):
    """Docs: lost to the fleet is at most what its requests had reserved at the same time."""
    one_needs = hits(reserved(10_000))
    budget = 4 * one_needs
    two = run([usd("month", budget * PER_HIT / NANO)], [kept("month", budget, "team")])
    dies, lives = two.gateways
    dies.openai.always(faults.Delay(5))
    with ThreadPoolExecutor(2) as pool:
        for _ in range(2):
            pool.submit(lambda: post(dies))
        assert eventually(lambda: len(dies.openai.requests) == 2, 5)
        dies.envoy.kill()
    # Two of four are gone. What each request of the other does not use of its two is there for the next.
    lives.openai.answers("ok", usage=Usage(input=10, output=5000))
    assert [post(lives).status for _ in range(5)] == [200, 200, 200, 429, 429]
    assert two.counted() <= budget
