"""The application: API, pages and what runs in the background, joined from a configuration."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from time import monotonic

from fastapi import Depends, FastAPI
from starlette.concurrency import run_in_threadpool

import capacity
from capacity.api import problems
from capacity.api.bodies import InFlight
from capacity.api.guard import guard
from capacity.api.headers import SecurityHeaders
from capacity.api.intake import Intake
from capacity.api.profiles import Reception, receive_profiles
from capacity.api.routers import ROUTERS
from capacity.api.small_bodies import SmallBodies
from capacity.api.telemetry import Metrics, Telemetry
from capacity.config import data_directory, database_url
from capacity.keeper import Keeper
from capacity.refresher import Refresher
from capacity.service.context import make_service
from capacity.service.rates import RateBound
from capacity.settings import Config
from capacity.store.database import Database
from capacity.web import joining as pages

LARGE_BODIES = ("/api/v1/profiles", "/api/v1/imports")
"""Routes that read and bound their bodies themselves."""


def create_app(config: Config, environment: Mapping[str, str] | None = None) -> FastAPI:
    """An application that is ready to be served; the tables must be there (`Database.upgrade`).

    Args:
        config: all settings.
        environment: for the place of the data directory; None = of the process.

    Raises:
        BadInputError: the database's URL, or the place of the data, cannot be used.
    """
    where = os.environ if environment is None else environment
    database = Database(database_url(config, where), connections=config.database.connections)
    service = make_service(config, database, data_directory(config, where) / "archive")
    metrics = Metrics()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        intake = Intake(database, lambda: datetime.now(UTC), config.database.answer_s)
        intake.start()
        limits = config.limits
        rate = RateBound(limits.profiles_per_s, limits.profiles_burst, "profiles", monotonic)
        in_flight = InFlight(limits.in_flight_bytes, metrics.in_flight_bytes.set)
        app.state.reception = Reception(intake, in_flight, rate, metrics)
        keeper = Keeper(database, app.state.sums)
        keeper.start()
        if config.server.workers == 1:  # else there is a process for it, see `capacity.background`
            refresher = Refresher(
                service, lambda: intake.received, metrics.refreshed.inc, metrics.refresh_failures.inc
            )
            refresher.start()
            yield
            await run_in_threadpool(refresher.stop)
        else:
            yield
        await run_in_threadpool(keeper.stop)
        await intake.stop()
        database.close()

    app = FastAPI(
        title="sitecap capacity",
        summary="Capability profiles in, HS06-equivalent capacity out.",
        version=capacity.__version__,
        lifespan=lifespan,
        dependencies=[Depends(guard)],
        # The stock pages load scripts from other hosts, and the stock document has no policy: ours is a route.
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
    )
    app.state.service = service
    app.state.metrics = metrics
    problems.install(app)
    receive_profiles(app)
    for router in ROUTERS:
        app.include_router(router)
    pages.install(app, service)
    app.add_middleware(SmallBodies, body_s=config.server.body_s, large=LARGE_BODIES)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(Telemetry, metrics=metrics, log_requests=config.log.requests)
    return app
