"""`capacity export`: our figures in the formats that others read."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from capacity.cli.options import SETTINGS, config_option, database_option, fleet_rules, opened, sentences
from capacity.errors import BadInputError
from capacity.exports import FORMATS
from capacity.service import exporting
from capacity.service.exporting import Export

_FORMATS = "\n".join(f"  {name:15} {form.says}" for name, form in FORMATS.items())


@click.command("export", context_settings=SETTINGS, epilog=f"\b\nFormats:\n{_FORMATS}")
@click.argument("format_", type=click.Choice(list(FORMATS)), metavar="FORMAT")
@click.option("--site", metavar="SITE", help="Only this site.")
@click.option("--node", "node_id", metavar="ID", help="Only this node of the site (classad, mjf).")
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path),
    help="File to write, for mjf a directory; without it, standard output.",
)
@database_option
@config_option
def export(
    format_: str,
    site: str | None,
    node_id: str | None,
    output: Path | None,
    database: str | None,
    config_path: Path | None,
) -> None:
    """Write capacity of all sites, a site or a node as FORMAT."""
    with sentences():
        with opened(config_path, database) as (config, store):
            found = exporting.export(store, format_, datetime.now(UTC), fleet_rules(config), site, node_id)
        if output is None:
            sys.stdout.buffer.write(found.body)
        elif format_ == "mjf":
            _write_files(output, found)
        else:
            _write(output, found.body)


def _write_files(directory: Path, found: Export) -> None:
    if not found.files:
        raise BadInputError("nothing is known of this node that could be a machine or job feature")
    for path, content in found.files.items():
        target = directory / path
        target.parent.mkdir(parents=True, exist_ok=True)
        _write(target, content.encode())


def _write(target: Path, body: bytes) -> None:
    """Whole or not at all: readers of these files do not wait."""
    part = target.with_name(f".{target.name}.part")
    part.write_bytes(body)
    part.replace(target)
