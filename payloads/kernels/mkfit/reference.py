"""What mkfit's tracks should be, in double precision: built from seeds, cleaned, fitted; the rules are in README.md.

``reference_building`` takes candidates through a layer, ``reference_fit`` fits their hits; here is the choice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from payloads.arrays import Array, Arrays, as_float64
from payloads.kernels.mkfit.reference_building import (
    INSIDE,
    NEAR_CM,
    OUTSIDE,
    Candidate,
    Float,
    Layer,
    travel,
)
from payloads.kernels.mkfit.reference_fit import smooth

DEFAULTS = {
    "candidates": 5,
    "holes": 4,
    "consecutive_holes": 2,
    "least_hits": 6,
    "chi2": 30.0,
    "overlap_chi2": 3.5,
    "shared": 0.19,
    "fit_chi2": 10.0,
}
STATE = ("x", "y", "z", "inverse_pt", "phi", "theta", "charge")
OVERLAP_PAIR_CHI2 = 30.0  # of a second hit before the first is in


@dataclass
class Seed:
    """A seed on its way outwards."""

    index: int
    hits: list[int]
    start: int  # place in its region's list of layers
    candidates: list[Candidate]
    finished: tuple[float, Candidate] | None = None

    def best(self) -> tuple[float, Candidate]:
        """Score and candidate with which the seed ends."""
        found = [(c.score(c.state[3]), c) for c in self.candidates]
        return max([*([self.finished] if self.finished else []), *found], key=lambda pair: pair[0])


def plan(event: Arrays, region: str) -> list[int]:
    """Layers of a region from inside to outside; a region is "barrel", or "transition" or "endcap" with + or -."""
    position, high = (as_float64(event[f"layer_{name}"]) for name in ("position", "high"))
    disc = np.asarray(event["layer_is_disc"]) != 0
    side = 1.0 if region.endswith("+") else -1.0
    order: list[int] = []

    def before(a: int, b: int) -> bool:
        if disc[a] == disc[b]:
            return bool(abs(position[a]) < abs(position[b]))
        return bool(high[a] < position[b] if disc[a] else not high[b] < position[a])

    for layer in range(len(position)):
        if disc[layer]:
            used = region != "barrel" and position[layer] * side > 0
        else:
            used = not region.startswith("endcap") or position[layer] < 20
        if used:
            place = len(order)
            while place > 0 and before(layer, order[place - 1]):
                place -= 1
            order.insert(place, layer)
    return order


def region_of(event: Arrays, seed: int) -> str:
    """Where the straight extension of a seed leaves the barrel."""
    x, y, z, theta = (float(event[f"seed_{name}"][seed]) for name in ("x", "y", "z", "theta"))
    slope, radius = 1 / np.tan(theta), np.hypot(x, y)
    side = -1.0 if slope < 0 else 1.0
    if side * (z + (108 - radius) * slope) < 104:
        return "barrel"
    kind = "transition" if side * (z + (25.5 - radius) * slope) < 76 else "endcap"
    return kind + ("+" if side > 0 else "-")


def start(event: Arrays, seed: int, order: Sequence[int]) -> Seed:
    """A seed before its first layer."""
    hits = [int(event[f"seed_hit{k}"][seed]) for k in range(4)]
    hits = [hit for hit in hits if hit >= 0]
    packed = as_float64(event["seed_covariance_value"]).reshape(-1, 21)[seed]
    covariance = np.zeros((6, 6))
    covariance[np.tril_indices(6)] = packed
    covariance += np.tril(covariance, -1).T
    state = np.array([float(event[f"seed_{name}"][seed]) for name in STATE])
    first = max(order.index(int(event["hit_layer"][hit])) + 1 for hit in hits)
    return Seed(seed, hits, first, [Candidate(state, covariance, (), len(hits))])


@dataclass
class Crossing:
    """All candidates of a layer on it, and the hits that fit them: pairs (parent, hit within the layer)."""

    layer: Layer
    owner: list[tuple[Seed, Candidate]]
    status: Array
    states: Float
    covariances: Float
    parent: Array
    hit: Array
    chi2: Float
    updated: Float
    updated_covariances: Float

    def without_hit(self, p: int) -> Candidate:
        """A candidate that goes on without a hit here."""
        c = self.owner[p][1]
        if self.status[p] == OUTSIDE:
            return c
        tail = c.tail + int(self.status[p] == INSIDE)
        return replace(c, state=self.states[p], covariance=self.covariances[p], tail=tail)

    def with_hit(self, k: int, overlap_chi2: float) -> Candidate:
        """The candidate of a pair with its hit, and a second one where modules overlap."""
        layer, p = self.layer, int(self.parent[k])
        c = self.owner[p][1].with_hit(int(layer.hits[self.hit[k]]), float(self.chi2[k]))
        c = replace(c, state=self.updated[k], covariance=self.updated_covariances[k])
        depth = layer.depth[self.hit]
        others = np.flatnonzero(
            (self.parent == p) & (self.chi2 < OVERLAP_PAIR_CHI2) & (np.abs(depth - depth[k]) >= layer.stagger)
        )
        if len(others) == 0:
            return c
        return overlap(c, layer, int(self.hit[others[np.argmin(self.chi2[others])]]), overlap_chi2)


def cross(seeds: Sequence[Seed], layer: Layer) -> Crossing | None:
    """All candidates of seeds whose best one comes near the layer; None of none."""
    if not seeds:
        return None
    first = np.stack([seed.candidates[0].state for seed in seeds])
    place = np.full(len(seeds), layer.position)
    crossing, _, reached = travel(first, np.zeros((len(seeds), 6, 6)), place, is_disc=layer.is_disc)
    where = layer.along_of(crossing)
    near = reached & (where > layer.low - NEAR_CM) & (where < layer.high + NEAR_CM)
    owner = [(seed, c) for seed, is_near in zip(seeds, near, strict=True) if is_near for c in seed.candidates]
    if not owner:
        return None
    states = np.stack([c.state for _, c in owner])
    states, covariances, status, pairs = layer.cross(states, np.stack([c.covariance for _, c in owner]))
    parent, hit = pairs[:, 0], pairs[:, 1]
    new, spread, chi2 = layer.update(states[parent], covariances[parent], hit)
    return Crossing(layer, owner, status, states, covariances, parent, hit, chi2, new, spread)


def step(seeds: Sequence[Seed], layer: Layer, cuts: Mapping[str, float]) -> None:
    """All seeds through one layer."""
    at = cross(seeds, layer)
    if at is None:
        return
    ways: dict[int, list[tuple[float, int, int]]] = {seed.index: [] for seed, _ in at.owner}
    for k in np.flatnonzero(at.chi2 < cuts["chi2"]).tolist():
        seed, c = at.owner[at.parent[k]]
        score = c.with_hit(0, float(at.chi2[k])).score(c.state[3])
        ways[seed.index].append((score, int(at.parent[k]), k))
    for p, (seed, c) in enumerate(at.owner):
        next_one = at.without_hit(p)
        missed = at.status[p] == INSIDE
        if missed and (
            next_one.tail > cuts["consecutive_holes"] or next_one.inner + next_one.tail > cuts["holes"]
        ):
            score = c.score(c.state[3])
            if seed.finished is None or score > seed.finished[0]:
                seed.finished = score, c
        else:
            ways[seed.index].append((next_one.score(c.state[3]), p, -1))
    for seed in {seed.index: seed for seed, _ in at.owner}.values():
        kept = sorted(ways[seed.index], key=lambda way: -way[0])[: int(cuts["candidates"])]
        seed.candidates = [
            at.without_hit(p) if k < 0 else at.with_hit(k, cuts["overlap_chi2"]) for _, p, k in kept
        ]


def overlap(c: Candidate, layer: Layer, hit: int, cut: float) -> Candidate:
    """A candidate with a second hit of the layer if that fits well enough."""
    state, covariance, chi2 = layer.update(c.state[None], c.covariance[None], np.array([hit]))
    if not chi2[0] < cut:
        return c
    return replace(c.with_hit(int(layer.hits[hit]), float(chi2[0])), state=state[0], covariance=covariance[0])


def build(event: Arrays, cuts: Mapping[str, float]) -> list[tuple[float, list[int], Float]]:
    """For every seed the score, hits from inside to outside and state of its best candidate."""
    regions = [region_of(event, seed) for seed in range(len(event["seed_x"]))]
    layers: dict[int, Layer] = {}
    built: dict[int, tuple[float, list[int], Float]] = {}
    for region in sorted(set(regions)):
        order = plan(event, region)
        seeds = [start(event, seed, order) for seed, own in enumerate(regions) if own == region]
        for place, index in enumerate(order):
            active = [seed for seed in seeds if seed.start <= place and seed.candidates]
            step(active, layers.setdefault(index, Layer(event, index)), cuts)
        for seed in seeds:
            score, best = seed.best()
            built[seed.index] = score, [*seed.hits, *best.hits], best.state
    return [built[seed] for seed in range(len(regions))]


def duplicates(scores: Sequence[float], hits: Sequence[Sequence[int]], share: float) -> list[bool]:
    """Whether a better track has this share of the shorter one's hits."""
    users: dict[int, list[int]] = {}
    for track, own in enumerate(hits):
        for hit in own:
            users.setdefault(hit, []).append(track)
    found = []
    for track, own in enumerate(hits):
        common = Counter(other for hit in own for other in users[hit])
        found.append(
            any(
                times >= share * min(len(own), len(hits[other]))
                for other, times in common.items()
                if (scores[other], -other) > (scores[track], -track)
            )
        )
    return found


def reconstruct(event: Arrays, settings: Mapping[str, float]) -> dict[str, Array]:
    """Tracks of one event of section ``tracker``.

    Returns:
        track_seed; at the point nearest to the beam line track_pt (1/GeV: 1/pT), _phi, _theta, _d0, _z0 (cm, rad) with
        track_sigma_*; track_chi2; track_first_hit, track_hit (from inside to outside).
    """
    cuts = {**DEFAULTS, **settings}
    built = build(event, cuts)
    long = [seed for seed, (_, hits, _) in enumerate(built) if len(hits) >= cuts["least_hits"]]
    double = duplicates([built[seed][0] for seed in long], [built[seed][1] for seed in long], cuts["shared"])
    rows, sigmas, seeds, quality, first, chosen = [], [], [], [], [0], []
    for seed, is_double in zip(long, double, strict=True):
        if is_double:
            continue
        _, hits, last = built[seed]
        own = np.array([float(event[f"seed_{name}"][seed]) for name in STATE])
        own[3], own[6] = last[3], last[6]
        (x, y, z, inverse, phi, theta), covariance, chi2 = smooth(event, np.array(hits), own)
        if not chi2 < cuts["fit_chi2"] * (2 * len(hits) - 5):
            continue
        rows.append([inverse, phi, theta, y * np.cos(phi) - x * np.sin(phi), z])
        across, along, *others = np.sqrt(np.diag(covariance))
        sigmas.append([*others, across, along])
        seeds.append(seed)
        quality.append(chi2)
        chosen.extend(hits)
        first.append(len(chosen))
    table, errors = np.array(rows).reshape(-1, 5), np.array(sigmas).reshape(-1, 5)
    result: dict[str, Array] = {}
    for i, name in enumerate(("pt", "phi", "theta", "d0", "z0")):
        result[f"track_{name}"] = table[:, i]
        result[f"track_sigma_{name}"] = errors[:, i]
    result["track_chi2"] = np.array(quality)
    for name, column in (("seed", seeds), ("first_hit", first), ("hit", chosen)):
        result[f"track_{name}"] = np.array(column, dtype=np.int32)
    return result
