"""The tracksters that the network learns from: simulated here, by seeds that no benchmark and no range uses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from payloads.arrays import as_float64, each_event
from payloads.compiled import simulate
from payloads.kernels.hgcalml import truth
from payloads.kernels.hgcalml.reference_inputs import chosen, pictures

SEED = 88_000_001
"""Of all events; the last event of each pile-up is SEED's event number `events` - 1."""
SAMPLES = ((0.0, 400), (200.0, 70))
"""Pile-up and events: crowded ones as a benchmark has them, and quiet ones for more electrons and high energies."""
VALIDATION_SHARE = 0.1

Floats32 = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Sample:
    """Tracksters.

    Attributes:
        picture: (n, 50, 10, 3).
        kind: (n,), index into ``truth.CLASSES``.
        log_ratio: (n,), logarithm of true over raw energy; 0 where ``has_energy`` is 0.
        has_energy: (n,), 1 or 0.
        pile_up: (n,).
    """

    picture: Floats32
    kind: Ints
    log_ratio: Floats32
    has_energy: Floats32
    pile_up: Floats32

    def take(self, which: npt.NDArray[np.int64] | slice) -> Sample:
        """Some of them."""
        return Sample(
            self.picture[which], self.kind[which], self.log_ratio[which], self.has_energy[which], self.pile_up[which]
        )  # fmt: skip


def made(pile_up: float, events: int) -> Sample:
    """All tracksters of enough energy in these events."""
    parts: list[Sample] = []
    for number in range(events):
        for event in each_event(simulate("tracksters", pile_up, SEED, number, 1)):
            rows = chosen(event, {})
            true_gev, has = truth.energies(event)
            ratio = np.where(has, true_gev, 1.0) / np.where(has, as_float64(event["trackster_energy"]), 1.0)
            parts.append(
                Sample(
                    pictures(event, {}).astype(np.float32),
                    truth.classes(event)[rows],
                    np.log(ratio)[rows].astype(np.float32),
                    has[rows].astype(np.float32),
                    np.full(len(rows), pile_up, dtype=np.float32),
                )
            )
    return joined(parts)


def joined(parts: list[Sample]) -> Sample:
    """One after another."""
    return Sample(
        *(
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("picture", "kind", "log_ratio", "has_energy", "pile_up")
        )
    )


def all_samples() -> tuple[Sample, Sample]:
    """For learning and for validation, by shuffling all with the seed."""
    everything = joined([made(pile_up, events) for pile_up, events in SAMPLES])
    order = np.random.default_rng(SEED).permutation(len(everything.kind))
    held_back = int(VALIDATION_SHARE * len(order))
    return everything.take(order[held_back:]), everything.take(order[:held_back])
