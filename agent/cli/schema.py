"""`agent schema`: the JSON Schema of the capability profile."""

from __future__ import annotations

import sys

import click

from agent.cli.options import fail
from agent.codes import USAGE
from profiles.profile import SCHEMA_VERSION
from profiles.schema import FOLDER


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version", "version", default=SCHEMA_VERSION, show_default=True, help="MAJOR.MINOR of the schema."
)
def schema(version: str) -> None:
    """Print the JSON Schema that every profile obeys."""
    known = sorted(
        path.stem.removeprefix("capability-profile-") for path in FOLDER.glob("capability-profile-*.json")
    )
    if version not in known:
        fail(
            USAGE,
            "usage",
            f"there is no schema version {version!r}; there are: {', '.join(known)}",
            as_json=False,
        )
    sys.stdout.write((FOLDER / f"capability-profile-{version}.json").read_text("utf-8"))
