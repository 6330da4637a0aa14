"""`capacity config show`: the effective settings, and where each came from."""

from __future__ import annotations

import json
from pathlib import Path

import click

from capacity.cli.options import SETTINGS, config_option, json_option, load_config, sentences


@click.group(context_settings=SETTINGS)
def config() -> None:
    """The configuration: TOML file, then environment, then flags."""


@config.command("show", context_settings=SETTINGS)
@json_option
@config_option
def show(as_json: bool, config_path: Path | None) -> None:  # noqa: FBT001
    """Show every setting, its value and its origin; secrets are masked."""
    with sentences(as_json=as_json):
        values = load_config(config_path).values
    if as_json:
        click.echo(json.dumps([value._asdict() for value in values], indent=1))
        return
    for value in values:
        click.echo(f"{value.key} = {json.dumps(value.value)}  [{value.origin}]")
