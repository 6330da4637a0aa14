"""What is compared: a kernel of ours and its twin, on which events, and how far contraction may move a result."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from payloads.arrays import Array, Arrays
from payloads.catalogue import choose, kernels
from payloads.compiled import simulate

Results = Mapping[str, Any]


def other_clusters(ours: Results, others: Results) -> float:
    """Share of rechits that are in the cluster of another seed, or in none where they were in one."""

    def seeds(found: Results) -> Array:
        cluster = found["rechit_cluster"]
        return np.where(cluster < 0, -1, np.append(found["cluster_seed"], -1)[cluster])

    return float(np.mean(seeds(ours) != seeds(others)))


def other_covariances(ours: Results, others: Results) -> float:
    """Largest difference of an element to the geometric mean of its two variances."""
    one, other = (found["covariance"].reshape(-1, 21).astype(float) for found in (ours, others))
    row, column = np.tril_indices(6)
    variance = one[:, row == column]
    scale = np.sqrt(np.abs(variance[:, row] * variance[:, column]))
    return float(np.max(np.abs(one - other) / scale, initial=0.0))


def with_seeds(events: Arrays, copies: int) -> dict[str, Array]:
    """One event with so many copies of its seeds: a GPU has a hundred times as many threads as an event has seeds."""

    def more(name: str, column: Array) -> Array:
        if not name.startswith("seed_"):
            return column
        return column * np.int32(copies) if name.endswith("_offset") else np.tile(column, copies)

    return {name: more(name, column) for name, column in events.items()}


@dataclass(frozen=True)
class Case:
    """A kernel with its twin.

    Attributes:
        kernel: its name.
        does: what is compared.
        pile_up: of the events.
        count: events.
        copies: of the seeds of each.
        settings: that cut the kernel down to what the twin does.
        in_flight: events at a time.
        difference: between results of two programs, as `other_clusters`.
        tolerance: of that, where the arithmetic is contracted.
    """

    kernel: str
    does: str
    pile_up: float
    count: int
    copies: int
    settings: Mapping[str, float]
    in_flight: int
    difference: Callable[[Results, Results], float]
    tolerance: float

    def events(self) -> dict[str, Array]:
        """Made now."""
        (kernel,) = choose(kernels(), (self.kernel,))
        seed = kernel.manifest.events.seed
        made = simulate(kernel.manifest.section, self.pile_up, seed, 0, self.count)
        return made if self.copies == 1 else with_seeds(made, self.copies)


CASES = (
    Case("clue", "layer clustering", 200.0, 2, 1, {"link": 0.0}, 4, other_clusters, 1e-3),
    Case("mkfit", "Kalman step, 20 layers", 60.0, 1, 128, {"bare_layers": 20.0}, 2, other_covariances, 1e-2),
)
