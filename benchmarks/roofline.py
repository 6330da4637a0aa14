"""What a kernel does for an event, counted: instructions, float operations, bytes from each level of caches.

    python -m benchmarks.roofline KERNEL [--variants NAME[:LANES] ...] [--events N] [--pile-up P] [--seconds-rounds N]

callgrind counts; its caches are always the same (`CACHES`), so that the figures are those of a binary and not of the machine.
The second level is asked by misses of the first alone, there is no prefetching, and a line is 64 bytes. Operations of lanes that
are masked out or lie behind the last item count as all others. Variants: by default `scalar` and the widest that callgrind can
run (it knows no AVX-512), each at its own width; `NAME:1` is a module's W = 1. The time beside the counts is CPU time without
callgrind, the least of the rounds, of this machine as busy as it is; the roofs are measured beside it (`roofs.cpp`).

Needs valgrind with its header (Debian: valgrind), a C compiler and objdump (Debian: g++, binutils).
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import astuple, dataclass
from pathlib import Path

import numpy as np

from benchmarks.instruction_counts import LINE_BYTES, Counts, costs_by_address, disassembly, summed
from benchmarks.roofs import Roofs, roofs
from payloads.arrays import Arrays
from payloads.catalogue import Kernel, choose, kernels
from payloads.compiled import load, open_kernel, simulate, variants
from payloads.errors import PayloadError

CACHES = {"I1": "32768,8,64", "D1": "32768,8,64", "LL": "1048576,16,64"}
"""Bytes, ways, bytes of a line: "LL" is the second level of one core of today, the last one that callgrind has."""
BEYOND_CALLGRIND = ("x86_64_v4",)
SWITCH = """
#include <valgrind/callgrind.h>
void start_simulation(void) { CALLGRIND_START_INSTRUMENTATION; }
void forget_counts(void) { CALLGRIND_ZERO_STATS; }
void stop_simulation(void) { CALLGRIND_STOP_INSTRUMENTATION; }
"""
TIMEOUT_S = 3600


class CannotCountError(Exception):
    """Something that counting needs is not here; the text is one sentence."""


@dataclass(frozen=True)
class Choice:
    """A module and 1 or its own width."""

    variant: str
    lanes: int

    def __str__(self) -> str:
        return f"{self.variant}, W = {self.lanes}"


def choices(asked: list[str]) -> list[Choice]:
    """What to run.

    Raises:
        CannotCountError: a module is not here, cannot be run, or has no such width.
    """
    usable = [one.name for one in variants() if one.usable and one.name not in BEYOND_CALLGRIND]
    found = []
    for text in asked or sorted({"scalar", usable[0]} & set(usable), key=usable.index):
        name, _, lanes = text.partition(":")
        if name not in usable:
            raise CannotCountError(
                f"'{name}' cannot be run under callgrind here: choose of {', '.join(usable)}"
            )
        own = load(name).lanes
        if lanes not in {"", "1", str(own)}:
            raise CannotCountError(f"'{text}': module {name} has 1 or {own} lanes")
        found.append(Choice(name, int(lanes or own)))
    return found


def switch_file(folder: Path) -> Path:
    """A library that tells callgrind when to count.

    Raises:
        CannotCountError: valgrind, its header, objdump or a compiler is missing.
    """
    compiler = shutil.which("cc") or shutil.which("gcc")
    for name, found in (
        ("valgrind", shutil.which("valgrind")),
        ("objdump", shutil.which("objdump")),
        ("cc", compiler),
    ):
        if found is None:
            raise CannotCountError(f"nothing is counted, since there is no {name} here")
    source = folder / "switch.c"
    source.write_text(SWITCH, "ascii")
    made = folder / "switch.so"
    done = subprocess.run(
        [str(compiler), "-shared", "-fPIC", "-O1", "-o", made, source],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no message"])[0]
        raise CannotCountError(f"nothing is counted, since the switch for callgrind does not compile: {last}")
    return made


def counted(kernel: Kernel, choice: Choice, events: Path, folder: Path) -> Counts:
    """Counts of all events together.

    Raises:
        CannotCountError: valgrind failed.
    """
    out = folder / f"callgrind.{choice.variant}.{choice.lanes}"
    command: list[str | Path] = [
        "valgrind", "--tool=callgrind", "--instr-atstart=no", "--cache-sim=yes", "--dump-instr=yes", "--dump-line=no", "--compress-pos=no",
        *(f"--{name}={value}" for name, value in CACHES.items()), f"--callgrind-out-file={out}",
        sys.executable, "-m", "benchmarks.roofline_child", kernel.name, choice.variant, str(choice.lanes), events,
        json.dumps(kernel.manifest.settings), switch_file(folder),
    ]  # fmt: skip
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False, cwd=Path(__file__).parents[1]
    )
    if done.returncode != 0 or not out.exists():
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise CannotCountError(
            f"nothing is counted, since valgrind ended with code {done.returncode}: {last}"
        )
    counts = Counts()
    with out.open(encoding="utf-8") as lines:
        for name, costs in costs_by_address(lines).items():
            if not Path(name).name.startswith(("python", "libpython")):  # the loop over events
                summed(costs, disassembly(Path(name)), counts)
    return counts


def seconds_of(kernel: Kernel, choice: Choice, events: Arrays, rounds: int) -> float:
    """CPU seconds of all events, the least of the rounds."""
    opened = open_kernel(choice.variant, kernel.name, events, kernel.manifest.settings, choice.lanes)
    least = float("inf")
    for _ in range(rounds + 1):
        began = time.process_time()
        for event in range(opened.events):
            opened.process(event)
        least = min(least, time.process_time() - began)
    return least


def rows(counts: Counts, seconds: float, roof: Roofs | None, events: int) -> list[tuple[str, str]]:
    """What the table tells of one variant, for one event."""

    def millions(value: float) -> str:
        return f"{value / events / 1e6:,.3f}"

    def attained(value: float, most: float | None) -> str:
        rate = f"{value / seconds / 1e9:.2f}"
        return rate if most is None else f"{rate} of {most / 1e9:.0f} ({value / seconds / most:.1%})"

    def an_operation(value: float) -> str:
        return f"{counts.arithmetic / value:.2f}" if value else "-"

    moved = counts.read_bytes + counts.written_bytes
    first, last = (LINE_BYTES * n for n in (counts.first_level_misses, counts.last_level_misses))
    vector = counts.vector_operations / max(sum(counts.operations.values()), 1)
    known = bool(counts.operations)
    most = (None,) * 4 if roof is None else astuple(roof)
    return [
        ("instructions (10^6)", millions(counts.instructions)),
        *((f"float {kind} (10^6)", millions(counts.operations[kind]) if known else "not counted")
          for kind in ("additions", "multiplications", "divisions and roots", "comparisons")),
        ("of these made in vectors", f"{vector:.1%}" if known else "not counted"),
        ("reads, writes of instructions (10^6)", f"{millions(counts.reads)}, {millions(counts.writes)}"),
        ("MB moved between registers and first level", millions(moved) if known else "not counted"),
        ("MB moved in from the second level", millions(first)),
        ("MB moved in from behind it", millions(last)),
        ("operations a byte: first level, second, behind",
         f"{an_operation(moved)}, {an_operation(first)}, {an_operation(last)}" if known else "not counted"),
        ("ms of CPU time", f"{1e3 * seconds / events:.2f}"),
        ("10^9 operations/s, of the roof", attained(counts.arithmetic, most[0]) if known else "not counted"),
        ("10^9 instructions/s", attained(counts.instructions, None)),
        ("GB/s to and from the first level, of the roof of reading",
         attained(moved, most[1]) if known else "not counted"),
        ("GB/s from the second level, of the roof", attained(first, most[2])),
        ("GB/s from behind it, of the roof of 64 MiB", attained(last, most[3])),
    ]  # fmt: skip


def main() -> int:
    """Print the table; 0, or 1 with a sentence if nothing can be counted."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("kernel")
    parser.add_argument("--variants", nargs="+", default=[], metavar="NAME[:LANES]")
    parser.add_argument("--events", type=int, default=1)
    parser.add_argument("--pile-up", type=float, help="instead of the manifest's")
    parser.add_argument("--seconds-rounds", type=int, default=5)
    options = parser.parse_args()
    try:
        (kernel,) = choose(kernels(), [options.kernel])
        of = kernel.manifest.events
        pile_up = of.pile_up if options.pile_up is None else options.pile_up
        chosen = choices(options.variants)
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            switch_file(folder)
            events = simulate(kernel.manifest.section, pile_up, of.seed, 0, options.events)
            np.savez(folder / "events.npz", **events)
            columns = [
                rows(counted(kernel, one, folder / "events.npz", folder),
                     seconds_of(kernel, one, events, options.seconds_rounds),
                     roofs(one.variant, one.lanes, folder), options.events)
                for one in chosen
            ]  # fmt: skip
    except (CannotCountError, PayloadError, ValueError, subprocess.CalledProcessError) as error:
        print(error)
        return 1
    print(
        f"{kernel.name}, an event (mean of {options.events}) at pile-up {pile_up:g}, seed {of.seed}; caches {CACHES}"
    )
    print("| | " + " | ".join(map(str, chosen)) + " |")
    print("|---|" + "---|" * len(chosen))
    for line in zip(*columns, strict=True):
        print(f"| {line[0][0]} | " + " | ".join(value for _, value in line) + " |")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
