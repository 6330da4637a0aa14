"""The pages as a part of the application."""

from __future__ import annotations

from fastapi import FastAPI

from capacity.service.context import Service
from capacity.service.views.sums import FleetSums
from capacity.web import errors, router


def install(app: FastAPI, service: Service) -> None:
    """Add the pages; the application's own error handlers must be there already, they are shown as pages."""
    app.state.sums = FleetSums(service.database, service.fleet)
    app.include_router(router.router)
    errors.install(app)
