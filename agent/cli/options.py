"""What several commands share and costs nothing to load."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

import click

from sitecap import commands

config_option = click.option(
    "--config",
    "config_path",
    type=click.Path(path_type=Path),
    help="Configuration file (TOML) instead of the default places.",
)


def fail(code: int, kind: str, message: str, *, as_json: bool) -> NoReturn:
    """End with one sentence; see `common.commands.fail`."""
    commands.fail("agent", code, kind, message, as_json=as_json)
