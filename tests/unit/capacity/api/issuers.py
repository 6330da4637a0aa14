"""An issuer in the lab, as a service would reach it, and settings that believe it."""

from __future__ import annotations

from typing import Any

from capacity.config import load
from capacity.service.issuer_keys import FetchError
from capacity.settings import AuthSettings
from tests.lab.tokens import Issuer
from tests.unit.capacity.documents import SITE

AUDIENCE = "https://capacity.example"
GRANTS = [
    {"scope": "sitecap.submit:/{site}", "role": "submit"},
    {"scope": "sitecap.read", "role": "read"},
    {"scope": "sitecap.admin", "role": "admin", "sites": "*", "group": "/cms/capacity"},
    {"scope": "storage.read:/", "subject": "robot", "role": "submit", "sites": [SITE]},
]


class Net:
    """Documents at addresses; counts who asked for what."""

    def __init__(self, issuer: Issuer) -> None:
        self.issuer = issuer
        self.asked: list[str] = []
        self.down = False
        self.document: dict[str, Any] | None = None

    def __call__(self, url: str, timeout_s: float, ca_file: str | None) -> Any:
        self.asked.append(url)
        if self.down:
            raise FetchError("no route to host")
        if url == f"{self.issuer.url}/.well-known/openid-configuration":
            return self.document or {"issuer": self.issuer.url, "jwks_uri": f"{self.issuer.url}/jwks"}
        assert url == f"{self.issuer.url}/jwks"
        return self.issuer.jwks()


def settings(**more: Any) -> AuthSettings:
    """Settings of a service that believes the lab's issuer."""
    issuers = [
        {"issuer": "https://issuer.lab", "audience": [AUDIENCE], "grants": GRANTS, **more.pop("issuer", {})}
    ]
    return load({"auth.issuers": issuers, **more}, {}).config.auth
