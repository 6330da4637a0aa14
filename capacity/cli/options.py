"""What several commands share: options, the configuration, the database, errors as one sentence and an exit code."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, NoReturn

import click

from capacity.cli.codes import NOT_FINISHED, REFUSED, UNAVAILABLE, USAGE
from capacity.config import Loaded, database_url, load
from capacity.errors import BadInputError, CapacityError, UnavailableError
from capacity.fleet.model import FleetSettings
from capacity.settings import Config
from capacity.store.database import Database
from sitecap import commands

SETTINGS: dict[str, Any] = {"help_option_names": ["-h", "--help"]}
"""`context_settings` of every command."""

config_option = click.option(
    "--config",
    "config_path",
    type=click.Path(path_type=Path),
    help="Configuration file (TOML) instead of the default places.",
)
database_option = click.option(
    "--database",
    "database",
    metavar="URL",
    help="postgresql://USER@HOST/NAME or sqlite:////FILE instead of the configured one.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Machine-readable.")


def load_config(config_path: Path | None, flags: Mapping[str, Any] | None = None) -> Loaded:
    """The checked configuration; flags that are None were not given.

    Raises:
        ConfigError: it cannot be used.
    """
    given = {key: value for key, value in (flags or {}).items() if value is not None}
    return load(given, os.environ, config_path)


@contextmanager
def opened(
    config_path: Path | None, database: str | None = None, *, upgrade: bool = True
) -> Iterator[tuple[Config, Database]]:
    """The configuration and its database, closed at the end.

    Args:
        config_path: of --config.
        database: of --database.
        upgrade: bring the tables to this version first.

    Raises:
        ConfigError: the configuration cannot be used.
        UnavailableError: the database cannot be asked.
    """
    config = load_config(config_path, {"database.url": database}).config
    found = open_database(config)
    try:
        if upgrade:
            found.upgrade()
        yield config, found
    finally:
        found.close()


def open_database(config: Config) -> Database:
    """The configured database; the directory of a SQLite file is made, readable by its owner only.

    Raises:
        BadInputError: the URL cannot be used, or there is no place for the file.
    """
    database = Database(database_url(config, os.environ), connections=config.database.connections)
    if database.path is not None:
        try:
            database.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise BadInputError(
                f"{database.path.parent}: {error.strerror}: set data_directory or database.url to where you may write"
            ) from error
    return database


def fleet_rules(config: Config) -> FleetSettings:
    """The thresholds of the fleet's rules, as configured."""
    return FleetSettings(
        stale_after=timedelta(days=config.fleet.stale_after_days),
        slot_window=timedelta(hours=config.fleet.slot_window_hours),
    )


@contextmanager
def sentences(*, as_json: bool = False) -> Iterator[None]:
    """Turn the errors of the rooms below into one sentence and the documented exit code."""
    try:
        yield
    except UnavailableError as error:
        fail(UNAVAILABLE, "unavailable", str(error), as_json=as_json)
    except BadInputError as error:
        fail(USAGE, "input", str(error), as_json=as_json)
    except CapacityError as error:
        fail(REFUSED, "refused", str(error), as_json=as_json)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        fail(NOT_FINISHED, "system", f"{where}{error.strerror or error}", as_json=as_json)


def fail(code: int, kind: str, message: str, *, as_json: bool) -> NoReturn:
    """End with one sentence; see `common.commands.fail`."""
    commands.fail("capacity", code, kind, message, as_json=as_json)
