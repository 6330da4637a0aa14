"""The definition of truth: all pairs of everything, in double precision, with NumPy."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from payloads.arrays import Array, Arrays
from payloads.kernels.catracks.reference_fit import Quintuplets, quintuplets
from payloads.kernels.catracks.reference_geometry import Doublets, Ints, Settings, mini_doublets
from payloads.kernels.catracks.reference_linking import segments, triplets


def _neighbours(md: Doublets, found: Quintuplets) -> list[list[tuple[int, int]]]:
    """Of each quintuplet the others that have a lower hit with it, and how many of its ten hits they have."""
    lower, upper = md.lower[found.points], md.upper[found.points]
    owners: dict[int, list[int]] = {}
    for k, hits in enumerate(lower.tolist()):
        for hit in hits:
            owners.setdefault(hit, []).append(k)
    lowers, uppers = [set(hits) for hits in lower.tolist()], [set(hits) for hits in upper.tolist()]
    all_others = []
    for k in range(len(lowers)):
        others = sorted({other for hit in lowers[k] for other in owners[hit]} - {k})
        all_others.append([(o, len(lowers[k] & lowers[o]) + len(uppers[k] & uppers[o])) for o in others])
    return all_others


def clean(md: Doublets, found: Quintuplets, s: Settings) -> tuple[Ints, list[list[int]]]:
    """Which quintuplets are tracks, and the mini-doublets of each track, from inside to outside.

    Of two that share six hits of ten and more, the one of larger chi2 is a duplicate; what a duplicate that shares
    eight has in a further layer is added to the track, of several that of the least chi2.
    """
    chi2 = (found.chi2_bend + found.chi2_rz).tolist()
    around = _neighbours(md, found)
    kept, tracks = [], []
    for k, others in enumerate(around):
        if any(shared >= s.least_shared_hits and (chi2[o], o) < (chi2[k], k) for o, shared in others):
            continue
        own = {int(md.layer[point]): int(point) for point in found.points[k]}
        best: dict[int, tuple[float, int, int]] = {}
        for o, shared in others:
            if shared < s.least_common_hits:
                continue
            for point in found.points[o].tolist():
                layer = int(md.layer[point])
                if layer not in own:
                    best[layer] = min(best.get(layer, (np.inf, 0, 0)), (chi2[o], o, point))
        own.update({layer: point for layer, (_, _, point) in best.items()})
        kept.append(k)
        tracks.append([own[layer] for layer in sorted(own)])
    return np.array(kept, dtype=np.int64), tracks


def reconstruct(event: Arrays, settings: Mapping[str, float]) -> dict[str, Array]:
    """All that the kernel finds in one event.

    Args:
        event: of section ``outertracker``.
        settings: of the manifest; others have the kernel's defaults.

    Returns:
        Columns as the README names them.
    """
    s = Settings(settings)
    md = mini_doublets(event, s)
    segment = segments(md, s)
    triplet = triplets(md, *segment, s)
    found = quintuplets(md, segment, triplet, s)
    kept, tracks = clean(md, found, s)
    curvature = found.curvature[kept]
    first = md[found.points[kept, 0]] if len(kept) else md[kept]
    phi = found.direction[kept]
    # the circle's centre times the curvature, from the beam line; the centre lies left of the direction
    x, y = curvature * first.x - np.sin(phi), curvature * first.y + np.cos(phi)
    with np.errstate(divide="ignore"):
        impact = (np.hypot(x, y) - 1) / np.abs(curvature)
    lengths = [len(track) for track in tracks]
    return {
        "doublet_lower": md.lower.astype(np.int32),
        "doublet_upper": md.upper.astype(np.int32),
        "doublet_angle": md.angle.astype(np.float32),
        "segment_inner": segment[0].astype(np.int32),
        "segment_outer": segment[1].astype(np.int32),
        "triplet_inner": triplet[0].astype(np.int32),
        "triplet_outer": triplet[1].astype(np.int32),
        "quintuplet_inner": found.inner.astype(np.int32),
        "quintuplet_outer": found.outer.astype(np.int32),
        "quintuplet_chi2_bend": found.chi2_bend.astype(np.float32),
        "quintuplet_chi2_rz": found.chi2_rz.astype(np.float32),
        "track_quintuplet": kept.astype(np.int32),
        "track_pt": (s.bend / np.abs(curvature)).astype(np.float32),
        "track_charge": np.where(curvature < 0, 1, -1).astype(np.int32),
        "track_phi": np.arctan2(-x, y).astype(np.float32),
        "track_cot": found.cotangent[kept].astype(np.float32),
        "track_impact": np.abs(impact).astype(np.float32),
        "path_offset": np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32),
        "path_doublet": np.array([point for track in tracks for point in track], dtype=np.int32),
    }
