"""Whether a request is signed as AWS wants it: the signature is made again with botocore's own signer, and compared."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.compat import HTTPHeaders
from botocore.credentials import Credentials

from .server import Request

AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<id>[^/]+)/(?P<scope>[^,]+), ?"
    r"SignedHeaders=(?P<headers>[^,]+), ?Signature=(?P<signature>[0-9a-f]{64})"
)
CLOCK_SKEW = timedelta(minutes=5)


class _Again(SigV4Auth):
    """Signs exactly the headers that were signed; botocore itself leaves some out that others sign."""

    def headers_to_sign(self, request: AWSRequest) -> HTTPHeaders:
        return request.headers


@dataclass(frozen=True)
class Signer:
    """Who may sign, and for what."""

    access_key_id: str
    secret_access_key: str
    region: str = "us-east-1"
    service: str = "bedrock"

    def complaint(self, request: Request) -> tuple[str, str] | None:
        """What is wrong with the signature of a request, as AWS names it and says it."""
        signed = AUTHORIZATION.fullmatch(request.header("authorization") or "")
        if signed is None:
            return (
                "IncompleteSignatureException",
                "Authorization header requires 'Credential' and 'Signature' parameters.",
            )
        if signed["id"] != self.access_key_id:
            return "UnrecognizedClientException", "The security token included in the request is invalid."
        time = request.header("x-amz-date") or ""
        if signed["scope"] != f"{time[:8]}/{self.region}/{self.service}/aws4_request":
            return "InvalidSignatureException", "Credential should be scoped to a valid region and correct service."
        if abs(datetime.now(UTC) - datetime.strptime(time, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)) > CLOCK_SKEW:
            return "InvalidSignatureException", f"Signature expired: {time} is too far from now."
        names = signed["headers"].split(";")
        if "host" not in names or not self._body_is_signed(request, names):
            return "InvalidSignatureException", "The request does not sign its host and its body."
        if signed["signature"] != self._signature(request, names, time):
            return "InvalidSignatureException", (
                "The request signature we calculated does not match the signature you provided. Check your AWS Secret "
                "Access Key and signing method. Consult the service documentation for details."
            )
        return None

    @staticmethod
    def _body_is_signed(request: Request, names: list[str]) -> bool:
        # Without this header the hash of the body is in the signature all the same.
        given = request.header("x-amz-content-sha256")
        return given is None or ("x-amz-content-sha256" in names and given == hashlib.sha256(request.body).hexdigest())

    def _signature(self, request: Request, names: list[str], time: str) -> str:
        headers = {name: ",".join(request.header_values(name)) for name in names}
        url = f"http://{headers['host']}{request.path}"
        again = AWSRequest(request.method, url, headers=headers, data=request.body)
        again.context["timestamp"] = time
        auth = _Again(Credentials(self.access_key_id, self.secret_access_key), self.service, self.region)
        return auth.signature(auth.string_to_sign(again, auth.canonical_request(again)), again)
