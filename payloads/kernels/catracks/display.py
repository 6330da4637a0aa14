"""One event and its tracks as a picture: mini-doublets and tracks across the beam and along it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from payloads.arrays import Arrays, as_float64
from payloads.matching import Floats

# Okabe and Ito's colours, told apart by all.
POINT, SOFT, HARD, INK = "#AAAAAA", "#0072B2", "#D55E00", "#333333"
HARD_GEV, MOST_POINTS, MOST_TRACKS = 3.0, 5000, 700  # drawn: a picture stays below 300 kB
BARREL_LAYERS = 6
TOP, LEFT, HEIGHT, WIDTH_XY, WIDTH_RZ, GAP = 70, 60, 480, 480, 800, 80
REACH_CM, LENGTH_CM = 115.0, 285.0


@dataclass(frozen=True)
class Panel:
    """A frame in which two coordinates are drawn; ranges in cm, places in pixels."""

    left: float
    width: float
    half_x_cm: float

    def at(self, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        """Places in the picture."""
        across = self.left + (x / self.half_x_cm + 1) / 2 * self.width
        return across, TOP + (1 - y / REACH_CM) / 2 * HEIGHT

    def dots(self, x: Floats, y: Floats) -> str:
        """Points as one path."""
        marks = "".join(f"M{u:.0f} {v:.0f}h0" for u, v in zip(*self.at(x, y), strict=True))
        return f'<path d="{marks}" stroke="{POINT}" stroke-width="1.5" stroke-linecap="round"/>'

    def lines(self, curves: list[tuple[Floats, Floats]], colour: str, width: float) -> str:
        """Curves as one path."""
        marks = [
            "M" + "L".join(f"{u:.1f} {v:.1f}" for u, v in zip(*self.at(x, y), strict=True)) for x, y in curves
        ]
        return f'<path d="{"".join(marks)}" stroke="{colour}" stroke-width="{width}" fill="none" stroke-opacity="0.8"/>'

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
        turn = f'transform="rotate(-90 {x} {y})"'
        parts.append(f'<text x="{x}" y="{y}" {turn} text-anchor="middle">{ylabel}</text>')
        return "".join(parts)


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
    across = Panel(LEFT, WIDTH_XY, REACH_CM)
    along = Panel(LEFT + WIDTH_XY + GAP, WIDTH_RZ, LENGTH_CM)
    width, height = LEFT + WIDTH_XY + GAP + WIDTH_RZ + 20, TOP + HEIGHT + 95
    said = f"{len(event['hit_x'])} hits, {len(x)} mini-doublets, {len(result['segment_inner'])} segments, "
    said += f"{len(result['triplet_inner'])} triplets, {len(result['quintuplet_inner'])} quintuplets, "
    said += f"{len(pt)} tracks" + (f" ({len(chosen)} drawn)" if len(chosen) < len(pt) else "")
    title = "Tracks from double layers: one bunch crossing in the CMS Phase-2 outer tracker"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" ',
        f'font-family="sans-serif" font-size="13" fill="{INK}">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
        f'<text x="{LEFT}" y="28" font-size="18">{title}</text><text x="{LEFT}" y="50">{said}</text>',
        across.dots(x[drawn & barrel], y[drawn & barrel]),
        along.dots(z[drawn], r[drawn]),
    ]
    for colour, above, stroke in ((SOFT, False, 0.6), (HARD, True, 1.4)):
        some = [path[offset[k] : offset[k + 1]] for k in chosen.tolist() if (pt[k] > HARD_GEV) == above]
        parts.append(across.lines([(x[way], y[way]) for way in some], colour, stroke))
        # on the side where it begins: the radius has a sign for the eye only
        sides = [(z[way], np.sign(r[way[0]]) * np.abs(r[way])) for way in some]
        parts.append(along.lines(sides, colour, stroke))
    ticks = [-100, -50, 0, 50, 100]
    parts.append(across.frame("x (cm)", "y (cm)", ticks, ticks))
    parts.append(along.frame("z (cm)", "r (cm), negative below the beam", list(range(-250, 251, 50)), ticks))
    legend = (
        (
            POINT,
            "mini-doublets (left: barrel only)"
            if every == 1
            else f"1 mini-doublet in {every} (left: barrel only)",
        ),
        (SOFT, f"track, pT up to {HARD_GEV:g} GeV"),
        (HARD, f"track, pT above {HARD_GEV:g} GeV"),
    )
    for k, (colour, words) in enumerate(legend):
        left, down = LEFT + 300 * k, TOP + HEIGHT + 75
        parts.append(f'<path d="M{left} {down - 4}h24" stroke="{colour}" stroke-width="4"/>')
        parts.append(f'<text x="{left + 32}" y="{down}">{words}</text>')
    return "".join([*parts, "</svg>"])
