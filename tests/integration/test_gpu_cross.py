"""The GPU probe on ARM and POWER: pynvml's calls into a library of that architecture, hangs and crashes included."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.gpu_fake.build import ASKING, LIBRARY, SOURCE, verdicts
from tests.lab import LabUnavailableError, skip_or_fail
from tests.lab.cross import ForeignPython, foreign_python, shared_library
from tests.lab.foreign import ARM64, PPC64EL, Architecture

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("cross")]

ENOUGH_S = "120"


@pytest.fixture(scope="module", params=[ARM64, PPC64EL], ids=lambda architecture: architecture.machine)
def foreign(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[ForeignPython, Path]:
    architecture: Architecture = request.param
    folder = tmp_path_factory.mktemp(f"nvml-{architecture.machine}")
    try:
        python = foreign_python(architecture, folder / "python")
        shared_library(architecture, [SOURCE], folder / LIBRARY, f"-Wl,-soname,{LIBRARY}")
    except LabUnavailableError as reason:
        skip_or_fail(reason)
    return python, folder


def ask_there(
    foreign: tuple[ForeignPython, Path], root: Path, scenario: str, deadline_s: str
) -> dict[str, Any]:
    python, libraries = foreign
    done = python.run(
        [str(ASKING), str(root), deadline_s],
        env={"LD_LIBRARY_PATH": str(libraries), "FAKE_NVML": scenario},
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_boards_and_numbers(foreign: tuple[ForeignPython, Path], tmp_path: Path) -> None:
    answer = ask_there(foreign, tmp_path, "ecc", ENOUGH_S)

    first, second = answer["facts"]["nvml"]["devices"]
    assert (first["name"], first["pci_slot"]) == ("NVIDIA H100 80GB HBM3", "0000:3b:00.0")
    assert (first["memory_total_bytes"], first["processes"]) == (81559 * 1024**2, 2)
    assert (second["uncorrected_ecc_errors"], second["remap_pending"]) == (3, True)
    assert (second["sm_clock_mhz"], second["power_limit_milliwatts"]) == (345, 700_000)
    assert verdicts(answer)["GPU-06"]["status"] == "CRITICAL"


def test_mig(foreign: tuple[ForeignPython, Path], tmp_path: Path) -> None:
    found = verdicts(ask_there(foreign, tmp_path, "mig", ENOUGH_S))

    assert found["GPU-04"]["summary"] == "7 × 1g.5gb"
    assert "MIG instances answer" in found["GPU-03"]["summary"]


def test_a_hang_is_cut_short(foreign: tuple[ForeignPython, Path], tmp_path: Path) -> None:
    answer = ask_there(foreign, tmp_path, "hang-init", "5")

    # An emulated start may itself be slow on a loaded machine, so only the kind of end is sure here.
    assert answer["facts"]["nvml"]["status"] == "hung"
    assert verdicts(answer)["GPU-02"]["status"] == "CRITICAL"
