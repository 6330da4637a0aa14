"""CLUE's speed: microseconds a rechit by stage at 1e5 and 1e6 rechits, beside the reference loop of the same run.

Run as ``python -m benchmarks.payload_clue [repeats]``. Minima of repeats, since neighbours
on the machine only add; the total in CPU time of the thread, the stages in wall time.
"""

from __future__ import annotations

import sys
import time

from payloads import compiled

SIZES = ((45.0, "1e5"), (540.0, "1e6"))  # pile-up that gives about as many cells


def main(repeats: int) -> None:
    """Prints one table a size."""
    for pile_up, name in SIZES:
        events = compiled.simulate("hgcal", pile_up, 20261122, 0, 1)
        cells = len(events["rechit_x"])
        print(f"{name}: {cells} rechits")
        for variant in compiled.variants():
            if not variant.usable:
                continue
            module = compiled.load(variant.name)
            for lanes in sorted({1, module.lanes}):
                kernel = compiled.open_kernel(variant.name, "clue", events, {}, lanes)
                kernel.process(0)
                best: dict[str, float] = {}
                total = loop = float("inf")
                for _ in range(repeats):
                    loop = min(loop, module.reference_loop_s())
                    stages = kernel.stages(0)
                    start = time.thread_time()
                    kernel.process(0)
                    total = min(total, time.thread_time() - start)
                    best = {
                        stage: min(best.get(stage, seconds), seconds) for stage, seconds in stages.items()
                    }
                parts = ", ".join(f"{stage} {seconds / cells * 1e9:.0f}" for stage, seconds in best.items())
                print(
                    f"  {variant.name} W={lanes}: {total / cells * 1e6:.3f} us a rechit, {total / loop:.1f} reference "
                    f"loops; ns by stage: {parts}"
                )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10)
