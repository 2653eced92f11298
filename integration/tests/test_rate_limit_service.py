"""The rate limit service of the tests answers as Limitador's does, from counters in a real Redis."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from harness.redis import Redis
from harness.rls import Limit, RateLimitService

BY_TEAM = Limit(10, 600, variables=("descriptors[0]['team']",), conditions=("descriptors[0]['limit'] == 'tokens'",))


@contextmanager
def counting(*limits: Limit, durable: bool = False) -> Iterator[tuple[RateLimitService, Redis]]:
    with Redis(durable) as redis, RateLimitService(redis, list(limits)) as service:
        yield service, redis


def counter(redis: Redis) -> str:
    """The only one: the other key says of which limit it is."""
    keys = redis.command("EVAL", "for _,k in ipairs(redis.call('KEYS','*')) do if redis.call('TYPE',k).ok=='string' "
                         "then return k end end", 0)
    assert isinstance(keys, str)
    return keys


def tokens(service: RateLimitService, team: str, hits: int = 0) -> str:
    return service.ask({"limit": "tokens", "team": team}, hits=hits)


def test_hits_are_counted_for_each_value_of_a_variable_and_what_is_refused_counts_nothing():
    with counting(BY_TEAM) as (service, _):
        assert tokens(service, "a", 8) == "OK"
        assert tokens(service, "a", 3) == "OVER_LIMIT"
        assert tokens(service, "a", 2) == "OK"
        assert tokens(service, "a", 1) == "OVER_LIMIT"
        assert tokens(service, "b", 11) == "OVER_LIMIT"
        assert tokens(service, "b", 10) == "OK"


def test_no_hits_are_one():
    with counting(Limit(2, 600)) as (service, _):
        assert [service.ask({}, hits=0) for _ in range(3)] == ["OK", "OK", "OVER_LIMIT"]


def test_where_no_limit_applies_all_is_allowed():
    with counting(BY_TEAM) as (service, _):
        for _ in range(2):
            assert service.ask({"limit": "tokens", "team": "a"}, hits=11, domain="other") == "OK"
            assert service.ask({"limit": "usd", "team": "a"}, hits=11) == "OK"
            assert service.ask({"team": "a"}, hits=11) == "OK"
            assert service.ask({"limit": "tokens"}, hits=11) == "OK"
        assert service.ask(domain="") == "UNKNOWN"


def test_a_condition_on_a_descriptor_that_is_not_there_breaks_off_the_call_and_nothing_else():
    # Limitador takes any error of a condition for impossible. A key that is not there is none.
    with counting(BY_TEAM) as (service, _):
        assert service.ask() == "reset"
        assert tokens(service, "a") == "OK"


def test_of_several_limits_all_must_have_room_and_else_none_is_counted():
    limits = [Limit(size, 600, conditions=(f"descriptors[0]['{name}'] == '1'",)) for name, size in (("a", 5), ("b", 9))]
    with counting(*limits) as (service, _):
        assert [service.ask({"a": "1", "b": "1"}, hits=4) for _ in range(2)] == ["OK", "OVER_LIMIT"]
        assert [service.ask({"b": "1"}, hits=5), service.ask({"a": "1"}, hits=1)] == ["OK", "OK"]
        # A condition names a descriptor by its place.
        assert service.ask({"b": "1"}, {"a": "1"}) == "OVER_LIMIT"
        assert service.ask({"c": "1"}, {"a": "1", "b": "1"}) == "OK"


def test_a_window_begins_with_its_first_hit_and_ends_after_the_limits_seconds():
    with counting(Limit(3, 600)) as (service, redis):
        assert service.ask({}, hits=1) == "OK"
        key = counter(redis)
        assert redis.command("GET", key) == "1" and 590 < redis.command("TTL", key) <= 600
        redis.command("EXPIRE", key, 100)
        assert service.ask({}, hits=2) == "OK"
        assert redis.command("TTL", key) <= 100, "a later hit does not begin another"
        assert service.ask({}) == "OVER_LIMIT"
        redis.command("PEXPIRE", key, 1)
        while redis.command("EXISTS", key):
            pass
        assert service.ask({}, hits=3) == "OK"


def test_hits_that_come_at_once_are_all_counted():
    with counting(Limit(1000, 600)) as (service, redis), ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda _: service.ask({}, hits=3), range(200))) == {"OK"}
        assert redis.command("GET", counter(redis)) == "600"


@pytest.mark.parametrize("fault", ["stop", "pause"])
def test_a_service_or_a_redis_that_fails_is_there_again_afterwards(fault):
    with counting(Limit(10, 600), durable=True) as (service, redis):
        assert service.ask({}, hits=4) == "OK"
        getattr(redis, fault)()
        if fault == "stop":
            assert service.ask({}) == "gRPC status 14"
            redis.start()
        else:
            redis.resume()
        # The first request after a break still finds the connection that broke.
        answers = [service.ask({}, hits=7) for _ in range(3)]
        assert answers[-1] == "OVER_LIMIT" and set(answers) <= {"OVER_LIMIT", "gRPC status 14"}
        port = service.port
        service.stop()
        with pytest.raises(ConnectionError):
            service.ask({})
        service.start()
        assert (service.port, service.ask({}, hits=6), service.ask({})) == (port, "OK", "OVER_LIMIT")


def test_what_was_counted_survives_a_restart_of_everything_only_where_it_is_kept():
    for durable, after in [(True, "OVER_LIMIT"), (False, "OK")]:
        with counting(Limit(10, 600), durable=durable) as (service, redis):
            assert service.ask({}, hits=10) == "OK"
            service.stop()
            redis.stop()
            redis.start()
            service.start()
            assert service.ask({}) == after
