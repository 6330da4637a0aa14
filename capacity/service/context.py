"""What every route works with: one object, made by `capacity.app`, at `request.app.state.service`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from capacity.fleet.model import FleetSettings
from capacity.service.authentication import Authenticator
from capacity.service.estimators import Estimators
from capacity.settings import Config
from capacity.store.database import Database


@dataclass(frozen=True)
class Service:
    """The parts of a running service.

    Attributes:
        config: its settings.
        database: its store.
        authenticator: who asks.
        estimators: gives the estimator of the active calibration.
        fleet: thresholds of the fleet's rules.
        archive: folder of the Parquet archive; it may not exist yet.
    """

    config: Config
    database: Database
    authenticator: Authenticator
    estimators: Estimators
    fleet: FleetSettings
    archive: Path


def make_service(config: Config, database: Database, archive: Path) -> Service:
    """The parts, joined; asks neither the database nor the network."""
    rules = config.fleet
    return Service(
        config=config,
        database=database,
        authenticator=Authenticator(database, config),
        estimators=Estimators(database),
        fleet=FleetSettings(
            stale_after=timedelta(days=rules.stale_after_days),
            slot_window=timedelta(hours=rules.slot_window_hours),
        ),
        archive=archive,
    )
