"""The harness keeps its own promises, with an Envoy that needs no filter."""

import os
import signal
import urllib.request

import pytest

from harness import Envoy, EnvoyFailed
from harness.envoy import eventually

HCM = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
ROUTER = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"
ANYWHERE = {"socket_address": {"address": "127.0.0.1", "port_value": 0}}


def config():
    """An Envoy that says hello."""
    route = {"match": {"prefix": "/"}, "direct_response": {"status": 200, "body": {"inline_string": "hello"}}}
    hcm = {
        "@type": HCM,
        "stat_prefix": "test",
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [route]}]},
        "http_filters": [{"name": "router", "typed_config": {"@type": ROUTER}}],
    }
    filters = [{"name": "hcm", "typed_config": hcm}]
    listeners = [
        {"name": name, "address": ANYWHERE, "filter_chains": [{"filters": filters}]} for name in ("one", "two")
    ]
    return {"admin": {"address": ANYWHERE}, "static_resources": {"listeners": listeners}}


def test_it_serves_on_free_ports_and_is_gone_afterwards():
    with Envoy(config()) as first, Envoy(config()) as second:
        assert len({*first.ports.values(), *second.ports.values()}) == 4
        assert urllib.request.urlopen(f"http://127.0.0.1:{first.ports['two']}/").read() == b"hello"
        assert first.stats()["http.test.downstream_rq_total"] == 1
        assert ({"envoy_http_conn_manager_prefix": "test"}, 1) in first.metrics("envoy_http_downstream_rq_total")
    assert not first.alive() and not first.directory.exists()


def test_a_config_that_envoy_refuses_fails_with_its_reason():
    broken = config() | {"node": {"identity": 1}}
    with pytest.raises(EnvoyFailed, match="identity"), Envoy(broken):
        pass
    good, output = Envoy.validate(broken)
    assert not good and "identity" in output


def test_an_envoy_that_dies_fails_the_test():
    with pytest.raises(EnvoyFailed, match="Envoy died"), Envoy(config()) as envoy:
        os.kill(envoy.pid, signal.SIGKILL)
        eventually(lambda: not envoy.alive(), 5)


def test_it_is_stopped_when_the_test_fails():
    with pytest.raises(ZeroDivisionError), Envoy(config()) as envoy:
        raise ZeroDivisionError
    assert not envoy.alive()


@pytest.mark.parametrize(
    "line",
    [
        "[2026-11-22 10:00:00.000][1][error][wasm] [source/x.cc:1] wasm log tollgate: something",
        "[2026-11-22 10:00:00.000][1][critical][main] assert failure",
        "Proxy-Wasm plugin in-VM backtrace:",
        "panicked at src/lib.rs:1:1",
    ],
)
def test_a_crash_in_the_log_fails_the_test_unless_it_was_asked_for(line):
    def crash(envoy):
        with (envoy.directory / "envoy.log").open("a") as log:
            log.write(line + "\n")

    with pytest.raises(EnvoyFailed, match="Envoy logged"), Envoy(config()) as envoy:
        crash(envoy)
    with Envoy(config(), allow_crash=True) as envoy:
        crash(envoy)
