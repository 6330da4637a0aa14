"""Whether a result is the reference's, within what single precision may do.

Seeds and topological clusters are the reference's cell for cell, since energies are compared as they are. The sharing
ends at a fixed point, which both come to; but it looks at positions alone, so that some end an iteration apart while
energies still move a little. A link or a candidate at the edge of a window or a cut may go another way.
"""

from __future__ import annotations

import numpy as np

from payloads.arrays import Arrays, as_float64

NEAR_SHARE, NEAR_CM = 2e-3, 0.02  # of a cluster's energy, of its position
LEAST_ALIKE = 0.995  # of links and candidates


def differences(reference: Arrays, result: Arrays) -> str | None:
    """What of the result is not the reference's within the stated tolerance; None if nothing.

    Clusters have the same seeds; of 99.5 % of them energies agree to 0.2 %, positions to 0.2 mm. 99.5 % of clusters are in a
    shower of the same first cluster, 99.5 % of tracks linked alike, 99.5 % of candidates there with an energy within 0.2 %.
    """
    missing = sorted(set(reference) - set(result))
    if missing:
        return f"the result has no column {missing[0]}"
    for name in ("cluster_seed", "cluster_layer"):
        if not np.array_equal(reference[name], result[name]):
            return f"clusters are not those of the reference: {name} differs"
    expected, energy = as_float64(reference["cluster_energy"]), as_float64(result["cluster_energy"])
    off = np.abs(energy - expected) / (NEAR_SHARE * expected)
    for axis in "xyz":
        away = as_float64(result[f"cluster_{axis}"]) - as_float64(reference[f"cluster_{axis}"])
        off = np.maximum(off, np.abs(away) / NEAR_CM)
    near = int((off <= 1).sum())
    if not near >= LEAST_ALIKE * len(off):
        return f"only {near} of {len(off)} clusters have the energy and the place that they have in the reference"
    return _later_stages_differ(reference, result)


def _first_clusters(arrays: Arrays) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Of each shower the index of its first cluster, and -1 at the end, for tracks without a shower."""
    _, first = np.unique(arrays["cluster_shower"], return_index=True)
    return np.append(first, -1).astype(np.int64)


def _later_stages_differ(reference: Arrays, result: Arrays) -> str | None:
    mine, theirs = _first_clusters(reference), _first_clusters(result)
    for name in ("cluster_shower", "track_ecal", "track_hcal"):
        if len(reference[name]) != len(result[name]):
            return f"{name} has {len(result[name])} entries, the reference {len(reference[name])}"
        alike = np.mean(mine[reference[name]] == theirs[result[name]]) if len(reference[name]) else 1.0
        if not alike >= LEAST_ALIKE:
            return f"only {alike:.2%} of {name} are as in the reference"
    keys = []
    for arrays, first in ((reference, mine), (result, theirs)):
        shower = first[arrays["candidate_shower"]]
        names = zip(arrays["candidate_kind"], arrays["candidate_track"], shower, strict=True)
        keys.append(dict(zip([tuple(map(int, n)) for n in names], arrays["candidate_energy"], strict=True)))
    both = keys[0].keys() & keys[1].keys()
    near = sum(abs(keys[0][key] - keys[1][key]) <= NEAR_SHARE * keys[0][key] for key in both)
    most = max(len(keys[0]), len(keys[1]))
    if not near >= LEAST_ALIKE * most:
        return f"only {near} of {most} candidates are as in the reference"
    return None
