"""What the routes take from the application: the running service, and who asks."""

from __future__ import annotations

from datetime import UTC, datetime

from fastapi import Request

from capacity.service.context import Service
from capacity.service.views.sums import Sums


def service_of(request: Request) -> Service:
    """The running service, which `capacity.app` put at `app.state.service`."""
    found = request.app.state.service
    assert isinstance(found, Service)
    return found


def sums_of(request: Request) -> Sums:
    """Sums of the whole fleet, a few seconds old at most while somebody reads.

    Raises:
        UnavailableError: the database cannot be asked.
    """
    found = request.app.state.sums.current()
    assert isinstance(found, Sums)
    return found


def now() -> datetime:
    """This moment, UTC; pages compute ages from it."""
    return datetime.now(UTC)
