"""The shipped bootstrap, `envoy/llm.yaml`, made to run on this machine against the test's providers.

Only what must differ does: ports, paths, the providers' addresses, no TLS to them. So a test of this config is a test
of what people copy.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = ROOT / "envoy" / "llm.yaml"
SECRET_TYPE = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret"


def documented(mark: str) -> dict | list:
    """The YAML that docs/limits.md has behind a comment."""
    _, block = (ROOT / "docs/limits.md").read_text().split(f"<!-- {mark} -->\n```yaml\n")
    return yaml.safe_load(block.split("```")[0])


def wasm_module(filter: str = "llm") -> Path:
    """The filter under test."""
    variable = f"TOLLGATE_{filter.upper()}_WASM"
    path = Path(os.environ.get(variable, ROOT / f"target/tollgate_{filter}.wasm"))
    assert path.exists(), f"no filter at {path}: run `make wasm`, or set {variable}"
    return path


def key_hash(key: str) -> str:
    """A virtual key as the config holds it."""
    return hashlib.sha256(key.encode()).hexdigest()


class Bootstrap:
    """A config to change before Envoy starts. `directory` gets the secrets and the audit log."""

    def __init__(
        self,
        directory: Path,
        ports: dict[str, int],
        credentials: dict[str, str],
        shipped: Path = SHIPPED,
        wasm: Path | None = None,
    ):
        self.directory = directory
        # Through JSON, so that what YAML anchors share is shared no longer and can be changed one by one.
        self.config: dict = json.loads(json.dumps(yaml.safe_load(shipped.read_text())))
        self._listen_anywhere()
        for plugin in self.plugins():
            plugin["vm_config"]["code"] = {"local": {"filename": str(wasm or wasm_module())}}
        for log in self.hcm["access_log"]:
            log["typed_config"]["path"] = str(directory / "audit.jsonl")
        for name, port in ports.items():
            self.point(name, port)
        self._write_secrets(credentials)

    # What a test changes.

    def gate(self, **parts: object) -> None:
        """Replaces parts of the gate's config: `keys`, `models`, `providers`, `bounds`."""
        self.gate_config.update(parts)

    def point(self, name: str, port: int) -> None:
        """Points a provider's cluster at a port of this machine, without TLS."""
        cluster = self.cluster(name)
        cluster.pop("transport_socket", None)
        for node in _nodes(cluster["load_assignment"], "socket_address"):
            node["socket_address"] = {"address": "127.0.0.1", "port_value": port}

    def watch_listeners(self) -> None:
        """Lets Envoy read its listeners from a file that it watches, which `write_listeners` writes anew."""
        self._watched = self.config["static_resources"].pop("listeners")
        self.write_listeners()
        watched = {"path": str(self._listeners), "watched_directory": {"path": str(self.directory)}}
        self.config["dynamic_resources"] = {"lds_config": {"path_config_source": watched, "resource_api_version": "V3"}}

    def write_listeners(self) -> None:
        """As somebody who changes the configuration of a running Envoy."""
        listener = "type.googleapis.com/envoy.config.listener.v3.Listener"
        new = self._listeners.with_suffix(".new")
        new.write_text(json.dumps({"resources": [{"@type": listener} | one for one in self._watched]}))
        new.rename(self._listeners)

    @property
    def _listeners(self) -> Path:
        return self.directory / "listeners.json"

    def add_rate_limit_service(self, port: int) -> None:
        """Adds the cluster of docs/limits.md, for a service on this machine."""
        cluster = documented("the tests run this cluster")
        for node in _nodes(cluster["load_assignment"], "socket_address"):
            node["socket_address"] = {"address": "127.0.0.1", "port_value": port}
        self.config["static_resources"]["clusters"].append(cluster)

    def discover_gate(self) -> None:
        """Has Envoy read the gate's filter from a file, and again when another one takes its place."""
        gate = self.http_filter("tollgate.gate")
        self._discovered = gate.pop("typed_config")
        gate["config_discovery"] = {
            "config_source": {"path_config_source": {"path": str(self._gate_file)}, "resource_api_version": "V3"},
            "type_urls": [self._discovered["@type"]],
        }
        self.change_gate()

    def change_gate(self, **parts: object) -> None:
        """Replaces parts of the config of a gate that Envoy has discovered, also while it runs."""
        self._discovered["config"]["configuration"]["value"]["gate"].update(parts)
        resource = {"@type": "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig", "name": "tollgate.gate"}
        new = self._gate_file.with_suffix(".new")
        new.write_text(json.dumps({"resources": [resource | {"typed_config": self._discovered}]}))
        new.rename(self._gate_file)

    @property
    def _gate_file(self) -> Path:
        return self.directory / "gate.json"

    @property
    def gate_config(self) -> dict:
        """The gate's config, as the filter reads it."""
        return self.http_filter("tollgate.gate")["typed_config"]["config"]["configuration"]["value"]["gate"]

    @property
    def hcm(self) -> dict:
        """The connection manager."""
        return self.listeners[0]["filter_chains"][0]["filters"][0]["typed_config"]

    @property
    def listeners(self) -> list[dict]:
        """What Envoy listens on, wherever it reads that from."""
        return self.config["static_resources"].get("listeners") or self._watched

    @property
    def route(self) -> dict:
        """The one route."""
        return self.hcm["route_config"]["virtual_hosts"][0]["routes"][0]

    def http_filter(self, name: str) -> dict:
        """A filter of the listener."""
        return next(entry for entry in self.hcm["http_filters"] if entry["name"] == name)

    def cluster(self, name: str) -> dict:
        """A provider's cluster."""
        return next(entry for entry in self.config["static_resources"]["clusters"] if entry["name"] == name)

    def upstream_filter(self, cluster: str, name: str) -> dict:
        """A filter of a provider's cluster."""
        (options,) = self.cluster(cluster)["typed_extension_protocol_options"].values()
        return next(entry for entry in options["http_filters"] if entry["name"] == name)

    def plugins(self) -> Iterator[dict]:
        """The filter's plugin config in every place where it stands."""
        return self.plugins_in(self.config)

    @staticmethod
    def plugins_in(config: dict) -> Iterator[dict]:
        """The filter's plugin config in every place of a bootstrap."""
        return _nodes(config, "vm_config")

    # What must differ from what is shipped.

    def _listen_anywhere(self) -> None:
        self.config["admin"]["address"]["socket_address"]["port_value"] = 0
        for listener in self.config["static_resources"]["listeners"]:
            listener["address"]["socket_address"]["port_value"] = 0

    def _write_secrets(self, credentials: dict[str, str]) -> None:
        for node in _nodes(self.config, "path_config_source"):
            name = Path(node["path_config_source"]["path"]).stem
            path = self.directory / f"{name}.yaml"
            secret = {
                "@type": SECRET_TYPE,
                "name": name,
                "generic_secret": {"secret": {"inline_string": credentials[name]}},
            }
            path.write_text(yaml.safe_dump({"resources": [secret]}))
            node["path_config_source"]["path"] = str(path)
            node["path_config_source"]["watched_directory"] = {"path": str(self.directory)}


def _nodes(node: object, key: str) -> Iterator[dict]:
    """Every object that has `key`."""
    if isinstance(node, dict):
        if key in node:
            yield node
        for child in node.values():
            yield from _nodes(child, key)
    elif isinstance(node, list):
        for child in node:
            yield from _nodes(child, key)
