"""Google's metadata server, which gives a machine in its cloud the access token of its service account."""

from __future__ import annotations

from .faults import ErrorKind, Headers
from .server import Provider, Refused, Request

TOKEN_PATH = "/computeMetadata/v1/instance/service-accounts/default/token"


class GcpMetadata(Provider[Request]):
    """`with GcpMetadata(key="ya29....") as server:` gives this token to whoever asks as Google's tools do."""

    NAME = "gcp-metadata"

    def accept(self, request: Request) -> Request:
        if request.header("metadata-flavor") != "Google":
            raise Refused(403, {"error": "Missing Metadata-Flavor:Google header."})
        if request.method != "GET" or request.path.split("?")[0] != TOKEN_PATH:
            raise Refused(404, {"error": "not found"})
        return request

    def without_model(self, request: Request, asked: Request) -> dict:
        return {"access_token": self.key, "expires_in": 3599, "token_type": "Bearer"}

    def headers(self, stream: bool = False) -> Headers:
        return [
            ("content-type", "application/json"),
            ("metadata-flavor", "Google"),
            ("server", "Metadata Server for VM"),
        ]

    def error_object(self, kind: ErrorKind) -> dict:
        return {"error": kind}

    def error(self, status: int) -> tuple[Headers, bytes]:
        return self.headers(), b"{}"
