"""`capacity calibrate` and `capacity reestimate`: from payload scores to HS23, and every figure anew."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import click

from capacity.cli.options import SETTINGS, config_option, database_option, json_option, opened, sentences
from capacity.hs06 import calibration_text
from capacity.service import calibrate as service


@click.group(context_settings=SETTINGS, invoke_without_command=True)
@click.option("--activate", "activate_it", is_flag=True, help="Make estimates with it from now on.")
@click.option("--from", "source", type=click.Path(path_type=Path), metavar="FILE", help="Take one that was made elsewhere.")  # fmt: skip
@click.option("--note", help="What should be remembered with it.")
@json_option
@database_option
@config_option
@click.pass_context
def calibrate(
    ctx: click.Context,
    activate_it: bool,  # noqa: FBT001
    source: Path | None,
    note: str | None,
    as_json: bool,  # noqa: FBT001
    database: str | None,
    config_path: Path | None,
) -> None:
    """Fit payload scores to measured HS23, show the error on each family that was left out, keep the result.

    Nodes count that have payload scores of all their CPUs and an imported HEPscore23 or HS06 run (`capacity import suite`).
    """
    if ctx.invoked_subcommand is not None:
        return
    now = datetime.now(UTC)
    with sentences(as_json=as_json), opened(config_path, database) as (_, store):
        made = service.make(store, now, note) if source is None else service.read(store, source)
        if activate_it:
            service.activate(store, made.version, now, look_again=False)
    click.echo(made.to_json() if as_json else calibration_text.told(made), nl=False)
    if not as_json:
        hint = "reestimate" if activate_it else f"reestimate --calibration {made.version}"
        click.echo(f"every node again with it: `capacity {hint}`", err=True)


@calibrate.command("list", context_settings=SETTINGS)
@json_option
@database_option
@config_option
def list_(as_json: bool, database: str | None, config_path: Path | None) -> None:  # noqa: FBT001
    """All calibrations, newest first; none is ever deleted."""
    with sentences(as_json=as_json), opened(config_path, database) as (_, store):
        found = service.listing(store)
    if as_json:
        click.echo(
            json.dumps(
                [{**one._asdict(), "created_at": one.created_at.isoformat()} for one in found], indent=1
            )
        )
        return
    for one in found:
        state = "active" if one.active else "-"
        kind = "provisional" if one.provisional else "measured"
        click.echo(f"{one.version:32} {one.created_at.isoformat(timespec='seconds'):26} {kind:12} {state}")


@calibrate.command("show", context_settings=SETTINGS)
@click.argument("version", required=False)
@json_option
@database_option
@config_option
def show(version: str | None, as_json: bool, database: str | None, config_path: Path | None) -> None:  # noqa: FBT001
    """One calibration; without VERSION the active one."""
    with sentences(as_json=as_json), opened(config_path, database) as (_, store):
        found = service.find(store, version)
    click.echo(found.to_json() if as_json else calibration_text.told(found), nl=False)


@calibrate.command("activate", context_settings=SETTINGS)
@click.argument("version")
@database_option
@config_option
def activate(version: str, database: str | None, config_path: Path | None) -> None:
    """Make estimates with VERSION from now on; `capacity reestimate` does the old ones."""
    with sentences(), opened(config_path, database) as (_, store):
        service.activate(store, version, datetime.now(UTC), look_again=False)
    click.echo(f"{version} is active")


@click.command(context_settings=SETTINGS)
@click.option("--calibration", "version", help="Version to estimate with; without it the active one.")
@click.option("--study", type=click.Path(path_type=Path), metavar="FILE", help="Write the figures to this Parquet file instead and leave the database as it is.")  # fmt: skip
@click.option("--archive", type=click.Path(path_type=Path), metavar="FOLDER", help="With --study: of all profiles of this archive instead of the nodes of the database.")  # fmt: skip
@click.option("--scheduler", metavar="ADDRESS", help="With --study: on Dask, local or tcp://HOST:8786; without it in this process.")  # fmt: skip
@json_option
@database_option
@config_option
def reestimate(
    version: str | None,
    study: Path | None,
    archive: Path | None,
    scheduler: str | None,
    as_json: bool,  # noqa: FBT001
    database: str | None,
    config_path: Path | None,
) -> None:
    """Estimate every node again under a calibration; old figures stay in the history of each node.

    It activates the calibration, so that what is estimated later agrees. With --study nothing is changed.
    """
    from capacity.service import reestimate as again  # noqa: PLC0415 - pyarrow is slow to load
    from capacity.service import study as studies  # noqa: PLC0415 - as above

    if study is None and (archive or scheduler):
        raise click.UsageError("--archive and --scheduler belong to --study FILE, which changes nothing")
    with sentences(as_json=as_json), opened(config_path, database) as (_, store):
        chosen = service.find(store, version)
        told = (
            again.reestimate_fleet(store, chosen.version, datetime.now(UTC))
            if study is None
            else studies.write(store, chosen, study, archive, scheduler)
        )
    if as_json:
        click.echo(json.dumps({"calibration": chosen.version, **told._asdict()}))
        return
    click.echo(told.sentence(chosen.version))
