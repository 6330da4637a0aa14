"""How good the vertices are: against the simulated collisions, and against the reference.

A collision is *reconstructible* with at least three reconstructed tracks from its own point. A vertex belongs to the
collision that gives most of its precision: the sum of w / sigma_z^2 over tracks of fit weight w > 0.5, as in CMSSW's
PrimaryVertexAnalyzer4PU; it is *fake* if that is not more than half of it (*purity* is this share), and *split* if the
same collision has a more precise vertex. A collision is *found* if a vertex that is not fake belongs to it; a
reconstructible one that is not found is *merged* if most of its tracks lie in one vertex of others.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from payloads.arrays import Array, Arrays, as_float64, each_event
from payloads.matching import half_width

CLUSTERINGS = ("annealing", "density")
LEAST_TRACKS = 3
VERTEX_SIZE_CM = 0.006


def track_collisions(event: Arrays) -> Array:
    """Collision of each track by its particle; -1 for fakes and for tracks from decays in flight."""
    particle = event["track_particle"]
    collision = event["particle_collision"][np.maximum(particle, 0)]
    return np.where((particle >= 0) & (event["track_kind"] == 0), collision, -1)


class _Tally:
    """Counts and residuals of one clustering over many events."""

    def __init__(self) -> None:
        self.reconstructible = self.found = self.merged = 0
        self.vertices = self.fakes = self.splits = 0
        self.events = self.hard_found = self.hard_first = 0
        self.purities: list[float] = []
        self.residuals: list[tuple[float, ...]] = []

    def add(self, event: Arrays, result: Arrays, prefix: str) -> None:
        collision = track_collisions(event)
        collisions, vertices = len(event["collision_z"]), len(result[f"{prefix}_vertex_z"])
        fit = as_float64(result[f"{prefix}_track_weight"])
        vertex = np.where(fit > 0.5, result[f"{prefix}_track_vertex"], -1)
        precision = fit / (as_float64(event["track_covariance_44"]) + VERTEX_SIZE_CM**2)
        shared = np.zeros((vertices, collisions + 1))  # the last column: of no collision
        inside = vertex >= 0
        np.add.at(shared, (vertex[inside], collision[inside]), precision[inside])
        total = shared.sum(axis=1)
        owner = np.argmax(shared[:, :collisions], axis=1) if vertices else np.zeros(0, dtype=np.int64)
        most = shared[np.arange(vertices), owner]
        fake = ~(2 * most > total)
        self.vertices += vertices
        self.fakes += int(fake.sum())
        best = np.full(collisions, -1)
        for v in np.argsort(-most, kind="stable"):
            if fake[v]:
                continue
            if best[owner[v]] >= 0:
                self.splits += 1
            else:
                best[owner[v]] = v
            self.purities.append(most[v] / total[v])
        number = np.zeros((vertices, collisions + 1), dtype=np.int64)
        np.add.at(number, (vertex[inside], collision[inside]), 1)
        tracks = np.bincount(collision[collision >= 0], minlength=collisions)
        possible = tracks >= LEAST_TRACKS
        self.reconstructible += int(possible.sum())
        self.found += int((possible & (best >= 0)).sum())
        for c in np.flatnonzero(possible & (best < 0)):
            if vertices and 2 * number[:, c].max() > tracks[c]:
                self.merged += 1
        self.events += 1
        self.hard_found += int(best[0] >= 0)
        self.hard_first += int(vertices > 0 and best[0] == 0)
        self._add_residuals(event, result, prefix, best)

    def _add_residuals(self, event: Arrays, result: Arrays, prefix: str, best: Array) -> None:
        found = np.flatnonzero(best >= 0)
        v = best[found]
        columns = []
        for axis in ("x", "y", "z"):
            off = (
                as_float64(result[f"{prefix}_vertex_{axis}"])[v]
                - as_float64(event[f"collision_{axis}"])[found]
            )
            error = np.sqrt(as_float64(result[f"{prefix}_vertex_{axis}{axis}"])[v])
            columns += [off, off / error]
        columns += [as_float64(result[f"{prefix}_vertex_ndof"])[v], found.astype(np.float64)]
        self.residuals += list(zip(*(column.tolist() for column in columns), strict=True))

    def metrics(self) -> dict[str, float]:
        r = np.array(self.residuals).reshape(-1, 8)
        many, hard = r[:, 6] > 40.0, r[:, 7] == 0.0
        return {
            "efficiency": self.found / max(self.reconstructible, 1),
            "merged_rate": self.merged / max(self.reconstructible, 1),
            "fake_rate": self.fakes / max(self.vertices, 1),
            "split_rate": self.splits / max(self.vertices, 1),
            "purity": float(np.mean(self.purities)) if self.purities else 0.0,
            "hard_efficiency": self.hard_found / max(self.events, 1),
            "hard_first": self.hard_first / max(self.events, 1),
            "z_resolution_um": 1e4 * half_width(r[many, 4]),
            "x_resolution_um": 1e4 * half_width(r[many, 0]),
            "z_pull": half_width(r[many, 5]),
            "x_pull": half_width(r[many, 1]),
            "hard_z_resolution_um": 1e4 * half_width(r[hard, 4]),
        }


def resolution_by_ndof(
    events: Arrays, results: Sequence[Arrays], edges: Sequence[float]
) -> list[tuple[float, ...]]:
    """Of annealed vertices, in intervals of ndof: (lower edge, vertices, x, y, z in um, pulls of x, y, z)."""
    tally = _Tally()
    for event, result in zip(each_event(events), results, strict=True):
        tally.add(event, result, "annealing")
    r = np.array(tally.residuals).reshape(-1, 8)
    rows = []
    for low, high in pairwise(edges):
        cut = r[(r[:, 6] >= low) & (r[:, 6] < high)]
        widths = [1e4 * half_width(cut[:, axis]) for axis in (0, 2, 4)]
        rows.append((low, len(cut), *widths, *(half_width(cut[:, axis]) for axis in (1, 3, 5))))
    return rows


def measure(events: Arrays, results: Sequence[Arrays]) -> dict[str, float]:
    """All metrics of both clusterings; ``results[i]`` belongs to event ``i``.

    Resolutions and pulls are of found vertices with ndof > 40 (some 20 tracks), as half the central 68.3 %. ``overflow`` is
    the number of prototypes for which there was no room.
    """
    metrics: dict[str, float] = {}
    for prefix in CLUSTERINGS:
        tally = _Tally()
        for event, result in zip(each_event(events), results, strict=True):
            tally.add(event, result, prefix)
        metrics |= {f"{prefix}_{name}": value for name, value in tally.metrics().items()}
    metrics["overflow"] = float(sum(int(result["overflow"][0]) for result in results))
    return metrics


# Single against double precision, ranges against dense sums: a track at the edge of two prototypes may go to the other
# one, and a prototype that hardly lives may be purged in one and not in the other. Measured in README.md.
MOST_UNPAIRED = 0.05
LEAST_AGREEING_TRACKS = 0.97
NEAR_CM = 2e-3
FREE_ENERGY_SHARE = 5e-3
# For vertices that keep the same tracks in both: position against the fit of the reference.
SAME_FIT_CM = 1e-4
SAME_FIT_SIGMA = 0.05


def differences(reference: Arrays, result: Arrays) -> str | None:
    """What of the result is not the reference's within the stated tolerance; None if nothing.

    Vertices pair by z within 20 um: at most 5 % (and one) may have no partner; 97 % of tracks are with the same vertex; the
    free energy agrees to 0.5 %; a vertex of the very same tracks lies within 1 um or 5 % of its own error, on each axis.
    """
    if int(result["overflow"][0]):
        return f"{int(result['overflow'][0])} prototypes were refused for want of room"
    for prefix in CLUSTERINGS:
        sentence = _clustering_differs(prefix, reference, result)
        if sentence is not None:
            return sentence
    expected, got = float(reference["annealing_free_energy"][0]), float(result["annealing_free_energy"][0])
    if not abs(got - expected) <= FREE_ENERGY_SHARE * abs(expected):
        return f"the free energy of the annealing is {got:.6g}, the reference's is {expected:.6g}"
    return None


def _clustering_differs(prefix: str, reference: Arrays, result: Arrays) -> str | None:
    expected, got = (as_float64(arrays[f"{prefix}_vertex_z"]) for arrays in (reference, result))
    if len(expected) == 0 or len(got) == 0:
        return (
            None
            if len(expected) == len(got)
            else f"{prefix}: {len(got)} vertices, the reference has {len(expected)}"
        )
    if not np.isfinite(got).all():
        return f"{prefix}: a vertex has no finite position"
    distance = np.abs(expected[:, None] - got[None, :])
    allowed = 1 + MOST_UNPAIRED * len(expected)
    for unpaired, whose in (
        (distance.min(axis=1) > NEAR_CM, "the reference"),
        (distance.min(axis=0) > NEAR_CM, "the result"),
    ):
        if unpaired.sum() > allowed:
            return f"{prefix}: {int(unpaired.sum())} vertices of {whose} have no partner within 20 um in z"
    partner = np.append(distance.argmin(axis=1), -1)
    mine, theirs = partner[reference[f"{prefix}_track_vertex"]], result[f"{prefix}_track_vertex"]
    agreeing = float(np.mean(mine == theirs))
    if agreeing < LEAST_AGREEING_TRACKS:
        return f"{prefix}: only {agreeing:.1%} of the tracks are with the same vertex as in the reference"
    for v in range(len(expected)):
        if not np.array_equal(reference[f"{prefix}_track_vertex"] == v, theirs == partner[v]):
            continue
        for axis in "xyz":
            off = float(result[f"{prefix}_vertex_{axis}"][partner[v]]) - float(
                reference[f"{prefix}_vertex_{axis}"][v]
            )
            error = float(np.sqrt(reference[f"{prefix}_vertex_{axis}{axis}"][v]))
            if not abs(off) <= max(SAME_FIT_CM, SAME_FIT_SIGMA * error):
                return f"{prefix}: a vertex of the same tracks is {1e4 * off:.2f} um off in {axis}"
    return None
