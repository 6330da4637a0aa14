"""The roofs of a roofline: what one core does at most, by `roofs.cpp` compiled for a module's instruction set."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from payloads.compiled import load

SOURCE = Path(__file__).with_suffix(".cpp")


@dataclass(frozen=True)
class Roofs:
    """At most, of one core now.

    Attributes:
        operations_a_s: float multiplications and additions, apart.
        first_level_bytes_a_s, second_level_bytes_a_s, memory_bytes_a_s: read from 16 KiB, 512 KiB, 64 MiB.
    """

    operations_a_s: float
    first_level_bytes_a_s: float
    second_level_bytes_a_s: float
    memory_bytes_a_s: float


def roofs(variant: str, lanes: int, folder: Path) -> Roofs | None:
    """Measured now, in a second or two; None where there is no g++ or the processor is not an x86-64."""
    compiler = shutil.which("g++")
    instructions = [flag for flag in load(variant).flags.split() if flag.startswith("-march=x86-64")]
    if compiler is None or not instructions:
        return None
    made = folder / f"roofs.{variant}.{lanes}"
    flags = ["-std=c++17", "-O3", "-ffp-contract=off", *instructions, f"-DLANES={lanes}"]
    done = subprocess.run([compiler, *flags, SOURCE, "-o", made], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return None
    said = subprocess.run([made], capture_output=True, text=True, check=True).stdout
    return Roofs(*(1e9 * float(value) for value in said.split()))
