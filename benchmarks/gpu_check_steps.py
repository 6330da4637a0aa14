"""Steps of `make gpu-check`: each runs `benchmarks.gpu_check_child` in a process of its own, and what fails says so in its place."""

from __future__ import annotations

import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from payloads.backends.devices import Gpu
from payloads.catalogue import Kernel
from payloads.chains import request_of
from payloads.placement import order
from payloads.plan import Options

CHILD = (sys.executable, "-m", "benchmarks.gpu_check_child")
REPOSITORY = Path(__file__).parents[1]

STEP_S = 300.0
SANITIZER_S = 1800.0
"""racecheck slows a kernel down hundreds of times."""

FLIGHTS = ((1, 1), (2, 1), (4, 1), (8, 1), (8, 2), (16, 2), (16, 4))
"""Events in flight and threads of the host that drive them."""

STEP_LAYERS = 20
STEP_SLOTS = 32
"""Events at a time: an event has some thousand seeds, a thread each, and a GPU a hundred times as many threads."""

TOOLS = ("memcheck", "racecheck", "initcheck")
FOUND_ERRORS = 99
"""Exit code that compute-sanitizer is told to give where it finds something."""

GROWTH_BYTES = 16 * 1024 * 1024
GROWTH_SHARE = 0.02
"""Between the first and the last fifth of a soak; an allocator's and NVML's own steps are smaller."""


def options(place: Path, budget_s: float, in_flight: int) -> Options:
    """How to run on all processors that this process may use, with events and code kept in one place."""
    cpus = order(os.sched_getaffinity(0))
    return Options(
        mode="default", budget_s=budget_s, cpus=cpus, copies=len(cpus), places=(place,), in_flight=in_flight
    )


def first_result(kernel: Kernel, gpu: Gpu, how: Options) -> dict[str, Any]:
    """`seconds` from starting a process to its first result, events and code at hand; or `reason`."""
    began = time.monotonic()
    answer = _ask(kernel, gpu, how, {"task": "once", "events": _one_event(kernel)}, STEP_S)
    if "reason" in answer:
        return answer
    return {"seconds": answer["first_result_at"] - began, "code": answer["code"]}


def scaling(kernel: Kernel, gpu: Gpu, how: Options) -> list[dict[str, Any]]:
    """Events per second by events in flight and threads: `slots`, `threads`, `events_per_s`, or `reason`."""
    found = []
    for slots, threads in FLIGHTS:
        told = {"task": "flight", "slots": slots, "host_threads": threads, "seconds": 1.0}
        found.append({"slots": slots, "threads": threads, **_ask(kernel, gpu, how, told, STEP_S)})
    return found


def kalman_step(kernel: Kernel, gpu: Gpu, how: Options) -> dict[str, Any]:
    """mkfit's Kalman step alone: `track_layers_per_s` kernel-only, `seeds` of an event, `in_flight`; or `reason`."""
    events = {"section": kernel.manifest.section, **kernel.manifest.events.model_dump(), "count": 1}
    settings = {**kernel.manifest.settings, "bare_layers": float(STEP_LAYERS)}
    told = {"task": "kalman", "events": events, "settings": settings, "seconds": 1.0, "slots": STEP_SLOTS}
    return _ask(kernel, gpu, how, told, STEP_S)


def sanitizer(kernel: Kernel, gpu: Gpu, how: Options) -> dict[str, Any]:
    """By tool: `clean`, or what it found; or `reason` why it was not run."""
    program = shutil.which("compute-sanitizer")
    if gpu.api != "cuda":
        return {"reason": "compute-sanitizer is NVIDIA's"}
    if program is None:
        return {"reason": "compute-sanitizer is not installed (it comes with NVIDIA's CUDA toolkit)"}
    found: dict[str, Any] = {}
    for tool in TOOLS:
        command = (program, "--tool", tool, "--error-exitcode", str(FOUND_ERRORS), *CHILD)
        answer = _ask(kernel, gpu, how, {"task": "once", "events": _one_event(kernel)}, SANITIZER_S, command)
        found[tool] = {"clean": True} if "reason" not in answer else {"clean": False, **answer}
    return found


def soak(
    kernel: Kernel, gpu: Gpu, how: Options, seconds: float, say: Callable[[str], None]
) -> dict[str, Any]:
    """A kernel for so long: `events`, memory of GPU and process by time, whether it `grew`; or `reason`."""
    say(f"{kernel.name}: soak of {seconds / 60:.1f} min")
    told = {
        "task": "soak",
        "seconds": seconds,
        "bus_id": gpu.bus_id if gpu.api == "cuda" else None,
        "slots": how.in_flight,
    }
    answer = _ask(kernel, gpu, how, told, seconds + STEP_S)
    grew = [
        name
        for name in ("gpu_bytes", "process_bytes")
        if grown([one[name] for one in answer.get("looks", [])])
    ]
    return {"kernel": kernel.name, **answer, "grew": grew}


def grown(samples: Sequence[int | None]) -> bool:
    """Whether the last fifth of some samples of memory, in bytes, lies above the first but one; the first is of warming up."""
    known = [one for one in samples if one is not None]
    fifth = len(known) // 5
    if not fifth:
        return False
    early, late = statistics.median(known[fifth : 2 * fifth]), statistics.median(known[-fifth:])
    return late - early > max(GROWTH_BYTES, GROWTH_SHARE * early)


def wrong(found: dict[str, Any]) -> list[str]:
    """What is not as it must be, one sentence each."""
    said = []
    for name, one in found["kernels"].items():
        result = one["result"]
        if result["failed"] or not result["physics"]["right"] or "reason" in result:
            said.append(f"{name}: {result.get('reason') or result['physics'].get('reason')}")
        said += [
            f"{name}: {what} failed: {answer['reason']}"
            for what, answer in [
                ("start-up", one["first_result"]),
                *(("scaling", each) for each in one["scaling"]),
            ]
            if "reason" in answer
        ]
        said += [
            f"{name}: {tool}: {answer['reason']}"
            for tool, answer in one["sanitizer"].items()
            if isinstance(answer, dict) and not answer["clean"]
        ]
    if "reason" in found["kalman_step"]:
        said.append(f"mkfit: its Kalman step failed: {found['kalman_step']['reason']}")
    for one in found["soak"]:
        if "reason" in one:
            said.append(f"{one['kernel']}: the soak failed: {one['reason']}")
        said += [f"{one['kernel']}: {name} grew during the soak" for name in one["grew"]]
    return said


def _one_event(kernel: Kernel) -> dict[str, Any]:
    manifest = kernel.manifest
    return {"section": manifest.section, **manifest.reference.model_dump(exclude={"tolerance"}), "count": 1}


def _ask(
    kernel: Kernel,
    gpu: Gpu,
    how: Options,
    told: dict[str, Any],
    patience_s: float,
    command: Sequence[str] = CHILD,
) -> dict[str, Any]:
    request = {**request_of(kernel, how), "backend": gpu.api, "device": gpu.place, **told}
    try:
        done = subprocess.run(
            list(command),
            check=False,
            input=json.dumps(request),
            capture_output=True,
            text=True,
            timeout=patience_s,
            cwd=REPOSITORY,
        )
    except subprocess.TimeoutExpired:
        return {"reason": f"{gpu.place} ({gpu.name}) did not answer within {patience_s:.0f} s"}
    if done.returncode == FOUND_ERRORS:
        lines = [line.strip("= ") for line in done.stdout.splitlines() if line.startswith("=========")]
        first = next((line for line in lines if line and not line.startswith("COMPUTE-SANITIZER")), "")
        summary = next((line for line in reversed(lines) if "SUMMARY" in line), "")
        return {"reason": f"{first} … {summary}"[:500]}
    answer = re.search(r"^\{.*\}$", done.stdout, re.MULTILINE)
    if done.returncode != 0 or answer is None:
        last = (done.stderr.strip().splitlines() or [f"ended with exit code {done.returncode}"])[-1]
        return {"reason": last[:500]}
    parsed: dict[str, Any] = json.loads(answer[0])
    return parsed
