"""The definition of truth: the same algorithm in plain NumPy and Python, double precision, by brute force.

Shares no structure with the compiled kernel: flood fill instead of a disjoint-set forest, all pairs of hits instead of
bins in phi, dictionaries and recursion from the inside out instead of sorted arrays walked from the outside in, a
least-squares fit with the full covariance instead of one that takes hit after hit.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from payloads.arrays import Array, Arrays, as_float64
from payloads.kernels.pixeltrack.reference_detector import Detector, detector
from payloads.kernels.pixeltrack.reference_fit import fit
from payloads.kernels.pixeltrack.reference_hits import Hits, find_clusters, measure_hits

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
SHORTER, BAD_FIT, DUPLICATE, GOOD = range(4)


def _pair_cuts(hits: Hits, row: Floats, inner: Array, outer: Array, known: Detector) -> Bools:
    """Which of these hit pairs are doublets of the layer pair."""
    dphi = np.abs((hits.phi[outer] - hits.phi[inner] + 32768) % 65536 - 32768)
    near = dphi <= row[2]
    inner, outer, dphi = inner[near], outer[near], dphi[near]
    z, zo, r, ro = hits.place[inner, 2], hits.place[outer, 2], hits.r[inner], hits.r[outer]
    dr, dz, cuts = ro - r, zo - z, known.cuts
    place, place_outer = (z if row[0] < 4 else r), (zo if row[1] < 4 else ro)
    good = (dr >= 0) & (dr <= row[9]) & (np.abs(z * ro - r * zo) <= cuts["max_z0_cm"] * dr)
    good &= (place >= row[3]) & (place <= row[4]) & (place_outer >= row[5]) & (place_outer <= row[6])
    good &= (dz >= row[7]) & (dz <= row[8])
    radius = cuts["min_pt_doublet_gev"] * known.cm_per_gev
    good &= (dphi * np.pi / 32768) ** 2 * (4 * radius**2 - r * ro) <= dr**2
    if row[0] < 4:
        first, second, step_first, step, predicted, per_cot = known.lengths
        length, other = hits.length[inner], hits.length[outer]
        if row[1] < 4:
            bad = (other > 0) & (np.abs(length - other) > (step_first if row[0] == 0 else step))
        else:
            expected = np.floor(np.abs(dz) / np.maximum(dr, 1e-3) * per_cot + 0.5)
            least = first if row[0] == 0 else second if row[0] == 1 else 0
            bad = (length < least) | (np.abs(length - expected) > predicted)
        good &= ~((length > 0) & bad)
    chosen: Bools = np.zeros(len(near), dtype=bool)
    chosen[near] = good
    return chosen


def find_doublets(hits: Hits, known: Detector) -> list[tuple[int, int, int]]:
    """(inner hit, outer hit, row of the table of pairs): all combinations of each layer pair are tried."""
    found = []
    for index, row in enumerate(known.pairs):
        inner, outer = np.nonzero(hits.layer == row[0])[0], np.nonzero(hits.layer == row[1])[0]
        for hit in inner:
            chosen = outer[_pair_cuts(hits, row, np.full(len(outer), hit), outer, known)]
            found += [(int(hit), int(other), index) for other in chosen]
    return found


def _links(hits: Hits, known: Detector, doublets: list[tuple[int, int, int]]) -> dict[int, list[int]]:
    """Doublet -> doublets that begin where it ends and make a triplet with it."""
    ending: dict[int, list[int]] = {}
    for index, (_, outer, _) in enumerate(doublets):
        ending.setdefault(outer, []).append(index)
    cuts = known.cuts
    outward: dict[int, list[int]] = {}
    for index, (middle, outer, _) in enumerate(doublets):
        candidates = np.array(ending.get(middle, []), dtype=np.int64)
        if not len(candidates):
            continue
        first = np.array([doublets[k][0] for k in candidates])
        p1, p2, p3 = hits.place[first], hits.place[middle], hits.place[outer]
        r1, r2, r3 = hits.r[first], hits.r[middle], hits.r[outer]
        tolerance = cuts["max_misalignment_barrel" if hits.layer[middle] < 4 else "max_misalignment_disc"]
        base = np.hypot(r3 - r1, p3[2] - p1[:, 2])
        area = np.abs((r2 - r1) * (p3[2] - p1[:, 2]) - (r3 - r1) * (p2[2] - p1[:, 2]))
        good = area * cuts["min_pt_gev"] <= tolerance * base * np.abs(r3 - r1)
        a, b = (p2[:2] - p1[:, :2]) @ [1, 1j], (p3[:2] - p1[:, :2]) @ [1, 1j]
        cross = (a.conjugate() * b).imag
        cross = np.where(cross == 0, 1e-300, cross)
        away = 1j * (np.abs(b) ** 2 * a - np.abs(a) ** 2 * b) / (2 * cross)
        good &= np.abs(away) * cuts["max_curvature_per_cm"] >= 1
        closest = np.abs(np.abs(p1[:, :2] @ [1, 1j] + away) - np.abs(away))
        limit = np.where(hits.layer[first] == 0, cuts["max_dca_first_cm"], cuts["max_dca_cm"])
        for inner in candidates[good & (closest <= limit)]:
            outward.setdefault(int(inner), []).append(index)
    return outward


def _repeated(
    hits: Hits, known: Detector, doublets: list[tuple[int, int, int]], outward: dict[int, list[int]]
) -> set[int]:
    """Doublets that a shorter one with the same outer hit, from another module, makes needless."""
    used = sorted(set(outward) | {k for targets in outward.values() for k in targets})
    groups: dict[int, list[int]] = {}
    for index in used:
        groups.setdefault(doublets[index][1], []).append(index)
    killed = set()
    for outer, group in groups.items():
        inner = np.array([doublets[k][0] for k in group])
        arrow = hits.place[inner] - hits.place[outer]
        length = (arrow**2).sum(axis=1)
        collinear = (arrow @ arrow.T) ** 2 >= (1 - known.cuts["max_sine2"]) * np.outer(length, length)
        apart = hits.module[inner][:, None] != hits.module[inner][None, :]
        shorter = length[None, :] < length[:, None]
        killed |= {group[k] for k in np.nonzero((collinear & apart & shorter).any(axis=1))[0]}
    return killed


def find_tuples(hits: Hits, known: Detector) -> tuple[list[list[int]], list[list[int]], int, int]:
    """Hits of each n-tuplet and its doublets, from the inside out; number of doublets and of links."""
    doublets = find_doublets(hits, known)
    outward = _links(hits, known, doublets)
    killed = _repeated(hits, known, doublets, outward)
    living = {k: [n for n in targets if n not in killed] for k, targets in outward.items()}
    least = int(known.cuts["min_hits"])
    starts = known.pairs[:, 11 if least == 3 else 10] > 0
    paths: list[list[int]] = []

    def extend(path: list[int]) -> None:
        further = living.get(path[-1], [])
        for index in further:
            extend([*path, index])
        if not further and len(path) + 1 >= least:
            paths.append(path)

    for index in sorted(outward):
        if index not in killed and starts[doublets[index][2]]:
            extend([index])
    tuples = [[doublets[path[0]][0], *(doublets[k][1] for k in path)] for path in paths]
    return tuples, paths, len(doublets), sum(map(len, outward.values()))


def _losers(members: list[list[int]], bids: list[tuple[float, ...]], most: list[int]) -> set[int]:
    """Of candidates with these members: who has more than `most` of them with a better bidder."""
    best: dict[int, tuple[float, ...]] = {}
    for parts, bid in zip(members, bids, strict=True):
        for part in parts:
            best[part] = min(best.get(part, bid), bid)
    return {
        k
        for k, (parts, bid, allowed) in enumerate(zip(members, bids, most, strict=True))
        if sum(best[part] < bid for part in parts) > allowed
    }


def _quality(fitted: dict[str, float], count: int, cuts: Mapping[str, float]) -> int:
    pt = min(fitted["pt"], 10.0)
    kind = "quadruplet" if count > 3 else "triplet"
    border = cuts[f"{kind}_max_chi2_scale"] * np.polyval(
        [0.00315399, -0.08035491, 0.74609577, 0.68177776], pt
    )
    good = 3 * fitted["chi2"] / (2 * count - 5) < border and fitted["pt"] > cuts[f"{kind}_min_pt_gev"]
    good = (
        good and abs(fitted["tip"]) < cuts[f"{kind}_max_tip_cm"] and abs(fitted["zip"]) < cuts["max_zip_cm"]
    )
    return GOOD if good else BAD_FIT


def _fit_and_clean(
    event: Arrays, hits: Hits, known: Detector, tuples: list[list[int]], paths: list[list[int]]
) -> tuple[list[int], dict[int, dict[str, float]]]:
    cuts = known.cuts
    quality = [BAD_FIT] * len(tuples)
    for k in _losers(paths, [(-len(t),) for t in tuples], [0] * len(tuples)):
        quality[k] = SHORTER
    axes = as_float64(event["module_rotation"]).reshape(-1, 3, 3)
    matter = np.where(hits.layer < 4, cuts["radiation_lengths_barrel"], cuts["radiation_lengths_disc"])
    fits = {}
    for k, members in enumerate(tuples):
        if quality[k] == BAD_FIT:
            fits[k] = fit(
                hits.place[members],
                hits.variance[members],
                axes[hits.module[members]],
                matter[members],
                known,
            )
            quality[k] = _quality(fits[k], len(members), cuts)
    for parts, allowed in (
        (paths, (0, 0)),
        (tuples, (int(cuts["triplet_max_lost_hits"]), int(cuts["quadruplet_max_lost_hits"]))),
    ):
        good = [k for k, value in enumerate(quality) if value == GOOD]
        bids: list[tuple[float, ...]] = [(-len(tuples[k]), fits[k]["chi2"], k) for k in good]
        for loser in _losers([parts[k] for k in good], bids, [allowed[len(tuples[k]) > 3] for k in good]):
            quality[good[loser]] = DUPLICATE
    return quality, fits


def reconstruct(event: Arrays, settings: Mapping[str, float]) -> dict[str, Array]:
    """Tracks of one event.

    Args:
        event: of section ``pixel``, without offsets.
        settings: what differs from the defaults.

    Returns:
        The columns that README.md lists.
    """
    known = detector(settings)
    label, clusters, electrons = find_clusters(event, known)
    hits = measure_hits(event, known, clusters, electrons)
    tuples, paths, doublets, links = find_tuples(hits, known)
    quality, fits = _fit_and_clean(event, hits, known, tuples, paths)
    tracks = [k for k, value in enumerate(quality) if value == GOOD]
    columns: dict[str, Array] = {
        "digi_cluster": label.astype(np.int32),
        "cluster_module": hits.module.astype(np.int32),
        "cluster_electrons": np.array([electrons[members].sum() for members in clusters], dtype=np.int32),
        "cluster_digis": np.array([len(members) for members in clusters], dtype=np.int32),
        "cluster_length": hits.length.astype(np.int32),
        "tuple_offset": np.cumsum([0, *map(len, tuples)]).astype(np.int32),
        "tuple_hit": np.array([hit for members in tuples for hit in members], dtype=np.int32),
        "tuple_quality": np.array(quality, dtype=np.int32),
        "track_tuple": np.array(tracks, dtype=np.int32),
        "track_charge": np.array([fits[k]["charge"] for k in tracks], dtype=np.int32),
        "count_doublets": np.array([doublets], dtype=np.int32),
        "count_links": np.array([links], dtype=np.int32),
    }
    for axis, name in enumerate("xyz"):
        columns[f"cluster_{name}"] = hits.place[:, axis].astype(np.float32)
    for axis, name in enumerate("xy"):
        columns[f"cluster_var_{name}"] = hits.variance[:, axis].astype(np.float32)
    for name in ("pt", "phi", "tip", "zip", "cot"):
        for suffix in ("", "_error"):
            values = [fits[k][name + suffix] for k in tracks]
            columns[f"track_{name}{suffix}"] = np.array(values, dtype=np.float32)
    columns["track_chi2"] = np.array([fits[k]["chi2"] for k in tracks], dtype=np.float32)
    return columns
