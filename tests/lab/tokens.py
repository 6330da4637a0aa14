"""An issuer of WLCG tokens: ES256-signed JWTs with the claims of the WLCG Common JWT Profile."""

from __future__ import annotations

import base64
import json
import time
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

ANY_AUDIENCE = "https://wlcg.cern.ch/jwt/v1/any"
"""The audience that every service of WLCG takes (WLCG Common JWT Profile, "aud")."""

COORDINATE_BYTES = 32
"""Of a point on P-256 (RFC 7518 §6.2.1.2)."""


class Issuer:
    """Signs tokens with a key of its own.

    Attributes:
        url: its `iss`; nobody has to listen there, because a server's key cache can be seeded.
        key_id: its `kid`.
    """

    def __init__(self, url: str = "https://issuer.lab", key_id: str = "lab") -> None:
        self.url = url
        self.key_id = key_id
        self._key = ec.generate_private_key(ec.SECP256R1())

    def token(
        self,
        *,
        scope: str | None = "storage.read:/",
        aud: str | Sequence[str] | None = ANY_AUDIENCE,
        expires_in_s: float = 3600,
        issued_ago_s: float = 0,
        valid_in_s: float = -5,
        claims: Mapping[str, Any] | None = None,
    ) -> str:
        """A signed token.

        Args:
            scope: space-separated; None = no such claim.
            aud: audience or audiences; None = no such claim.
            expires_in_s: until `exp`, negative = expired.
            issued_ago_s: since `iat`, negative = issued in the future.
            valid_in_s: until `nbf`.
            claims: more of them, or others; a None leaves one out.
        """
        now = time.time()
        body: dict[str, Any] = {
            "wlcg.ver": "1.0",
            "iss": self.url,
            "sub": "alice",
            "aud": aud if aud is None or isinstance(aud, str) else list(aud),
            "scope": scope,
            "iat": int(now - issued_ago_s),
            "nbf": int(now + valid_in_s),
            "exp": int(now + expires_in_s),
            "jti": str(uuid.uuid4()),
            **(claims or {}),
        }
        header = {"alg": "ES256", "typ": "JWT", "kid": self.key_id}
        wanted = {name: value for name, value in body.items() if value is not None}
        signed = f"{_encoded(_json(header))}.{_encoded(_json(wanted))}"
        r, s = decode_dss_signature(self._key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
        signature = r.to_bytes(COORDINATE_BYTES, "big") + s.to_bytes(COORDINATE_BYTES, "big")
        return f"{signed}.{_encoded(signature)}"

    def public_pem(self) -> str:
        """The public key, PEM."""
        return (
            self._key.public_key()
            .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
            .decode()
        )

    def coordinates(self) -> tuple[str, str]:
        """x and y of the public key in base64url without padding, as a JWK and a server's key cache have them."""
        point = self._key.public_key().public_numbers()
        return (
            _encoded(point.x.to_bytes(COORDINATE_BYTES, "big")),
            _encoded(point.y.to_bytes(COORDINATE_BYTES, "big")),
        )

    def jwks(self) -> dict[str, Any]:
        """The key set that an issuer publishes (RFC 7517)."""
        x, y = self.coordinates()
        key = {"kty": "EC", "crv": "P-256", "x": x, "y": y, "kid": self.key_id, "use": "sig", "alg": "ES256"}
        return {"keys": [key]}


def _json(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _encoded(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
