"""`agent probe`: look at this node, and say what a job would get and what is wrong."""

from __future__ import annotations

import shutil
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import click

from agent import sink
from agent.cli.options import config_option, fail, screen_options, set_option
from agent.codes import NOT_FINISHED, USAGE
from agent.engine import ENGINES
from agent.head import head_line

if TYPE_CHECKING:
    from probes.runner import Runner
    from profiles.profile import ProbeRun


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--list", "list_only", is_flag=True, help="List probes and their checks, and end.")
@click.option("--format", "format_name", type=click.Choice(sink.FORMATS), default="text", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Same as --format json: the profile itself.")
@click.option(
    "-o",
    "--output",
    "output_path",
    type=click.Path(path_type=Path),
    help="Write the result there; - = stdout.",
)
@click.option("--timeout", "budget_s", type=click.FloatRange(0.1, 3600), help="Seconds for the whole run.")
@click.option("--only-problems", is_flag=True, help="Show only what needs attention.")
@click.option("--strict", is_flag=True, help="Exit 1 on warnings too.")
@click.option("--exit-map", type=click.Choice(sink.EXIT_MAPS), help="Exit codes for a framework.")
@click.option(
    "--site-profile", type=click.Choice(["standard", "no-outbound"]), help="What the site promises its jobs."
)
@click.option(
    "--root",
    type=click.Path(exists=True, file_okay=False),
    default="/",
    show_default=True,
    help="Directory that holds the host's file tree, e.g. /host.",
)
@click.option(
    "--record", type=click.Path(path_type=Path), help="Write a replayable recording into a new directory."
)
@click.option("--replay", type=click.Path(path_type=Path), help="Probe a recording instead of this machine.")
@click.option(
    "--redact/--no-redact", default=True, show_default=True, help="Hide identities in the recording."
)
@click.option("--identify/--no-identify", default=None, help="Put the host name into the profile.")
@click.option(
    "--container",
    "container",
    type=(click.Choice(ENGINES), str),
    metavar="ENGINE IMAGE",
    help="Also probe inside a container: docker, podman or apptainer.",
)
@click.option("-v", "--verbose", is_flag=True, help="Show every check, and each probe as it finishes.")
@screen_options
@set_option
@config_option
def probe(  # noqa: PLR0913, PLR0917 - one parameter a flag
    names: tuple[str, ...],
    list_only: bool,  # noqa: FBT001
    format_name: str,
    as_json: bool,  # noqa: FBT001
    output_path: Path | None,
    budget_s: float | None,
    only_problems: bool,  # noqa: FBT001
    strict: bool,  # noqa: FBT001
    exit_map: sink.ExitMapName | None,
    site_profile: str | None,
    root: str,
    record: Path | None,
    replay: Path | None,
    redact: bool,  # noqa: FBT001
    identify: bool | None,  # noqa: FBT001
    container: tuple[str, str] | None,
    verbose: bool,  # noqa: FBT001
    quiet: bool,  # noqa: FBT001
    no_color: bool,  # noqa: FBT001
    no_progress: bool,  # noqa: FBT001
    assignments: tuple[str, ...],
    config_path: Path | None,
) -> None:
    """Describe this node as a job would find it. NAMEs choose probes; none = all.

    Exit codes: 0 nothing failed, 1 a check failed, 2 wrong usage, 3 the agent could not finish, 130/143 interrupted.
    """
    format_name = "json" if as_json else format_name
    machine = format_name == "json"
    style = sink.Style(
        format_name=format_name,
        width=shutil.get_terminal_size((80, 24)).columns,
        colour=sink.wants_colour(sys.stdout, no_color=no_color),
        verbose=verbose,
        only_problems=only_problems,
    )
    result = sink.Sink(output_path, style)
    if format_name == "text" and not (container or list_only):
        try:
            result.write(head_line(root, replay))
        except sink.OutputError as error:
            fail(NOT_FINISHED, "output", str(error), as_json=False)
    # From here on the models are loaded, which takes longer than a reader wants to look at nothing.
    from agent import output, pair  # noqa: PLC0415
    from agent.cli.loading import load_all, sentences  # noqa: PLC0415
    from agent.config import parse_assignment  # noqa: PLC0415
    from agent.run import Request, look  # noqa: PLC0415
    from agent.select import UnknownProbeError, choose, listing  # noqa: PLC0415

    with sentences(as_json=machine):
        flags = {"budget_s": budget_s, "site_profile": site_profile, "identify": identify}
        flags |= dict(map(parse_assignment, assignments))
        loaded, probes = load_all(flags, config_path)
        try:
            chosen = choose(probes, names)
        except UnknownProbeError as error:
            fail(USAGE, "usage", str(error), as_json=machine)
        if list_only:
            click.echo(listing(probes), nl=False)
            return
        request = Request(
            probes=chosen, config=loaded.config, root=root, record=record, replay=replay, redact=redact
        )
        if container:
            pair.check_request(request, format_name)
        with result:
            progress = _Progress(quiet=quiet or no_progress, verbose=verbose)
            found = look(request, on_start=_on_signals, on_finish=progress.finished, on_wait=progress.waiting)
            if container:
                both = pair.look_inside(found.profile, request, container, names)
                result.write(pair.render(both, format_name, style.width))
                code = pair.worse_code(
                    output.code_of(found, strict=strict, exit_map="agent"), both, strict=strict
                )
            else:
                result.write(output.body(found.profile, chosen, style))
                code = output.code_of(found, strict=strict, exit_map=exit_map or style.default_exit_map)
    if found.recording_failure:
        sentence = f"{found.recording_failure}: free some space and record again"
        fail(NOT_FINISHED, "recording", sentence, as_json=False)
    sys.exit(code)


class _Progress:
    """One line per finished probe with -v, and a word when something takes long, on stderr."""

    def __init__(self, *, quiet: bool, verbose: bool) -> None:
        self._quiet = quiet
        self._verbose = verbose and not quiet

    def finished(self, run: ProbeRun) -> None:
        if self._verbose:
            took = "" if run.duration_s is None else f" {run.duration_s * 1000:.0f} ms"
            why = f" ({run.reason})" if run.reason else ""
            click.echo(f"probe {run.name}: {run.outcome}{took}{why}", err=True)

    def waiting(self, names: list[str]) -> None:
        if not self._quiet:
            click.echo(f"still waiting for {', '.join(names)}", err=True)


def _on_signals(runner: Runner) -> None:
    def handle(number: int, _frame: FrameType | None) -> None:
        runner.interrupt(signal.Signals(number).name)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, handle)
