"""One event and its tracks as a picture: mini-doublets and tracks across the beam and along it."""

from __future__ import annotations

import numpy as np

from payloads.arrays import Arrays, as_float64
from payloads.drawing import BLUE, GREY, RED, Panel, legend, page

HARD_GEV, MOST_POINTS, MOST_TRACKS = 3.0, 5000, 700  # drawn: a picture stays below 300 kB
BARREL_LAYERS = 6
TOP, LEFT, HEIGHT, WIDTH_XY, WIDTH_RZ, GAP = 70, 60, 480, 480, 800, 80
REACH_CM, LENGTH_CM = 115.0, 285.0


def picture(event: Arrays, result: Arrays) -> str:
    """An event as SVG.

    Args:
        event: of section ``outertracker``.
        result: what the kernel or the reference made of it.
    """
    hit = np.asarray(result["doublet_lower"], dtype=np.int64)
    x, y, z = (as_float64(event[f"hit_{axis}"])[hit] for axis in "xyz")
    r = np.where(y > 0, 1, -1) * np.hypot(x, y)
    barrel = np.asarray(event["module_layer"])[event["hit_module"]][hit] < BARREL_LAYERS
    every = 1 + len(x) // MOST_POINTS
    drawn = np.arange(len(x)) % every == 0
    offset, path = np.asarray(result["path_offset"]).tolist(), np.asarray(result["path_doublet"])
    pt = as_float64(result["track_pt"])
    chosen = np.argsort(-pt, kind="stable")[:MOST_TRACKS]
    reach = (-REACH_CM, REACH_CM)
    across = Panel(LEFT, TOP, WIDTH_XY, HEIGHT, reach, reach)
    along = Panel(LEFT + WIDTH_XY + GAP, TOP, WIDTH_RZ, HEIGHT, (-LENGTH_CM, LENGTH_CM), reach)
    said = f"{len(event['hit_x'])} hits, {len(x)} mini-doublets, {len(result['segment_inner'])} segments, "
    said += f"{len(result['triplet_inner'])} triplets, {len(result['quintuplet_inner'])} quintuplets, "
    said += f"{len(pt)} tracks" + (f" ({len(chosen)} drawn)" if len(chosen) < len(pt) else "")
    title = "Tracks from double layers: one bunch crossing in the CMS Phase-2 outer tracker"
    parts = [
        across.dots(x[drawn & barrel], y[drawn & barrel], GREY, 1.5),
        along.dots(z[drawn], r[drawn], GREY, 1.5),
    ]
    for colour, above, stroke in ((BLUE, False, 0.6), (RED, True, 1.4)):
        some = [path[offset[k] : offset[k + 1]] for k in chosen.tolist() if (pt[k] > HARD_GEV) == above]
        parts.append(across.lines([(x[way], y[way]) for way in some], colour, stroke))
        # on the side where it begins: the radius has a sign for the eye only
        sides = [(z[way], np.sign(r[way[0]]) * np.abs(r[way])) for way in some]
        parts.append(along.lines(sides, colour, stroke))
    ticks = range(-100, 101, 50)
    parts.append(across.frame("x (cm)", "y (cm)", ticks, ticks))
    parts.append(along.frame("z (cm)", "r (cm), negative below the beam", range(-250, 251, 50), ticks))
    entries = (
        (GREY, f"{'mini-doublets' if every == 1 else f'1 mini-doublet in {every}'} (left: barrel only)"),
        (BLUE, f"track, pT up to {HARD_GEV:g} GeV"),
        (RED, f"track, pT above {HARD_GEV:g} GeV"),
    )
    parts.append(legend(entries, LEFT, TOP + HEIGHT + 62, 300))
    return page(LEFT + WIDTH_XY + GAP + WIDTH_RZ + 20, TOP + HEIGHT + 95, LEFT, title, said, parts)
