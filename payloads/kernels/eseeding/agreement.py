"""Whether a result is the reference's, within what single precision may do.

Clusters are the reference's crystal for crystal: both compare the same single-precision energies. At the edge of a mustache
or of a window a cluster or a hit may go another way; everything that went the same way agrees in its numbers.
"""

from __future__ import annotations

import numpy as np

from payloads.arrays import Array, Arrays, as_float64

NEAR_SHARE = 1e-5  # of energies
NEAR_ANGLE = 1e-5  # rad, and of eta
NEAR_CM = 1e-3
NEAR_BEHIND_GEV = 1e-3
LEAST_JOINED_ALIKE = 0.99
LEAST_SEEDS_ALIKE = 0.98  # and one
ANGLES = tuple(f"seed_dphi{k}_{charge}" for k in (1, 2, 3) for charge in ("negative", "positive"))


def differences(reference: Arrays, result: Arrays) -> str | None:
    """What of the result is not the reference's within the stated tolerance; None if nothing."""
    missing = sorted(set(reference) - set(result))
    if missing:
        return f"the result has no column {missing[0]}"
    elsewhere = _unlike(reference["ecal_cluster"], result["ecal_cluster"])
    if elsewhere:
        return f"{elsewhere} crystals are in another cluster than in the reference"
    for name, limit in (("energy", NEAR_SHARE), ("eta", NEAR_ANGLE), ("phi", NEAR_ANGLE)):
        expected, found = (as_float64(arrays[f"cluster_{name}"]) for arrays in (reference, result))
        off = _off(expected, found, relative=name == "energy")
        if not np.all(off <= limit):
            return f"clusters differ in {name}, one by {np.max(off):.3g}"
    return _superclusters_differ(reference, result) or _seeds_differ(reference, result)


def _unlike(one: Array, other: Array) -> int:
    return int(np.count_nonzero(one != other)) if len(one) == len(other) else max(len(one), len(other))


def _off(expected: Array, found: Array, *, relative: bool) -> Array:
    off = np.abs(found - expected)
    return np.asarray(off / np.abs(expected) if relative else np.minimum(off, np.abs(2 * np.pi - off)))


def _superclusters_differ(reference: Arrays, result: Arrays) -> str | None:
    mine, theirs = (np.append(one["sc_seed"], -1)[one["cluster_sc"]] for one in (reference, result))
    alike = float(np.mean(mine == theirs)) if len(mine) else 1.0
    if alike < LEAST_JOINED_ALIKE:
        return f"only {alike:.1%} of the clusters are in the same super-cluster as in the reference"
    changed = np.union1d(mine[mine != theirs], theirs[mine != theirs])
    _, i, j = np.intersect1d(reference["sc_seed"], result["sc_seed"], return_indices=True)
    if min(len(reference["sc_seed"]), len(result["sc_seed"])) - len(i) > len(changed):
        return "super-clusters of the same clusters have other seeds than in the reference"
    same = ~np.isin(reference["sc_seed"][i], changed)
    i, j = i[same], j[same]
    limits = {"energy": NEAR_SHARE, "eta": NEAR_ANGLE, "phi": NEAR_ANGLE, "behind": NEAR_BEHIND_GEV}
    for name, limit in {**limits, "x": NEAR_CM, "y": NEAR_CM, "z": NEAR_CM}.items():
        expected, found = (as_float64(a[f"sc_{name}"])[k] for a, k in ((reference, i), (result, j)))
        off = (
            np.abs(found - expected)
            if name in "xyz behind"
            else _off(expected, found, relative=name == "energy")
        )
        if not np.all(off <= limit):
            return f"super-clusters of the same clusters differ in {name}, one by {np.max(off):.3g}"
    if not np.array_equal(reference["sc_selected"][i], result["sc_selected"][j]):
        return "super-clusters of the same clusters are not selected alike"
    return None


def _keys(arrays: Arrays) -> dict[tuple[int, ...], int]:
    """Super-cluster's seed, hits and charges of each seed, with its place."""
    columns = [arrays["sc_seed"][arrays["seed_sc"]]]
    columns += [arrays[f"seed_{name}"] for name in ("hit0", "hit1", "hit2", "charges")]
    return {tuple(map(int, key)): place for place, key in enumerate(zip(*columns, strict=True))}


def _seeds_differ(reference: Arrays, result: Arrays) -> str | None:
    mine, theirs = _keys(reference), _keys(result)
    both = sorted(mine.keys() & theirs.keys())
    most = max(len(reference["seed_sc"]), len(result["seed_sc"]))
    if len(both) < LEAST_SEEDS_ALIKE * most - 1:
        return f"only {len(both)} of {most} seeds have the same hits and charges as in the reference"
    i, j = [mine[key] for key in both], [theirs[key] for key in both]
    for name, limit in (
        *((angle, NEAR_ANGLE) for angle in ANGLES),
        ("seed_drz2", NEAR_CM),
        ("seed_drz3", NEAR_CM),
    ):
        off = np.abs(as_float64(reference[name])[i] - as_float64(result[name])[j])
        if not np.all(off <= limit):
            return f"seeds of the same hits differ in {name}, one by {np.max(off):.3g}"
    return None
