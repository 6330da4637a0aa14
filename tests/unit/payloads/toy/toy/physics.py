"""Of the toy kernel: its sums against the truth in the events."""

import numpy as np

from payloads.arrays import each_event


def measure(events, results):
    truth = [float(event["truth_sum"][0]) for event in each_event(events)]
    return {
        "efficiency": float(
            np.mean([result["sum"][0] == want for result, want in zip(results, truth, strict=True)])
        ),
        "events_seen": float(len(results)),
    }


def differences(reference, result):
    if np.array_equal(reference["sum"], result["sum"]):
        return None
    return f"sum is {result['sum'][0]:g}, the reference says {reference['sum'][0]:g}"
