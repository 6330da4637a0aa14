"""The application with pages over a fresh database, asked as a browser asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from capacity.app import create_app
from capacity.config import load
from capacity.service import tokens
from capacity.service.principal import Role
from capacity.service.views.sums import FleetSums
from capacity.store.database import Database
from tests.unit.capacity.web import samples

ORIGIN = "http://testserver"


class Browser:
    """Somebody who looks at pages; `login` gives the cookie that the form would."""

    def __init__(self, client: TestClient) -> None:
        self.client = client
        self.service = client.app.state.service  # type: ignore[attr-defined]
        self.database: Database = self.service.database

    def get(self, path: str, **headers: str) -> Any:
        return self.client.get(path, headers=headers, follow_redirects=False)

    def post(self, path: str, origin: str | None = ORIGIN, **fields: str) -> Any:
        headers = {"origin": origin} if origin else {}
        return self.client.post(path, data=fields, headers=headers, follow_redirects=False)

    def token(self, role: Role) -> str:
        return tokens.create(self.database, role=role, site=None, now=datetime.now(UTC)).text

    def login(self, role: Role) -> Any:
        return self.post("/login", token=self.token(role), next="/")


@contextmanager
def opened(directory: Path, **settings: Any) -> Iterator[Browser]:
    """The application with some settings (dotted keys) other than the defaults."""
    url = f"sqlite:///{directory}/capacity.sqlite"
    Database(url).upgrade()
    # As one of several workers: nothing estimates in its background what a test has just put there.
    flags = {"database.url": url, "data_directory": str(directory), "server.workers": 2}
    flags |= {key.replace("__", "."): value for key, value in settings.items()}
    app = create_app(load(flags, {}).config, {})
    with TestClient(app) as client:
        service = app.state.service
        # Tests look at once at what they wrote.
        app.state.sums = FleetSums(service.database, service.fleet, fresh_s=-1, old_s=-1)
        yield Browser(client)


@pytest.fixture
def open_browser(tmp_path: Path) -> Iterator[Callable[..., Browser]]:
    """Start the application with settings."""
    with ExitStack() as stack:
        yield lambda **settings: stack.enter_context(opened(tmp_path, **settings))


@pytest.fixture
def browser(open_browser: Callable[..., Browser]) -> Browser:
    """Pages that anybody may read, as on a loopback address."""
    return open_browser()


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Three sites for tests that only look: one with two nodes, one with one, one that is only known by name."""
    with opened(tmp_path_factory.mktemp("fleet")) as browser:
        samples.three_sites(browser.database)
        yield browser
