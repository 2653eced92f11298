"""An Envoy that stands for what is behind a gateway: it answers by itself, at once."""

from __future__ import annotations

TYPES = "type.googleapis.com/envoy.extensions"
ANYWHERE = {"socket_address": {"address": "127.0.0.1", "port_value": 0}}


def answering(routes: list[dict], **hcm: object) -> dict:
    """Its config; `hcm` is more of its connection manager's."""
    hcm |= {
        "@type": f"{TYPES}.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "server",
        "http_filters": [{"name": "router", "typed_config": {"@type": f"{TYPES}.filters.http.router.v3.Router"}}],
        "route_config": {"virtual_hosts": [{"name": "server", "domains": ["*"], "routes": routes}]},
    }
    chain = {"filters": [{"name": "hcm", "typed_config": hcm}]}
    listener = {"name": "server", "address": ANYWHERE, "filter_chains": [chain]}
    return {"admin": {"address": ANYWHERE}, "static_resources": {"listeners": [listener]}}
