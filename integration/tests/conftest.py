"""Fixtures. Most tests share one Envoy per test process: it starts in a second, and a test in milliseconds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from harness import Gateway, everyone, teams


class Shared:
    """The Envoy that tests share; one that a test broke is replaced."""

    def __init__(self, make: Callable[[], Gateway]):
        self._make, self._gateway, self._unable = make, None, None

    def get(self) -> Gateway:
        """A running one. One that cannot start is not tried again for every test."""
        if self._unable is not None:
            raise self._unable
        if self._gateway is None:
            try:
                self._gateway = self._make().__enter__()
            except Exception as error:
                self._unable = error
                raise
        return self._gateway

    def lend(self) -> Iterator[Gateway]:
        """A running one for one test, with nothing left of the test before."""
        gateway = self.get()
        gateway.fresh()
        yield gateway
        try:
            gateway.envoy.check()
        except AssertionError as failed:
            self.drop(failed)
            raise

    def drop(self, error: BaseException | None = None) -> None:
        """Stops it."""
        if self._gateway is not None:
            gateway, self._gateway = self._gateway, None
            gateway.__exit__(type(error) if error else None, error, None)


@pytest.fixture(scope="session")
def shared_gateway(tmp_path_factory) -> Iterator[Shared]:
    shared = Shared(lambda: Gateway(tmp_path_factory.mktemp("gateway")))
    yield shared
    shared.drop()


@pytest.fixture(scope="session")
def shared_with_everyone(tmp_path_factory) -> Iterator[Shared]:
    shared = Shared(lambda: everyone.gateway(tmp_path_factory.mktemp("everyone")))
    yield shared
    shared.drop()


@pytest.fixture(scope="session")
def shared_with_cache(tmp_path_factory) -> Iterator[Shared]:
    keys = [teams.key(team, ["*"]) for team in ("support", "research")]
    directory = tmp_path_factory.mktemp("cache")
    shared = Shared(lambda: everyone.gateway(directory, everyone.CACHED, keys, concurrency=2))
    yield shared
    shared.drop()


@pytest.fixture
def gateway(shared_gateway) -> Iterator[Gateway]:
    """The shipped config with the tests' keys and models; providers healthy, no records yet."""
    yield from shared_gateway.lend()


@pytest.fixture
def to_everyone(shared_with_everyone) -> Iterator[Gateway]:
    """The same with `envoy/llm-providers.yaml` and all providers."""
    yield from shared_with_everyone.lend()


@pytest.fixture
def start(tmp_path_factory) -> Iterator[Callable[..., Gateway]]:
    """Starts a gateway of the test's own: `start(lambda bootstrap: bootstrap.gate(bounds={...}), concurrency=2)`."""
    with ExitStack() as stack:
        yield lambda *args, **options: stack.enter_context(
            Gateway(tmp_path_factory.mktemp("gateway"), *args, **options)
        )


@pytest.fixture(params=["openai", "anthropic"])
def client(request) -> str:
    """The format that the client speaks."""
    return request.param
