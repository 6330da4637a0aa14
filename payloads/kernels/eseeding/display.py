"""One super-cluster and its seeds as a self-contained SVG: crystals by cluster, and pixel hits beside the predicted ways."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from payloads.arrays import Array, Arrays, as_float64
from payloads.kernels.eseeding.reference import CHARGES, DEFAULTS, TURNING, wrapped

# Okabe and Ito's colours, which most kinds of colour blindness tell apart
BLUE, RED, GREEN, PINK, ORANGE, SKY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"
GREY, BLACK = "#b0b0b0", "#222"
TOP, SIDE = 80, 420
LEFT, SECOND = 70, 590
HEIGHT = 640
HALF_ETA, HALF_PHI = 0.12, 0.5  # of the view of crystals
LARGEST_R_CM = 18.0

Floats = npt.NDArray[np.float64]


def _text(x: float, y: float, words: str, size: int = 12, anchor: str = "start", turn: str = "") -> str:
    return f'<text x="{x:.0f}" y="{y:.0f}" font-size="{size}" text-anchor="{anchor}"{turn}>{words}</text>'


def _ticks(low: float, high: float, step: float) -> list[float]:
    return [step * k for k in range(int(np.ceil(low / step)), int(np.floor(high / step)) + 1)]


@dataclass(frozen=True)
class _Panel:
    """A square with axes: ``low`` to ``high`` across, ``bottom`` to ``top`` up."""

    left: float
    low: float
    high: float
    bottom: float
    top: float

    def x(self, value: Floats | float) -> Floats:
        return np.asarray(self.left + (np.asarray(value) - self.low) / (self.high - self.low) * SIDE)

    def y(self, value: Floats | float) -> Floats:
        return np.asarray(TOP + SIDE - (np.asarray(value) - self.bottom) / (self.top - self.bottom) * SIDE)

    def frame(self, across: str, up: str, steps: tuple[float, float]) -> list[str]:
        middle = TOP + SIDE / 2
        lines = [
            f'<rect x="{self.left}" y="{TOP}" width="{SIDE}" height="{SIDE}" fill="none" stroke="{BLACK}"/>',
            _text(self.left + SIDE / 2, TOP + SIDE + 38, across, 13, "middle"),
            _text(
                self.left - 46,
                middle,
                up,
                13,
                "middle",
                f' transform="rotate(-90 {self.left - 46} {middle})"',
            ),
        ]
        lines += [
            _text(float(self.x(value)), TOP + SIDE + 18, f"{value:.3g}", 12, "middle")
            for value in _ticks(self.low, self.high, steps[0])
        ]
        lines += [
            _text(self.left - 6, float(self.y(value)) + 4, f"{value:.3g}", 12, "end")
            for value in _ticks(self.bottom, self.top, steps[1])
        ]
        return lines

    def curve(self, x: Floats, y: Floats, colour: str, more: str = "") -> str:
        points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(self.x(x), self.y(y), strict=True))
        return f'<polyline points="{points}" fill="none" stroke="{colour}" {more}/>'


def chosen_supercluster(result: Arrays) -> int | None:
    """In the barrel and with seeds if there is one, else with seeds, of many clusters; None if the event has no super-cluster."""
    count = len(result["sc_energy"])
    if count == 0:
        return None
    clusters = np.bincount(result["cluster_sc"][result["cluster_sc"] >= 0], minlength=count)
    seeds = np.bincount(result["seed_sc"], minlength=count)
    barrel = np.abs(result["sc_eta"]) < 1.2
    return int(np.lexsort((clusters, seeds > 0, barrel & (seeds > 2)))[-1])


def _crystals(event: Arrays, result: Arrays, k: int) -> list[str]:
    """Crystals around the super-cluster: area by energy, colour by cluster."""
    eta, phi = (as_float64(event[f"ecal_{name}"]) for name in ("eta", "phi"))
    dphi = wrapped(phi - float(result["sc_phi"][k]))
    deta = eta - float(result["sc_eta"][k])
    panel = _Panel(LEFT, -HALF_ETA, HALF_ETA, -HALF_PHI, HALF_PHI)
    lines = panel.frame("η − η of the super-cluster", "φ − φ of the super-cluster (rad)", (0.05, 0.2))
    own = np.flatnonzero(result["cluster_sc"] == k)
    own = own[np.argsort(-result["cluster_energy"][own])]
    cluster = result["ecal_cluster"]
    near = (np.abs(deta) < HALF_ETA) & (np.abs(dphi) < HALF_PHI)
    half = np.clip(2.0 * np.log2(1 + as_float64(event["ecal_energy"]) / 0.1), 1.5, 14.0) / 2
    colours = {int(c): (RED, BLUE, GREEN, PINK, ORANGE, SKY)[min(i, 5)] for i, c in enumerate(own)}
    for i in np.flatnonzero(near):
        colour = colours.get(int(cluster[i]), GREY)
        lines.append(
            f'<rect x="{panel.x(deta[i]) - half[i]:.1f}" y="{panel.y(dphi[i]) - half[i]:.1f}" width="{2 * half[i]:.1f}" '
            f'height="{2 * half[i]:.1f}" fill="{colour}" fill-opacity="0.8"/>'
        )
    for rank, c in enumerate(own[:6]):
        at = LEFT + 140 * (rank % 3)
        lines.append(
            f'<rect x="{at}" y="{TOP + SIDE + 52 + 18 * (rank // 3)}" width="10" height="10" fill="{colours[int(c)]}"/>'
        )
        words = f"cluster, {result['cluster_energy'][c]:.1f} GeV" + (
            " …" if rank == 5 and len(own) > 6 else ""
        )
        lines.append(_text(at + 15, TOP + SIDE + 61 + 18 * (rank // 3), words))
    lines.append(f'<rect x="{LEFT}" y="{TOP + SIDE + 90}" width="10" height="10" fill="{GREY}"/>')
    lines.append(
        _text(
            LEFT + 15, TOP + SIDE + 99, "crystals of others; the area grows with the logarithm of the energy"
        )
    )
    return lines


def _matched(result: Arrays, k: int) -> Array:
    hits = np.concatenate([result[f"seed_hit{i}"][result["seed_sc"] == k] for i in range(3)])
    return np.unique(hits[hits >= 0])


def _hits(event: Arrays, result: Arrays, k: int) -> list[str]:
    """Barrel hits by radius and azimuth, with where either charge would pass."""
    x, y, z = (as_float64(event[f"hit_{axis}"]) for axis in "xyz")
    r, dphi = np.hypot(x, y), wrapped(np.arctan2(y, x) - float(result["sc_phi"][k]))
    radius = float(np.hypot(result["sc_x"][k], result["sc_y"][k]))
    turning = TURNING * np.cosh(float(result["sc_eta"][k])) / float(result["sc_energy"][k])
    end = float(np.arcsin(min(turning * radius, 1.0)))
    width = 1e3 * (end + 0.08)
    panel = _Panel(SECOND, -width, width, 0.0, LARGEST_R_CM)
    lines = panel.frame("φ − φ of the super-cluster (mrad)", "distance from the beam line (cm)", (50.0, 5.0))
    way = np.linspace(0.0, LARGEST_R_CM, 40)
    for charge, colour in zip(CHARGES, (BLUE, RED), strict=True):
        middle = 1e3 * charge * (end - np.arcsin(np.minimum(turning * way, 1.0)))
        lines.append(panel.curve(middle, way, colour, 'stroke-width="1.5"'))
        for sign in (-1, 1):
            edge = middle + sign * 1e3 * DEFAULTS["first_dphi"]
            inside = np.abs(edge) < width
            lines.append(panel.curve(edge[inside], way[inside], colour, 'stroke-dasharray="3 4"'))
    matched = _matched(result, k)
    vertex = z - r * (float(result["sc_z"][k]) - z) / (radius - r)
    reached = np.abs(vertex) < DEFAULTS["largest_z_cm"]
    shown = (event["hit_layer"] < 4) & (np.abs(dphi) * 1e3 < width) & reached
    shown[matched] = False
    dots = "".join(
        f"M{a:.1f} {b:.1f}h0" for a, b in zip(panel.x(1e3 * dphi[shown]), panel.y(r[shown]), strict=True)
    )
    lines.append(f'<path d="{dots}" stroke="{GREY}" stroke-width="3.5" stroke-linecap="round"/>')
    for i in matched[(r[matched] < LARGEST_R_CM) & (np.abs(dphi[matched]) * 1e3 < width)]:
        lines.append(
            f'<circle cx="{panel.x(1e3 * dphi[i]):.1f}" cy="{panel.y(r[i]):.1f}" r="5" fill="none" stroke="{BLACK}" '
            'stroke-width="2"/>'
        )
    legend = (
        (BLUE, "way of an electron, and the window of the first hit"), (RED, "way of a positron, and the window"),
        (GREY, "hits that point to a vertex within 12.5 cm"), (BLACK, f"hits of the {int((result['seed_sc'] == k).sum())} seeds"),
    )  # fmt: skip
    for i, (colour, words) in enumerate(legend):
        top = TOP + SIDE + 52 + 18 * i
        lines.append(f'<rect x="{SECOND}" y="{top}" width="10" height="10" fill="{colour}"/>')
        lines.append(_text(SECOND + 15, top + 9, words))
    return lines


def picture(event: Arrays, result: Arrays) -> str:
    """SVG of the super-cluster of most clusters that has seeds, and of the pixel hits before it."""
    k = chosen_supercluster(result)
    head = (
        f"{len(event['ecal_energy'])} crystals, {len(result['cluster_energy'])} clusters, {len(result['sc_energy'])} "
        f"super-clusters, {len(event['hit_x'])} pixel hits, {len(result['seed_sc'])} seeds"
    )
    body = [_text(LEFT, 26, f"Electron seeding: {head}", 16)]
    if k is None:
        body.append(_text(LEFT, 50, "no super-cluster in this event", 13))
    else:
        energy = float(result["sc_energy"][k])
        body.append(
            _text(
                LEFT, 50,
                f"one super-cluster of {energy:.1f} GeV, transverse {energy / np.cosh(float(result['sc_eta'][k])):.1f} GeV, "
                f"η = {float(result['sc_eta'][k]):.2f}", 13,
            )
        )  # fmt: skip
        body += _crystals(event, result, k) + _hits(event, result, k)
    lines = "\n".join(body)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1060 {HEIGHT}" width="1060" height="{HEIGHT}" '
        f'font-family="sans-serif"><rect width="100%" height="100%" fill="white"/>\n{lines}\n</svg>\n'
    )
