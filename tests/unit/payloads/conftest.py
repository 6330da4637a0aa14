"""The toy kernel, as tests want it to behave."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from payloads.catalogue import Kernel, read_kernel
from payloads.compiled import Variant
from payloads.outcome import BenchOutcome, KernelOutcome
from payloads.plan import Options
from payloads.runner import Bench, Seams

HERE = Path(__file__).parent / "toy"
COMMAND = (sys.executable, "-I", str(HERE / "worker.py"))
VARIANTS = (
    Variant("x86_64_v4", usable=False, reason="this processor lacks avx512f"),
    Variant("x86_64_v3", usable=True),
    Variant("x86_64_v2", usable=True),
)


def only(outcome: BenchOutcome) -> KernelOutcome:
    """The one kernel of a run."""
    (found,) = outcome.kernels
    return found


@pytest.fixture
def toy(tmp_path: Path) -> Callable[..., Kernel]:
    """A copy of the toy kernel with settings, and perhaps another name."""

    def make(name: str = "toy", **settings: float) -> Kernel:
        folder = tmp_path / "kernels" / name
        shutil.copytree(HERE / "toy", folder)
        path = folder / "manifest.toml"
        text = path.read_text().replace('name = "toy"', f'name = "{name}"')
        lines = "\n".join(f"{key} = {float(value)}" for key, value in settings.items())
        path.write_text(text.replace("shift = 0.0", lines or "shift = 0.0"))
        return read_kernel(folder)

    return make


@pytest.fixture
def options(tmp_path: Path) -> Callable[..., Options]:
    """Options of a short run on the processors of this machine."""

    def make(**changes: object) -> Options:
        cpus = tuple(sorted(os.sched_getaffinity(0)))[:2]
        whole = {
            "mode": "quick", "budget_s": 120.0, "most_repeats": 3, "longest_window_s": 0.02, "cpus": cpus, "copies": len(cpus), "places": (tmp_path / "cache",),
            "variants": ("x86_64_v3",),
            "command": COMMAND, "patience_s": 2.0, **changes,
        }  # fmt: skip
        return Options(**whole)  # type: ignore[arg-type]

    return make


@pytest.fixture
def bench(toy: Callable[..., Kernel], options: Callable[..., Options]) -> Callable[..., BenchOutcome]:
    """A whole run with the toy worker in real processes."""

    def run(*kernels: Kernel, **changes: object) -> BenchOutcome:
        return Bench(kernels or (toy(),), options(**changes), seams=Seams(variants=lambda: VARIANTS)).run()

    return run
