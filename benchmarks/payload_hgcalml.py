"""How fast is hgcalml, beside ONNX Runtime on the same network and a plain NumPy loop? Ratios of one run.

    python -m benchmarks.payload_hgcalml [--rounds N] [--events N] [--pile-up P] [--processor N]

One thread each, on one processor. All take turns (A B A B ...), so that a drift of the machine hits all alike. Of each the least
CPU time is given, since neighbours only ever add time, and the median over the rounds of the ratio to ONNX Runtime in the same
round, in CPU time and in wall time. The kernel's time is all of it, pictures and sorting included; ONNX Runtime's is that of its
`run` alone, on pictures that lie ready, in batches of 64 as CMSSW's TracksterInferenceByDNN gives them (miniBatchSize) and all
at once. A trackster costs the same in any event: those of quieter ones make shorter windows, which a neighbour is less likely to
hit. Without `onnx` and `onnxruntime` its lines are left out, and ratios are to the fastest module.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from payloads.arrays import Array, each_event
from payloads.compiled import Opened, load, open_kernel, simulate, variants
from payloads.kernels.hgcalml import network
from payloads.kernels.hgcalml.reference import outputs
from payloads.kernels.hgcalml.reference_inputs import pictures

if TYPE_CHECKING:
    from payloads.kernels.hgcalml.training.onnx_model import Session

SEED = 20261122
BATCH = 64
ONNX = "ONNX Runtime, batches of 64"


Run = Callable[[], None]


@dataclass
class Times:
    """Of one of the competitors, by round. CPU time is that of the thread: all of them work in the one that calls."""

    cpu_s: list[float] = field(default_factory=list)
    wall_s: list[float] = field(default_factory=list)

    def take(self, run: Run) -> None:
        """Run once."""
        wall, cpu = time.perf_counter(), time.thread_time()
        run()
        self.cpu_s.append(time.thread_time() - cpu)
        self.wall_s.append(time.perf_counter() - wall)


def median_ratio(of: list[float], to: list[float]) -> float:
    """How many times as fast as ``to``: the median over the rounds."""
    return statistics.median(b / a for a, b in zip(of, to, strict=True))


def all_events(kernel: Opened) -> Run:
    """The kernel on all events."""

    def run() -> None:
        for event in range(kernel.events):
            kernel.process(event)

    return run


def in_batches(session: Session, inputs: list[Array], batch: int | None) -> Run:
    """ONNX Runtime on all events."""

    def run() -> None:
        for one in inputs:
            for at in range(0, len(one), batch or max(len(one), 1)):
                session.run(None, {"input": one[at : at + (batch or len(one))]})

    return run


def plain_numpy_s(inputs: list[Array]) -> float:
    """CPU seconds of the reference's network on all events, all threads of NumPy's BLAS together."""
    weights = network.parameters(*network.read())
    began = time.process_time()
    for one in inputs:
        for at in range(0, len(one), BATCH):
            outputs(one[at : at + BATCH].astype(np.float64), weights)
    return time.process_time() - began


def stages(kernel: Opened, rounds: int, events: int) -> dict[str, float]:
    """Smallest seconds of each stage, a mean over the events."""
    total: dict[str, float] = {}
    for event in range(events):
        runs = [kernel.stages(event) for _ in range(rounds)]
        for name in runs[0]:
            total[name] = total.get(name, 0.0) + min(run[name] for run in runs) / events
    return total


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--events", type=int, default=1)
    parser.add_argument("--pile-up", type=float, default=35.0)
    parser.add_argument("--processor", type=int, help="to stay on; the last one that is allowed if not given")
    options = parser.parse_args()
    allowed = os.sched_getaffinity(0)
    processor = max(allowed) if options.processor is None else options.processor
    if processor not in allowed:
        parser.error(f"processor {processor} is not one of {sorted(allowed)}")
    os.sched_setaffinity(0, {processor})
    events = simulate("tracksters", options.pile_up, SEED, 0, options.events)
    inputs = [pictures(event, {}).astype(np.float32) for event in each_event(events)]
    tracksters = sum(len(one) for one in inputs)
    opened: dict[str, Opened] = {}
    runs: dict[str, Run] = {}
    for variant in (variant.name for variant in variants() if variant.usable):
        for lanes in sorted({1, load(variant).lanes}):
            name = f"{variant} W={lanes}"
            opened[name] = open_kernel(variant, "hgcalml", events, {}, lanes)
            runs[name] = all_events(opened[name])
    try:
        from payloads.kernels.hgcalml.training.onnx_model import session as open_session  # noqa: PLC0415 - may be absent

        session = open_session(network.parameters(*network.read()))
        runs[ONNX] = in_batches(session, inputs, BATCH)
        runs["ONNX Runtime, whole events"] = in_batches(session, inputs, None)
    except ImportError as error:
        print(f"ONNX Runtime is left out: {error}")
    times = {name: Times() for name in runs}
    loop_s = float("inf")
    for run in runs.values():
        run()
    for _ in range(options.rounds):
        for name, run in runs.items():
            times[name].take(run)
            loop_s = min(loop_s, load("scalar").reference_loop_s())
    mine = min(opened, key=lambda name: min(times[name].cpu_s))
    other = times[ONNX if ONNX in times else mine]
    millions = network.operations() / 1e6
    print(
        f"pile-up {options.pile_up:g}: {tracksters / options.events:.0f} tracksters an event, {millions:.2f} million "
        f"multiplications each; reference loop {1e3 * loop_s:.2f} ms"
    )
    print(f"| | us each | 10^9 multiply-adds/s | reference loops an event | speed against {ONNX if ONNX in times else mine}, "
          "CPU time | wall time |\n|---|---|---|---|---|---|")  # fmt: skip
    for name, one in times.items():
        least_s = min(one.cpu_s)
        each = least_s / tracksters
        print(
            f"| {name} | {1e6 * each:.1f} | {millions / each / 1e3:.1f} | {least_s / options.events / loop_s:.1f} | "
            f"{median_ratio(one.cpu_s, other.cpu_s):.2f} | {median_ratio(one.wall_s, other.wall_s):.2f} |"
        )
    # not by turns: threads of its BLAS go on waiting at work for a while after each product
    print(
        f"NumPy in double precision (reference.py), once: {1e6 * plain_numpy_s(inputs) / tracksters:.0f} us each"
    )
    parts = stages(opened[mine], options.rounds, options.events)
    whole = sum(parts.values())
    print(f"\nwhere the time of {mine} goes (workspace {opened[mine].workspace_bytes / 1e6:.1f} MB):")
    for name, value in sorted(parts.items(), key=lambda item: -item[1]):
        print(f"  {name:16s} {1e6 * value:9.0f} us  {value / whole:6.1%}")


if __name__ == "__main__":
    main()
