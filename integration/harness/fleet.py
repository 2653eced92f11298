"""Several Envoys that share limits: a rate limit service, Redis behind it, and a gateway each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from .bootstrap import Bootstrap
from .envoy import eventually
from .gateway import Gateway
from .redis import Redis
from .rls import Limit, RateLimitService

TIMEOUT_MS = 250

# Longer than any month: the window itself stands among the entries.
LONGEST = 32 * 86_400


def kept(name: str, max_value: int, *variables: str) -> Limit:
    """A limit of ours as Limitador has it in its own configuration."""
    descriptor = "descriptors[0]"
    return Limit(
        max_value,
        LONGEST,
        variables=tuple(f"{descriptor}['{variable}']" for variable in ("window", *variables)),
        conditions=(f"{descriptor}['limit'] == 'limits.{name}'",),
    )


class Fleet:
    """`with fleet(...) as fleet:`; `fleet.gateways` are Envoys, each with providers of its own."""

    def __init__(self, redis: Redis, service: RateLimitService, gateways: list[Gateway]):
        self.redis, self.service, self.gateways = redis, service, gateways

    @staticmethod
    def asked(gateway: Gateway) -> int:
        """How many draws of it are under way."""
        return gateway.envoy.stats().get("cluster.ratelimit.upstream_rq_active", 0)

    @staticmethod
    def reconfigure(gateway: Gateway, **parts: object) -> None:
        """Replaces parts of the gate's configuration while it runs."""

        def reloads() -> int:
            return gateway.envoy.stats()["extension_config_discovery.http_filter.tollgate.gate.config_reload"]

        before = reloads()
        gateway.bootstrap.change_gate(**parts)
        assert eventually(lambda: reloads() > before, 15)

    def counted(self) -> int:
        """The hits that the service has counted, of all limits together."""
        keys = self.redis.command("EVAL", "local s=0 for _,k in ipairs(redis.call('KEYS','*')) do "
                                  "if redis.call('TYPE',k).ok=='string' then s=s+(tonumber(redis.call('GET',k)) or 0) end "
                                  "end return s", 0)
        return int(keys)


@contextmanager
def fleet(
    directory: Callable[[str], Path],
    limits: list[dict],
    kept: list[Limit],
    envoys: int = 2,
    redis: Redis | None = None,
    timeout_ms: int = TIMEOUT_MS,
    **options: object,
) -> Iterator[Fleet]:
    """Starts it."""

    def change(bootstrap: Bootstrap) -> None:
        services = {"fleet": {"cluster": "ratelimit", "domain": "tollgate", "timeout_ms": timeout_ms}}
        bootstrap.gate(limits=limits, rate_limit_services=services)
        bootstrap.add_rate_limit_service(service.port)
        bootstrap.discover_gate()

    with ExitStack() as running:
        redis = redis or running.enter_context(Redis())
        service = running.enter_context(RateLimitService(redis, kept))
        gateways = [
            running.enter_context(Gateway(directory(f"envoy{number}"), change, **options)) for number in range(envoys)
        ]
        yield Fleet(redis, service, gateways)
