"""All that can be checked of sitecap's kernels on the GPU of this machine; what is found is kept with date and device.

    make gpu-check [ARGS="--device cuda:0 --minutes 30 --out DIRECTORY KERNEL…"]

* physics of every kernel that has launches for a device, its bits beside the CPU's, events per second kernel-only and end to end, with
  the host's cores idle and busy, power, registers, local memory and occupancy of every entry (`agent bench --device`);
* start-up: from nothing to the first result, device code kept from before;
* scaling with events in flight and threads of the host;
* compute-sanitizer (memcheck, racecheck, initcheck), where it is installed;
* a soak: one kernel after another for the given minutes, bits and memory watched.

Exit codes: 0 all is right; 1 something is not, and the last lines say what; 2 wrong usage; 3 there is no GPU that can be used.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from agent.chosen_devices import UnusableDeviceError, chosen_gpus
from agent.device_results import device_result
from agent.render.bench_text import significant
from benchmarks import gpu_check_steps as steps
from payloads.backends.device_module import device_module
from payloads.backends.devices import Gpu
from payloads.catalogue import Kernel, UnknownKernelError, choose, kernels
from payloads.device_bench import DeviceBench
from payloads.errors import PayloadError
from payloads.plan import Options

RIGHT, WRONG, USAGE, NO_GPU = 0, 1, 2, 3

DATA = Path(__file__).parent / "data" / "gpu_check"
START_UP_GOAL_S = 3.0
END_TO_END_GOAL = 0.7
"""Of kernel-only throughput, with many events in flight."""

STEP_GOAL = 2e9
"""Tracks times layers a second, kernel-only."""

BENCH_S = 180.0
"""Of each kernel, for physics and throughput."""


def main(arguments: Sequence[str] | None = None, all_kernels: Sequence[Kernel] | None = None) -> int:
    """Check, write, say; `all_kernels` is for tests."""
    parser = argparse.ArgumentParser(
        prog="gpu-check", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("kernels", nargs="*", metavar="KERNEL", help="default: all that have launches")
    parser.add_argument("--device", default="gpu:0", help="as of agent bench; default: gpu:0")
    parser.add_argument("--minutes", type=float, default=30.0, help="of the soak; default: 30; 0 = none")
    parser.add_argument("--budget", type=float, default=BENCH_S, help="seconds a kernel for throughput")
    parser.add_argument("--in-flight", type=int, default=8, help="events at a time; default: 8")
    parser.add_argument("--out", type=Path, default=DATA, help="directory of the file that is written")
    asked = parser.parse_args(arguments)
    try:
        gpu = chosen_gpus((asked.device,), None)[0]
        known = device_module().kernels
        everything = all_kernels or kernels()
        there = [one for one in everything if one.name in known]
        chosen = choose(there, asked.kernels)
    except UnusableDeviceError as error:
        return _refuse(f"no GPU can be used here: {error}", NO_GPU)
    except UnknownKernelError as error:
        return _refuse(str(error), USAGE)
    except PayloadError as error:
        return _refuse(str(error), NO_GPU)
    with tempfile.TemporaryDirectory(prefix="sitecap-gpu-check-") as place:
        how = steps.options(Path(place), asked.budget * len(chosen), asked.in_flight)
        found = check(gpu, chosen, how, asked.minutes)
    found["without_launches"] = [one.name for one in everything if one.name not in known]
    path = _write(found, asked.out)
    print(table(found))
    if found["without_launches"]:
        print(f"not launched on devices yet: {', '.join(found['without_launches'])}")
    for sentence in found["wrong"]:
        print(f"WRONG  {sentence}")
    print(f"Written to {path}")
    return WRONG if found["wrong"] else RIGHT


def _refuse(sentence: str, code: int) -> int:
    print(f"gpu-check: {sentence}", file=sys.stderr)
    return code


def check(gpu: Gpu, chosen: Sequence[Kernel], options: Options, minutes: float) -> dict[str, Any]:
    """Everything about these kernels on one GPU, as it is written; `minutes` are those of the soak."""
    outcomes = DeviceBench(chosen, [gpu], options, lambda told: say(f"{told.kernel}: {told.doing}")).run()
    found: dict[str, Any] = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "device": gpu.name,
        "place": gpu.place,
        "architecture": gpu.architecture,
        "memory_bytes": gpu.memory_bytes,
        "source": _commit(),
        "kernels": {},
    }
    for outcome in outcomes:
        kernel = outcome.kernel
        say(f"{kernel.name}: start-up, scaling, sanitizer")
        found["kernels"][kernel.name] = {
            "result": device_result(outcome).model_dump(mode="json", exclude_none=True),
            "digest": outcome.digest,
            "cpu_digest": None if outcome.cpus is None else outcome.cpus.digest,
            "first_result": steps.first_result(kernel, gpu, options),
            "scaling": steps.scaling(kernel, gpu, options),
            "sanitizer": steps.sanitizer(kernel, gpu, options),
        }
    found["kalman_step"] = {}
    for kernel in chosen:
        if kernel.name == "mkfit":
            found["kalman_step"] = steps.kalman_step(kernel, gpu, options)
    right = [one.kernel for one in outcomes if one.verdict is not None and one.verdict.right]
    found["soak"] = [
        steps.soak(kernel, gpu, options, 60 * minutes / len(right), say) for kernel in right if minutes > 0
    ]
    return {**found, "wrong": steps.wrong(found)}


def say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


def _commit() -> str | None:
    """What git calls the sources; None where they are no checkout."""
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty"],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() or None


def _write(found: dict[str, Any], folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    device = re.sub(r"[^a-z0-9]+", "-", found["device"].lower()).strip("-")
    path = folder / f"{found['date'][:10]}-{device}.json"
    path.write_text(json.dumps(found, indent=1, allow_nan=False) + "\n", "utf-8")
    return path


def table(found: dict[str, Any]) -> str:
    """Throughput, start-up and scaling, a line a kernel."""
    head = (
        "kernel", "end to end/s", "kernels/s", "share", "host busy/s", "CPUs", "first s", "bits", "local B",
    )  # fmt: skip
    rows = [head]
    for name, one in found["kernels"].items():
        run = one["result"].get("device_run", {})
        whole, alone = (run.get(kind, {}).get("events_per_s") for kind in ("host_idle", "kernel_only"))
        share = f"{whole / alone:.0%}" if whole and alone else "–"
        same = (
            "–" if one["cpu_digest"] is None else "equal" if one["digest"] == one["cpu_digest"] else "other"
        )
        first = one["first_result"].get("seconds")
        entries = run.get("entries", [])
        rows.append((
            name, _number(whole), _number(alone), share, _number(run.get("host_busy", {}).get("events_per_s")),
            _number(run.get("worth_cpus")), _number(first), same,
            str(max(entry["local_bytes"] for entry in entries)) if entries else "–",
        ))  # fmt: skip
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    lines = [f"{found['device']} ({found['architecture']}), {found['date']}", ""]
    lines += [
        "  ".join(
            [
                row[0].ljust(widths[0]),
                *(cell.rjust(size) for cell, size in zip(row[1:], widths[1:], strict=True)),
            ]
        )
        for row in rows
    ]
    lines.append(
        f"goals: end to end at least {END_TO_END_GOAL:.0%} of kernels alone, first result within {START_UP_GOAL_S:g} s"
    )
    for name, one in found["kernels"].items():
        flights = ", ".join(
            f"{scale['slots']}×{scale['threads']} {_number(scale['events_per_s'])}"
            for scale in one["scaling"]
            if "events_per_s" in scale
        )
        lines.append(f"{name}: events/s by events in flight × threads: {flights or '–'}")
        missing = one["result"].get("device_run", {}).get("missing", {})
        lines += [f"{name}: no {what}: {reason}" for what, reason in missing.items()]
    if "track_layers_per_s" in found["kalman_step"]:
        rate = found["kalman_step"]["track_layers_per_s"]
        lines.append(
            f"mkfit: {rate:.3g} tracks × layers/s of its Kalman step alone (goal: {STEP_GOAL:.0e} from A100 on)"
        )
    return "\n".join(lines)


def _number(value: float | None) -> str:
    return "–" if value is None else significant(value)


if __name__ == "__main__":
    sys.exit(main())
