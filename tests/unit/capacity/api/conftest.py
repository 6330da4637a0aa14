"""A running application on a fresh database, and tokens of each role for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

import pytest
from starlette.testclient import TestClient

from capacity.app import create_app
from capacity.config import load
from capacity.service import tokens
from capacity.service.context import Service
from capacity.service.principal import Role
from tests.lab.tokens import Issuer
from tests.unit.capacity.api.issuers import Net
from tests.unit.capacity.documents import OTHER_SITE, SITE


class Door:
    """The application through its front door, with nobody's credentials unless `as_` is given."""

    def __init__(self, client: TestClient) -> None:
        self.client = client
        self.app = client.app
        self.service: Service = client.app.state.service
        self.tokens = {
            "submit": self.token(Role.SUBMIT, SITE),
            "other": self.token(Role.SUBMIT, OTHER_SITE),
            "everywhere": self.token(Role.SUBMIT, None),
            "read": self.token(Role.READ, None),
            "admin": self.token(Role.ADMIN, None),
        }

    def token(self, role: Role, site: str | None) -> str:
        made = tokens.create(self.service.database, role=role, site=site, now=datetime.now(UTC))
        return made.text

    def ask(self, method: str, path: str, as_: str | None = None, **more: Any) -> Any:
        headers = dict(more.pop("headers", {}))
        if as_ is not None:
            headers["Authorization"] = f"Bearer {self.tokens.get(as_, as_)}"
        return self.client.request(method, path, headers=headers, **more)

    def post(self, document: bytes, as_: str | None = "submit", **headers: str) -> Any:
        sent = {"content-type": "application/json"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        return self.ask("POST", "/api/v1/profiles", as_, content=document, headers=sent)

    def post_lines(self, *documents: bytes, as_: str = "submit") -> Any:
        return self.post(b"\n".join(documents), as_, content_type="application/x-ndjson")


Open = Callable[..., Door]


@pytest.fixture
def open_door(database_url: str) -> Iterator[Open]:
    """Start an application with some settings (dotted keys) other than the defaults."""
    with ExitStack() as stack:

        def start(**settings: Any) -> Door:
            flags = {
                "database.url": database_url,
                "data_directory": "/nonexistent",
                "auth.public_read": False,
            }
            flags |= {key.replace("__", "."): value for key, value in settings.items()}
            app = create_app(load(flags, {}).config, {})
            return Door(stack.enter_context(TestClient(app)))

        yield start


@pytest.fixture
def door(open_door: Open) -> Door:
    """With the defaults, and nothing for visitors."""
    return open_door()


@pytest.fixture(scope="module")
def issuer() -> Issuer:
    """An issuer with keys of its own, which one module uses."""
    return Issuer()


@pytest.fixture
def net(issuer: Issuer) -> Net:
    """Where its documents are found."""
    return Net(issuer)
