"""Benchmark and describe: facts of the node, payloads on it, both in one profile."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from agent.config import Config
from agent.payload_results import bench_info, payload_results
from agent.run import Look, Request, look
from payloads.catalogue import Kernel
from payloads.children import WORKER
from payloads.events import default_place
from payloads.measured_kernel import Progress
from payloads.outcome import BenchOutcome
from payloads.placement import copies_granted, order
from payloads.plan import BUDGETS_S, Mode, Options
from payloads.runner import Bench, Seams
from probes.lock import NodeLock, state_directory
from probes.runner import Runner
from probes.spec import Probe
from profiles.profile import CapabilityProfile

FACTS = ("context", "batch", "cores", "cpu", "memory")
"""Probes whose facts say what the figures speak for. They take a second and ask nothing of the network."""

MEMORY_DISK = Path("/dev/shm")  # noqa: S108 - a directory of our own is made in it


@dataclass(frozen=True, kw_only=True)
class BenchRequest:
    """What to measure.

    Attributes:
        kernels: in the order of the catalogue.
        mode: how thoroughly.
        budget_s: bound on the payloads; None = that of the mode.
        copies: how many at most; None = as many as cores are granted.
        variants: measure these; empty = chosen by the mode.
        place: directory for events; None = `default_place`.
        cache_max_bytes: bound of it.
        memory_per_copy_bytes: bound of one copy.
        command: the worker.
    """

    kernels: Sequence[Kernel]
    mode: Mode = "default"
    budget_s: float | None = None
    copies: int | None = None
    variants: tuple[str, ...] = ()
    place: Path | None = None
    cache_max_bytes: int = 4 * 1024**3
    memory_per_copy_bytes: int = 2 * 1024**3
    command: tuple[str, ...] = WORKER


class Benched(NamedTuple):
    """A finished run."""

    profile: CapabilityProfile
    interrupted_by: str | None
    outcome: BenchOutcome | None


class TooManyCopiesError(Exception):
    """More copies were asked for than there are processors; the text says how many there are."""


def benchmark(
    request: BenchRequest,
    probes: Sequence[Probe],
    config: Config,
    *,
    on_start: Callable[[Runner | Bench], None] = lambda _: None,
    told: Callable[[Progress], None] = lambda _: None,
    seams: Seams | None = None,
) -> Benched:
    """Look at the node, then measure.

    Raises:
        TooManyCopiesError: of `request.copies`.
        LockError: another run holds the node.
    """
    seen = look_for_bench(probes, config, on_start)
    if seen.interrupted_by:
        return Benched(seen.profile, seen.interrupted_by, None)
    return measure(seen, request, config, on_start=on_start, told=told, seams=seams)


def look_for_bench(
    probes: Sequence[Probe], config: Config, on_start: Callable[[Runner], None] = lambda _: None
) -> Look:
    """The facts of the node that figures speak for."""
    facts = [probe for probe in probes if probe.name in FACTS]
    return look(Request(probes=facts, config=config), on_start=on_start)


def measure(
    seen: Look,
    request: BenchRequest,
    config: Config,
    *,
    on_start: Callable[[Runner | Bench], None] = lambda _: None,
    told: Callable[[Progress], None] = lambda _: None,
    seams: Seams | None = None,
) -> Benched:
    """Measure on a node that was looked at: the facts of `FACTS` at least.

    Raises:
        TooManyCopiesError: of `request.copies`.
        LockError: another benchmark holds the node.
    """
    with ExitStack() as stack:
        options = options_of(request, seen, stack)
        bench = Bench(request.kernels, options, told, seams)
        on_start(bench)
        exclusively(stack, config)
        outcome = bench.run()
    return Benched(assemble(seen, outcome, options), outcome.interrupted_by, outcome)


def exclusively(stack: ExitStack, config: Config) -> None:
    """Hold the node against other benchmarks until the stack ends.

    Raises:
        LockError: another one holds it.
    """
    state = state_directory()
    if state is not None:
        # A lock of its own: two benchmarks disturb each other, but a probe must not wait minutes for one.
        place = state / "bench"
        place.mkdir(mode=0o700, exist_ok=True)
        stack.enter_context(NodeLock(place, config.lock_wait_s))


def options_of(request: BenchRequest, seen: Look, stack: ExitStack) -> Options:
    """How to measure on the node that was seen; what is made for that goes with the stack.

    Raises:
        TooManyCopiesError: of `request.copies`.
    """
    cores, memory = seen.profile.facts.cores, seen.profile.facts.memory
    cpus = order(os.sched_getaffinity(0))
    copies = copies_granted(cpus, None if cores is None else cores.effective_cores)
    if request.copies is not None:
        if request.copies > len(cpus):
            raise TooManyCopiesError(
                f"--copies {request.copies}: there are {len(cpus)} CPUs to pin copies to: ask for at most that many"
            )
        copies = request.copies
    granted = [] if memory is None else [memory.effective_bytes, memory.available_bytes]
    known = [number for number in granted if number is not None]
    return Options(
        mode=request.mode,
        budget_s=request.budget_s or BUDGETS_S[request.mode],
        cpus=cpus,
        copies=copies,
        variants=request.variants,
        memory_bytes=min(known, default=None),
        memory_per_copy_bytes=request.memory_per_copy_bytes,
        places=_places(request.place, os.environ, stack),
        cache_max_bytes=request.cache_max_bytes,
        command=request.command,
    )


def _places(wanted: Path | None, environment: Mapping[str, str], stack: ExitStack) -> tuple[Path, ...]:
    """Where events can be kept, and where they are if that is read-only or full: in memory, until the run ends."""
    places = [wanted or default_place(environment)]
    # Not tempfile.gettempdir(): it raises where no directory for temporary files can be written, as in many a pod.
    for room in (MEMORY_DISK, Path(environment.get("TMPDIR") or "/tmp")):  # noqa: S108 - as above
        try:
            spare = Path(tempfile.mkdtemp(prefix="sitecap-events-", dir=room))
        except OSError:
            continue
        stack.callback(shutil.rmtree, spare, ignore_errors=True)
        return (*places, spare)
    return tuple(places)


def assemble(seen: Look, outcome: BenchOutcome, options: Options) -> CapabilityProfile:
    """The profile of the node with its payloads; what was not measured is why it is partial."""
    profile = seen.profile
    reasons = [profile.limits.reason] if profile.limits.reason else []
    if outcome.interrupted_by:
        reasons.append(f"interrupted by {outcome.interrupted_by}")
    elif outcome.not_built:
        reasons.append(outcome.not_built)
    elif outcome.out_of_budget:
        reasons.append(f"the budget of {options.budget_s:g} s for payloads was used up")
    failed = [found.kernel.name for found in outcome.kernels if found.failed]
    if failed and not outcome.not_built:
        reasons.append(f"not measured: {', '.join(failed)}")
    limits = profile.limits.model_copy(
        update={
            "budget_s": profile.limits.budget_s + options.budget_s,
            "duration_s": profile.limits.duration_s + outcome.duration_s,
            "partial": bool(reasons),
            "reason": "; ".join(reasons)[:4096] or None,
        }
    )
    return profile.model_copy(
        update={
            "payloads": payload_results(outcome, profile),
            "bench": bench_info(outcome, options),
            "limits": limits,
        }
    )
