"""The gateways that are compared, each an Envoy config, and the upstream that is the same for all."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import yaml

from exchanges import MODEL, answer, stream
from harness import Bootstrap, teams
from harness.a2a import People

HERE = Path(__file__).resolve().parent
WASM = "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm"

# What the gate writes into `x-tollgate-targets` for `MODEL`: one group, `{name: "0", clusters: [{cluster_name: openai,
# weight: 1}]}`, as the base64 of a protobuf Value.
TARGETS = (
    "MlQKUipQCgsKBG5hbWUSAxoBMApBCghjbHVzdGVycxI1MjMKMSovChgKDGNsdXN0ZXJfbmFtZRIIGgZvcGVuYWkKEwoGd2VpZ2h0"
    "EgkRAAAAAAAA8D8="
)


@dataclass(frozen=True)
class Gateway:
    """One of them."""

    name: str
    what: str
    config: dict
    # What the client must send because no filter of ours is there to do it.
    headers: dict[str, str] = field(default_factory=dict)
    # Who calls, where that is told by certificates.
    people: People | None = None


def upstream() -> dict:
    """The provider's config."""
    config = upstream_template()
    bodies = {"plain": answer(), "streamed": stream(), "paced": stream()}
    for route in hcm(config)["route_config"]["virtual_hosts"][0]["routes"]:
        route["direct_response"]["body"]["inline_string"] = bodies[route["name"]].decode()
    return config


def upstream_template() -> dict:
    """An Envoy that answers by itself, with bodies still to be put in."""
    return yaml.safe_load((HERE / "upstream.yaml").read_text())


def compared(directory: Path, port: int, noop: Path, ours: Path) -> list[Gateway]:
    """All of them, in front of the upstream at `port`."""
    return [
        Gateway("bare", "one listener, one route, one cluster (`bench/bare.yaml`)", bare(port)),
        Gateway(
            "empty filter",
            "bare, with a wasm filter that does nothing (`bench/noop`) where ours stands: in the listener's chain and "
            "in the cluster's",
            empty(port, noop),
        ),
        Gateway(
            "our route",
            "`envoy/llm.yaml` without its wasm filters: priority groups, retries, credential injection, access log",
            _route(directory / "route", port, ours),
            {"x-tollgate-route": MODEL, "x-tollgate-targets": TARGETS},
        ),
        Gateway(
            "ours",
            "`envoy/llm.yaml` but for addresses, TLS and keys: key, model, route, usage, cost, record, counters",
            _shipped(directory / "ours", port, ours),
        ),
    ]


def bare(port: int) -> dict:
    """Envoy as a person would put one in front of the server at `port`."""
    config = yaml.safe_load((HERE / "bare.yaml").read_text())
    endpoint = config["static_resources"]["clusters"][0]["load_assignment"]["endpoints"][0]["lb_endpoints"][0]
    endpoint["endpoint"]["address"]["socket_address"]["port_value"] = port
    return config


def empty(port: int, noop: Path, upstream: bool = True) -> dict:
    """The same with a wasm filter that does nothing, in the cluster's chain too if `upstream`."""
    config = bare(port)
    vm = {"vm_id": "noop", "runtime": "envoy.wasm.runtime.v8", "code": {"local": {"filename": str(noop)}}}
    plugin = {"name": "noop", "vm_config": vm, "failure_policy": "FAIL_RELOAD"}
    noop_filter = {"name": "noop", "typed_config": {"@type": WASM, "config": plugin}}
    for filters in _filter_chains(config)[: None if upstream else 1]:
        filters.insert(0, noop_filter)
    return config


def _route(directory: Path, port: int, ours: Path) -> dict:
    config = _shipped(directory, port, ours)
    for filters in _filter_chains(config):
        filters[:] = [each for each in filters if each["typed_config"]["@type"] != WASM]
    return config


def _shipped(directory: Path, port: int, ours: Path) -> dict:
    directory.mkdir()
    credentials = {"openai": "Bearer sk-bench", "anthropic": "sk-ant-bench"}
    bootstrap = Bootstrap(directory, {"openai": port, "anthropic": port}, credentials, wasm=ours)
    bootstrap.gate(keys=[teams.key("support", ["*"])])
    return bootstrap.config


def _filter_chains(config: dict) -> list[list[dict]]:
    """The filters of the listener, and those of each cluster."""
    clusters = config["static_resources"]["clusters"]
    options = [each for cluster in clusters for each in cluster.get("typed_extension_protocol_options", {}).values()]
    return [hcm(config)["http_filters"], *(each["http_filters"] for each in options)]


def hcm(config: dict) -> dict:
    """The connection manager."""
    return config["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
