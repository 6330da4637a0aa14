"""`agent bench`: what this node can compute, in events per second of CMS reconstruction kernels."""

from __future__ import annotations

import math
import shutil
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from agent import sink
from agent.bench_flags import KERNELS, contradiction
from agent.cli.bench_event import event
from agent.cli.bench_progress import BenchProgress
from agent.cli.options import config_option, fail, require_numpy, screen_options, set_option
from agent.codes import NOT_FINISHED, USAGE
from agent.head import head_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent.bench import Benched, BenchRequest
    from agent.config import Loaded
    from payloads.device_bench import DeviceBench
    from payloads.runner import Bench
    from probes.runner import Runner
    from probes.spec import Probe
    from profiles.profile import CapabilityProfile

FORMATS = ("text", "json", "html")
HELP = {"help_option_names": ["-h", "--help"]}


class _Seconds(click.FloatRange):
    """A number of seconds within a range; `nan` is within none, which comparisons alone do not see."""

    name = "seconds"

    def convert(self, value: float, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            seconds = float(value)
        except ValueError:
            self.fail(f"{value!r} is not a number of seconds", param, ctx)
        if math.isnan(seconds):
            self.fail(f"{value!r} is not a number of seconds", param, ctx)
        in_range: float = super().convert(seconds, param, ctx)
        return in_range


class _Count(click.IntRange):
    """A whole number within a range."""

    name = "whole number"


class _RunByDefault(click.Group):
    """`agent bench clue` is `agent bench run clue`; the other commands are `compare` and `event`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or args[0] not in self.commands:
            args = ["run", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_RunByDefault, context_settings=HELP, no_args_is_help=False)
def bench() -> None:
    """Measure this node with CMS reconstruction kernels; `compare` holds two results side by side, `event` shows an event."""


bench.add_command(event)


@bench.command("run", context_settings=HELP)
@click.argument("names", nargs=-1, metavar="[KERNEL]...")
@click.option("--quick", is_flag=True, help="Within 60 s.")
@click.option("--thorough", is_flag=True, help="Every variant, a whole scaling curve; some 20 min.")
@click.option("--budget", "budget_s", type=_Seconds(1, 86_400), help="Seconds for all payloads.")
@click.option("--copies", type=_Count(1, 65_536), help="Pinned copies; default: one a granted core.")
@click.option("--variant", "variants", multiple=True, help="Measure this variant; may be given again.")
@click.option(
    "--device",
    "devices",
    multiple=True,
    metavar="gpu:N",
    help="Measure on this GPU, or gpu:all; may be given again.",
)
@click.option(
    "--backend", "backend", metavar="cpu|cuda|hip", help="Measure on CPUs, or the first GPU of a kind."
)
@click.option("--list", "list_only", is_flag=True, help="List kernels, and end.")
@click.option("--list-backends", is_flag=True, help="List what kernels can run on here, or why not, and end.")
@click.option("--show", "shown", metavar="FILE|last", help="Show an earlier run, or KERNELs of it.")
@click.option("--cache", "cache", type=click.Path(path_type=Path), help="Directory for simulated events.")
@click.option(
    "--format", "format_name", type=click.Choice(FORMATS), help="Default: text, or by the name after -o."
)
@click.option("--json", "as_json", is_flag=True, help="Same as --format json: the profile itself.")
@click.option(
    "-o", "--output", "output_path", type=click.Path(path_type=Path), help="Write there; - = stdout."
)
@click.option("-v", "--verbose", is_flag=True, help="Show every variant, stage and figure of physics.")
@screen_options
@set_option
@config_option
@click.pass_context
def run(  # noqa: PLR0913, PLR0917 - one parameter a flag
    context: click.Context,
    names: tuple[str, ...],
    quick: bool,  # noqa: FBT001
    thorough: bool,  # noqa: FBT001
    budget_s: float | None,
    copies: int | None,
    variants: tuple[str, ...],
    devices: tuple[str, ...],
    backend: str | None,
    list_only: bool,  # noqa: FBT001
    list_backends: bool,  # noqa: FBT001
    shown: str | None,
    cache: Path | None,
    format_name: str | None,
    as_json: bool,  # noqa: FBT001
    output_path: Path | None,
    verbose: bool,  # noqa: FBT001
    quiet: bool,  # noqa: FBT001
    no_color: bool,  # noqa: FBT001
    no_progress: bool,  # noqa: FBT001
    assignments: tuple[str, ...],
    config_path: Path | None,
) -> None:
    """Measure this node with KERNELs; none = all. Each is measured only after its physics was found right.

    `agent bench compare A.json B.json` holds two results side by side.

    Exit codes: 0 all right, 1 a kernel failed or its physics is wrong, 2 wrong usage, 3 the agent could not finish (no
    kernels compiled, budget ended), 130/143 interrupted; what was measured by then is in the result.
    """
    style = sink.Style(
        format_name="json" if as_json else format_name or sink.format_of(output_path, FORMATS),
        width=shutil.get_terminal_size((80, 24)).columns,
        colour=sink.wants_colour(sys.stdout, no_color=no_color),
        verbose=verbose,
        only_problems=False,
    )
    result = sink.Sink(output_path, style)
    machine = style.format_name == "json"
    _refuse_contradiction(context, as_json=machine)
    if style.format_name == "text" and not (list_only or list_backends or shown):
        try:
            result.write(head_line("/", None))
        except sink.OutputError as error:
            fail(NOT_FINISHED, "output", str(error), as_json=False)
    require_numpy(as_json=machine)
    # From here on models and kernels are loaded, which takes longer than a reader wants to look at nothing.
    from agent import bench_commands  # noqa: PLC0415
    from agent.bench import BenchRequest, TooManyCopiesError  # noqa: PLC0415
    from agent.bench_last import keep, read  # noqa: PLC0415
    from agent.chosen_devices import UnusableDeviceError  # noqa: PLC0415
    from agent.cli.loading import load_all, sentences  # noqa: PLC0415
    from agent.config import parse_assignment  # noqa: PLC0415
    from agent.exit_code import bench_exit_code  # noqa: PLC0415
    from payloads.catalogue import ManifestError, UnknownKernelError, choose, kernels  # noqa: PLC0415

    with sentences(as_json=machine):
        loaded, probes = load_all(dict(map(parse_assignment, assignments)), config_path)
        place = bench_commands.place_of(cache, loaded.config)
        try:
            known = kernels()
            if shown is not None:
                profile = read(bench_commands.last_of(place) if shown == "last" else Path(shown))
                text = bench_commands.body(bench_commands.selected(profile, names), style, known)
                with result:
                    result.write(text)
                return
            chosen = choose(known, names)
            bench_commands.check_variants(variants)
        except (UnknownKernelError, bench_commands.UnusableVariantError) as error:
            fail(USAGE, "usage", str(error), as_json=machine)
        except ManifestError as error:
            fail(NOT_FINISHED, "kernels", str(error), as_json=machine)
        if list_only or list_backends:
            click.echo(
                bench_commands.backends() if list_backends else bench_commands.listing(chosen), nl=False
            )
            return
        request = _request(loaded, BenchRequest(
            kernels=chosen, mode="quick" if quick else "thorough" if thorough else "default", budget_s=budget_s, copies=copies, variants=variants, place=place,
        ))  # fmt: skip
        result.check()
        with BenchProgress(quiet=quiet or no_progress) as progress:
            try:
                done = _measured((devices, backend), request, probes, loaded, progress, named=bool(names))
            except (TooManyCopiesError, UnusableDeviceError) as error:
                fail(USAGE, "usage", str(error), as_json=machine)
        # First, so that a result whose reader or file went away meanwhile is still there for --show last.
        unkept = keep(done.profile, place)
        with result:
            result.write(bench_commands.body(done.profile, style, known))
        _after(done.profile, unkept, machine=machine, style=style)
    sys.exit(bench_exit_code(done.profile, interrupted_by=done.interrupted_by))


def _measured(
    where: tuple[tuple[str, ...], str | None],
    request: BenchRequest,
    probes: Sequence[Probe],
    loaded: Loaded,
    progress: BenchProgress,
    *,
    named: bool,
) -> Benched:
    from dataclasses import replace  # noqa: PLC0415

    from agent.bench import Benched, benchmark, look_for_bench  # noqa: PLC0415
    from agent.bench_on_device import kernels_for, measure_on_devices  # noqa: PLC0415
    from agent.chosen_devices import chosen_gpus  # noqa: PLC0415

    gpus = chosen_gpus(*where)
    if not gpus:
        return benchmark(request, probes, loaded.config, on_start=_on_signals, told=progress.told)
    request = replace(request, kernels=kernels_for(request.kernels, named=named))
    seen = look_for_bench(probes, loaded.config, _on_signals)
    if seen.interrupted_by:
        return Benched(seen.profile, seen.interrupted_by, None)
    return measure_on_devices(seen, request, gpus, loaded.config, on_start=_on_signals, told=progress.told)


def _refuse_contradiction(context: click.Context, *, as_json: bool) -> None:
    given: dict[str, object] = {}
    for param in context.command.params:
        name = str(param.name)
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            flag = KERNELS if isinstance(param, click.Argument) else max(param.opts, key=len)
            given[flag] = context.params[name]
    wrong = contradiction(given)
    if wrong is not None:
        fail(USAGE, "usage", wrong, as_json=as_json)


def _request(loaded: Loaded, request: BenchRequest) -> BenchRequest:
    from dataclasses import replace  # noqa: PLC0415

    settings = loaded.config.bench
    return replace(
        request,
        cache_max_bytes=settings.cache_max_bytes,
        memory_per_copy_bytes=settings.memory_per_copy_bytes,
    )


def _after(profile: CapabilityProfile, unkept: str | None, *, machine: bool, style: sink.Style) -> None:
    if unkept is not None:
        click.echo(f"agent: {unkept}", err=True)
    elif style.format_name == "text" and profile.payloads:
        click.echo("Page with pictures: agent bench --show last -o bench.html", err=True)
    if machine and profile.bench is not None and profile.bench.reason:
        click.echo(f"agent: {profile.bench.reason}", err=True)


@bench.command("compare", context_settings=HELP)
@click.argument("a", type=click.Path(path_type=Path), metavar="A.json")
@click.argument("b", type=click.Path(path_type=Path), metavar="B.json")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
def compare(a: Path, b: Path, as_json: bool) -> None:  # noqa: FBT001
    """Hold profile B against profile A: ratios of throughputs, and what makes the two runs differ.

    Exit codes: 0 compared, 2 wrong usage, 3 a file is not a profile.
    """
    from agent.bench_compare import compare as compared  # noqa: PLC0415
    from agent.bench_compare import render_json, render_text  # noqa: PLC0415
    from agent.bench_last import read  # noqa: PLC0415
    from agent.cli.loading import sentences  # noqa: PLC0415

    with sentences(as_json=as_json):
        found = compared(read(a), read(b))
        width = shutil.get_terminal_size((80, 24)).columns
        click.echo(render_json(found) if as_json else render_text(found, width), nl=False)


def _on_signals(running: Runner | Bench | DeviceBench) -> None:
    def handle(number: int, _frame: FrameType | None) -> None:
        running.interrupt(signal.Signals(number).name)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, handle)
