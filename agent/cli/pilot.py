"""`agent pilot`: in a batch slot, look and measure as far as its life goes, and hand the profile in before it ends."""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import click

from agent.cli.options import config_option, fail, screen_options, set_option
from agent.codes import NOT_FINISHED, USAGE
from agent.pilot.duration import seconds
from agent.pilot.settings import Thoroughness
from agent.sink import EXIT_MAPS, ExitMapName

if TYPE_CHECKING:
    from agent.pilot.run import Outcome, Pilot


def _duration(_context: click.Context, _param: click.Parameter, value: str | None) -> float | None:
    try:
        return None if value is None else seconds(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--budget",
    "budget_s",
    callback=_duration,
    metavar="DURATION",
    help="For all of it, e.g. 90s, 5m, 1h.  [default: 5m]",
)
@click.option(
    "--bench",
    type=click.Choice(["auto", "none", "quick", "default", "thorough"]),
    help="Kernels; auto = the most that fits, up to default.",
)
@click.option("--kernel", "kernels", multiple=True, help="This kernel; may be given again, by priority.")
@click.option("-o", "--output", help="File or directory for the profile.")
@click.option("--classad", help="Write a ClassAd of the result there; - = stdout.")
@click.option("--glidein", help="Write glideinWMS's result of a validation script there.")
@click.option("--mjf", help="Write Machine/Job Features into this directory.")
@click.option("--summary", help="Shared directory in which rank 0 sums up all nodes of the job.")
@click.option(
    "--site-profile", type=click.Choice(["standard", "no-outbound"]), help="What the site promises its jobs."
)
@click.option("--exit-map", type=click.Choice(EXIT_MAPS), help="Exit code by the verdicts, for a framework.")
@screen_options
@set_option
@config_option
def pilot(  # noqa: PLR0913, PLR0917 - one parameter a flag
    budget_s: float | None,
    bench: Thoroughness | None,
    kernels: tuple[str, ...],
    output: str | None,
    classad: str | None,
    glidein: str | None,
    mjf: str | None,
    summary: str | None,
    site_profile: str | None,
    exit_map: ExitMapName | None,
    quiet: bool,  # noqa: FBT001
    no_color: bool,  # noqa: ARG001, FBT001 - all it prints is sentences
    no_progress: bool,  # noqa: FBT001
    assignments: tuple[str, ...],
    config_path: Path | None,
) -> None:
    """Probe and measure this slot within its life, and hand the profile in, whatever ends it.

    Started several times on a node by srun or mpiexec, one works and the others wait for it.

    Exit codes: 0 handed in or left as a file, whatever it says, or done by another agent of this node; 2 wrong usage;
    3 no profile could be made; 4 not delivered, but kept; 130/143 the same as 0 after SIGINT/SIGTERM.
    """
    began = time.monotonic()
    from agent.cli.loading import load_all, sentences  # noqa: PLC0415
    from agent.config import parse_assignment  # noqa: PLC0415
    from agent.pilot.exit_code import pilot_exit_code  # noqa: PLC0415
    from agent.pilot.plan import TooShortError  # noqa: PLC0415
    from agent.pilot.run import Pilot  # noqa: PLC0415
    from agent.select import UnknownProbeError, choose  # noqa: PLC0415

    logging.basicConfig(format="agent pilot: %(message)s", level=logging.WARNING)
    with sentences():
        flags = {
            "pilot.budget_s": budget_s, "pilot.bench": bench, "pilot.kernels": kernels or None, "pilot.output": output,
            "pilot.classad": classad, "pilot.glidein": glidein, "pilot.mjf": mjf, "pilot.summary": summary,
            "site_profile": site_profile,
        }  # fmt: skip
        loaded, probes = load_all({**flags, **dict(map(parse_assignment, assignments))}, config_path)
        try:
            chosen = choose(probes, loaded.config.pilot.probes)
        except UnknownProbeError as error:
            fail(USAGE, "usage", f"pilot.probes: {error}", as_json=False)
        say = (lambda _: None) if quiet or no_progress else _say
        running = Pilot(chosen, loaded.config, os.environ, began=began, tell=say)
        _on_signals(running)
        try:
            outcome = running.run()
        except TooShortError as error:
            fail(NOT_FINISHED, "pilot", str(error), as_json=False)
    _report(outcome)
    sys.exit(pilot_exit_code(outcome, exit_map))


def _say(sentence: str) -> None:
    click.echo(f"agent pilot: {sentence}", err=True)


def _report(outcome: Outcome) -> None:
    from agent.pilot.words import words  # noqa: PLC0415

    for sentence in words(outcome):
        _say(sentence)


def _on_signals(running: Pilot) -> None:
    def handle(number: int, _frame: FrameType | None) -> None:
        running.interrupt(signal.Signals(number).name)

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1, signal.SIGUSR2):
        signal.signal(number, handle)
