"""MCP: servers on the official SDKs, Envoy in front of them, and the clients that people use."""

from .conformance import REVISIONS, Checks, conformance
from .gateway import ALLOW_ALL, KEYS, McpBootstrap, McpGateway, bearer
from .node import node, packages
from .python_client import PythonClient
from .servers import MODERN, SERVERS, McpServer, PythonSdk, TypeScript1, TypeScript2
from .typescript_client import TypeScriptClient
from .user import Called, Refused, User
from .wire import Exchange, Wire

# By the short name that tests call a client by.
CLIENTS: dict[str, type[User]] = {"python": PythonClient, "typescript": TypeScriptClient}

__all__ = [
    "ALLOW_ALL",
    "CLIENTS",
    "KEYS",
    "MODERN",
    "REVISIONS",
    "SERVERS",
    "Called",
    "Checks",
    "Exchange",
    "McpBootstrap",
    "McpGateway",
    "McpServer",
    "PythonClient",
    "PythonSdk",
    "Refused",
    "TypeScript1",
    "TypeScript2",
    "TypeScriptClient",
    "User",
    "Wire",
    "bearer",
    "conformance",
    "node",
    "packages",
]
