"""What is made of looks at a GPU, and what NVML says of boards."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from payloads import gpu_conditions
from payloads.gpu_conditions import GpuSnapshot, Watching, remarks, spell_of


def _look(at: float = 0.0, **changes: Any) -> GpuSnapshot:
    whole: dict[str, Any] = {
        "at": at, "sm_clock_mhz": 1400, "memory_clock_mhz": 1200, "temperature_celsius": 40, "power_w": 200.0,
        "energy_j": None, "throttle_reasons": (), "processes": (), "memory_used_bytes": 0, **changes,
    }  # fmt: skip
    return GpuSnapshot(**whole)


def test_several_looks_as_one_spell() -> None:
    found = spell_of(
        [
            _look(0.0, sm_clock_mhz=1200, throttle_reasons=("sw_power_cap",)),
            _look(1.0, temperature_celsius=71, processes=(1, 2)),
            _look(
                3.0,
                sm_clock_mhz=None,
                temperature_celsius=None,
                throttle_reasons=("gpu_idle", "sw_power_cap"),
            ),
        ]
    )
    assert found is not None
    assert (found.seconds, found.sm_clock_mhz_low, found.sm_clock_mhz_high) == (3.0, 1200, 1400)
    assert (found.temperature_celsius_high, found.processes_most) == (71, 2)
    assert found.throttle_reasons == ("gpu_idle", "sw_power_cap")
    assert found.energy_j == pytest.approx(600.0)
    assert spell_of([]) is None


def test_energy_by_the_counter_where_there_is_one() -> None:
    found = spell_of([_look(0.0, energy_j=10.0), _look(2.0, energy_j=310.0)])
    assert found is not None
    assert found.energy_j == 300.0


@pytest.mark.parametrize(
    "looks",
    [
        [_look(0.0), _look(0.2)],  # shorter than a step of the counter
        [_look(0.0, power_w=None), _look(2.0)],
        [_look(0.0, energy_j=5.0), _look(2.0, energy_j=5.0)],  # a counter that stands still
    ],
)
def test_energy_that_cannot_be_told(looks: list[GpuSnapshot]) -> None:
    found = spell_of(looks)
    assert found is not None
    assert found.energy_j is None


def test_what_a_reader_must_know() -> None:
    during = spell_of([_look(throttle_reasons=("gpu_idle", "hw_thermal_slowdown"), processes=(1, 2))])
    assert remarks(_look(processes=(9,)), during) == [
        "1 other process was on the GPU before we came",
        "the GPU held its clock down: hw_thermal_slowdown",
    ]
    assert remarks(_look(), during)[0] == "up to 2 processes were on the GPU while it was measured"
    assert remarks(None, None) == remarks(_look(), spell_of([_look(processes=(1,))])) == []


def test_watching_looks_at_the_beginning_and_at_the_end() -> None:
    times = iter(range(100))
    with Watching(lambda: _look(next(times))) as watching:
        pass
    assert watching.spell is not None
    assert watching.spell.seconds >= 1.0
    with Watching(None) as nobody:
        pass
    assert nobody.spell is None


def test_a_look_that_hangs_costs_the_spell_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu_conditions, "PATIENCE_S", 0.05)
    never = threading.Event()

    def hang() -> GpuSnapshot:
        never.wait()
        return _look()

    with Watching(hang) as watching:
        pass
    assert watching.spell is None
    never.set()


def _board(libraries: Path, scenario: str, bus_id: str = "0000:3B:00.0") -> dict[str, Any]:
    """What a process of its own is told of a board, or the error."""
    code = (
        "import dataclasses, json\n"
        "from payloads.backends.nvml import Board, NvmlError\n"
        f"try: board = Board({bus_id!r})\n"
        "except NvmlError as error: print(json.dumps({'error': str(error)}))\n"
        "else: print(json.dumps({'driver': board.driver_version, 'cut': board.is_cut, **dataclasses.asdict(board.look())}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True,
        cwd=Path(__file__).parents[4], env={"LD_LIBRARY_PATH": str(libraries), "FAKE_NVML": scenario},
    )  # fmt: skip
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_a_board(nvml: Path) -> None:
    found = _board(nvml, "hot")
    assert (found["driver"], found["cut"]) == ("535.129.03", False)
    assert (found["sm_clock_mhz"], found["memory_clock_mhz"], found["temperature_celsius"]) == (345, 2619, 89)
    assert found["throttle_reasons"] == ["hw_slowdown", "hw_thermal_slowdown"]
    assert found["power_w"] == 250.0
    assert found["energy_j"] > 0
    assert found["processes"] == [4711, 4712]
    assert found["memory_used_bytes"] == 619 * 2**20


def test_the_board_at_another_place(nvml: Path) -> None:
    found = _board(nvml, "hot", "00000000:db:00.0")
    assert (found["temperature_celsius"], found["processes"]) == (34, [])
    assert found["throttle_reasons"] == ["gpu_idle"]


def test_a_board_that_is_cut_and_does_not_tell_its_memory(nvml: Path) -> None:
    found = _board(nvml, "mig")
    assert found["cut"] is True
    assert found["memory_used_bytes"] is None


def test_what_a_board_does_not_tell_is_none(nvml: Path) -> None:
    found = _board(nvml, "refused")
    assert (found["power_w"], found["energy_j"]) == (None, None)
    assert found["sm_clock_mhz"] == 345
    assert _board(nvml, "old-board")["energy_j"] is None


@pytest.mark.parametrize(
    ("scenario", "bus_id", "said"),
    [
        ("not-loaded", "0000:3B:00.0", "NVML does not answer: nvmlInit_v2 gave error 9"),
        ("h100", "0000:11:00.0", "NVML does not answer: nvmlDeviceGetHandleByPciBusId_v2 gave error 6"),
    ],
)
def test_nvml_that_fails(nvml: Path, scenario: str, bus_id: str, said: str) -> None:
    assert _board(nvml, scenario, bus_id) == {"error": said}


def test_no_nvml_at_all(tmp_path: Path) -> None:
    assert _board(tmp_path, "h100")["error"].startswith("there is no NVML here (")
