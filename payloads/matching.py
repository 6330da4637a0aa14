"""What kernels share in measuring their physics: whose hits a track has, and how wide errors are spread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def most_common(group: Ints, value: Ints, groups: int) -> tuple[Ints, Ints]:
    """Of each group the value that occurs most (least such value; -1 for none), and how often.

    Args:
        group: of each entry, [n]; entries below 0 do not count.
        value: of each entry, [n]; entries below 0 do not count.
        groups: how many there are.

    Returns:
        Two arrays of one number a group.
    """
    best, times = np.full(groups, -1), np.zeros(groups, dtype=np.int64)
    known = (group >= 0) & (value >= 0)
    if known.any():
        pairs, count = np.unique(np.stack([group[known], value[known]]), axis=1, return_counts=True)
        order = np.lexsort((-pairs[1], count))  # the last written wins: most often, then least value
        best[pairs[0, order]] = pairs[1, order]
        times[pairs[0, order]] = count[order]
    return best, times


def half_width(values: Sequence[float] | Floats) -> float:
    """Half of the interval that holds the middle 68.27 %: a standard deviation that tails do not move.

    nan of fewer than three values.
    """
    if len(values) < 3:
        return float("nan")
    low, high = np.quantile(values, (0.15866, 0.84134))
    return float(high - low) / 2


@dataclass
class Samples:
    """Values by name, gathered over events."""

    values: dict[str, list[Floats]] = field(default_factory=dict)

    def add(self, name: str, values: Floats) -> None:
        """Keep values of one kind."""
        self.values.setdefault(name, []).append(values)

    def all(self, name: str) -> Floats:
        """All of them."""
        return np.concatenate(self.values.get(name, [np.empty(0)]))

    def width(self, name: str) -> float:
        """Their `half_width`."""
        return half_width(self.all(name))

    def mean(self, name: str) -> float:
        """Their mean; nan of none."""
        values = self.all(name)
        return float(values.mean()) if len(values) else float("nan")

    def median(self, name: str) -> float:
        """Their median; nan of none."""
        values = self.all(name)
        return float(np.median(values)) if len(values) else float("nan")


@dataclass
class TrackTally(Samples):
    """Sums over events: particles that a track is wanted of, those that have one, and what tracks are."""

    wanted: int = 0
    found: int = 0
    tracks: int = 0
    fakes: int = 0
    duplicates: int = 0

    def count(self, particle: Ints, wanted: npt.NDArray[np.bool_]) -> None:
        """Add the tracks of one event.

        Args:
            particle: of each track, -1 for a fake.
            wanted: of each particle, whether a track of it is asked for.
        """
        matched = particle[particle >= 0]
        self.wanted += int(wanted.sum())
        self.found += int(wanted[np.unique(matched)].sum())
        self.tracks += len(particle)
        self.fakes += int((particle < 0).sum())
        self.duplicates += len(matched) - len(np.unique(matched))

    def rates(self) -> dict[str, float]:
        """Efficiency of the wanted particles, shares of fakes and duplicates among the tracks; nan of nothing."""
        return {
            "efficiency": _ratio(self.found, self.wanted),
            "fake_rate": _ratio(self.fakes, self.tracks),
            "duplicate_rate": _ratio(self.duplicates, self.tracks),
        }


def angle_apart(one: Floats, other: Floats) -> Floats:
    """How far one angle lies ahead of another, -pi to pi."""
    apart: Floats = (one - other + np.pi) % (2 * np.pi) - np.pi
    return apart


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")
