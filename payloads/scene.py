"""What of an event can be drawn: points and curves in space, by name. Kernels give them, pages and pictures draw them."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from payloads.arrays import Array

Floats = npt.NDArray[np.float32]

MOST_POINTS = 60_000
"""Of one layer: more are not told apart on a screen, and a page of them takes long to open."""

MOST_CURVES = 1_500

STEPS, FIFTIETHS = 32_767, 50


class Layer(NamedTuple):
    """Things of one kind, drawn alike and shown or hidden together.

    Attributes:
        name: what they are, for the legend.
        colour: #rrggbb.
        width: of a point or a line in pixels, at a size of 1.
        places: (n, 3) x, y, z in cm; curves one after another.
        ends: (curves,) where each curve ends in `places`; None = points.
        sizes: (n,) of points, 1 = usual; None = all alike.
        there: how many there are in the event; more than are in here if it has too many to draw.
    """

    name: str
    colour: str
    width: float
    places: Floats
    ends: npt.NDArray[np.int32] | None
    sizes: Floats | None
    there: int


def points(
    name: str, colour: str, width: float, places_cm: Iterable[Array], sizes: Array | None = None
) -> Layer:
    """A layer of points; of too many every n-th.

    Args:
        name: what they are.
        colour: #rrggbb.
        width: pixels.
        places_cm: x, y, z, (n,) each.
        sizes: (n,), 1 = usual; None = all alike.
    """
    x_cm, y_cm, z_cm = places_cm
    every = max(1, -(-len(x_cm) // MOST_POINTS))
    places = np.stack([x_cm, y_cm, z_cm], axis=1).astype(np.float32)[::every]
    return Layer(
        name,
        colour,
        width,
        places,
        None,
        None if sizes is None else sizes.astype(np.float32)[::every],
        len(x_cm),
    )


def curves(name: str, colour: str, width: float, lines: Sequence[Array], there: int | None = None) -> Layer:
    """A layer of curves, each (n, 3) in cm; the first of too many.

    Args:
        name: what they are.
        colour: #rrggbb.
        width: pixels.
        lines: the first are drawn if there are too many.
        there: in the event, if not all of them were given.
    """
    drawn = lines[:MOST_CURVES]
    places = np.concatenate([*drawn, np.zeros((0, 3))]).astype(np.float32)
    ends = np.cumsum([len(line) for line in drawn]).astype(np.int32)
    return Layer(name, colour, width, places, ends, None, len(lines) if there is None else there)


def to_json(layer: Layer) -> dict[str, Any]:
    """The layer as JSON: places as little-endian int16 in units of `unit_cm`, sizes as bytes in fiftieths, both in base64.

    That is finer than a screen, and half of what floats take.
    """
    reach_cm = float(np.max(np.abs(layer.places), initial=0.0))
    unit_cm = reach_cm / STEPS or 1.0
    places = np.rint(layer.places / unit_cm).astype("<i2")
    sizes = None if layer.sizes is None else np.rint(layer.sizes * FIFTIETHS).clip(0, 255).astype("u1")
    return {
        "name": layer.name,
        "colour": layer.colour,
        "width": layer.width,
        "unit_cm": unit_cm,
        "places": _text(places),
        "ends": None if layer.ends is None else layer.ends.tolist(),
        "sizes": None if sizes is None else _text(sizes),
        "there": layer.there,
    }


def from_json(value: Mapping[str, Any]) -> Layer:
    """The layer that `to_json` wrote, as fine as that is."""
    ends, sizes = value["ends"], value["sizes"]
    places = np.frombuffer(base64.b64decode(value["places"]), dtype="<i2").reshape(-1, 3)
    return Layer(
        name=str(value["name"]),
        colour=str(value["colour"]),
        width=float(value["width"]),
        places=(places * float(value["unit_cm"])).astype(np.float32),
        ends=None if ends is None else np.asarray(ends, dtype=np.int32),
        sizes=None
        if sizes is None
        else (np.frombuffer(base64.b64decode(sizes), dtype="u1") / FIFTIETHS).astype(np.float32),
        there=int(value["there"]),
    )


def _text(array: Array) -> str:
    return base64.b64encode(array.tobytes()).decode("ascii")
