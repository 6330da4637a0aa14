"""Whether a result is the reference's, within what single precision may do.

Layer clusters are the reference's cell for cell: densities are integers, distances are the same single-precision numbers;
only the sums of measuring are rounded otherwise. In three dimensions a layer cluster at the edge of a window or a cut may
go another way.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from payloads.arrays import Arrays, as_float64

NEAR_CM = 1e-3
NEAR_SHARE = 1e-5  # of energies
NEAR_ANGLE = 1e-5  # of eta and phi
LEAST_LINKED_ALIKE = 0.999

Ints = npt.NDArray[np.int64]


def differences(reference: Arrays, result: Arrays) -> str | None:
    """What of the result is not the reference's within the stated tolerance; None if nothing.

    Every cell is in the same layer cluster; their positions agree to 10 um, energies to 1e-5, angles to 1e-5. 99.9 % of the
    layer clusters are in the trackster of the same seed; tracksters of the same layer clusters agree as layer clusters do.
    """
    missing = sorted(set(reference) - set(result))
    if missing:
        return f"the result has no column {missing[0]}"
    mine, theirs = reference["rechit_cluster"], result["rechit_cluster"]
    if len(mine) != len(theirs):
        return f"the result is of {len(theirs)} cells, the reference of {len(mine)}"
    elsewhere = int(np.count_nonzero(mine != theirs))
    if elsewhere:
        return f"{elsewhere} of {len(mine)} cells are in another layer cluster than in the reference"
    clusters = np.arange(len(reference["cluster_seed"]))
    for name in ("seed", "cells", "layer"):
        if not np.array_equal(reference[f"cluster_{name}"], result[f"cluster_{name}"]):
            return f"layer clusters are not alike in {name}"
    sentence = _measured_otherwise(reference, result, "cluster", clusters, clusters, ("eta", "phi"))
    if sentence is not None or "trackster_seed" not in reference:
        return sentence
    return _tracksters_differ(reference, result)


def _tracksters_differ(reference: Arrays, result: Arrays) -> str | None:
    mine, theirs = (
        np.append(arrays["trackster_seed"], -1)[arrays["cluster_trackster"]] for arrays in (reference, result)
    )
    if len(mine) != len(theirs):
        return f"{len(theirs)} layer clusters were linked, the reference has {len(mine)}"
    alike = float(np.mean(mine == theirs)) if len(mine) else 1.0
    if alike < LEAST_LINKED_ALIKE:
        return f"only {alike:.2%} of the layer clusters are in the same trackster as in the reference"
    changed = np.union1d(mine[mine != theirs], theirs[mine != theirs])
    _, i, j = np.intersect1d(reference["trackster_seed"], result["trackster_seed"], return_indices=True)
    same = ~np.isin(reference["trackster_seed"][i], changed)
    i, j = i[same], j[same]
    if not np.array_equal(reference["trackster_clusters"][i], result["trackster_clusters"][j]):
        return "tracksters of the same layer clusters are not alike in their number"
    return _measured_otherwise(reference, result, "trackster", i, j, ())


def _measured_otherwise(
    reference: Arrays, result: Arrays, group: str, i: Ints, j: Ints, angles: tuple[str, ...]
) -> str | None:
    limits = {"x": NEAR_CM, "y": NEAR_CM, "z": NEAR_CM, **dict.fromkeys(angles, NEAR_ANGLE)}
    for name in (*limits, "energy"):
        expected = as_float64(reference[f"{group}_{name}"])[i]
        off = np.abs(as_float64(result[f"{group}_{name}"])[j] - expected)
        if name == "phi":
            off = np.minimum(off, np.abs(2 * np.pi - off))
        allowed = limits[name] if name in limits else NEAR_SHARE * expected
        wrong = ~(off <= allowed)
        if wrong.any():
            return f"{int(wrong.sum())} {group}s differ in {name}, one by {float(np.max(off[wrong])):.3g}"
    return None
