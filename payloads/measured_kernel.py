"""One kernel measured: variant by variant, first one copy, then more, until the interval is small or the time is up."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from payloads.chains import Prepared
from payloads.children import ChildError, Stop
from payloads.conditions import Watcher, disturbed, spell
from payloads.outcome import KernelOutcome, Series, VariantOutcome
from payloads.plan import LEAST_REPEATS, RELATIVE_GOAL, Options, Step, VariantPlan, window
from payloads.remarks import remarks_of
from payloads.team import Copies
from payloads.verify import Verdict, same_bits

LOADING_S = 60.0
"""For starting copies: interpreters and events from a slow file system."""

MEMORY_SHARE = 0.9
"""Of the memory granted; the rest is the agent's own and the kernel's."""


BUDGET_ENDED = "the budget ended before it was measured"
INTERRUPTED = "interrupted before it was measured"
INTERRUPTED_MEANWHILE = "interrupted while it was measured"
_ENDINGS = (BUDGET_ENDED, INTERRUPTED, INTERRUPTED_MEANWHILE)
"""Reasons that are no fault of the kernel's."""

NOT_RIGHT = "its physics is not right, so it has no score"


@dataclass(frozen=True, kw_only=True)
class Progress:
    """What is being done: for a line on the screen. `left_s` is the most that the whole run still takes."""

    kernel: str
    doing: str
    left_s: float
    copies: int | None = None
    repeat: int | None = None
    repeats: int | None = None


Told = Callable[[Progress], None]


class _OutOfTimeError(Exception):
    """The budget or a signal ended the run."""


@dataclass
class _Context:
    options: Options
    watcher: Watcher
    run_end: float
    stop: Stop
    told: Told
    kernel: str


def measure_kernel(  # noqa: PLR0913 - one call
    prepared: Prepared,
    plans: Sequence[VariantPlan],
    options: Options,
    *,
    open_team: Callable[[str], Copies],
    watcher: Watcher,
    end: float,
    run_end: float,
    stop: Stop,
    told: Told,
) -> KernelOutcome:
    """Measure the variants of one kernel by `end`, and never beyond `run_end` (both on the monotonic clock)."""
    outcome = KernelOutcome(
        prepared.kernel,
        events=prepared.events,
        reason=prepared.reason,
        failed=prepared.failed,
        said=list(prepared.said),
    )
    if prepared.reason is not None:
        return outcome
    context = _Context(options, watcher, run_end, stop, told, prepared.kernel.name)
    outcome.before = watcher.look()
    left_weight = sum(one.weight for one in plans)
    for one in plans:
        verified = prepared.variants.get(one.name)
        variant = VariantOutcome(one.name, one.role)
        outcome.variants.append(variant)
        if verified is not None:
            variant.verdict, variant.digest, variant.stages = (
                verified.verdict,
                verified.digest,
                verified.stages,
            )
            variant.reason = verified.reason
        now = time.monotonic()
        variant_end = now + (end - now) * one.weight / left_weight
        left_weight -= one.weight
        if stop() or now >= run_end:
            variant.reason = variant.reason or _why_ended(stop)
        elif variant.right:
            variant.memory_bytes = outcome.variants[0].memory_bytes
            with open_team(one.name) as team:
                _measure_variant(context, variant, one, team, variant_end)
        elif variant.verdict is not None:
            variant.reason = NOT_RIGHT
        else:
            variant.reason = variant.reason or _why_ended(stop)
    outcome.after = watcher.look()
    _conclude(outcome)
    outcome.said += remarks_of(outcome)
    return outcome


def _conclude(outcome: KernelOutcome) -> None:
    """The kernel's own reason, from its variants: one that is wrong or broken makes it failed, the end of time does not."""
    faults = [
        variant for variant in outcome.variants
        if variant.reason is not None and variant.reason not in _ENDINGS
    ]  # fmt: skip
    late = [variant for variant in outcome.variants if variant.reason in _ENDINGS]
    if faults:
        outcome.failed = True
    for variant in (*faults, *late)[:1]:
        # What is wrong with the physics of the one that stands for the kernel is in the verdict already.
        wrong = variant.verdict.reason if variant.verdict is not None and not variant.verdict.right else None
        detail = f": {wrong}" if wrong and variant is not outcome.best else ""
        outcome.reason = f"{variant.name}: {variant.reason}{detail}"


def _why_ended(stop: Stop) -> str:
    return INTERRUPTED if stop() else BUDGET_ENDED


def _measure_variant(
    context: _Context, variant: VariantOutcome, plan: VariantPlan, team: Copies, end: float
) -> None:
    cpus = context.options.cpus
    endings: list[dict[str, Any]] = []
    try:
        at_once = 1
        if variant.memory_bytes is not None:
            # Another variant of the kernel told what a copy takes: these need not wait for the first of them.
            at_once = plan.steps[0].copies
            _refuse_too_much_memory(context, variant, at_once)
        ready = _start(context, team, cpus[:at_once])
        first = ready[0]
        variant.about = {name: first[name] for name in ("isa", "lanes", "compiler", "flags")}
        variant.memory_bytes = first["memory_bytes"]
        variant.event_bytes = first["event_bytes"]
        variant.workspace_bytes = first["workspace_bytes"]
        left = plan.weight
        for step in plan.steps:
            if step.copies > len(ready):
                _refuse_too_much_memory(context, variant, step.copies)
                ready += _start(context, team, cpus[len(ready) : step.copies])
            if _differs(variant, ready):
                return
            now = time.monotonic()
            _measure_step(context, variant, step, team, ready, now + max(end - now, 0.0) * step.weight / left)
            left -= step.weight
        endings = team.finish()
    except _OutOfTimeError:
        variant.reason = _why_ended(context.stop)
    except ChildError as error:
        ended = context.stop() or time.monotonic() >= context.run_end
        variant.reason = _why_ended(context.stop) if ended else str(error)
    peaks = [one["memory_bytes"] for one in endings if one.get("memory_bytes")]
    variant.memory_bytes = max([*peaks, variant.memory_bytes or 0]) or None


def _start(context: _Context, team: Copies, cpus: Sequence[int]) -> list[dict[str, Any]]:
    context.told(_progress(context, f"starting {len(cpus)} {'copy' if len(cpus) == 1 else 'copies'}"))
    return team.start(cpus, min(context.run_end, time.monotonic() + LOADING_S))


def _refuse_too_much_memory(context: _Context, variant: VariantOutcome, copies: int) -> None:
    granted = context.options.memory_bytes
    if granted is None or variant.memory_bytes is None:
        return
    if copies * variant.memory_bytes > MEMORY_SHARE * granted:
        fit = int(MEMORY_SHARE * granted / variant.memory_bytes)
        raise ChildError(
            f"{copies} copies of {variant.memory_bytes / 1e6:.0f} MB do not fit into the {granted / 1e6:.0f} MB that are "
            f"granted: grant more memory, or measure with --copies {max(fit, 1)}"
        )


def _differs(variant: VariantOutcome, ready: Sequence[dict[str, Any]]) -> bool:
    """Whether a copy computed something else than was verified; then there is no score."""
    if variant.digest is None:
        return False
    names = [f"copy {number}" for number in range(1, len(ready) + 1)]
    fault = same_bits(variant.digest, [(n, one["digest"], True) for n, one in zip(names, ready, strict=True)])
    if fault is None:
        return False
    _not_right(variant, fault)
    return True


def _not_right(variant: VariantOutcome, fault: str) -> None:
    metrics = variant.verdict.metrics if variant.verdict else ()
    variant.verdict = Verdict(right=False, metrics=metrics, reason=fault)
    variant.reason = NOT_RIGHT


def _measure_step(
    context: _Context,
    variant: VariantOutcome,
    step: Step,
    team: Copies,
    ready: Sequence[dict[str, Any]],
    end: float,
) -> None:
    pass_s = max(one["pass_s"] for one in ready[: step.copies])
    window_s = window(context.options, end - time.monotonic(), pass_s)
    series = Series(step.copies)
    team.rest(context.options.patience_s + pass_s)
    expected = max(1, min(context.options.most_repeats, int((end - time.monotonic()) / window_s)))
    while not _enough(series, context.options.most_repeats, window_s, end):
        now = time.monotonic()
        if context.stop() or (now + window_s > context.run_end and series.samples):
            break
        if now >= context.run_end:
            raise _OutOfTimeError
        number = len(series.samples) + 1
        context.told(_progress(context, variant.name, step.copies, number, max(expected, number)))
        before, cpu_before = context.watcher.look(), team.cpu_s()
        patience_s = min(context.options.patience_s + 5 * pass_s, max(context.run_end - now - window_s, 1.0))
        reports = team.run(step.copies, window_s, patience_s)
        after, cpu_after = context.watcher.look(), team.cpu_s()
        rates = [one["events"] / one["seconds"] for one in reports]
        wall_s, cpu_s = (
            sum(one["ended"] - one["began"] for one in reports),
            sum(one["cpu_s"] for one in reports),
        )
        series.spells.append(spell(before, after, cpu_after - cpu_before, step.copies))
        if disturbed(series.spells[-1], cpu_s / wall_s):
            series.disturbed.add(len(series.samples))
        series.samples.append(sum(rates))
        series.slowest_over_mean = min(rates) * len(rates) / sum(rates)
        series.copy_seconds += wall_s
        series.copies_cpu_s += cpu_s
        series.preempted += sum(one["preempted"] for one in reports)
        series.major_faults += sum(one["major_faults"] for one in reports)
        variant.series[step.copies] = series
        unsteady = [f"copy {place + 1}" for place, one in enumerate(reports) if not one["same_bits"]]
        if unsteady:
            raise _unsteady(variant, unsteady[0])
    if context.stop() and series.samples:
        variant.reason = variant.reason or INTERRUPTED_MEANWHILE


def _unsteady(variant: VariantOutcome, name: str) -> ChildError:
    fault = same_bits(variant.digest or "", [(name, variant.digest or "", False)])
    _not_right(variant, fault or "")
    return ChildError(variant.reason or "")


def _enough(series: Series, most: int, window_s: float, end: float) -> bool:
    number = len(series.samples)
    if number >= most:
        return True
    if len(series.counted) >= LEAST_REPEATS:
        relative = series.rate.relative
        if relative is not None and relative <= RELATIVE_GOAL:
            return True
    return number >= 1 and time.monotonic() + window_s > end


def _progress(
    context: _Context,
    doing: str,
    copies: int | None = None,
    repeat: int | None = None,
    repeats: int | None = None,
) -> Progress:
    left_s = max(context.run_end - time.monotonic(), 0.0)
    return Progress(
        kernel=context.kernel, doing=doing, left_s=left_s, copies=copies, repeat=repeat, repeats=repeats
    )
