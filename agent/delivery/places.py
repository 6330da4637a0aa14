"""Where profiles are kept when nobody says where, and where they are left when nothing is sent."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from agent.delivery.errors import DeliveryError
from agent.delivery.files import make_directory, write_durably
from agent.delivery.settings import DeliverySettings
from agent.delivery.spool import Bounds, Spool


def spool_of(settings: DeliverySettings, environment: Mapping[str, str] | None = None) -> Spool:
    """The spool of these settings.

    Raises:
        DeliveryError: no place is named and this user has no home.
    """
    bounds = Bounds(settings.spool_max_bytes, settings.spool_max_age_s)
    return Spool(_directory(settings, os.environ if environment is None else environment), bounds)


def _directory(settings: DeliverySettings, environment: Mapping[str, str]) -> Path:
    if settings.spool_directory is not None:
        return Path(settings.spool_directory)
    state = environment.get("XDG_STATE_HOME", "")
    home = environment.get("HOME", "")
    if state.startswith("/"):
        return Path(state) / "sitecap" / "spool"
    if home.startswith("/") and home != "/":
        return Path(home) / ".local" / "state" / "sitecap" / "spool"
    raise DeliveryError(
        "there is no place for the spool: this user has no HOME; set delivery.spool_directory"
    )


def leave_file(document: bytes, profile_id: str, settings: DeliverySettings) -> Path:
    """Leave a profile as an output file of the job, for `agent submit` elsewhere; durable when this returns.

    Raises:
        DeliveryError: it cannot be written.
    """
    directory = Path(settings.output_directory or ".")
    path = directory / f"sitecap-{profile_id}.json"
    try:
        make_directory(directory)
        write_durably(path, document)
    except OSError as error:
        raise DeliveryError(
            f"{path}: {error.strerror}: name a place that can be written as delivery.output_directory"
        ) from error
    return path
