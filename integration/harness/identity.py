"""What proves who asks besides a key: issuers of tokens, authorities of certificates, and a gateway that signs headers.

All made anew in each run; what they make is checked by Envoy and by the filter, which have none of this code.
"""

from __future__ import annotations

import base64
import datetime
import hashlib
import hmac
import ipaddress
import json
import socket
import ssl
import time
from functools import cached_property
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from .bootstrap import Bootstrap

JWT_AUTHN = "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication"
DOWNSTREAM_TLS = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext"
ISSUER = "https://issuer.example"
PAYLOAD = "jwt_payload"


def base64url(data: bytes) -> str:
    """Without padding, as JOSE has it."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Issuer:
    """Who issues tokens, with an RSA and an elliptic key (RFC 7515, 7518, 7519)."""

    @cached_property
    def _rsa(self) -> rsa.RSAPrivateKey:
        return rsa.generate_private_key(65537, 2048)

    @cached_property
    def _ec(self) -> ec.EllipticCurvePrivateKey:
        return ec.generate_private_key(ec.SECP256R1())

    def jwks(self) -> str:
        """The public keys."""
        public, point = self._rsa.public_key().public_numbers(), self._ec.public_key().public_numbers()

        def number(value: int, size: int) -> str:
            return base64url(value.to_bytes(size, "big"))

        return json.dumps(
            {
                "keys": [
                    {"kty": "RSA", "kid": "RS256", "alg": "RS256", "n": number(public.n, 256), "e": number(public.e, 3)},
                    {
                        "kty": "EC",
                        "kid": "ES256",
                        "alg": "ES256",
                        "crv": "P-256",
                        "x": number(point.x, 32),
                        "y": number(point.y, 32),
                    },
                ]
            }
        )

    def token(self, algorithm: str = "RS256", expires_in: int = 3600, **claims: object) -> str:
        """A signed token with these claims."""
        claims = {"iss": ISSUER, "exp": int(time.time()) + expires_in} | claims
        header = {"alg": algorithm, "kid": algorithm, "typ": "JWT"}
        signed = ".".join(base64url(json.dumps(part).encode()) for part in (header, claims))
        return f"{signed}.{base64url(self._sign(algorithm, signed.encode()))}"

    def _sign(self, algorithm: str, signed: bytes) -> bytes:
        match algorithm:
            case "RS256":
                return self._rsa.sign(signed, padding.PKCS1v15(), hashes.SHA256())
            case "ES256":
                r, s = decode_dss_signature(self._ec.sign(signed, ec.ECDSA(hashes.SHA256())))
                return r.to_bytes(32, "big") + s.to_bytes(32, "big")
            case "HS256":  # with what everybody knows: the public keys
                return hmac.digest(self.jwks().encode(), signed, "sha256")
            case _:
                return b""


def verify_tokens(bootstrap: Bootstrap, issuer: Issuer, requirement: dict | None = None, **more: object) -> None:
    """Puts Envoy's `jwt_authn` before the gate. By default a token may be missing, and must be good when it is not.

    `more` is said of the provider.
    """
    provider = {
        "issuer": ISSUER,
        "local_jwks": {"inline_string": issuer.jwks()},
        "payload_in_metadata": PAYLOAD,
        "forward": True,
    } | more
    either = {"requires_any": {"requirements": [{"provider_name": "issuer"}, {"allow_missing": {}}]}}
    config = {
        "@type": JWT_AUTHN,
        "providers": {"issuer": provider},
        "rules": [{"match": {"prefix": "/"}, "requires": requirement or either}],
    }
    bootstrap.hcm["http_filters"].insert(0, {"name": "envoy.filters.http.jwt_authn", "typed_config": config})


class Authority:
    """Who signs certificates. `directory` gets the files that Envoy and clients read."""

    def __init__(self, directory: Path, name: str):
        self._directory, self._name = directory, x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.file = directory / f"{name}.pem"
        certificate = self._certificate(self._name, self._key.public_key(), [], lasts_days=1, authority=True)
        self.file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def issue(self, name: str, uris: list[str], lasts_days: int = 1) -> Path:
        """A certificate with these URIs, and its key, in one file."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        names = [x509.IPAddress(ipaddress.ip_address("127.0.0.1")), *map(x509.UniformResourceIdentifier, uris)]
        certificate = self._certificate(subject, key.public_key(), names, lasts_days, authority=False)
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        path = self._directory / f"{name}.pem"
        path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + private)
        return path

    def _certificate(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePublicKey,
        names: list[x509.GeneralName],
        lasts_days: int,
        authority: bool,
    ) -> x509.Certificate:
        now, day = datetime.datetime.now(datetime.UTC), datetime.timedelta(days=1)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - 3 * day)
            .not_valid_after(now + lasts_days * day)
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        )
        if names:
            certificate = certificate.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return certificate.sign(self._key, hashes.SHA256())


def verify_certificates(bootstrap: Bootstrap, authority: Authority, resumed: bool = False, **validation: object) -> None:
    """Gives the listener TLS, and asks clients for certificates of this authority without requiring one."""
    own = str(authority.issue("server", []))
    context = {
        "tls_certificates": [{"certificate_chain": {"filename": own}, "private_key": {"filename": own}}],
        "validation_context": {"trusted_ca": {"filename": str(authority.file)}} | validation,
    }
    tls = {"@type": DOWNSTREAM_TLS, "common_tls_context": context, "require_client_certificate": False}
    if not resumed:
        tls |= {"disable_stateless_session_resumption": True, "disable_stateful_session_resumption": True}
    (chain,) = bootstrap.config["static_resources"]["listeners"][0]["filter_chains"]
    chain["transport_socket"] = {"name": "envoy.transport_sockets.tls", "typed_config": tls}


def bound(certificate: Path | None) -> dict | None:
    """The claim `cnf` of a token that is bound to this certificate (RFC 8705)."""
    if not certificate:
        return None
    return {"x5t#S256": base64url(x509.load_pem_x509_certificate(certificate.read_bytes()).fingerprint(hashes.SHA256()))}


class Resuming(ssl.SSLContext):
    """A client that resumes its last session. With TLS 1.2, where a session is there when the handshake is over."""

    last: ssl.SSLSession | None = None

    def wrap_socket(self, sock: socket.socket, **options: object) -> ssl.SSLSocket:
        """Begins anew, or where the last connection was."""
        connection = super().wrap_socket(sock, session=self.last, **options)
        self.last = connection.session
        return connection


def client_tls(
    authority: Authority, certificate: Path | None = None, kind: type[ssl.SSLContext] = ssl.SSLContext
) -> ssl.SSLContext:
    """A client that trusts the authority, and shows this certificate."""
    context = kind(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(authority.file)
    if kind is Resuming:
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    if certificate:
        context.load_cert_chain(certificate)
    return context


def signed_subject(
    key: str, method: str, authority: str, path: str, at: float | None = None, **fields: str
) -> str:
    """The value of a subject header as another gateway makes it."""
    signed = ";".join(["v1", f"t={int(time.time() if at is None else at)}", *(f"{k}={v}" for k, v in fields.items())])
    message = "\n".join(["tollgate-subject", method, authority, path, signed])
    return f"{signed};m={hmac.new(key.encode(), message.encode(), hashlib.sha256).hexdigest()}"
