"""Our kernels beside twins written by hand for CUDA, on one NVIDIA GPU by turns: the loss of portability, beside its goal.

    python -m benchmarks.native_cuda [--device cuda:0] [--rounds N] [--seconds S] [--json FILE] [KERNEL ...]

Programs of each kernel (clue: layer clustering; mkfit: the Kalman step alone), kernel-only, with the same events, streams and clock:

* ours: gpu.cu by NVRTC, as it is shipped;
* twin: benchmarks/native_cuda/KERNEL.cu by NVRTC with the same options; its bits must be ours;
* twin contracted: the same as nvcc compiles by default, a product and a sum with one rounding: what equal bits cost; its results
  may differ by a tolerance (cases.py);
* ours by nvcc: gpu.cu by the nvcc that is on PATH; its bits must be ours.

A loss is the median over rounds of how much longer ours takes. Launches of the twins are compiled first (half a minute of CPU time).

Exit codes: 0 results agree; 1 they do not, or something fails; 2 wrong usage; 3 there is no NVIDIA GPU that can be used.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from agent.chosen_devices import UnusableDeviceError, chosen_gpus
from benchmarks.native_cuda.build import CannotBuildError, compile_twins, load_twins
from benchmarks.native_cuda.cases import CASES, Case
from benchmarks.native_cuda.compare import BY_NVCC, CONTRACTED, OURS, TWIN, Pace, compare, wrong
from payloads.errors import PayloadError

AGREE, WRONG, USAGE, NO_GPU = 0, 1, 2, 3
GOALS = {
    TWIN: "goal: at most 5 %, aim 2 %",
    BY_NVCC: "goal: at most 2 %",
    CONTRACTED: "the price of equal bits",
}
"""Of what ours loses against each."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="native-cuda", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = [case.kernel for case in CASES]
    parser.add_argument("kernels", nargs="*", metavar="KERNEL", help=f"default: {' '.join(names)}")
    parser.add_argument("--device", default="cuda:0", help="cuda:N; default: cuda:0")
    parser.add_argument("--rounds", type=int, default=11, help="turns of every program; default: 11")
    parser.add_argument("--seconds", type=float, default=0.3, help="of a turn, at least; default: 0.3")
    parser.add_argument("--pile-up", type=float, help="of the events; default: 200 for clue, 60 for mkfit")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write what was found there, too")
    asked = parser.parse_args(arguments)
    unknown = [name for name in asked.kernels if name not in names]
    if unknown:
        return _refuse(f"there is no twin of {unknown[0]!r}; there are: {', '.join(names)}", USAGE)
    if asked.rounds < 1 or not asked.seconds >= 0:
        return _refuse("give at least one round, and seconds that are not negative", USAGE)
    if not asked.device.startswith("cuda:"):
        return _refuse(
            f"the twins are CUDA's: --device {asked.device} is none of NVIDIA's, write cuda:0", USAGE
        )
    try:
        gpu = chosen_gpus((asked.device,), None)[0]
    except (UnusableDeviceError, PayloadError) as error:
        return _refuse(f"no GPU can be used here: {error}", NO_GPU)
    chosen = [_changed(case, asked.pile_up) for case in CASES if case.kernel in (asked.kernels or names)]
    pace = Pace(asked.rounds, asked.seconds)
    with tempfile.TemporaryDirectory(prefix="sitecap-native-cuda-") as place:
        try:
            twins = load_twins(compile_twins(Path(place)))
            found = [compare(case, gpu, twins, Path(place), pace) for case in chosen]
        except (CannotBuildError, PayloadError, RuntimeError, ValueError) as error:
            return _refuse(str(error), WRONG)
    said = [line for case, one in zip(chosen, found, strict=True) for line in wrong(case, one)]
    print(f"{gpu.name} ({gpu.architecture}), kernel-only, medians of {asked.rounds} rounds")
    for one in found:
        print(table(one))
    for line in said:
        print(f"WRONG  {line}")
    if asked.json is not None:
        asked.json.write_text(json.dumps({"device": gpu.name, "found": found, "wrong": said}) + "\n", "utf-8")
    return WRONG if said else AGREE


def _changed(case: Case, pile_up: float | None) -> Case:
    return case if pile_up is None else replace(case, pile_up=pile_up)


def _refuse(sentence: str, code: int) -> int:
    print(f"native-cuda: {sentence}", file=sys.stderr)
    return code


def table(found: Mapping[str, Any]) -> str:
    """Milliseconds of an event by program, and what ours loses against each."""
    lines = [f"{found['kernel']}: {found['does']}"]
    for name, seconds in found["seconds"].items():
        line = f"  {name:<16}{1e3 * statistics.median(seconds):10.4f} ms an event"
        if name != OURS:
            lost = found["losses"][name]
            line += f"   ours loses {lost['median']:+.1%} ({lost['low']:+.1%} to {lost['high']:+.1%}); {GOALS[name]}; "
            if name == CONTRACTED:
                line += f"results differ by {found['difference']:.1e}"
            else:
                line += "equal bits" if found["digests"][name] == found["digests"][OURS] else "OTHER BITS"
        lines.append(line)
    lines += [f"  {name:<16}not run: {reason}" for name, reason in found["missing"].items()]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
