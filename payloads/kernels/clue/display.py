"""One event and its clusters as a self-contained SVG: an endcap around its hottest trackster, and its layers."""

from __future__ import annotations

import numpy as np

from payloads.arrays import Array, Arrays, as_float64

# Okabe and Ito's colours, which most kinds of colour blindness tell apart
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442")
_GREY = "#b0b0b0"
_WIDTH, _HEIGHT, _MARGIN = 420, 380, 60
_HALF_CM = 16.0  # half the side of the view


def _panel(left: int, x: Array, y: Array, low: tuple[float, float], high: tuple[float, float], names: tuple[str, str],
           dots: list[tuple[Array, str, Array]]) -> list[str]:  # fmt: skip
    def across(value: Array) -> Array:
        return np.asarray(left + (value - low[0]) / (high[0] - low[0]) * _WIDTH)

    def down(value: Array) -> Array:
        return np.asarray(_MARGIN + _HEIGHT - (value - low[1]) / (high[1] - low[1]) * _HEIGHT)

    lines = [
        f'<rect x="{left}" y="{_MARGIN}" width="{_WIDTH}" height="{_HEIGHT}" fill="none" stroke="#444"/>',
        f'<text x="{left + _WIDTH / 2}" y="{_MARGIN + _HEIGHT + 40}" text-anchor="middle">{names[0]}</text>',
        (
            f'<text transform="translate({left - 40},{_MARGIN + _HEIGHT / 2}) rotate(-90)" text-anchor="middle">'
            f"{names[1]}</text>"
        ),
    ]
    below = f'y="{_MARGIN + _HEIGHT + 18}" text-anchor="middle"'
    lines += [
        f'<text x="{float(across(np.array(value))):.0f}" {below}>{value}</text>'
        for value in _ticks(low[0], high[0])
    ]
    lines += [
        f'<text x="{left - 6}" y="{float(down(np.array(value))) + 4:.0f}" text-anchor="end">{value}</text>'
        for value in _ticks(low[1], high[1])
    ]
    for chosen, colour, size in dots:
        circles = [
            f'<circle cx="{across(x[k]):.1f}" cy="{down(y[k]):.1f}" r="{r:.1f}"/>'
            for k, r in zip(np.flatnonzero(chosen), size[chosen], strict=True)
        ]
        lines.append(f'<g fill="{colour}" fill-opacity="0.75">{"".join(circles)}</g>')
    return lines


def _ticks(low: float, high: float) -> range:
    step = 5 if high - low < 100 else 40
    return range(int(np.ceil(low / step)) * step, int(high) + 1, step)


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
    strongest = [int(t) for t in np.argsort(-energies)[: len(_COLOURS)] if energies[t] > 0]
    size = np.clip(np.sqrt(as_float64(event["rechit_energy"]) / 0.02), 0.7, 6.0)
    least = np.quantile(event["rechit_energy"][near], 0.8) if near.any() else 0.0
    bright = near & (as_float64(event["rechit_energy"]) > least)
    dots = [(bright & ~np.isin(trackster, strongest), _GREY, size)]
    dots += [(bright & (trackster == t), _COLOURS[k], size) for k, t in enumerate(strongest)]
    depth = np.abs(z)
    title = (
        f"HGCAL: {len(cluster)} cells, {len(result['cluster_x'])} layer clusters, {len(result['trackster_x'])} "
        "tracksters; around the one of most energy"
    )
    note = "the brightest fifth of the cells, projected along lines from the origin; area grows with energy"
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="1040" height="{_HEIGHT + 150}" font-size="12">',
        '<rect width="100%" height="100%" fill="white"/>',
        '<g font-family="sans-serif">',
        f'<text x="{_MARGIN}" y="24" font-size="16">{title}</text>',
        f'<text x="{_MARGIN}" y="44">{note}</text>',
    ]
    low, high = (centre[0] - _HALF_CM, centre[1] - _HALF_CM), (centre[0] + _HALF_CM, centre[1] + _HALF_CM)
    lines += _panel(_MARGIN, x, y, low, high, ("x (cm)", "y (cm)"), dots)
    lines += _panel(
        2 * _MARGIN + _WIDTH + 40, depth, y, (320.0, low[1]), (510.0, high[1]), ("|z| (cm)", "y (cm)"), dots
    )
    for k, t in enumerate(strongest):
        left, top = _MARGIN + 230 * (k % 4), _MARGIN + _HEIGHT + 58 + 18 * (k // 4)
        lines.append(f'<circle cx="{left}" cy="{top}" r="5" fill="{_COLOURS[k]}"/>')
        lines.append(
            f'<text x="{left + 10}" y="{top + 4}">trackster {t}: {result["trackster_energy"][t]:.1f} GeV</text>'
        )
    left = _MARGIN + 230 * (len(strongest) % 4)
    top = _MARGIN + _HEIGHT + 58 + 18 * (len(strongest) // 4)
    lines.append(
        f'<circle cx="{left}" cy="{top}" r="5" fill="{_GREY}"/><text x="{left + 10}" y="{top + 4}">others</text>'
    )
    return "\n".join([*lines, "</g></svg>"])
