"""How fast and how small is the agent itself? Figures and ratios, measured side by side in one run.

    make bench          or    python benchmarks/run.py [--rounds N] [--json]

Every command is a whole process, started in turn (A B C A B C …) so that a drift of the machine hits all alike. Wall
time, time to the first byte of output and peak memory (ru_maxrss of the process and its largest child) are medians.
Peers are used if they are installed: `archspec cpu`, `lscpu`, `condor_gpu_discovery`, `nvidia-smi`.
"""

from __future__ import annotations

import argparse
import json
import os
import select
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(sys.executable).parent
PROBE = [sys.executable, "-I", "-m", "agent", "probe", "--site-profile", "no-outbound", "--quiet"]
TARGETS = {"wall_s": 1.0, "first_output_s": 0.3, "peak_mib": 60.0}
"""What the project promises for the local checks on two cores."""


def commands() -> dict[str, list[str]]:
    """What is measured, by name; the first is the yardstick of the ratios."""
    found = {
        "python -c pass": [sys.executable, "-I", "-c", "pass"],
        "import agent": [sys.executable, "-I", "-c", "import agent"],
        "agent probe (local)": PROBE,
        "agent probe --json": [*PROBE, "--json"],
    }
    peers = {
        "archspec cpu": str(HERE / "archspec"),
        "lscpu": "lscpu",
        "condor_gpu_discovery": "condor_gpu_discovery",
        "nvidia-smi": "nvidia-smi",
    }
    for name, program in peers.items():
        path = shutil.which(program)
        if path:
            found[name] = [path, *name.split()[1:]]
    return found


def measure(argv: list[str]) -> tuple[float, float | None, float]:
    """Run once: wall seconds, seconds to the first byte (None = silent), peak MiB of the process tree."""
    reading, writing = os.pipe()
    began = time.perf_counter()
    process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=writing, stderr=writing)
    os.close(writing)
    first = None
    while True:
        select.select([reading], [], [])
        piece = os.read(reading, 65_536)
        if not piece:
            break
        if first is None:
            first = time.perf_counter() - began
    _, _, usage = os.wait4(process.pid, 0)
    took = time.perf_counter() - began
    process.returncode = 0
    os.close(reading)
    return took, first, usage.ru_maxrss / 1024


def probe_costs(rounds: int) -> dict[str, float]:
    """Median seconds of each probe, as the profile itself says."""
    samples: dict[str, list[float]] = {}
    for _ in range(rounds):
        answer = subprocess.run([*PROBE, "--json"], capture_output=True, check=False)
        for run in json.loads(answer.stdout)["limits"]["probes"]:
            if run["duration_s"] is not None:
                samples.setdefault(run["name"], []).append(run["duration_s"])
    return {name: statistics.median(values) for name, values in samples.items()}


def heavy_modules() -> list[str]:
    """Modules that `import agent` must not load, but does."""
    code = "import sys, agent; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    heavy = ("pydantic", "click", "archspec", "docker", "requests", "pynvml", "ssl", "asyncio", "numpy")
    return [name for name in heavy if name in loaded]


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", action="store_true", dest="as_json")
    options = parser.parse_args()
    wanted = commands()
    samples: dict[str, list[tuple[float, float | None, float]]] = {name: [] for name in wanted}
    for number in range(options.rounds + 1):
        for name, argv in wanted.items():
            sample = measure(argv)
            if number:  # the first round warms the caches
                samples[name].append(sample)
    rows = {}
    for name, measured in samples.items():
        firsts = [first for _, first, _ in measured if first is not None]
        rows[name] = {
            "wall_s": statistics.median(wall for wall, _, _ in measured),
            "first_output_s": statistics.median(firsts) if firsts else None,
            "peak_mib": statistics.median(peak for _, _, peak in measured),
        }
    costs = probe_costs(3)
    heavy = heavy_modules()
    if options.as_json:
        print(
            json.dumps(
                {"commands": rows, "probes_s": costs, "heavy_modules_of_import_agent": heavy}, indent=1
            )
        )
        return 0
    base = rows["python -c pass"]["wall_s"] or 1.0
    print(f"{os.cpu_count()} CPUs, {options.rounds} rounds, medians\n")
    print(f"{'command':<22} {'wall s':>8} {'x python':>9} {'first s':>8} {'peak MiB':>9}")
    for name, row in rows.items():
        first = "-" if row["first_output_s"] is None else f"{row['first_output_s']:.3f}"
        print(
            f"{name:<22} {row['wall_s']:>8.3f} {(row['wall_s'] or 0) / base:>9.1f} {first:>8} {row['peak_mib']:>9.1f}"
        )
    ours = rows["agent probe (local)"]
    print("\nagent probe (local) against its targets:")
    for key, target in TARGETS.items():
        value = ours[key] or 0.0
        print(f"  {key:<15} {value:>7.3f} of {target:g}  ({value / target:.0%})")
    print("\ncost of each probe (they run side by side):")
    for name, cost in sorted(costs.items(), key=lambda item: -item[1]):
        print(f"  {name:<10} {cost * 1000:>7.1f} ms")
    print(f"\nheavy modules loaded by `import agent`: {', '.join(heavy) or 'none'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
