"""A service for each test, ended with it, and a site that hands in to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from capacity.service.principal import Role
from tests.lab.delivery import Site
from tests.lab.service import Service

At = Callable[..., Site]


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    directory = tmp_path / "service"
    directory.mkdir()
    one = Service(directory)
    one.start()
    yield one
    one.kill()


@pytest.fixture
def site_of(tmp_path: Path) -> At:
    def make(service: Service, name: str | None = None, **settings: Any) -> Site:
        directory = tmp_path / "site"
        directory.mkdir(exist_ok=True)
        return Site(directory, service.url, service.token(Role.SUBMIT, name), settings)

    return make
