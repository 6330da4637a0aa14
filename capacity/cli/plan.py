"""`capacity plan`: what CMS needs each year, and whether what there is covers it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from capacity.cli.codes import USAGE
from capacity.cli.options import (
    SETTINGS,
    config_option,
    database_option,
    fail,
    fleet_rules,
    opened,
    sentences,
)
from computing_model.errors import ModelError

if TYPE_CHECKING:
    from capacity.service.planning import Measured
    from computing_model.outlook import Outlook

FORMATS = ("table", "csv", "json", "markdown", "html")
scenario_option = click.option(
    "--scenario",
    "-s",
    "scenarios",
    multiple=True,
    metavar="NAME[+NAME]",
    help="A shipped layer or a TOML file, several of them joined by +; again for one more scenario. "
    "Without it: baseline, weighted-probable, optimistic.",
)
set_option = click.option(
    "--set",
    "sets",
    multiple=True,
    metavar="KEY=VALUE",
    help="One assumption, e.g. reco.speedup=1.5; over all files.",
)
plot_option = click.option(
    "--plot", type=click.Path(path_type=Path, dir_okay=False), help="Write a plot (SVG) into this file, too."
)
output_option = click.option(
    "--output", "-o", type=click.Path(path_type=Path, dir_okay=False), help="File instead of standard output."
)


@click.group(context_settings=SETTINGS, invoke_without_command=True)
@scenario_option
@set_option
@click.option("--from", "first", type=int, metavar="YEAR", help="First year.")
@click.option("--to", "last", type=int, metavar="YEAR", help="Last year.")
@click.option("--format", "-f", "format_", type=click.Choice(FORMATS), default="table", show_default=True)
@output_option
@click.option(
    "--plots", type=click.Path(path_type=Path, file_okay=False), help="Write plots (SVG) into this folder."
)
@click.option("--no-fleet", is_flag=True, help="Do not ask the database.")
@database_option
@config_option
@click.pass_context
def plan(  # noqa: PLR0913, PLR0917 - flags
    ctx: click.Context,
    scenarios: tuple[str, ...],
    sets: tuple[str, ...],
    first: int | None,
    last: int | None,
    format_: str,
    output: Path | None,
    plots: Path | None,
    no_fleet: bool,  # noqa: FBT001
    database: str | None,
    config_path: Path | None,
) -> None:
    """Needs of CMS by year (CPU, disk, tape) against the flat budget, pledges and the measured fleet."""
    if ctx.invoked_subcommand is not None:
        return
    from computing_model.layers import assignments  # noqa: PLC0415 - a first answer of --help needs no numpy
    from computing_model.outlook import DEFAULT_SCENARIOS, outlook  # noqa: PLC0415

    with sentences(), told():
        known = None if no_fleet else _measured(database, config_path)
        made = outlook(
            scenarios or DEFAULT_SCENARIOS,
            assignments(sets),
            (first, last),
            None if known is None else known.fleet,
            "not asked for (--no-fleet)" if known is None else known.missing,
            {} if known is None else known.pledges_khs06,
        )
        if plots is not None:
            from computing_model.render.plots import write  # noqa: PLC0415 - matplotlib is an extra

            for path in write(made, plots):
                click.echo(f"wrote {path}", err=True)
        _put(_text(made, format_), output)


@plan.command("scenarios", context_settings=SETTINGS)
def scenarios_() -> None:
    """What ships: scenarios, and layers that go with any of them."""
    from computing_model.layers import described  # noqa: PLC0415

    for name, says in described():
        click.echo(f"{name:20} {says}")


@plan.command("talk", context_settings=SETTINGS)
def talk() -> None:
    """Every printed number of the talk beside what its inputs give, by which rule, and whether it follows."""
    from computing_model.acceptance import table  # noqa: PLC0415
    from computing_model.render.acceptance import text_of  # noqa: PLC0415

    click.echo(text_of(table()), nl=False)


@plan.command("published", context_settings=SETTINGS)
def published() -> None:
    """The scenarios beside CMS's public projections of 2021: by year, plateaus, and why they differ."""
    from computing_model.published import beside  # noqa: PLC0415
    from computing_model.render.published import text_of  # noqa: PLC0415

    click.echo(text_of(beside()), nl=False)


@plan.command("compare", context_settings=SETTINGS)
@click.argument("one", metavar="A")
@click.argument("other", metavar="B")
@set_option
def compare(one: str, other: str, sets: tuple[str, ...]) -> None:
    """What changes from scenario A to scenario B: assumptions, and needs by year."""
    from computing_model.compare import compared  # noqa: PLC0415
    from computing_model.layers import assignments  # noqa: PLC0415
    from computing_model.outlook import outlook  # noqa: PLC0415
    from computing_model.render.comparison import text_of  # noqa: PLC0415

    with told():
        click.echo(text_of(compared(outlook((one, other), assignments(sets)))), nl=False)


@plan.command("bands", context_settings=SETTINGS)
@click.option(
    "--scenario", "-s", default="weighted-probable+uncertain", show_default=True, metavar="NAME[+NAME]"
)
@set_option
@plot_option
@click.option("--samples", type=click.IntRange(100, 1_000_000), default=10_000, show_default=True)
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True)
def bands_(scenario: str, sets: tuple[str, ...], plot: Path | None, samples: int, seed: int) -> None:
    """Needs as distributions: 68 % and 95 % bands, and the chance that the flat budget covers them."""
    from computing_model.layers import assignments, named  # noqa: PLC0415
    from computing_model.render.bands import text_of  # noqa: PLC0415
    from computing_model.uncertainty import bands  # noqa: PLC0415

    with sentences(), told():
        found = bands(named(scenario, assignments(sets)).parameters, samples, seed)
        if plot is not None:
            from computing_model.render.plots import bands_svg  # noqa: PLC0415 - matplotlib is an extra

            _put(bands_svg(found), plot)
        click.echo(text_of(found), nl=False)


@plan.command("tornado", context_settings=SETTINGS)
@click.argument("year", type=int)
@click.option("--resource", "-r", default="cpu_khs06_years", show_default=True)
@click.option(
    "--scenario", "-s", default="weighted-probable+uncertain", show_default=True, metavar="NAME[+NAME]"
)
@set_option
@plot_option
def tornado_(year: int, resource: str, scenario: str, sets: tuple[str, ...], plot: Path | None) -> None:
    """Which assumption matters most for the need of YEAR: each varied alone."""
    from computing_model.layers import assignments, named  # noqa: PLC0415
    from computing_model.render.tornado import text_of  # noqa: PLC0415
    from computing_model.sensitivity import tornado  # noqa: PLC0415

    with sentences(), told():
        found = tornado(named(scenario, assignments(sets)).parameters, resource, year)
        if plot is not None:
            from computing_model.render.plots import tornado_svg  # noqa: PLC0415 - matplotlib is an extra

            _put(tornado_svg(found), plot)
        click.echo(text_of(found), nl=False)


@plan.command("solve", context_settings=SETTINGS)
@click.argument("key")
@click.argument("year", type=int)
@click.option("--resource", "-r", default="cpu_khs06_years", show_default=True)
@click.option("--scenario", "-s", default="baseline", show_default=True, metavar="NAME[+NAME]")
@set_option
@click.option("--fits", type=click.Choice(("low", "middle", "high")), default="middle", show_default=True,
              help="Edge of the flat budget that the need must meet.")  # fmt: skip
@click.option(
    "--between",
    type=(float, float),
    help="Where to look for the value; default: a hundredth to a hundredfold.",
)
def solve_(
    key: str,
    year: int,
    resource: str,
    scenario: str,
    sets: tuple[str, ...],
    fits: str,
    between: tuple[float, float] | None,
) -> None:
    r"""What would have to be true: the value of KEY with which the need of YEAR fits the flat budget.

    \b
    capacity plan solve detector.phase2.time_hs06_s.reco_data 2031
    capacity plan solve reco.speedup 2034 --fits high
    """
    from computing_model.layers import assignments, named  # noqa: PLC0415
    from computing_model.render.solution import text_of  # noqa: PLC0415
    from computing_model.sensitivity import fit  # noqa: PLC0415

    with told():
        click.echo(
            text_of(fit(named(scenario, assignments(sets)).parameters, key, resource, year, fits, between)),
            nl=False,
        )


@contextmanager
def told() -> Iterator[None]:
    """Turn an error of the model into one sentence and exit code 2."""
    try:
        yield
    except ModelError as error:
        fail(USAGE, "assumptions", str(error), as_json=False)


def _measured(database: str | None, config_path: Path | None) -> Measured:
    from capacity.service.planning import measured  # noqa: PLC0415 - the store takes a moment

    with opened(config_path, database) as (config, store):
        return measured(store, fleet_rules(config), datetime.now(UTC))


def _text(made: Outlook, format_: str) -> str:
    from computing_model.render import FORMATS as RENDERERS  # noqa: PLC0415

    return RENDERERS[format_](made)


def _put(text: str, output: Path | None) -> None:
    if output is None:
        click.echo(text, nl=False)
    else:
        output.write_text(text, encoding="utf-8")
