"""One event of mkfit as a picture: hits and tracks across the beam and along it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from payloads.arrays import Arrays, as_float64
from payloads.kernels.mkfit.physics import BENDING, hits_of_tracks

Floats = npt.NDArray[np.float64]

# Okabe and Ito's colours, told apart by all.
HIT, SOFT, HARD, INK, LAYER = "#aaaaaa", "#0072b2", "#d55e00", "#333333", "#e8e8e8"
LEAST_GEV, HARD_GEV = 0.9, 3.0
MOST_HITS, MOST_TRACKS = 5000, 350  # drawn: a picture stays below 300 kB
HEIGHT, LEFT, TOP, GAP = 480, 60, 70, 85
REACH_CM, LENGTH_CM = 115.0, 285.0
WIDTH_XY, WIDTH_RZ = 480, 800


@dataclass(frozen=True)
class Panel:
    """A frame in which two coordinates are drawn; ranges in cm, places in pixels."""

    left: float
    width: float
    x: tuple[float, float]
    y: tuple[float, float]

    def at(self, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        """Places in the picture."""
        across = self.left + (x - self.x[0]) / (self.x[1] - self.x[0]) * self.width
        return across, TOP + (self.y[1] - y) / (self.y[1] - self.y[0]) * HEIGHT

    def dots(self, x: Floats, y: Floats) -> str:
        """Hits as one path."""
        marks = "".join(f"M{u:.0f} {v:.0f}h0" for u, v in zip(*self.at(x, y), strict=True))
        return f'<path d="{marks}" stroke="{HIT}" stroke-width="1.6" stroke-linecap="round"/>'

    def lines(self, curves: list[tuple[Floats, Floats]], colour: str, width: float) -> str:
        """Curves as one path."""
        marks = [
            "M" + "L".join(f"{u:.1f} {v:.1f}" for u, v in zip(*self.at(x, y), strict=True)) for x, y in curves
        ]
        return f'<path d="{"".join(marks)}" stroke="{colour}" stroke-width="{width}" fill="none" stroke-opacity="0.85"/>'

    def frame(self, xlabel: str, ylabel: str, xticks: list[int], yticks: list[int]) -> str:
        """Border, ticks, names of the axes."""
        bottom = TOP + HEIGHT
        box = f'x="{self.left}" y="{TOP}" width="{self.width}" height="{HEIGHT}"'
        parts = [f'<rect {box} fill="none" stroke="{INK}"/>']
        for tick in xticks:
            u = float(self.at(np.array(float(tick)), np.array(0.0))[0])
            parts.append(f'<path d="M{u:.1f} {bottom}v5" stroke="{INK}"/>')
            parts.append(f'<text x="{u:.1f}" y="{bottom + 20}" text-anchor="middle">{tick}</text>')
        for tick in yticks:
            v = float(self.at(np.array(0.0), np.array(float(tick)))[1])
            parts.append(f'<path d="M{self.left} {v:.1f}h-5" stroke="{INK}"/>')
            parts.append(f'<text x="{self.left - 8}" y="{v + 4:.1f}" text-anchor="end">{tick}</text>')
        middle, x, y = self.left + self.width / 2, self.left - 42, TOP + HEIGHT / 2
        parts.append(f'<text x="{middle}" y="{bottom + 40}" text-anchor="middle">{xlabel}</text>')
        parts.append(
            f'<text x="{x}" y="{y}" transform="rotate(-90 {x} {y})" text-anchor="middle">{ylabel}</text>'
        )
        return "".join(parts)


def _layers(event: Arrays, across: Panel, along: Panel) -> str:
    """Sensors of all layers: cylinders in both panels, discs along the beam."""
    parts = []
    scale = across.width / (across.x[1] - across.x[0])
    centre = across.at(np.array(0.0), np.array(0.0))
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
    shown = np.arange(len(x)) % (1 + len(x) // MOST_HITS) == 0
    barrel = np.asarray(event["layer_is_disc"])[event["hit_layer"]] == 0
    track, hit = hits_of_tracks(result)
    first = np.searchsorted(track, np.arange(len(result["track_x"]) + 1))
    pt = 1 / as_float64(result["track_inverse_pt"])
    chosen = np.flatnonzero(pt > LEAST_GEV)
    chosen = chosen[np.argsort(-pt[chosen], kind="stable")][:MOST_TRACKS]
    across = Panel(LEFT, WIDTH_XY, (-REACH_CM, REACH_CM), (-REACH_CM, REACH_CM))
    along = Panel(LEFT + WIDTH_XY + GAP, WIDTH_RZ, (-LENGTH_CM, LENGTH_CM), (-REACH_CM, REACH_CM))
    width, height = LEFT + WIDTH_XY + GAP + WIDTH_RZ + 20, TOP + HEIGHT + 100
    said = f"{len(x)} hits, {len(event['seed_x'])} seeds, {len(pt)} tracks; drawn: {len(chosen)} tracks above {LEAST_GEV:g} GeV"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" ',
        f'font-family="sans-serif" font-size="13" fill="{INK}">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
        f'<text x="{LEFT}" y="28" font-size="18">mkfit: tracks built from pixel seeds through 72 layers</text>',
        f'<text x="{LEFT}" y="50">{said}</text>',
        _layers(event, across, along),
        across.dots(x[shown & barrel], y[shown & barrel]),
        along.dots(z[shown], (side * np.hypot(x, y))[shown]),
    ]
    for colour, hard, stroke in ((SOFT, False, 0.6), (HARD, True, 1.3)):
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
    parts.append(across.frame("x (cm)", "y (cm)", [-100, -50, 0, 50, 100], [-100, -50, 0, 50, 100]))
    parts.append(
        along.frame(
            "z (cm)",
            "r (cm), negative below the beam",
            [-250, -150, -50, 0, 50, 150, 250],
            [-100, -50, 0, 50, 100],
        )
    )
    every = 1 + len(x) // MOST_HITS
    legend = (
        (HIT, f"{'hits' if every == 1 else f'1 hit in {every}'} (left: barrel only)"),
        (SOFT, f"track, pT {LEAST_GEV:g} to {HARD_GEV:g} GeV"),
        (HARD, f"track, pT above {HARD_GEV:g} GeV"),
        ("#cccccc", "layers of sensors"),
    )
    for k, (colour, words) in enumerate(legend):
        place, down = LEFT + 290 * k, TOP + HEIGHT + 80
        parts.append(f'<path d="M{place} {down - 4}h24" stroke="{colour}" stroke-width="4"/>')
        parts.append(f'<text x="{place + 32}" y="{down}">{words}</text>')
    return "".join([*parts, "</svg>"])
