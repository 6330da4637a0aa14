"""`capacity demo`: a synthetic fleet to try the service with."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from capacity.cli.options import SETTINGS, config_option, database_option, opened, sentences


@click.command(context_settings=SETTINGS)
@click.option("--nodes", type=click.IntRange(1, 1_000_000), default=200, show_default=True)
@click.option(
    "--days", type=click.IntRange(1, 366), default=1, show_default=True, help="Profiles of each slot."
)
@click.option("--seed", type=click.IntRange(0, 2**31), default=1, show_default=True)
@database_option
@config_option
def demo(nodes: int, days: int, seed: int, database: str | None, config_path: Path | None) -> None:
    """Fill the database with a synthetic fleet of N nodes: real CPU models, made-up sites, known truth.

    Sites are called T2_XX_DemoN. Use a database of its own: what is in cannot be told from real profiles but by that name.
    """
    from capacity.service.demo import Filled, estimate, fill  # noqa: PLC0415 - numpy and the catalogue take a moment

    def told(done: Filled) -> None:
        if sys.stderr.isatty():
            click.echo(f"\r{done.profiles} profiles", err=True, nl=False)

    with sentences(), opened(config_path, database) as (_, store):
        now = datetime.now(UTC)
        done = fill(store, nodes, days, seed, now, told)
        estimate(store, now)
    click.echo(f"{done.profiles} profiles of {done.nodes} nodes are in {store.shown}, all estimated")
