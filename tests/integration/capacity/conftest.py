"""A service for each test, ended with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lab.service import Service

Serve = Callable[..., Service]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Start `capacity serve`; arguments are those of `Service`."""
    started: list[Service] = []

    def start(**more: Any) -> Service:
        directory = tmp_path / f"service-{len(started)}"
        directory.mkdir()
        service = Service(directory, **more)
        started.append(service)
        service.start()
        return service

    yield start
    for service in started:
        service.kill()
