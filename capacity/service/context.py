"""What every route works with: one object, made by `capacity.app`, at `request.app.state.service`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from capacity.service.authentication import Authenticator
from capacity.settings import Config
from capacity.store.database import Database


@dataclass(frozen=True)
class Service:
    """The parts of a running service.

    Attributes:
        config: its settings.
        database: its store.
        authenticator: who asks.
        archive: folder of the Parquet archive; it may not exist yet.
    """

    config: Config
    database: Database
    authenticator: Authenticator
    archive: Path
