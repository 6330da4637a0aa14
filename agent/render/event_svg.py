"""One event → SVG: across the beam and along it. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from agent.bench_event import EventChoice, Step
from agent.render.event_text import heading
from payloads.drawing import Floats, Panel, legend, page
from payloads.scene import Layer, from_json

TOP, LEFT, HEIGHT, GAP = 64, 60, 420, 80
A_ROW = 3  # of the legend
WIDTH_ACROSS, WIDTH_ALONG = 420, 900
REACH_ACROSS_CM, REACH_R_CM, REACH_Z_CM = 115.0, 240.0, 515.0
TRACKER_Z_CM = 300.0
MOST_POINTS, MOST_CURVES = 6_000, 400
"""Of a layer: the picture stays below a megabyte."""


def render(choice: EventChoice, steps: Sequence[Step]) -> str:
    """The picture, with a final newline."""
    layers = [from_json(layer) for step in steps for layer in step.layers]
    reach = (-REACH_ACROSS_CM, REACH_ACROSS_CM)
    across = Panel(LEFT, TOP, WIDTH_ACROSS, HEIGHT, reach, reach)
    left = LEFT + WIDTH_ACROSS + GAP
    along = Panel(left, TOP, WIDTH_ALONG, HEIGHT, (-REACH_Z_CM, REACH_Z_CM), (-REACH_R_CM, REACH_R_CM))
    drawn = [_drawn(layer, across, along) for layer in layers]
    parts = [panel.clipped(of) for panel, of in zip((across, along), zip(*drawn, strict=True), strict=True)]
    parts.append(across.frame("x (cm)", "y (cm)", range(-100, 101, 50), range(-100, 101, 50)))
    parts.append(
        along.frame("z (cm)", "r (cm), negative below the beam", range(-500, 501, 100), range(-200, 201, 100))
    )
    entries = [(layer.colour, f"{layer.name} ({_note(layer)})") for layer in layers]
    parts.append(legend(entries, LEFT, TOP + HEIGHT + 54, 470, a_row=A_ROW))
    height = TOP + HEIGHT + 66 + 20 * -(-len(layers) // A_ROW)
    title = f"One bunch crossing through {len(steps)} kernels"
    said = f"{heading(choice)}; left: the tracker only, |z| below {TRACKER_Z_CM:g} cm"
    return page(LEFT + WIDTH_ACROSS + GAP + WIDTH_ALONG + 20, height, LEFT, title, said, parts)


def _note(layer: Layer) -> str:
    drawn = len(_chosen(layer))
    return f"{layer.there}" if drawn == layer.there else f"{layer.there}, {drawn} drawn"


def _chosen(layer: Layer) -> range:
    """Which of its points or curves are drawn: all, or every n-th."""
    number, most = (len(layer.places), MOST_POINTS) if layer.ends is None else (len(layer.ends), MOST_CURVES)
    return range(0, number, max(1, -(-number // most)))


def _drawn(layer: Layer, across: Panel, along: Panel) -> tuple[str, str]:
    x, y, z = layer.places.T
    r = np.where(y > 0, 1.0, -1.0).astype(np.float32) * np.hypot(x, y)
    chosen = _chosen(layer)
    if layer.ends is None:
        own = np.asarray(chosen)
        inside = own[np.abs(z[own]) < TRACKER_Z_CM]
        return _points(layer, across, inside, x, y), _points(layer, along, own, z, r)
    starts, ends = [0, *layer.ends.tolist()], layer.ends.tolist()
    spans = [slice(starts[k], ends[k]) for k in chosen]
    return across.lines([(x[s], y[s]) for s in spans], layer.colour, layer.width), along.lines(
        [(z[s], _one_side(r[s])) for s in spans], layer.colour, layer.width
    )


def _points(layer: Layer, panel: Panel, chosen: npt.NDArray[np.int64], x: Floats, y: Floats) -> str:
    """Those of the chosen that lie within the panel; one path a size, since a stroke has one width."""
    seen = chosen[panel.holds(x[chosen], y[chosen])]
    sizes = np.ones(len(seen)) if layer.sizes is None else np.ceil(2 * layer.sizes[seen]) / 2
    return "".join(
        panel.dots(x[own], y[own], layer.colour, layer.width * size)
        for size in np.unique(sizes)
        for own in (seen[sizes == size],)
    )


def _one_side(r: Floats) -> Floats:
    """A curve's r on the side where it ends: it begins on the beam line, where the sign means nothing."""
    return np.abs(r) * (1.0 if r[-1] > 0 else -1.0)
