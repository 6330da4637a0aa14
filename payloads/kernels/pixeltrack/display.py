"""One event and its tracks as a picture: hits and tracks across the beam and along it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from payloads.arrays import Arrays, as_float64
from payloads.drawing import BLUE, GREY, RED, Panel, legend, page
from payloads.kernels.pixeltrack.physics import hits_of_tracks

Floats = npt.NDArray[np.float64]

LEAST_GEV, HARD_GEV = 0.9, 3.0
MOST_HITS, MOST_TRACKS = 4000, 500  # drawn: a picture stays below 300 kB
REACH_CM, LENGTH_CM = 17.5, 55.0
SIDE, LENGTH, GAP, TOP, LEFT = 460, 760, 80, 70, 60
RADIUS_CM_PER_GEV = 1 / (0.00299792458 * 3.8)


def last_hits(result: Arrays) -> npt.NDArray[np.int64]:
    """The outermost cluster of each track."""
    track, cluster = hits_of_tracks(result)
    last = np.zeros(len(result["track_tuple"]), dtype=np.int64)
    last[track] = cluster  # hits go outwards: the last one stays
    return last


def curve(result: Arrays, track: int, last_r: float) -> Floats:
    """Points of a track from the beam line to its last hit: x, y, z, signed r."""
    pt, phi, tip, start, cot = (
        float(result[f"track_{name}"][track]) for name in ("pt", "phi", "tip", "zip", "cot")
    )
    turn = -float(result["track_charge"][track]) / (pt * RADIUS_CM_PER_GEV)
    length = 2 / abs(turn) * np.arcsin(min(1.0, last_r * abs(turn) / 2))
    s = np.linspace(0, length, 7)
    x = -tip * np.sin(phi) + (np.sin(phi + turn * s) - np.sin(phi)) / turn
    y = tip * np.cos(phi) - (np.cos(phi + turn * s) - np.cos(phi)) / turn
    side = 1.0 if np.sin(phi) > 0 else -1.0
    return np.stack([x, y, start + cot * s, side * np.hypot(x, y)])


def picture(event: Arrays, result: Arrays) -> str:
    """An event as SVG.

    Args:
        event: of section ``pixel``.
        result: what the kernel or the reference made of it.
    """
    x, y, z = (as_float64(result[f"cluster_{axis}"]) for axis in "xyz")
    r = np.where(y > 0, 1, -1) * np.hypot(x, y)
    barrel = np.asarray(event["module_layer"])[result["cluster_module"]] < 4
    every = 1 + len(x) // MOST_HITS
    drawn = np.arange(len(x)) % every == 0
    ring = drawn & barrel
    last = last_hits(result)
    pt = as_float64(result["track_pt"])
    chosen = np.nonzero(pt > LEAST_GEV)[0]
    chosen = chosen[np.argsort(-pt[chosen], kind="stable")][:MOST_TRACKS]
    reach = (-REACH_CM, REACH_CM)
    across = Panel(LEFT, TOP, SIDE, SIDE, reach, reach)
    along = Panel(LEFT + SIDE + GAP, TOP, LENGTH, SIDE, (-LENGTH_CM, LENGTH_CM), reach)
    title = "Pixel tracks: one bunch crossing in the CMS phase-1 pixel detector"
    said = (
        f"{len(event['digi_row'])} fired pixels, {len(x)} clusters, {len(result['tuple_quality'])} n-tuplets"
    )
    said += f", {len(pt)} tracks ({len(chosen)} of them drawn)"
    parts = [across.dots(x[ring], y[ring], GREY, 1.6), along.dots(z[drawn], r[drawn], GREY, 1.6)]
    for colour, above, stroke in ((BLUE, False, 0.6), (RED, True, 1.4)):
        some = [curve(result, k, abs(r[last[k]])) for k in chosen.tolist() if (pt[k] > HARD_GEV) == above]
        parts.append(across.lines([(c[0], c[1]) for c in some], colour, stroke))
        parts.append(along.lines([(c[2], c[3]) for c in some], colour, stroke))
    ticks = range(-15, 16, 5)
    parts.append(across.frame("x (cm)", "y (cm)", ticks, ticks))
    parts.append(along.frame("z (cm)", "r (cm), negative below the beam", range(-50, 51, 10), ticks))
    entries = (
        (GREY, f"{'hits' if every == 1 else f'1 hit in {every}'} (left: barrel only)"),
        (BLUE, f"track, pT {LEAST_GEV:g} to {HARD_GEV:g} GeV"),
        (RED, f"track, pT above {HARD_GEV:g} GeV"),
    )
    parts.append(legend(entries, LEFT, TOP + SIDE + 62, 270))
    return page(LEFT + SIDE + GAP + LENGTH + 20, TOP + SIDE + 95, LEFT, title, said, parts)
