"""`capacity db`: look after the database and the archive."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import click

from capacity.cli.codes import REFUSED
from capacity.cli.options import (
    SETTINGS,
    config_option,
    database_option,
    json_option,
    opened,
    sentences,
)
from capacity.config import data_directory
from capacity.settings import Config

archive_option = click.option(
    "--archive",
    "folder",
    type=click.Path(path_type=Path),
    help="Folder of the archive instead of data_directory/archive.",
)


@click.group(context_settings=SETTINGS)
def db() -> None:
    """Upgrade, check, back up, restore and thin out the database."""


@db.command("upgrade", context_settings=SETTINGS)
@database_option
@config_option
def upgrade(database: str | None, config_path: Path | None) -> None:
    """Bring the tables to this version; `capacity serve` does it by itself."""
    from capacity.store import migration  # noqa: PLC0415 - alembic is slow to load

    with sentences(), opened(config_path, database) as (_, store):
        click.echo(f"{store.shown}: version {migration.newest()}")


@db.command("check", context_settings=SETTINGS)
@click.option(
    "--documents", is_flag=True, help="Also unpack every document and compare its digest (1 ms each)."
)
@archive_option
@json_option
@database_option
@config_option
def check(
    documents: bool,  # noqa: FBT001
    folder: Path | None,
    as_json: bool,  # noqa: FBT001
    database: str | None,
    config_path: Path | None,
) -> None:
    """Look for damage and contradictions in the database and the archive; exit code 1 if there are any."""
    from capacity.service import retention  # noqa: PLC0415 - pyarrow is slow to load
    from capacity.store import checking  # noqa: PLC0415

    with sentences(as_json=as_json), opened(config_path, database, upgrade=False) as (config, store):
        found = checking.complaints(store, documents=documents)
        if not found:
            found = retention.complaints(store, _folder(config, folder))
    if as_json:
        click.echo(json.dumps({"complaints": found}))
    else:
        click.echo("\n".join(found) or "all is well")
    if found:
        raise SystemExit(REFUSED)


@db.command("backup", context_settings=SETTINGS)
@click.argument("file", type=click.Path(path_type=Path))
@database_option
@config_option
def backup(file: Path, database: str | None, config_path: Path | None) -> None:
    """Copy the database to FILE, which must not exist; the service may go on meanwhile."""
    from capacity.store import backup as copying  # noqa: PLC0415

    with sentences(), opened(config_path, database, upgrade=False) as (_, store):
        copying.backup(store, file)
    click.echo(f"{file}: {file.stat().st_size} bytes; the archive's folder is copied by itself")


@db.command("restore", context_settings=SETTINGS)
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--replace", is_flag=True, help="Even if there are profiles in the database: they are gone then."
)
@database_option
@config_option
def restore(file: Path, replace: bool, database: str | None, config_path: Path | None) -> None:  # noqa: FBT001
    """Put a backup into the database; stop the service first."""
    from capacity.store import backup as copying  # noqa: PLC0415

    with sentences(), opened(config_path, database, upgrade=False) as (_, store):
        copying.restore(store, file, replace=replace)
        store.upgrade()
    click.echo(f"{file} is restored")


@db.command("archive", context_settings=SETTINGS)
@click.option(
    "--keep-days",
    type=click.IntRange(min=0),
    default=90,
    show_default=True,
    help="Whole days (UTC) that stay in the database.",
)
@archive_option
@json_option
@database_option
@config_option
def archive(
    keep_days: int,
    folder: Path | None,
    as_json: bool,  # noqa: FBT001
    database: str | None,
    config_path: Path | None,
) -> None:
    """Move old profiles into Parquet files by day and site."""
    from capacity.service import retention  # noqa: PLC0415 - pyarrow is slow to load

    with sentences(as_json=as_json), opened(config_path, database) as (config, store):
        place = _folder(config, folder)
        moved = retention.move_old(store, place, keep_days, datetime.now(UTC))
    if as_json:
        click.echo(json.dumps(moved._asdict()))
        return
    click.echo(f"{moved.profiles} profiles moved to {moved.files} files in {place}")
    for path in moved.set_aside:
        click.echo(
            f"{place / path}: holds profiles that the database does not know; it counts for nothing", err=True
        )


def _folder(config: Config, folder: Path | None) -> Path:
    return folder or data_directory(config, os.environ) / "archive"
