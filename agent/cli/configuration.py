"""`agent config show`: the effective settings, and where each came from."""

from __future__ import annotations

import json
from pathlib import Path

import click

from agent.cli.loading import load_all, sentences
from agent.cli.options import config_option


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def config() -> None:
    """The configuration: TOML file, then environment, then flags."""


@config.command("show", context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
@config_option
def show(as_json: bool, config_path: Path | None) -> None:  # noqa: FBT001
    """Show every setting, its value and its origin."""
    with sentences(as_json=as_json):
        loaded, _ = load_all({}, config_path)
    if as_json:
        click.echo(json.dumps([value._asdict() for value in loaded.values], indent=1))
        return
    for value in loaded.values:
        click.echo(f"{value.key} = {json.dumps(value.value)}  [{value.origin}]")
