"""What several commands share and costs nothing to load."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import NoReturn

import click

config_option = click.option(
    "--config",
    "config_path",
    type=click.Path(path_type=Path),
    help="Configuration file (TOML) instead of the default places.",
)


def fail(code: int, kind: str, message: str, *, as_json: bool) -> NoReturn:
    """End with one sentence: on stderr, or as a JSON object on stdout for a program that reads JSON."""
    if as_json:
        click.echo(json.dumps({"error": {"code": kind, "message": message}}))
    else:
        click.echo(f"agent: {message}", err=True)
    sys.exit(code)
