"""How fast the computing model is: `python -m benchmarks.plan`.

Goals of issue 6: one scenario over 18 years ≤ 10 ms; 100,000 samples ≤ 2 s and ≤ 500 MB on one core; cost linear in the
samples; the page's recomputation ≤ 150 ms. Times are processor time of this process on one core, beside a NumPy loop of the
same run.
"""

import argparse
import os
import resource
import statistics
import tempfile
import time
from collections.abc import Callable

# One core, and before NumPy counts them: its threads would wait for each other at the small matrices here.
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})

import numpy as np
from starlette.testclient import TestClient

from capacity.app import create_app
from capacity.config import load as load_config
from capacity.store.database import Database
from computing_model.layers import load
from computing_model.plan import plan
from computing_model.uncertainty import bands

REFERENCE = np.random.default_rng(1).random((1000, 1000))


def cost_ms(work: Callable[[], object], repeats: int) -> tuple[float, float]:
    """Smallest and median processor time of some repeats, ms."""
    found = []
    for _ in range(repeats):
        begun = time.process_time()
        work()
        found.append((time.process_time() - begun) * 1e3)
    return min(found), statistics.median(found)


def told(what: str, found_ms: tuple[float, float], reference_ms: float, goal: str = "") -> None:
    """One line: smallest, median, ratio to the reference."""
    print(f"{what:52} {found_ms[0]:9.1f} {found_ms[1]:9.1f} {found_ms[0] / reference_ms:9.2f}x  {goal}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=15)
    options = parser.parse_args()
    loop = cost_ms(lambda: np.exp(REFERENCE).sum(), options.repeats)
    print(f"{'ms of processor time':52} {'best':>9} {'median':>9} {'to loop':>10}")
    told("reference: exp of 10^6 numbers", loop, loop[0])
    baseline = load(["baseline"]).parameters
    told("load a scenario (TOML, checks)", cost_ms(lambda: load(["baseline"]), options.repeats), loop[0])
    told("one scenario, 18 years", cost_ms(lambda: plan(baseline), options.repeats), loop[0], "goal 10 ms")
    uncertain = load(["weighted-probable", "uncertain"]).parameters
    each = []
    for samples in (1_000, 10_000, 100_000):
        found = cost_ms(lambda n=samples: bands(uncertain, n), 3)
        each.append(found[0] / samples * 1e3)
        told(f"{samples:,} samples", found, loop[0], "goal 2000 ms" if samples == 100_000 else "")
    print(
        "µs a sample: "
        + ", ".join(f"{value:.1f}" for value in each)
        + " (goal: constant, less what a plan costs once)"
    )
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    print(f"peak memory of the process so far: {peak_mb:.0f} MB (goal 500 MB)")
    _page(options.repeats, loop[0])


def _page(repeats: int, reference_ms: float) -> None:
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/capacity.db"
        Database(url).upgrade()
        app = create_app(load_config({"database.url": url, "data_directory": folder}, {}).config, {})
        with TestClient(app) as client:
            speedups = iter(np.linspace(1.01, 3, 10 * repeats + 10))

            def ask(path: str) -> None:
                answer = client.get(f"{path}?reco.speedup={next(speedups):.6f}")
                assert answer.status_code == 200, answer.text[:200]

            for path in ("/plan", "/plan/charts/cpu_khs06_years.svg"):
                ask(path)
                told(
                    f"{path}, three scenarios, new assumptions",
                    cost_ms(lambda p=path: ask(p), repeats),
                    reference_ms,
                    "goal 150 ms",
                )


if __name__ == "__main__":
    main()
