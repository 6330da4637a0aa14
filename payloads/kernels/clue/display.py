"""One event and its clusters as a self-contained SVG: an endcap around its hottest trackster, and its layers."""

from __future__ import annotations

import numpy as np

from payloads.arrays import Arrays, as_float64
from payloads.drawing import COLOURS, GREY, Panel, legend, page, ticks

_LEFT, _TOP, _WIDTH, _HEIGHT, _GAP = 60, 64, 420, 380, 100
_HALF_CM = 16.0  # half the side of the view
_DEPTH_CM = (320.0, 510.0)


def picture(event: Arrays, result: Arrays) -> str:
    """SVG of the cells near the trackster of most energy, coloured by trackster: across the beam, and along it."""
    centre = [50.0, 0.0, 340.0]  # where there is no trackster
    if len(result["trackster_energy"]):
        hottest = int(np.argmax(result["trackster_energy"]))
        centre = [float(result[f"trackster_{axis}"][hottest]) for axis in "xyz"]
    x, y, z = (as_float64(event[f"rechit_{axis}"]) for axis in "xyz")
    scale = np.abs(centre[2]) / np.abs(z)  # along lines from the origin
    x, y = x * scale, y * scale
    near = (z * centre[2] > 0) & (np.abs(x - centre[0]) < _HALF_CM) & (np.abs(y - centre[1]) < _HALF_CM)
    cluster = result["rechit_cluster"]
    trackster = np.where(cluster >= 0, np.append(result["cluster_trackster"], -1)[cluster], -1)
    energies = np.bincount(
        trackster[near & (trackster >= 0)], as_float64(event["rechit_energy"])[near & (trackster >= 0)]
    )
    strongest = [int(t) for t in np.argsort(-energies)[: len(COLOURS)] if energies[t] > 0]
    size = np.clip(np.sqrt(as_float64(event["rechit_energy"]) / 0.02), 0.7, 6.0)
    least = np.quantile(event["rechit_energy"][near], 0.8) if near.any() else 0.0
    bright = near & (as_float64(event["rechit_energy"]) > least)
    dots = [(bright & ~np.isin(trackster, strongest), GREY)]
    dots += [(bright & (trackster == t), COLOURS[k]) for k, t in enumerate(strongest)]
    title = (
        f"HGCAL: {len(cluster)} cells, {len(result['cluster_x'])} layer clusters, {len(result['trackster_x'])} "
        "tracksters; around the one of most energy"
    )
    note = "the brightest fifth of the cells, projected along lines from the origin; area grows with energy"
    across_cm = (centre[0] - _HALF_CM, centre[0] + _HALF_CM)
    up_cm = (centre[1] - _HALF_CM, centre[1] + _HALF_CM)
    across = Panel(_LEFT, _TOP, _WIDTH, _HEIGHT, across_cm, up_cm)
    along = Panel(_LEFT + _WIDTH + _GAP, _TOP, _WIDTH, _HEIGHT, _DEPTH_CM, up_cm)
    parts = []
    for panel, places, name, step in ((across, x, "x (cm)", 5), (along, np.abs(z), "|z| (cm)", 40)):
        parts.append(panel.frame(name, "y (cm)", ticks(panel.x, step), ticks(panel.y, 5)))
        parts += [panel.discs(places[own], y[own], size[own], colour) for own, colour in dots]
    entries = [
        (COLOURS[k], f"trackster {t}: {result['trackster_energy'][t]:.1f} GeV")
        for k, t in enumerate(strongest)
    ]
    parts.append(legend([*entries, (GREY, "others")], _LEFT, _TOP + _HEIGHT + 56, 230, a_row=4))
    return page(2 * _WIDTH + _GAP + 2 * _LEFT, _HEIGHT + 165, _LEFT, title, note, parts)
