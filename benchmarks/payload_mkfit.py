"""Speed of mkfit on one core: the bare Kalman step, and the whole at W = 1 beside the full width, in one run.

Minima of repeats, each beside the reference loop of the same run: other work on the machine makes all of them larger.
Run as ``python -m benchmarks.payload_mkfit``.
"""

from __future__ import annotations

import time

from payloads import compiled

EVENTS, LAYERS, REPEATS = 1, 20, 15


def _processor_s(opened: compiled.Opened) -> float:
    """Processor seconds for the first event: a neighbour's turn on the core does not count."""
    start = time.thread_time()
    opened.process(0)
    return time.thread_time() - start


def main() -> None:
    """Prints the table."""
    events = compiled.simulate("tracker", 60, 20261122, 0, EVENTS)
    tracks = int(events["seed_offset"][1])
    for variant in compiled.variants():
        if not variant.usable:
            continue
        module = compiled.load(variant.name)
        lanes = sorted({1, int(module.lanes)})
        bare = {
            w: compiled.open_kernel(variant.name, "mkfit", events, {"bare_layers": LAYERS}, w) for w in lanes
        }
        whole = {w: compiled.open_kernel(variant.name, "mkfit", events, {}, w) for w in lanes}
        loop_s = float("inf")
        step_s = dict.fromkeys(lanes, float("inf"))
        event_s = dict.fromkeys(lanes, float("inf"))
        for _ in range(REPEATS):  # interleaved, so that a neighbour's load meets all alike
            loop_s = min(loop_s, module.reference_loop_s())
            for w in lanes:
                step_s[w] = min(step_s[w], *(bare[w].measure(0, 1)[0] for _ in range(20)))
                # events in a row, as a worker has them: the first finds the caches of another payload
                event_s[w] = min(event_s[w], *(_processor_s(whole[w]) for _ in range(3)))
        print(f"{variant.name}: reference loop {loop_s * 1e3:.2f} ms")
        for w in lanes:
            step_ns = step_s[w] / (tracks // w * w * LAYERS) * 1e9
            print(
                f"  W = {w:2}: Kalman step {step_ns:6.2f} ns per track and layer; event {event_s[w] * 1e3:7.2f} ms, "
                f"{event_s[w] / loop_s:5.2f} reference loops"
            )
            runs = [whole[w].stages(0) for _ in range(REPEATS)]
            stages = {name: min(run[name] for run in runs) for name in runs[0]}
            total = sum(stages.values())
            print("          " + ", ".join(f"{name} {100 * s / total:.0f} %" for name, s in stages.items()))
        if len(lanes) == 2:
            print(
                f"  over W = 1: step {step_s[1] / step_s[lanes[1]]:.2f}, event {event_s[1] / event_s[lanes[1]]:.2f}"
            )


if __name__ == "__main__":
    main()
