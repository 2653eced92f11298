"""Who calls agents, and for whom: certificates with SPIFFE ids, and tokens that say who acts for which user."""

from __future__ import annotations

import hashlib
import ssl
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from ..identity import Authority, Issuer, base64url, client_tls

# Each user, and the tier that the issuer says they are on.
USERS = {"ada@example.org": "gold", "bob@example.org": "free"}
# Who calls: the assistant is what users talk to, the others are called by it and by each other.
CALLERS = ("assistant", "planner", "researcher", "billing")
ADA, BOB = USERS


def spiffe(agent: str) -> str:
    """The id in an agent's certificate."""
    return f"spiffe://example.org/agent/{agent}"


class People:
    """An authority of certificates, an issuer of tokens, and everybody who has one; files are in `directory`."""

    def __init__(self, directory: Path):
        self.directory = directory
        self.authority, self.issuer = Authority(directory, "agents-ca"), Issuer()
        self.server = self.authority.issue("gateway", [])
        self._certificates = {name: self.authority.issue(name, [spiffe(name)]) for name in CALLERS}

    def certificate(self, agent: str) -> Path:
        """An agent's certificate and key."""
        return self._certificates[agent]

    def digest(self, agent: str) -> str:
        """What `cnf.x5t#S256` says of an agent's certificate (RFC 8705)."""
        certificate = x509.load_pem_x509_certificate(self.certificate(agent).read_bytes())
        return base64url(hashlib.sha256(certificate.public_bytes(serialization.Encoding.DER)).digest())

    def token(self, user: str = ADA, agent: str = "assistant", **claims: object) -> str:
        """A token by which an agent acts for a user (RFC 8693)."""
        ordinary = {"sub": user, "act": {"sub": spiffe(agent)}, "tier": USERS.get(user, "free"), "aud": list(CALLERS)}
        return self.issuer.token("ES256", **(ordinary | claims))

    def tokens(self, agent: str) -> dict[str, str]:
        """What an agent got for each user that it may act for."""
        return {user: self.token(user, agent) for user in USERS}

    def shows(self, user: str = ADA, agent: str = "assistant") -> dict[str, object]:
        """What a client shows that is this agent and acts for this user."""
        return {
            "headers": {"authorization": f"Bearer {self.token(user, agent)}"},
            "authority": str(self.authority.file),
            "certificate": str(self.certificate(agent)),
        }

    def tls(self, agent: str | None = "assistant") -> ssl.SSLContext:
        """A client's side of TLS; None shows no certificate."""
        return client_tls(self.authority, self.certificate(agent) if agent else None)
