"""One event of mkfit as a picture: hits and tracks across the beam and along it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from payloads.arrays import Arrays, as_float64
from payloads.drawing import BLUE, GREY, RED, Panel, legend, page
from payloads.kernels.mkfit.physics import BENDING, hits_of_tracks

Floats = npt.NDArray[np.float64]

LAYER = "#DDDDDD"
LEAST_GEV, HARD_GEV = 0.9, 3.0
MOST_HITS, MOST_TRACKS = 5000, 350  # drawn: a picture stays below 300 kB
HEIGHT, LEFT, TOP, GAP = 480, 60, 70, 85
REACH_CM, LENGTH_CM = 115.0, 285.0
WIDTH_XY, WIDTH_RZ = 480, 800


def _layers(event: Arrays, across: Panel, along: Panel) -> str:
    """Sensors of all layers: cylinders in both panels, discs along the beam."""
    parts = []
    scale = across.width / (across.x[1] - across.x[0])
    centre = across.at(0.0, 0.0)
    columns = [as_float64(event[f"layer_{name}"]) for name in ("position", "low", "high")]
    for is_disc, position, low, high in zip(event["layer_is_disc"], *columns, strict=True):
        ends = np.array([low, high])
        if not is_disc:
            place = f'cx="{float(centre[0]):.1f}" cy="{float(centre[1]):.1f}" r="{position * scale:.1f}"'
            parts.append(f'<circle {place} fill="none" stroke="{LAYER}"/>')
        for side in (1.0, -1.0):
            place_along = np.full(2, position)
            z, r = (place_along, side * ends) if is_disc else (ends, side * place_along)
            parts.append(along.lines([(z, r)], LAYER, 1))
    return "".join(parts)


def path_length(result: Arrays, track: int, radius_cm: float, z_cm: float | None) -> float:
    """Transverse length of path from the beam line to a disc or, without z, to a cylinder; cm."""
    if z_cm is not None:
        return float((z_cm - result["track_z"][track]) * np.tan(result["track_theta"][track]))
    half = BENDING * float(result["track_inverse_pt"][track]) / 2
    return float(np.arcsin(min(1.0, radius_cm * half)) / half)


def helix(result: Arrays, track: int, path_cm: float) -> tuple[Floats, Floats, Floats]:
    """Points of a track: x, y, z."""
    x, y, z, inverse, phi, theta = (
        float(result[f"track_{name}"][track]) for name in ("x", "y", "z", "inverse_pt", "phi", "theta")
    )
    curvature = -BENDING * float(result["track_charge"][track]) * inverse
    s = np.linspace(0.0, path_cm, 9)
    across = x + (np.sin(phi + curvature * s) - np.sin(phi)) / curvature
    up = y - (np.cos(phi + curvature * s) - np.cos(phi)) / curvature
    return across, up, z + s / np.tan(theta)


def picture(event: Arrays, result: Arrays) -> str:
    """An event as SVG.

    Args:
        event: of section ``tracker``.
        result: what the kernel made of it.
    """
    x, y, z = (as_float64(event[f"hit_{axis}"]) for axis in "xyz")
    side = np.where(y > 0, 1.0, -1.0)
    every = 1 + len(x) // MOST_HITS
    shown = np.arange(len(x)) % every == 0
    barrel = np.asarray(event["layer_is_disc"])[event["hit_layer"]] == 0
    track, hit = hits_of_tracks(result)
    first = np.searchsorted(track, np.arange(len(result["track_x"]) + 1))
    pt = 1 / as_float64(result["track_inverse_pt"])
    chosen = np.flatnonzero(pt > LEAST_GEV)
    chosen = chosen[np.argsort(-pt[chosen], kind="stable")][:MOST_TRACKS]
    reach = (-REACH_CM, REACH_CM)
    across = Panel(LEFT, TOP, WIDTH_XY, HEIGHT, reach, reach)
    along = Panel(LEFT + WIDTH_XY + GAP, TOP, WIDTH_RZ, HEIGHT, (-LENGTH_CM, LENGTH_CM), reach)
    title = "mkfit: tracks built from pixel seeds through 72 layers"
    said = f"{len(x)} hits, {len(event['seed_x'])} seeds, {len(pt)} tracks; drawn: {len(chosen)} tracks above {LEAST_GEV:g} GeV"
    parts = [
        _layers(event, across, along),
        across.dots(x[shown & barrel], y[shown & barrel], GREY, 1.6),
        along.dots(z[shown], (side * np.hypot(x, y))[shown], GREY, 1.6),
    ]
    for colour, hard, stroke in ((BLUE, False, 0.6), (RED, True, 1.3)):
        curves_xy, curves_rz = [], []
        for k in chosen[(pt[chosen] > HARD_GEV) == hard].tolist():
            own = hit[first[k] : first[k + 1]]
            inner = own[barrel[own]]
            if len(inner):
                u, v, _ = helix(result, k, path_length(result, k, float(np.hypot(x, y)[inner[-1]]), None))
                curves_xy.append((u, v))
            last = float(np.hypot(x, y)[own[-1]])
            end = None if barrel[own[-1]] else float(z[own[-1]])
            u, v, w = helix(result, k, path_length(result, k, last, end))
            curves_rz.append((w, np.where(v[-1] > 0, 1.0, -1.0) * np.hypot(u, v)))
        parts += [across.lines(curves_xy, colour, stroke), along.lines(curves_rz, colour, stroke)]
    ticks = range(-100, 101, 50)
    parts.append(across.frame("x (cm)", "y (cm)", ticks, ticks))
    parts.append(along.frame("z (cm)", "r (cm), negative below the beam", range(-250, 251, 50), ticks))
    entries = (
        (GREY, f"{'hits' if every == 1 else f'1 hit in {every}'} (left: barrel only)"),
        (BLUE, f"track, pT {LEAST_GEV:g} to {HARD_GEV:g} GeV"),
        (RED, f"track, pT above {HARD_GEV:g} GeV"),
        (LAYER, "layers of sensors"),
    )
    parts.append(legend(entries, LEFT, TOP + HEIGHT + 66, 290))
    return page(LEFT + WIDTH_XY + GAP + WIDTH_RZ + 20, TOP + HEIGHT + 100, LEFT, title, said, parts)
