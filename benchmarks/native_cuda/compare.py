"""Programs of one kernel on one GPU by turns: seconds of each, whether results agree, and what is lost against the twin."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.native_cuda.build import CannotBuildError, nvcc_code, twin_code
from benchmarks.native_cuda.cases import Case
from payloads.arrays import Array
from payloads.backends import nvrtc
from payloads.backends.device_module import DeviceModule, OpenedOnDevice, device_module
from payloads.backends.devices import Gpu

OURS, TWIN, CONTRACTED, BY_NVCC = "ours", "twin", "twin contracted", "ours by nvcc"
THREADS = 2
"""Of the host, for every program."""


@dataclass(frozen=True)
class Pace:
    """How long to measure.

    Attributes:
        rounds: turns of every program.
        seconds: of a turn, at least.
    """

    rounds: int
    seconds: float


def compare(case: Case, gpu: Gpu, twins: DeviceModule, folder: Path, pace: Pace) -> dict[str, Any]:
    """All programs of a case on a GPU.

    Returns:
        `seconds`, of each program the seconds of an event by round; `losses` of ours against each other program: `median`, `low`,
        `high` of rounds; `digests`; `difference` of the contracted twin; `missing`, by program why it was not run.

    Raises:
        DeviceCompilerError: NVRTC is absent or refuses a source.
        DeviceError: of either module: the GPU fails.
    """
    if gpu.architecture is None:
        raise ValueError(f"{gpu.name} does not tell its architecture")
    ours, missing = device_module(), {}
    code: dict[str, tuple[DeviceModule, bytes]] = {
        OURS: (ours, nvrtc.compile_kernel(case.kernel, gpu.architecture).code),
        TWIN: (twins, twin_code(case.kernel, gpu.architecture).code),
        CONTRACTED: (twins, twin_code(case.kernel, gpu.architecture, contracted=True).code),
    }
    events = case.events()
    opened = {name: _open(case, gpu, *one, events) for name, one in code.items()}
    try:
        opened[BY_NVCC] = _open(case, gpu, ours, nvcc_code(case.kernel, gpu.architecture, folder), events)
    except CannotBuildError as error:
        missing[BY_NVCC] = str(error)
    except ours.DeviceError as error:  # a toolkit that is newer than the driver
        missing[BY_NVCC] = str(error)
    seconds = by_turns(opened, pace)
    return {
        "kernel": case.kernel,
        "does": case.does,
        "seconds": seconds,
        "losses": {name: loss(seconds[OURS], of) for name, of in seconds.items() if name != OURS},
        "digests": {name: f"{one.digest_of(0, one.events):016x}" for name, one in opened.items()},
        "difference": _difference(case, opened),
        "missing": missing,
    }


def _open(
    case: Case, gpu: Gpu, module: DeviceModule, code: bytes, events: Mapping[str, Array]
) -> OpenedOnDevice:
    device = module.Driver(gpu.api, gpu.ordinal, code)
    return device.open(case.kernel, dict(events), dict(case.settings), case.in_flight)


def _difference(case: Case, opened: Mapping[str, OpenedOnDevice]) -> float:
    """Of the contracted twin from the other, the largest of all events."""
    worst = 0.0
    for event in range(opened[TWIN].events):
        for name in (TWIN, CONTRACTED):
            opened[name].process(event)
        worst = max(worst, case.difference(opened[TWIN].results(), opened[CONTRACTED].results()))
    return worst


def by_turns(opened: Mapping[str, OpenedOnDevice], pace: Pace) -> dict[str, list[float]]:
    """Seconds of an event, kernel-only, by program and round; each round begins with another program."""
    names = list(opened)
    count = {name: _events_of_a_turn(opened[name], pace.seconds) for name in names}
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(pace.rounds):
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            took, _ = opened[name].run(0, count[name], threads=THREADS, transfers=False)
            seconds[name].append(took / count[name])
    return seconds


def _events_of_a_turn(opened: OpenedOnDevice, seconds: float) -> int:
    count = opened.slots
    while opened.run(0, count, threads=THREADS, transfers=False)[0] < seconds:
        count *= 2
    return count


def loss(ours: list[float], other: list[float]) -> dict[str, float]:
    """What ours takes longer than the other, as a share of the other, of rounds side by side."""
    shares = [mine / its - 1.0 for mine, its in zip(ours, other, strict=True)]
    return {"median": statistics.median(shares), "low": min(shares), "high": max(shares)}


def wrong(case: Case, found: Mapping[str, Any]) -> list[str]:
    """What does not agree, one sentence each; a goal that is missed is not wrong."""
    digests = found["digests"]
    said = [
        f"{case.kernel}: {name} has other bits ({digests[name]}) than ours ({digests[OURS]})"
        for name in (TWIN, BY_NVCC)
        if name in digests and digests[name] != digests[OURS]
    ]
    if not found["difference"] <= case.tolerance:
        said.append(
            f"{case.kernel}: the contracted twin is {found['difference']:.1e} off, more than {case.tolerance:.0e}"
        )
    return said
