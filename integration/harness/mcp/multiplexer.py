"""Envoy's own `mcp_router`, which stands for several servers: a listener inside the same Envoy."""

from __future__ import annotations

from .gateway import McpBootstrap

API = "type.googleapis.com/envoy.extensions"


def multiplex(bootstrap: McpBootstrap, cluster: str, ports: dict[str, int]) -> None:
    """Puts it behind a cluster, before servers at these ports, by the names that it gives them."""
    static = bootstrap.config["static_resources"]
    static["clusters"] += [
        {"name": _cluster(name), "connect_timeout": "2s", "load_assignment": _at(_cluster(name), _port(port))}
        for name, port in ports.items()
    ]
    static["listeners"].append(_listener(ports))
    internal = {"@type": f"{API}.bootstrap.internal_listener.v3.InternalListener"}
    bootstrap.config["bootstrap_extensions"] = [
        {"name": "envoy.bootstrap.internal_listener", "typed_config": internal}
    ]
    front = bootstrap.cluster(cluster)
    front["type"] = "STATIC"
    front["load_assignment"] = _at(cluster, {"envoy_internal_address": {"server_listener_name": "mcp_router"}})
    raw = {"@type": f"{API}.transport_sockets.raw_buffer.v3.RawBuffer"}
    front["transport_socket"] = {
        "name": "envoy.transport_sockets.internal_upstream",
        "typed_config": {
            "@type": f"{API}.transport_sockets.internal_upstream.v3.InternalUpstreamTransport",
            "transport_socket": {"name": "envoy.transport_sockets.raw_buffer", "typed_config": raw},
        },
    }


def _listener(ports: dict[str, int]) -> dict:
    servers = [
        {
            "name": name,
            "mcp_cluster": {
                "cluster": _cluster(name),
                "path": "/mcp",
                "timeout": "10s",
                "host_rewrite_literal": f"localhost:{port}",
            },
        }
        for name, port in ports.items()
    ]
    routes = [{"match": {"prefix": "/"}, "direct_response": {"status": 404}}]
    manager = {
        "@type": f"{API}.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "mcp_router",
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": routes}]},
        "http_filters": [
            {"name": "mcp", "typed_config": {"@type": f"{API}.filters.http.mcp.v3.Mcp"}},
            {
                "name": "mcp_router",
                "typed_config": {"@type": f"{API}.filters.http.mcp_router.v3.McpRouter", "servers": servers},
            },
        ],
    }
    filters = [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]
    return {"name": "mcp_router", "internal_listener": {}, "filter_chains": [{"filters": filters}]}


def _cluster(name: str) -> str:
    return f"mcp-router-{name}"


def _port(port: int) -> dict:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def _at(cluster: str, address: dict) -> dict:
    return {"cluster_name": cluster, "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address}}]}]}
