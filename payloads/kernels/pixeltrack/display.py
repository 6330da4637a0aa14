"""One event and its tracks as a picture: hits and tracks across the beam and along it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from payloads.arrays import Arrays, as_float64
from payloads.kernels.pixeltrack.physics import hits_of_tracks

Floats = npt.NDArray[np.float64]

# Okabe and Ito's colours, told apart by all.
HIT, SOFT, HARD, INK = "#999999", "#0072B2", "#D55E00", "#333333"
LEAST_GEV, HARD_GEV = 0.9, 3.0
MOST_HITS, MOST_TRACKS = 4000, 500  # drawn: a picture stays below 300 kB
PANEL, GAP, TOP, LEFT = 460, 80, 70, 60
RADIUS_CM_PER_GEV = 1 / (0.00299792458 * 3.8)


class Panel:
    """A frame in which two coordinates are drawn."""

    def __init__(self, left: float, width: float, x: tuple[float, float], y: tuple[float, float]) -> None:
        self.left, self.width, self.x, self.y = left, width, x, y

    def at(self, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        """Places in the picture."""
        across = self.left + (x - self.x[0]) / (self.x[1] - self.x[0]) * self.width
        return across, TOP + (self.y[1] - y) / (self.y[1] - self.y[0]) * PANEL

    def dots(self, x: Floats, y: Floats, colour: str, size: float) -> str:
        """One path of dots."""
        across, down = self.at(x, y)
        marks = "".join(f"M{u:.1f} {v:.1f}h0" for u, v in zip(across, down, strict=True))
        return (
            f'<path d="{marks}" stroke="{colour}" stroke-width="{size}" stroke-linecap="round" fill="none"/>'
        )

    def lines(self, curves: list[tuple[Floats, Floats]], colour: str, width: float) -> str:
        """One path of curves."""
        marks = []
        for x, y in curves:
            across, down = self.at(x, y)
            marks.append("M" + "L".join(f"{u:.1f} {v:.1f}" for u, v in zip(across, down, strict=True)))
        return f'<path d="{"".join(marks)}" stroke="{colour}" stroke-width="{width}" fill="none" stroke-opacity="0.8"/>'

    def frame(self, xlabel: str, ylabel: str, xticks: list[int], yticks: list[int]) -> str:
        """Border, ticks, names of the axes."""
        bottom = TOP + PANEL
        parts = [
            f'<rect x="{self.left}" y="{TOP}" width="{self.width}" height="{PANEL}" fill="none" stroke="{INK}"/>'
        ]
        for tick in xticks:
            u = self.at(np.array([tick]), np.array([self.y[0]]))[0][0]
            parts.append(f'<path d="M{u:.1f} {bottom}v5" stroke="{INK}"/>')
            parts.append(f'<text x="{u:.1f}" y="{bottom + 19}" text-anchor="middle">{tick}</text>')
        for tick in yticks:
            v = self.at(np.array([self.x[0]]), np.array([tick]))[1][0]
            parts.append(f'<path d="M{self.left} {v:.1f}h-5" stroke="{INK}"/>')
            parts.append(f'<text x="{self.left - 8}" y="{v + 4:.1f}" text-anchor="end">{tick}</text>')
        middle = self.left + self.width / 2
        parts.append(f'<text x="{middle}" y="{bottom + 40}" text-anchor="middle">{xlabel}</text>')
        turn = f"{self.left - 38} {TOP + PANEL / 2}"
        place = f'x="{self.left - 38}" y="{TOP + PANEL / 2}" transform="rotate(-90 {turn})"'
        return "".join([*parts, f'<text {place} text-anchor="middle">{ylabel}</text>'])


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
    drawn = np.arange(len(x)) % (1 + len(x) // MOST_HITS) == 0
    ring = drawn & barrel
    last = last_hits(result)
    pt = as_float64(result["track_pt"])
    chosen = np.nonzero(pt > LEAST_GEV)[0]
    chosen = chosen[np.argsort(-pt[chosen], kind="stable")][:MOST_TRACKS]
    across = Panel(LEFT, PANEL, (-17.5, 17.5), (-17.5, 17.5))
    along = Panel(LEFT + PANEL + GAP, 760, (-55, 55), (-17.5, 17.5))
    width, height = LEFT + PANEL + GAP + 760 + 20, TOP + PANEL + 95
    title = "Pixel tracks: one bunch crossing in the CMS phase-1 pixel detector"
    said = (
        f"{len(event['digi_row'])} fired pixels, {len(x)} clusters, {len(result['tuple_quality'])} n-tuplets"
    )
    said += f", {len(pt)} tracks ({len(chosen)} of them drawn)"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" ',
        f'font-family="sans-serif" font-size="13" fill="{INK}">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
        f'<text x="{LEFT}" y="28" font-size="18">{title}</text><text x="{LEFT}" y="50">{said}</text>',
        across.dots(x[ring], y[ring], HIT, 1.6),
        along.dots(z[drawn], r[drawn], HIT, 1.6),
    ]
    for colour, above, stroke in ((SOFT, False, 0.6), (HARD, True, 1.4)):
        some = [curve(result, k, abs(r[last[k]])) for k in chosen.tolist() if (pt[k] > HARD_GEV) == above]
        parts.append(across.lines([(c[0], c[1]) for c in some], colour, stroke))
        parts.append(along.lines([(c[2], c[3]) for c in some], colour, stroke))
    parts.append(across.frame("x (cm)", "y (cm)", [-15, -10, -5, 0, 5, 10, 15], [-15, -10, -5, 0, 5, 10, 15]))
    parts.append(
        along.frame(
            "z (cm)",
            "r (cm), negative below the beam",
            list(range(-50, 51, 10)),
            [-15, -10, -5, 0, 5, 10, 15],
        )
    )
    legend = (
        (
            HIT,
            "hits (left: barrel only)"
            if drawn.all()
            else f"1 hit in {1 + len(x) // MOST_HITS} (left: barrel only)",
        ),
        (SOFT, f"track, pT {LEAST_GEV:g} to {HARD_GEV:g} GeV"),
        (HARD, f"track, pT above {HARD_GEV:g} GeV"),
    )
    for k, (colour, words) in enumerate(legend):
        left, down = LEFT + 270 * k, TOP + PANEL + 75
        parts.append(f'<path d="M{left} {down - 4}h24" stroke="{colour}" stroke-width="4"/>')
        parts.append(f'<text x="{left + 32}" y="{down}">{words}</text>')
    return "".join([*parts, "</svg>"])
