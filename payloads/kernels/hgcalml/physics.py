"""How good the answers are, against the simulated particles; against the reference: agreement.py.

Classes and energies are truth.py's. Identification is judged by areas under ROC curves and by one working point of one
curve; energies by the ratio to the true one, median and half of the central 68.3 %, beside the same of the raw energies.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from payloads.arrays import Arrays, as_float64, each_event
from payloads.kernels.hgcalml import truth
from payloads.kernels.hgcalml.agreement import PROBABILITIES, differences
from payloads.kernels.hgcalml.truth import AMBIGUOUS, CHARGED, ELECTRON, NEUTRAL, PHOTON
from payloads.matching import half_width

__all__ = ["Answered", "area", "differences", "gather", "measure", "roc"]

HARD_GEV = 5.0
"""Energy from which a trackster (raw) is identified, and (true) its answer's energy judged."""
BACKGROUND = 0.05
"""Share of hadrons taken for electrons or photons at the working point."""

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


class Answered:
    """Tracksters with an answer, of one event or of many.

    Attributes:
        kind: true class, an index into ``truth.CLASSES``.
        share: (n, 5), the probabilities.
        raw_gev: energy of the trackster.
        found_gev: energy of the answer.
        true_gev: energy of the particle.
        has_energy: where the two should agree.
    """

    def __init__(self, events: Sequence[Arrays], results: Sequence[Arrays]) -> None:
        rows = [np.asarray(result["answer_trackster"]) for result in results]
        energies = [truth.energies(event) for event in events]
        pairs = list(zip(events, rows, strict=True))
        self.kind: Ints = np.concatenate([truth.classes(event)[row] for event, row in pairs])
        self.raw_gev: Floats = np.concatenate(
            [as_float64(event["trackster_energy"])[row] for event, row in pairs]
        )
        self.true_gev: Floats = np.concatenate([e[row] for (e, _), row in zip(energies, rows, strict=True)])
        self.has_energy: Bools = np.concatenate([h[row] for (_, h), row in zip(energies, rows, strict=True)])
        self.share: Floats = np.stack(
            [np.concatenate([as_float64(result[name]) for result in results]) for name in PROBABILITIES],
            axis=1,
        )
        self.found_gev: Floats = np.concatenate([as_float64(result["answer_energy"]) for result in results])

    @property
    def electromagnetic(self) -> Floats:
        """Probability of photon or electron, of what is not ambiguous."""
        told = self.share[:, :AMBIGUOUS].sum(axis=1)
        return np.asarray((self.share[:, PHOTON] + self.share[:, ELECTRON]) / np.maximum(told, 1e-12))

    @property
    def charged(self) -> Floats:
        """Probability of a charged hadron, of that of any hadron."""
        told = self.share[:, CHARGED] + self.share[:, NEUTRAL]
        return np.asarray(self.share[:, CHARGED] / np.maximum(told, 1e-12))

    def is_one_of(self, *kinds: int) -> Bools:
        """True class."""
        return np.isin(self.kind, kinds)


def gather(events: Arrays, results: Sequence[Arrays]) -> Answered:
    """All answers; ``results[i]`` belongs to event ``i``."""
    return Answered(list(each_event(events)), results)


def area(signal: Floats, background: Floats) -> float:
    """Under the ROC curve: probability that a signal's value is above a background's; ties count one half."""
    if not len(signal) or not len(background):
        return float("nan")
    values, back = np.unique(np.concatenate([signal, background]), return_inverse=True)
    of_background = np.bincount(back[len(signal) :], minlength=len(values))
    below = np.cumsum(of_background) - 0.5 * of_background
    return float(below[back[: len(signal)]].mean() / len(background))


def roc(signal: Floats, background: Floats, allowed: float) -> float:
    """Share of the signal that is kept by a cut that keeps this share of the background."""
    if not len(signal) or not len(background):
        return float("nan")
    return float((signal > np.quantile(background, 1 - allowed)).mean())


def _median(values: Floats) -> float:
    return float(np.median(values)) if len(values) else float("nan")


def measure(events: Arrays, results: Sequence[Arrays]) -> dict[str, float]:
    """All metrics; ``results[i]`` belongs to event ``i``. manifest.toml says what each one means."""
    a = gather(events, results)
    em, hadron = a.is_one_of(PHOTON, ELECTRON), a.is_one_of(CHARGED, NEUTRAL)
    hard = a.raw_gev > HARD_GEV
    ambiguous = a.is_one_of(AMBIGUOUS)
    score, clear = a.electromagnetic, 1 - a.share[:, AMBIGUOUS]
    metrics = {
        "answers": len(a.kind) / max(len(results), 1),
        "right_class": float((a.share.argmax(axis=1) == a.kind).mean()) if len(a.kind) else float("nan"),
        "em_area": area(score[em], score[hadron]),
        "em_area_hard": area(score[em & hard], score[hadron & hard]),
        "em_efficiency": roc(score[em], score[hadron], BACKGROUND),
        "charged_area": area(a.charged[a.is_one_of(CHARGED)], a.charged[a.is_one_of(NEUTRAL)]),
        "clear_area": area(clear[~ambiguous], clear[ambiguous]),
        "ambiguous_excess": float((a.share[:, AMBIGUOUS] - ambiguous).mean())
        if len(a.kind)
        else float("nan"),
    }
    for name, of in (("em", em), ("hadron", hadron)):
        looked = of & a.has_energy & (a.true_gev > HARD_GEV)
        found, raw = (energy[looked] / a.true_gev[looked] for energy in (a.found_gev, a.raw_gev))
        metrics |= {
            f"{name}_response": _median(found),
            f"{name}_resolution": half_width(found) / _median(found),
            f"{name}_raw_response": _median(raw),
            f"{name}_raw_resolution": half_width(raw) / _median(raw),
        }
    return metrics
