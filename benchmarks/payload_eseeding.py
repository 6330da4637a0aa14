"""Speed of eseeding on one core: W = 1 beside the full width, and the NumPy reference, in one run.

Minima of repeats, each beside the reference loop of the same run: other work on the machine makes all of them larger.
Run as ``python -m benchmarks.payload_eseeding``.
"""

from __future__ import annotations

import time

from payloads import compiled
from payloads.arrays import one_event
from payloads.kernels.eseeding import reference

EVENTS, REPEATS, REFERENCE_EVENTS = 32, 15, 2


def main() -> None:
    """Prints the table."""
    for pile_up in (50, 200):
        events = compiled.simulate("electron", pile_up, 20261122, 0, EVENTS)
        start = time.thread_time()
        for i in range(REFERENCE_EVENTS):
            reference.reconstruct(one_event(events, i), {})
        in_numpy_s = (time.thread_time() - start) / REFERENCE_EVENTS
        print(f"pile-up {pile_up}: NumPy reference {in_numpy_s * 1e3:.0f} ms an event")
        for variant in compiled.variants():
            if variant.usable:
                _measure(variant.name, events, in_numpy_s)


def _measure(variant: str, events: dict[str, compiled.Array], in_numpy_s: float) -> None:
    module = compiled.load(variant)
    opened = {
        w: compiled.open_kernel(variant, "eseeding", events, {}, w) for w in sorted({1, int(module.lanes)})
    }
    loop_s, event_s = float("inf"), dict.fromkeys(opened, float("inf"))
    for _ in range(REPEATS):  # interleaved, so that a neighbour's load meets all alike
        loop_s = min(loop_s, module.reference_loop_s())
        for w, kernel in opened.items():
            event_s[w] = min(event_s[w], kernel.measure(0, EVENTS)[0] / EVENTS)
    for w, kernel in opened.items():
        print(
            f"  {variant}, W = {w:2}: event {event_s[w] * 1e3:6.3f} ms, {event_s[w] / loop_s:6.3f} reference loops, "
            f"{event_s[1] / event_s[w]:4.2f} x W = 1, {in_numpy_s / event_s[w]:6.0f} x NumPy"
        )
        runs = [[kernel.stages(i) for i in range(EVENTS)] for _ in range(3)]
        stages = {name: min(sum(one[name] for one in run) for run in runs) for name in runs[0][0]}
        total = sum(stages.values())
        print("    " + ", ".join(f"{name} {100 * s / total:.0f} %" for name, s in stages.items()))


if __name__ == "__main__":
    main()
