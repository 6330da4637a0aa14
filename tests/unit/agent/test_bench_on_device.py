"""`agent bench --device`: which kernels, and the profile and the screen that come of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from agent import bench_on_device
from agent.bench import BenchRequest
from agent.bench_compare import compare
from agent.bench_on_device import UnusableDeviceError, kernels_for, measure_on_devices
from agent.config import Config
from agent.exit_code import bench_exit_code
from agent.render import bench_html, bench_text, prometheus
from agent.run import Look
from payloads.backends.devices import Gpu
from payloads.catalogue import choose, kernels
from payloads.device_bench import DeviceBench
from payloads.device_outcome import DeviceOutcome, LoadedCpus, Passes
from payloads.outcome import EventsOutcome
from payloads.verify import Verdict
from profiles.profile import CapabilityProfile
from profiles.reading import write_profile
from tests.unit.agent import bench_examples

H100 = Gpu("cuda", 0, "NVIDIA H100", 85_000_000_000, "sm_90", None, "0000:3B:00.0")
OTHER = Gpu("cuda", 1, "NVIDIA H100", 85_000_000_000, "sm_90", None, "0000:5B:00.0")
CLUE = choose(kernels(), ("clue",))[0]
LOOK = {
    "at": 0.0, "sm_clock_mhz": 1400, "memory_clock_mhz": 1200, "temperature_celsius": 40, "power_w": 100.0,
    "energy_j": 1.0, "throttle_reasons": (), "processes": (7,), "memory_used_bytes": 5,
}  # fmt: skip
DURING = {
    "seconds": 2.0, "sm_clock_mhz_low": 1300, "sm_clock_mhz_high": 1400, "temperature_celsius_high": 60,
    "energy_j": 500.0, "throttle_reasons": ("sw_power_cap",), "processes_most": 1,
}  # fmt: skip
ABOUT = {
    "slots": 8, "threads": 2, "workspace_bytes": 10**9, "first_result_s": 0.8, "driver_version": "535.129.03", "cuda_version": "12.2",
    "multiprocessors": 132, "is_cut": False, "not_watched": None, "before": LOOK,
    "code": {"form": "cubin", "architecture": "sm_90", "origin": "wheel", "compiler": "NVRTC 12.9"},
    "entries": [{"name": "clue_place", "threads": 128, "registers": 32, "local_bytes": 0, "shared_bytes": 0,
                 "blocks_per_multiprocessor": 16, "occupancy": 1.0, "limited_by": "threads"}],
}  # fmt: skip


def test_kernels_without_launches_are_left_out_unless_they_were_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Module:
        kernels = ("clue", "vertexing")

    monkeypatch.setattr(bench_on_device, "device_module", Module)
    assert [kernel.name for kernel in kernels_for(kernels(), named=False)] == ["clue", "vertexing"]
    with pytest.raises(
        UnusableDeviceError, match=r"^mkfit: no launches for a device yet; there are for: clue, vertexing$"
    ):
        kernels_for(choose(kernels(), ("clue", "mkfit")), named=True)


def _outcome(gpu: Gpu = H100, **changes: Any) -> DeviceOutcome:
    return DeviceOutcome(
        CLUE,
        gpu,
        **{
            "verdict": Verdict(right=True),
            "passes": {
                "end_to_end": Passes((0.01, 0.0125, 0.008), 300, DURING),
                "kernel_only": Passes((0.005,) * 3, 600, DURING),
                "host_busy": Passes((0.02,) * 3, 150, None),
            },
            "about": ABOUT,
            "after": {**LOOK, "processes": None},
            "cpus": LoadedCpus("x86_64_v3", 4, (20.0, 20.0, 20.0), "aa"),
            "events": EventsOutcome("dd", 5, "made", 1),
            "said": ["computes the very bits of x86_64_v3 on the CPU"],
            **changes,
        },
    )


def _measured(
    monkeypatch: pytest.MonkeyPatch, place: Path, outcomes: Sequence[DeviceOutcome]
) -> CapabilityProfile:
    monkeypatch.setattr(DeviceBench, "run", lambda self: list(outcomes))
    monkeypatch.setattr(bench_on_device, "exclusively", lambda stack, config: None)
    seen = Look(bench_examples.profile(payloads=(), bench=None), None, False, None)
    request = BenchRequest(kernels=(CLUE,), mode="quick", place=place)
    gpus = list(dict.fromkeys(outcome.gpu for outcome in outcomes))
    return measure_on_devices(seen, request, gpus, Config()).profile


def test_the_profile_says_device_rates_and_physics(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    profile = _measured(monkeypatch, tmp_path, [_outcome()])
    (found,) = profile.payloads
    assert (found.backend, found.device, found.isa) == ("cuda", "NVIDIA H100", "sm_90")
    assert found.events_per_s == pytest.approx(100.0)
    assert found.kernel_only_s == (0.005,) * 3
    assert found.end_to_end_s == (0.01, 0.0125, 0.008)
    assert found.physics.right
    assert found.threads_per_copy == 2
    assert not profile.limits.partial
    assert bench_exit_code(profile, interrupted_by=None) == 0


def test_the_profile_says_how_that_came_about(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    profile = _measured(monkeypatch, tmp_path, [_outcome()])
    run = CapabilityProfile.model_validate_json(write_profile(profile)).payloads[0].device_run
    assert run is not None
    assert (run.place, run.driver_version, run.multiprocessors) == ("cuda:0", "535.129.03", 132)
    assert (run.code.form, run.code.origin, run.code.compiler) == ("cubin", "wheel", "NVRTC 12.9")
    assert run.host_idle is not None
    assert run.host_idle.events_per_joule == pytest.approx(300 / 500)
    assert run.host_idle.during is not None
    assert (run.host_idle.during.power_w, run.host_idle.during.throttle_reasons) == (250.0, ("sw_power_cap",))
    assert run.host_busy is not None
    assert (run.host_busy.events_per_s, run.host_busy.events_per_joule) == (50.0, None)
    # 100 events/s, and one of four loaded CPUs does 5
    assert run.worth_cpus == pytest.approx(20.0)
    assert run.before is not None
    assert (run.before.processes, run.before.sm_clock_mhz) == (1, 1400)
    assert run.after is not None
    assert run.after.processes is None
    assert (run.entries[0].registers, run.entries[0].blocks_per_multiprocessor) == (32, 16)
    assert run.together is None


def test_a_slice_has_no_power_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    outcome = _outcome(about={**ABOUT, "is_cut": True}, missing={"events_per_joule": "it is a slice"})
    run = _measured(monkeypatch, tmp_path, [outcome]).payloads[0].device_run
    assert run is not None
    assert run.is_cut
    assert run.host_idle is not None
    assert run.host_idle.events_per_joule is None
    assert run.missing == {"events_per_joule": "it is a slice"}


def _lines(profile: CapabilityProfile, **style: Any) -> list[str]:
    return bench_text.render(profile, width=100, **style).splitlines()


def test_the_screen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    lines = _lines(_measured(monkeypatch, tmp_path, [_outcome()]))
    assert "Events per second on cuda:0, NVIDIA H100, driver 535.129.03 for CUDA 12.2" in lines
    head = next(line for line in lines if "end to end" in line)
    assert head.split() == ["end", "to", "end", "kernels", "host", "busy", "CPUs", "ev/J", "physics"]
    row = next(line for line in lines if "clue" in line)
    assert row.split()[:3] == ["ok", "clue", "100"]
    assert row.split()[-5:] == ["200", "50", "20", "0.6", "right"]
    assert any("very bits of x86_64_v3" in line for line in lines)


def test_the_long_screen_names_code_conditions_and_entries(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    text = "\n".join(_lines(_measured(monkeypatch, tmp_path, [_outcome()]), verbose=True))
    assert "code    cubin for sm_90, from the wheel, NVRTC 12.9" in text
    assert "before  1400 MHz, 40 °C, 100 W, other processes: 1" in text
    assert "during  1300 to 1400 MHz, 60 °C, 250 W, held down by sw_power_cap" in text
    assert (
        "entry   clue_place: 32 registers, 16 blocks of 128 a multiprocessor (100%, by threads)"
        in " ".join(text.split()).replace("entry ", "entry   ")
    )
    assert "CPUs    20 events/s of 4 copies of x86_64_v3" in text


def test_two_gpus_are_two_tables_and_what_they_do_together(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    both = {"together": 2, "together_events_per_s": 160.0}
    passes = {**_outcome().passes, "together": Passes((0.0125,) * 3, 100, None)}
    profile = _measured(
        monkeypatch, tmp_path, [_outcome(gpu, passes=passes, **both) for gpu in (H100, OTHER)]
    )
    lines = _lines(profile)
    assert sum(line.startswith("Events per second on cuda:") for line in lines) == 2
    assert "clue: 160 events/s of 2 GPUs together, 80% of each alone" in lines
    run = profile.payloads[1].device_run
    assert run is not None
    assert run.together is not None
    assert (run.place, run.together.devices, run.together.events_per_s) == ("cuda:1", 2, 160.0)
    assert run.together.own.events_per_s == pytest.approx(80.0)
    assert [row.kernel for row in compare(profile, profile).rows] == ["clue cuda:0", "clue cuda:1"]


def test_the_page_has_a_table_a_gpu_and_none_of_cpus(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    both = {"together": 2, "together_events_per_s": 160.0}
    profile = _measured(monkeypatch, tmp_path, [_outcome(gpu, **both) for gpu in (H100, OTHER)])
    page = bench_html.render(profile)
    assert page.count("<caption>") == 2
    assert (
        "<caption>Events per second on cuda:1, NVIDIA H100, driver 535.129.03 for CUDA 12.2</caption>" in page
    )
    row = "<td>200</td><td>50</td><td>20</td><td>0.6</td>"
    assert page.count(row) == 2
    assert "One copy" not in page
    assert "pinned" not in page
    assert "<h2>clue on cuda:1</h2>" in page
    for figure in ("kernels only", "end to end", "host&#x27;s CPUs busy", "4 loaded CPUs", "200 events/s"):
        assert figure in page
    assert "held down by sw_power_cap" in page


def test_cpus_and_gpus_are_tables_apart(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    on_gpu = _measured(monkeypatch, tmp_path, [_outcome()]).payloads
    page = bench_html.render(bench_examples.profile(bench_examples.result(), *on_gpu))
    cpus, gpu = page[: page.index("<caption>")], page[page.index("<caption>") :]
    assert cpus.count("<td>clue</td>") == 1
    assert gpu.count("<td>clue</td>") == 1
    assert "2 pinned copies" in page


def test_prometheus_tells_gpus_apart(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    on_gpus = _measured(monkeypatch, tmp_path, [_outcome(gpu) for gpu in (H100, OTHER)]).payloads
    page = prometheus.render(bench_examples.profile(bench_examples.result(), *on_gpus))
    found = re.findall(r"^cms_agent_payload_events_per_second\{(.*)\} (.*)$", page, re.MULTILINE)
    assert sorted(found) == [
        ('backend="cpu",device="cpu",kernel="clue"', "200.0"),
        ('backend="cuda",device="cuda:0",kernel="clue"', "100.0"),
        ('backend="cuda",device="cuda:1",kernel="clue"', "100.0"),
    ]


def test_a_gpu_that_fails_is_partial_and_says_why(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    sentence = "clue on cuda:0 (NVIDIA H100) did not answer in time and was killed"
    outcome = DeviceOutcome(CLUE, H100, reason=sentence, failed=True)
    profile = _measured(monkeypatch, tmp_path, [outcome])
    (found,) = profile.payloads
    assert found.events_per_s is None
    assert found.device_run is None
    assert not found.physics.right
    assert found.reason == sentence
    assert profile.limits.partial
    assert profile.limits.reason == "not measured: clue"
    assert bench_exit_code(profile, interrupted_by=None) == 1
    assert sentence in " ".join(bench_text.render(profile, width=200).split())
