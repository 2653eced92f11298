"""An agent on the official Python SDK that speaks gRPC alone, in A2A 1.0 and 0.3: `python -m a2a_agents.agent_grpc billing`.

Beside it, over HTTP, is the side entrance. It says where it listens for gRPC first.
"""

from __future__ import annotations

import asyncio
import warnings

import grpc
from a2a.compat.v0_3 import a2a_v0_3_pb2_grpc
from a2a.compat.v0_3.grpc_handler import CompatGrpcHandler
from a2a.server.request_handlers.grpc_handler import GrpcHandler
from a2a.types import a2a_pb2_grpc
from starlette.applications import Starlette
from starlette.routing import Route

from .agent import handling
from .side import Side, arguments


class Arrives(grpc.aio.ServerInterceptor):
    """Keeps what arrived for the record of what ran."""

    def __init__(self, side: Side):
        self._side = side

    async def intercept_service(self, continuation, call: grpc.HandlerCallDetails):
        headers = [[name, value] for name, value in call.invocation_metadata if isinstance(value, str)]
        self._side.arrived(call.method, "", headers)
        return await continuation(call)


async def main(name: str, port: str, carries: str) -> None:
    """Runs until it is killed."""
    warnings.simplefilter("ignore", DeprecationWarning)
    side = Side(name, carries)
    server, handler = grpc.aio.server(interceptors=[Arrives(side)]), handling(side)
    a2a_pb2_grpc.add_A2AServiceServicer_to_server(GrpcHandler(handler), server)
    a2a_v0_3_pb2_grpc.add_A2AServiceServicer_to_server(CompatGrpcHandler(handler), server)
    print(f"gRPC on {server.add_insecure_port('127.0.0.1:0')}", flush=True)
    await server.start()
    entrance = Route("/test", side.entrance, methods=["GET", "PUT", "POST", "DELETE"])
    await side.server(Starlette(routes=[entrance]), port)


if __name__ == "__main__":
    asyncio.run(main(*arguments()))
