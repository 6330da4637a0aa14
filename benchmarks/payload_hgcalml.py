"""How fast is hgcalml, beside ONNX Runtime on the same network and a plain NumPy loop? Ratios of one run.

    python -m benchmarks.payload_hgcalml [--rounds N] [--events N] [--pile-up P]

One thread each, CPU time. All take turns (A B A B ...), so that a drift of the machine hits all alike; of each the smallest time
is taken, since neighbours only ever add time. The kernel's time is all of it, pictures and sorting included; ONNX Runtime's is
that of its `run` alone, on pictures that lie ready, in batches of 64 as CMSSW's TracksterInferenceByDNN gives them
(miniBatchSize) and all at once. A trackster costs the same in any event: those of quieter ones make shorter windows, which a
neighbour is less likely to hit. Without `onnx` and `onnxruntime` its lines are left out.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
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


def all_events(kernel: Opened) -> Callable[[], float]:
    """Seconds of the kernel for all events."""

    def run() -> float:
        began = time.process_time()
        for event in range(kernel.events):
            kernel.process(event)
        return time.process_time() - began

    return run


def in_batches(session: Session, inputs: list[Array], batch: int | None) -> Callable[[], float]:
    """Seconds of ONNX Runtime for all events."""

    def run() -> float:
        began = time.process_time()
        for one in inputs:
            for at in range(0, len(one), batch or max(len(one), 1)):
                session.run(None, {"input": one[at : at + (batch or len(one))]})
        return time.process_time() - began

    return run


def plain_numpy(inputs: list[Array]) -> float:
    """Seconds of the reference's network."""
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
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--events", type=int, default=2)
    parser.add_argument("--pile-up", type=float, default=35.0)
    options = parser.parse_args()
    events = simulate("tracksters", options.pile_up, SEED, 0, options.events)
    inputs = [pictures(event, {}).astype(np.float32) for event in each_event(events)]
    tracksters = sum(len(one) for one in inputs)
    opened: dict[str, Opened] = {}
    runs: dict[str, Callable[[], float]] = {}
    for variant in (variant.name for variant in variants() if variant.usable):
        for lanes in sorted({1, load(variant).lanes}):
            name = f"{variant} W={lanes}"
            opened[name] = open_kernel(variant, "hgcalml", events, {}, lanes)
            runs[name] = all_events(opened[name])
    try:
        from payloads.kernels.hgcalml.training.onnx_model import session as open_session  # noqa: PLC0415 - may be absent

        session = open_session(network.parameters(*network.read()))
        runs["ONNX Runtime, batches of 64"] = in_batches(session, inputs, BATCH)
        runs["ONNX Runtime, whole events"] = in_batches(session, inputs, None)
    except ImportError as error:
        print(f"ONNX Runtime is left out: {error}")
    seconds = dict.fromkeys(runs, float("inf"))
    loop_s = float("inf")
    for _ in range(options.rounds):
        for name, run in runs.items():
            seconds[name] = min(seconds[name], run())
            loop_s = min(loop_s, load("scalar").reference_loop_s())
    seconds["NumPy, double precision (reference.py)"] = plain_numpy(inputs)
    mine = min(opened, key=lambda name: seconds[name])
    millions = network.operations() / 1e6
    print(
        f"pile-up {options.pile_up:g}: {tracksters / options.events:.0f} tracksters an event, {millions:.2f} million "
        f"multiplications each; reference loop {1e3 * loop_s:.2f} ms"
    )
    print("| | tracksters/s | us each | 10^9 multiply-adds/s | reference loops an event | speed against "
          f"{mine} |\n|---|---|---|---|---|---|")  # fmt: skip
    for name, value in seconds.items():
        each = value / tracksters
        print(
            f"| {name} | {1 / each:.0f} | {1e6 * each:.1f} | {millions / each / 1e3:.1f} | "
            f"{value / options.events / loop_s:.1f} | {seconds[mine] / value:.2f} |"
        )
    parts = stages(opened[mine], options.rounds, options.events)
    whole = sum(parts.values())
    print(f"\nwhere the time of {mine} goes (workspace {opened[mine].workspace_bytes / 1e6:.1f} MB):")
    for name, value in sorted(parts.items(), key=lambda item: -item[1]):
        print(f"  {name:16s} {1e6 * value:9.0f} us  {value / whole:6.1%}")


if __name__ == "__main__":
    main()
