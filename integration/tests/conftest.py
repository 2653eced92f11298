"""Fixtures. Most tests share one Envoy per test process: it starts in a second, and a test in milliseconds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from harness import Gateway


class Shared:
    """The Envoy that tests share; one that a test broke is replaced."""

    def __init__(self, directory: Callable[[], Path]):
        self._directory, self._gateway = directory, None

    def get(self) -> Gateway:
        """A running one."""
        if self._gateway is None:
            self._gateway = Gateway(self._directory()).__enter__()
        return self._gateway

    def drop(self, error: BaseException | None = None) -> None:
        """Stops it."""
        if self._gateway is not None:
            gateway, self._gateway = self._gateway, None
            gateway.__exit__(type(error) if error else None, error, None)


@pytest.fixture(scope="session")
def shared_gateway(tmp_path_factory) -> Iterator[Shared]:
    shared = Shared(lambda: tmp_path_factory.mktemp("gateway"))
    yield shared
    shared.drop()


@pytest.fixture
def gateway(shared_gateway) -> Iterator[Gateway]:
    """The shipped config with the tests' keys and models; providers healthy, no records yet."""
    gateway = shared_gateway.get()
    gateway.fresh()
    yield gateway
    try:
        gateway.envoy.check()
    except AssertionError as failed:
        shared_gateway.drop(failed)
        raise


@pytest.fixture
def start(tmp_path_factory) -> Iterator[Callable[..., Gateway]]:
    """Starts a gateway of the test's own: `start(lambda bootstrap: bootstrap.gate(limits={...}), concurrency=2)`."""
    with ExitStack() as stack:
        yield lambda *args, **options: stack.enter_context(
            Gateway(tmp_path_factory.mktemp("gateway"), *args, **options)
        )


@pytest.fixture(params=["openai", "anthropic"])
def client(request) -> str:
    """The format that the client speaks."""
    return request.param
