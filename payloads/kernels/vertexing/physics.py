"""How good the vertices are: against the simulated collisions, and against the reference.

A collision is *reconstructible* with at least three reconstructed tracks from its own point. A vertex belongs to the
collision that gives most of its precision: the sum of w / sigma_z^2 over tracks of fit weight w > 0.5, as in CMSSW's
PrimaryVertexAnalyzer4PU; it is *fake* if that is not more than half of it (*purity* is this share), and *split* if the
same collision has a more precise vertex. A collision is *found* if a vertex that is not fake belongs to it; a
reconstructible one that is not found is *merged* if most of its tracks lie in one vertex of others.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from payloads.arrays import Array, Arrays, as_float64, each_event

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
            off = as_float64(result[f"{prefix}_vertex_{axis}"])[v] - as_float64(event[f"collision_{axis}"])[found]
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


def half_width(values: Array) -> float:
    """Half of the interval that holds the central 68.3 %; nan of fewer than three values."""
    if len(values) < 3:
        return float("nan")
    low, high = np.percentile(values, [15.87, 84.13])
    return float(high - low) / 2.0


def resolution_by_ndof(events: Arrays, results: Sequence[Arrays], edges: Sequence[float]) -> list[tuple[float, ...]]:
    """Of annealed vertices, in intervals of ndof: (lower edge, vertices, x, y, z in um, pulls of x, y, z)."""
    tally = _Tally()
    for event, result in zip(each_event(events), results, strict=True):
        tally.add(event, result, "annealing")
    r = np.array(tally.residuals).reshape(-1, 8)
    rows = []
    for low, high in zip(edges[:-1], edges[1:], strict=True):
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
