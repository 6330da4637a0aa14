"""`agent bench event`: one simulated event through all kernels, with its times and its picture."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import click

from agent import sink
from agent.cli.options import fail, require_numpy
from agent.codes import NOT_FINISHED

FORMATS = ("text", "html", "svg")


@click.command("event", context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--pile-up",
    "pile_up",
    type=click.FloatRange(0, 300),
    default=50.0,
    show_default=True,
    help="Mean number of collisions beside the hard one; the HL-LHC's: 140 to 200.",
)
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=20261122, show_default=True)
@click.option(
    "--event", "number", type=click.IntRange(0, 10_000), default=0, show_default=True, help="Of the seed."
)
@click.option(
    "--format", "format_name", type=click.Choice(FORMATS), help="Default: text, or by the name after -o."
)
@click.option(
    "-o", "--output", "output_path", type=click.Path(path_type=Path), help="Write there; - = stdout."
)
def event(pile_up: float, seed: int, number: int, format_name: str | None, output_path: Path | None) -> None:
    """Take one simulated event through all kernels, chained where CMS chains them.

    As text: the time of each kernel beside the share that CMS publishes. As page (-o event.html) also the event itself, to be
    turned and zoomed; as picture (-o event.svg) across and along the beam.

    Exit codes: 0 done, 2 wrong usage, 3 it could not be done.
    """
    require_numpy(as_json=False)
    from agent.bench_event import EventChoice, reconstruct  # noqa: PLC0415
    from agent.cli.loading import sentences  # noqa: PLC0415
    from payloads.catalogue import kernels  # noqa: PLC0415
    from payloads.errors import PayloadError  # noqa: PLC0415

    wanted = format_name or sink.format_of(output_path, FORMATS)
    style = sink.Style(
        format_name=wanted,
        width=80,
        colour=sink.wants_colour(sys.stdout, no_color=True),
        verbose=False,
        only_problems=False,
    )
    result = sink.Sink(output_path, style)
    choice = EventChoice(pile_up, seed, number)
    with sentences():
        result.check()
        try:
            steps = reconstruct(choice, kernels())
        except PayloadError as error:
            fail(NOT_FINISHED, "kernels", str(error), as_json=False)
        text = importlib.import_module(f"agent.render.event_{wanted}").render(choice, steps)
        with result:
            result.write(text)
