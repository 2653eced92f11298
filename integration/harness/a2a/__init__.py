"""A2A: agents on the official SDKs, Envoy in front of them, and the clients that people use."""

from .agents import AGENTS, Agent, GrpcAgent, Python03, PythonSdk
from .clients import CLIENTS, Client, Grpc, JavaScript, JavaScript03, Python, PythonOld
from .gateway import ALLOW_ALL, AgentBootstrap, AgentGateway
from .listener import Listener
from .people import ADA, BOB, USERS, People, spiffe
from .user import OPERATIONS, Refused, User, state_of, task_in
from .wire import Wire

__all__ = [
    "ADA",
    "AGENTS",
    "ALLOW_ALL",
    "BOB",
    "CLIENTS",
    "OPERATIONS",
    "USERS",
    "Agent",
    "AgentBootstrap",
    "AgentGateway",
    "Client",
    "Grpc",
    "GrpcAgent",
    "JavaScript",
    "JavaScript03",
    "Listener",
    "People",
    "Python",
    "Python03",
    "PythonOld",
    "PythonSdk",
    "Refused",
    "User",
    "Wire",
    "spiffe",
    "state_of",
    "task_in",
]
