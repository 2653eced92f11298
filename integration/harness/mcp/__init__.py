"""MCP: servers on the official SDKs, Envoy in front of them, and the clients that people use."""

from .conformance import REVISIONS, Checks, conformance
from .gateway import McpBootstrap, McpGateway
from .node import node, packages
from .python_client import PythonClient
from .rust import Database, RustClient
from .servers import MODERN, SERVERS, McpServer, PythonSdk, TypeScript1, TypeScript2
from .typescript_client import TypeScriptClient
from .user import Called, Refused, User
from .wire import Exchange, Wire

# By the short name that tests call a client by.
CLIENTS: dict[str, type[User]] = {"python": PythonClient, "typescript": TypeScriptClient, "rust": RustClient}

__all__ = [
    "CLIENTS",
    "MODERN",
    "REVISIONS",
    "SERVERS",
    "Called",
    "Checks",
    "Database",
    "Exchange",
    "McpBootstrap",
    "McpGateway",
    "McpServer",
    "PythonClient",
    "PythonSdk",
    "Refused",
    "RustClient",
    "TypeScript1",
    "TypeScript2",
    "TypeScriptClient",
    "User",
    "Wire",
    "conformance",
    "node",
    "packages",
]
