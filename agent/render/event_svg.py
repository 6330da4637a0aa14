"""One event → SVG: across the beam and along it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np
import numpy.typing as npt

from agent.bench_event import EventChoice, Step
from agent.render.event_text import heading
from payloads.scene import Layer, from_json

Floats = npt.NDArray[np.floating[Any]]

INK = "#333333"
TOP, LEFT, HEIGHT, GAP = 64, 60, 420, 80
WIDTH_ACROSS, WIDTH_ALONG = 420, 900
REACH_ACROSS_CM, REACH_R_CM, REACH_Z_CM = 115.0, 240.0, 515.0
TRACKER_Z_CM = 300.0
MOST_POINTS, MOST_CURVES = 6_000, 400
"""Of a layer: the picture stays below a megabyte."""


class Panel:
    """A frame in which two coordinates are drawn, in cm."""

    def __init__(self, left: float, width: float, reach_x_cm: float, reach_y_cm: float) -> None:
        self.left, self.width, self.reach_x, self.reach_y = left, width, reach_x_cm, reach_y_cm

    def at(self, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        """Places in the picture."""
        across = self.left + (x / self.reach_x + 1) / 2 * self.width
        return across, TOP + (1 - y / self.reach_y) / 2 * HEIGHT

    def holds(self, x: Floats, y: Floats) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
        """Which of them lie within the frame."""
        return np.asarray((np.abs(x) <= self.reach_x) & (np.abs(y) <= self.reach_y))

    def points(self, layer: Layer, x: Floats, y: Floats) -> str:
        """One path a size, since a stroke has one width."""
        seen = self.holds(x, y)
        u, v = self.at(x[seen], y[seen])
        sizes = np.ones(len(u)) if layer.sizes is None else np.ceil(2 * layer.sizes[seen]) / 2
        parts = []
        for size in np.unique(sizes):
            own = sizes == size
            marks = "".join(f"M{a:.1f} {b:.1f}h0" for a, b in zip(u[own], v[own], strict=True))
            width = layer.width * size
            parts.append(
                f'<path d="{marks}" stroke="{escape(layer.colour)}" stroke-width="{width:.2g}" stroke-linecap="round"/>'
            )
        return "".join(parts)

    def curves(self, layer: Layer, lines: Sequence[tuple[Floats, Floats]]) -> str:
        """All curves as one path."""
        marks = [
            "M" + "L".join(f"{a:.1f} {b:.1f}" for a, b in zip(*self.at(x, y), strict=True)) for x, y in lines
        ]
        return f'<path d="{"".join(marks)}" stroke="{escape(layer.colour)}" stroke-width="{layer.width:g}" fill="none" stroke-opacity="0.8"/>'

    def frame(self, xlabel: str, ylabel: str, xticks: Sequence[int], yticks: Sequence[int]) -> str:
        """Border, ticks, names of the axes."""
        bottom = TOP + HEIGHT
        parts = [
            f'<rect x="{self.left}" y="{TOP}" width="{self.width}" height="{HEIGHT}" fill="none" stroke="{INK}"/>'
        ]
        for tick in xticks:
            u = self.left + (tick / self.reach_x + 1) / 2 * self.width
            parts.append(f'<path d="M{u:.1f} {bottom}v5" stroke="{INK}"/>')
            parts.append(f'<text x="{u:.1f}" y="{bottom + 19}" text-anchor="middle">{tick}</text>')
        for tick in yticks:
            v = TOP + (1 - tick / self.reach_y) / 2 * HEIGHT
            parts.append(f'<path d="M{self.left} {v:.1f}h-5" stroke="{INK}"/>')
            parts.append(f'<text x="{self.left - 8}" y="{v + 4:.1f}" text-anchor="end">{tick}</text>')
        x, y = self.left - 42, TOP + HEIGHT / 2
        parts.append(
            f'<text x="{self.left + self.width / 2}" y="{bottom + 38}" text-anchor="middle">{xlabel}</text>'
            f'<text x="{x}" y="{y}" transform="rotate(-90 {x} {y})" text-anchor="middle">{ylabel}</text>'
        )
        return "".join(parts)


def render(choice: EventChoice, steps: Sequence[Step]) -> str:
    """The picture, with a final newline."""
    layers = [from_json(layer) for step in steps for layer in step.layers]
    across = Panel(LEFT, WIDTH_ACROSS, REACH_ACROSS_CM, REACH_ACROSS_CM)
    along = Panel(LEFT + WIDTH_ACROSS + GAP, WIDTH_ALONG, REACH_Z_CM, REACH_R_CM)
    width = LEFT + WIDTH_ACROSS + GAP + WIDTH_ALONG + 20
    rows = -(-len(layers) // 4)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {TOP + HEIGHT + 60 + 22 * rows}" ',
        f'font-family="sans-serif" font-size="13" fill="{INK}">',
        '<rect width="100%" height="100%" fill="white"/>',
        f'<text x="{LEFT}" y="28" font-size="18">One bunch crossing through {len(steps)} kernels</text>',
        f'<text x="{LEFT}" y="48">{escape(heading(choice))}; left: the tracker only, |z| below {TRACKER_Z_CM:g} cm</text>',
    ]
    parts += [_drawn(layer, across, along) for layer in layers]
    parts.append(across.frame("x (cm)", "y (cm)", range(-100, 101, 50), range(-100, 101, 50)))
    parts.append(
        along.frame("z (cm)", "r (cm), negative below the beam", range(-500, 501, 100), range(-200, 201, 100))
    )
    for k, layer in enumerate(layers):
        left, down = LEFT + 340 * (k % 4), TOP + HEIGHT + 66 + 22 * (k // 4)
        drawn = len(_chosen(layer))
        note = f"{layer.there}" if drawn == layer.there else f"{layer.there}, {drawn} drawn"
        parts.append(f'<path d="M{left} {down - 4}h20" stroke="{escape(layer.colour)}" stroke-width="5"/>')
        parts.append(f'<text x="{left + 28}" y="{down}">{escape(layer.name)} ({note})</text>')
    return "".join([*parts, "</svg>\n"])


def _chosen(layer: Layer) -> range:
    """Which of its points or curves are drawn: all, or every n-th."""
    number, most = (len(layer.places), MOST_POINTS) if layer.ends is None else (len(layer.ends), MOST_CURVES)
    return range(0, number, max(1, -(-number // most)))


def _drawn(layer: Layer, across: Panel, along: Panel) -> str:
    x, y, z = layer.places.T
    r = np.where(y > 0, 1.0, -1.0).astype(np.float32) * np.hypot(x, y)
    chosen = _chosen(layer)
    if layer.ends is None:
        own = np.asarray(chosen)
        inside = own[np.abs(z[own]) < TRACKER_Z_CM]
        return across.points(_of(layer, inside), x[inside], y[inside]) + along.points(
            _of(layer, own), z[own], r[own]
        )
    starts, ends = [0, *layer.ends.tolist()], layer.ends.tolist()
    spans = [slice(starts[k], ends[k]) for k in chosen]
    return across.curves(layer, [(x[s], y[s]) for s in spans]) + along.curves(
        layer, [(z[s], _one_side(r[s])) for s in spans]
    )


def _of(layer: Layer, chosen: npt.NDArray[np.int64]) -> Layer:
    """The layer with the sizes of some of its points."""
    return layer._replace(sizes=None if layer.sizes is None else layer.sizes[chosen])


def _one_side(r: Floats) -> Floats:
    """A curve's r on the side where it ends: it begins on the beam line, where the sign means nothing."""
    return np.abs(r) * (1.0 if r[-1] > 0 else -1.0)
