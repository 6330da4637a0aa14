"""Whether answers are the reference's, within what single precision may do to a million products."""

from __future__ import annotations

import numpy as np

from payloads.arrays import Arrays, as_float64

NEAR_PROBABILITY = 1e-4
NEAR_CORRECTION = 1e-4
NEAR_SHARE = 2e-4  # of energies
PROBABILITIES = (
    "answer_photon",
    "answer_electron",
    "answer_charged_hadron",
    "answer_neutral_hadron",
    "answer_ambiguous",
)


def differences(reference: Arrays, result: Arrays) -> str | None:
    """What of the answers is not the reference's within the tolerance; None if nothing.

    The same tracksters have an answer; probabilities and corrections agree to 1e-4, energies to 2e-4 of themselves.
    """
    missing = sorted(set(reference) - set(result))
    if missing:
        return f"the result has no column {missing[0]}"
    if not np.array_equal(reference["answer_trackster"], result["answer_trackster"]):
        return (
            f"{len(result['answer_trackster'])} tracksters have an answer, not the same ones as the "
            f"{len(reference['answer_trackster'])} of the reference"
        )
    allowed = dict.fromkeys(PROBABILITIES, NEAR_PROBABILITY) | {"answer_correction": NEAR_CORRECTION}
    for name in (*allowed, "answer_energy"):
        expected, found = as_float64(reference[name]), as_float64(result[name])
        if len(expected) != len(found):
            return f"{name} has {len(found)} entries, the reference {len(expected)}"
        bound = allowed.get(name, 0.0) + (NEAR_SHARE * expected if name == "answer_energy" else 0.0)
        wrong = ~(np.abs(found - expected) <= bound)
        if wrong.any():
            worst = float(np.max(np.where(wrong, np.abs(found - expected), 0)))
            return f"{int(wrong.sum())} answers differ in {name.removeprefix('answer_')}, one by {worst:.3g}"
    return None
