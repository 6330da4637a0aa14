"""One event of mkfit as a picture: hits and tracks in the plane across the beam."""

from __future__ import annotations

import numpy as np

from payloads.arrays import Arrays, as_float64

_SIZE, _REACH_CM = 720, 112.0


def _at(x_cm: float, y_cm: float) -> str:
    scale = _SIZE / (2 * _REACH_CM)
    return f"{_SIZE / 2 + x_cm * scale:.1f},{_SIZE / 2 - y_cm * scale + 40:.1f}"


def picture(event: Arrays, result: Arrays) -> str:
    """SVG: barrel layers, hits of tracks, and tracks of pT > 0.9 GeV by charge."""
    title = (
        f'<text x="12" y="24" font-size="17">mkfit: {len(result["track_x"])} tracks of {len(event["seed_x"])} seeds, '
        f"{len(event['hit_x'])} hits; across the beam, |eta| &lt; 0.9, pT &gt; 0.9 GeV</text>"
    )
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_SIZE} {_SIZE + 80}" font-family="sans-serif">',
        '<rect width="100%" height="100%" fill="white"/>',
        title,
    ]
    scale = _SIZE / (2 * _REACH_CM)
    for is_disc, radius in zip(event["layer_is_disc"], as_float64(event["layer_position"]), strict=True):
        if not is_disc:
            parts.append(
                f'<circle cx="{_SIZE / 2}" cy="{_SIZE / 2 + 40}" r="{radius * scale:.1f}" fill="none" stroke="#ddd"/>'
            )
    eta = -np.log(np.tan(as_float64(result["track_theta"]) / 2))
    first, x, y = result["track_first_hit"], as_float64(event["hit_x"]), as_float64(event["hit_y"])
    for track in np.flatnonzero((np.abs(eta) < 0.9) & (result["track_inverse_pt"] < 1 / 0.9)):
        hits = result["track_hit"][first[track] : first[track + 1]]
        colour = "#0072b2" if result["track_charge"][track] > 0 else "#d55e00"
        points = [_at(float(result["track_x"][track]), float(result["track_y"][track]))]
        points += [_at(float(x[hit]), float(y[hit])) for hit in hits]
        parts.append(
            f'<polyline points="{" ".join(points)}" fill="none" stroke="{colour}" stroke-width="0.8"/>'
        )
        parts += [
            f'<circle cx="{point.split(",")[0]}" cy="{point.split(",")[1]}" r="1.4" fill="{colour}"/>'
            for point in points[1:]
        ]
    bar = 20 * scale
    parts.append(
        f'<path d="M12 {_SIZE + 50}h{bar:.1f}" stroke="black" stroke-width="2"/>'
        f'<text x="12" y="{_SIZE + 70}" font-size="14">20 cm (x to the right, y upwards)</text>'
        f'<text x="{_SIZE - 330}" y="{_SIZE + 56}" font-size="14" fill="#0072b2">positive charge</text>'
        f'<text x="{_SIZE - 200}" y="{_SIZE + 56}" font-size="14" fill="#d55e00">negative charge</text>'
        f'<text x="{_SIZE - 330}" y="{_SIZE + 74}" font-size="14" fill="#777">grey: barrel layers</text></svg>'
    )
    return "".join(parts)
