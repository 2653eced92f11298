"""MCP: servers on the official SDKs, Envoy in front of them, and the clients that people use."""

from .conformance import REVISIONS, Checks, conformance
from .gateway import ALLOW_ALL, KEYS, PATHS, McpBootstrap, McpGateway, bearer
from .inspector import Inspector
from .node import node, packages
from .python_client import PythonClient
from .rust import Database, RustClient
from .servers import MODERN, SERVERS, McpServer, PythonSdk, TypeScript1, TypeScript2
from .strangers import Everything, FastMcp
from .typescript_client import TypeScript1Client, TypeScriptClient
from .user import Called, Refused, User
from .wire import Exchange, Wire

# By the short name that tests call a client by.
CLIENTS: dict[str, type[User]] = {"python": PythonClient, "typescript": TypeScriptClient, "rust": RustClient}
# Servers that offer something of their own, by short name as well.
STRANGERS: dict[str, type[McpServer]] = {server.NAME: server for server in (Database, Everything, FastMcp)}

__all__ = [
    "ALLOW_ALL",
    "CLIENTS",
    "KEYS",
    "MODERN",
    "PATHS",
    "REVISIONS",
    "SERVERS",
    "STRANGERS",
    "Called",
    "Checks",
    "Database",
    "Everything",
    "Exchange",
    "FastMcp",
    "Inspector",
    "McpBootstrap",
    "McpGateway",
    "McpServer",
    "PythonClient",
    "PythonSdk",
    "Refused",
    "RustClient",
    "TypeScript1",
    "TypeScript1Client",
    "TypeScript2",
    "TypeScriptClient",
    "User",
    "Wire",
    "bearer",
    "conformance",
    "node",
    "packages",
]
