"""The official Python client over gRPC, told what to do line by line: see `lines.py`."""

from __future__ import annotations

from pathlib import Path

import grpc
from a2a.client import ClientConfig, ClientFactory
from a2a.types import AgentCard
from google.protobuf.json_format import MessageToDict, ParseDict

from .client import Person
from .lines import main


class GrpcPerson(Person):
    """Of an agent that has no card that it could be read from."""

    async def connect(self, told: dict) -> dict:
        interface = {"url": told["url"], "protocolBinding": "GRPC", "protocolVersion": told["version"]}
        self._card = ParseDict(
            {"name": "agent", "supportedInterfaces": [interface], "capabilities": {"streaming": True}}, AgentCard()
        )

        def channel(target: str) -> grpc.aio.Channel:
            return grpc.aio.secure_channel(target, _credentials(told))

        def client(streaming: bool):
            config = ClientConfig(streaming, grpc_channel_factory=channel, supported_protocol_bindings=["GRPC"])
            return ClientFactory(config).create(self._card)

        self._plain, self._streaming = client(False), client(True)
        return MessageToDict(self._card)


def _credentials(told: dict) -> grpc.ChannelCredentials:
    """What the person has: a certificate, and a token."""
    own = Path(told["certificate"]).read_bytes()
    transport = grpc.ssl_channel_credentials(Path(told["authority"]).read_bytes(), own, own)
    token = told["headers"].get("authorization")
    if token is None:
        return transport
    return grpc.composite_channel_credentials(
        transport, grpc.access_token_call_credentials(token.removeprefix("Bearer "))
    )


if __name__ == "__main__":
    main(GrpcPerson())
