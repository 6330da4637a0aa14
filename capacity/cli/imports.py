"""`capacity import`: figures that others keep."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from capacity.cli.options import SETTINGS, config_option, database_option, json_option, opened, sentences
from capacity.errors import BadInputError
from capacity.imports import KINDS
from capacity.imports.reading import MAX_BYTES
from capacity.service.importing import import_file
from capacity.service.principal import Principal, Role

_OPERATOR = Principal("command line", frozenset({Role.ADMIN}))

_KINDS = "\n".join(f"  {name:17} {says}" for name, (says, _) in KINDS.items())


@click.command("import", context_settings=SETTINGS, epilog=f"\b\nKinds:\n{_KINDS}")
@click.argument("kind", type=click.Choice(list(KINDS)), metavar="KIND")
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--site", metavar="SITE", help="Where scores belong whose report names no CMS site.")
@click.option(
    "--node",
    "node_id",
    metavar="ID",
    help="The node of that site that was measured, if the file does not say.",
)
@click.option(
    "--as-of", type=click.DateTime(["%Y-%m-%d"]), help="Day that a list of pledges is of; without it, today."
)
@json_option
@database_option
@config_option
def import_(
    kind: str,
    file: Path,
    site: str | None,
    node_id: str | None,
    as_of: datetime | None,
    as_json: bool,  # noqa: FBT001
    database: str | None,
    config_path: Path | None,
) -> None:
    """Take measured scores, pledges and sites from FILE ("-" = standard input); the same file twice counts once."""
    with sentences(as_json=as_json):
        data = _read(file)
        with opened(config_path, database) as (_, store):
            day = as_of.date() if as_of is not None else None
            outcome = import_file(store, kind, data, _OPERATOR, datetime.now(UTC), site, day, node_id)
    if as_json:
        click.echo(json.dumps(outcome._asdict(), indent=1))
        return
    for problem in outcome.problems:
        click.echo(f"left out: {problem}", err=True)
    click.echo(
        f"{outcome.scores_stored} new scores ({outcome.scores_of_nodes} of known nodes), {outcome.scores_known} known before, "
        f"{outcome.sites} sites, {outcome.pledges} pledges"
    )


def _read(file: Path) -> bytes:
    """At most one byte more than is allowed, so that what is too large is seen without reading it."""
    if str(file) == "-":
        return sys.stdin.buffer.read(MAX_BYTES + 1)
    if not file.is_file():
        raise BadInputError(f"{file} is not a file")
    with file.open("rb") as opened_file:
        return opened_file.read(MAX_BYTES + 1)
