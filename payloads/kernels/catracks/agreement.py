"""How far a result may be from the reference's."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from payloads.arrays import Arrays, as_float64

# A single-precision number may fall to the other side of a cut: so many of what was found may be in one only.
SHARE_APART = 0.002
LEAST_APART = 2
# Relative to 1 + value, of parameters of tracks that both have; of a hundred tracks one may be worse.
PARAMETERS = {"track_pt": 2e-3, "track_phi": 1e-4, "track_cot": 1e-3, "track_impact": 1e-2}
SHARE_WORSE = 0.01

Key = tuple[int, ...]


def doublets(result: Arrays) -> list[Key]:
    """Each mini-doublet by its two hits."""
    return list(zip(result["doublet_lower"].tolist(), result["doublet_upper"].tolist(), strict=True))


def _pairs(result: Arrays, name: str, parts: list[Key]) -> list[Key]:
    inner, outer = np.asarray(result[f"{name}_inner"]).tolist(), np.asarray(result[f"{name}_outer"]).tolist()
    return [parts[a] + parts[b] for a, b in zip(inner, outer, strict=True)]


def segments(result: Arrays) -> list[Key]:
    """Each segment by its hits."""
    return _pairs(result, "segment", doublets(result))


def triplets(result: Arrays) -> list[Key]:
    """Each triplet by its hits, those of the shared mini-doublet twice."""
    return _pairs(result, "triplet", segments(result))


def quintuplets(result: Arrays) -> list[Key]:
    """Each quintuplet by its hits, shared ones as often as its parts have them."""
    return _pairs(result, "quintuplet", triplets(result))


def tracks(result: Arrays) -> list[Key]:
    """Each track by its hits, from inside to outside."""
    offset, names = np.asarray(result["path_offset"]).tolist(), doublets(result)
    path = np.asarray(result["path_doublet"]).tolist()
    return [
        tuple(hit for point in path[offset[k] : offset[k + 1]] for hit in names[point])
        for k in range(len(offset) - 1)
    ]


KINDS: dict[str, Callable[[Arrays], list[Key]]] = {
    "mini-doublets": doublets,
    "segments": segments,
    "triplets": triplets,
    "quintuplets": quintuplets,
    "tracks": tracks,
}


def differences(reference: Arrays, result: Arrays) -> str | None:
    """The first thing in which a result differs from the reference by more than rounding.

    Of mini-doublets, segments, triplets, quintuplets and tracks, named by their hits, two in a thousand (at least two)
    may be in one of both only. Parameters of tracks that both have agree within 0.2 % (pT), 0.1 mrad (phi), 0.001 (cot)
    and 0.1 mm (impact), each relative to 1 + value; of a hundred tracks one may be worse.

    Returns:
        None, or one sentence.
    """
    for kind, keys in KINDS.items():
        wanted, found = keys(reference), keys(result)
        if len(set(found)) != len(found):
            return f"one of the {kind} is there twice"
        apart, allowed = len(set(wanted) ^ set(found)), max(LEAST_APART, SHARE_APART * len(wanted))
        if apart > allowed:
            return f"{apart} {kind} are in the result or in the reference's {len(wanted)} only, more than {allowed:.0f}"
    place = {key: k for k, key in enumerate(tracks(result))}
    both = [(k, place[key]) for k, key in enumerate(tracks(reference)) if key in place]
    if not both:
        return None
    one, other = (np.array(side) for side in zip(*both, strict=True))
    bad = np.asarray(reference["track_charge"])[one] != np.asarray(result["track_charge"])[other]
    for name, tolerance in PARAMETERS.items():
        expected, got = as_float64(reference[name])[one], as_float64(result[name])[other]
        apart_by = np.abs(expected - got)
        if name == "track_phi":
            apart_by = np.minimum(apart_by, 2 * np.pi - apart_by)
        bad |= ~(apart_by <= tolerance * (1 + np.abs(expected)))
    if bad.sum() > SHARE_WORSE * len(both):
        return f"{bad.sum()} of {len(both)} tracks have other parameters than in the reference"
    return None
