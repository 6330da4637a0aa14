"""One event as a picture: tracks in z, the simulated collisions and the vertices of both clusterings."""

from __future__ import annotations

import numpy as np

from payloads.arrays import Array, Arrays
from payloads.drawing import BLUE, GREEN, ORANGE, PINK, legend, page, text, ticks
from payloads.kernels.vertexing.physics import track_collisions

WIDTH, HEIGHT, LEFT, RIGHT, TOP = 1080, 590, 80, 20, 92
BLACK = "#000000"


def _line(x1: float, y1: float, x2: float, y2: float, colour: str, style: str = "") -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" {style}/>'


class _Panel:
    """A strip of z, drawn with tracks above and vertices below the axis."""

    def __init__(self, low_cm: float, high_cm: float, top: float, height: float) -> None:
        self.low, self.high, self.top, self.height = low_cm, high_cm, top, height
        self.parts: list[str] = []

    def x(self, z_cm: float) -> float:
        return LEFT + (z_cm - self.low) / (self.high - self.low) * (WIDTH - LEFT - RIGHT)

    def inside(self, z: Array) -> Array:
        return np.flatnonzero((z >= self.low) & (z <= self.high))

    def axis(self) -> None:
        y = self.top + self.height
        self.parts.append(_line(LEFT, y, WIDTH - RIGHT, y, BLACK))
        for tick in ticks((self.low, self.high), 5.0 if self.high - self.low > 10 else 0.5):
            self.parts.append(_line(self.x(tick), y, self.x(tick), y + 5, BLACK))
            self.parts.append(text(self.x(tick), y + 19, f"{tick + 0.0:g}", size=12, anchor="middle"))
        middle = (LEFT + WIDTH - RIGHT) / 2
        self.parts.append(text(middle, y + 36, "z along the beam line (cm)", anchor="middle"))
        self.parts.append(text(28, self.top + 75, "pT of tracks (GeV)", anchor="middle", upright=True))

    def tracks(self, event: Arrays) -> None:
        """A dot a track at (z0, log pT); in the close-up its error in z as a bar."""
        pt = np.clip(event["track_pt"], 0.1, 100.0)
        own = track_collisions(event) >= 0
        seen = self.inside(event["track_z0"])
        y = self.top + self.height - 50 - (np.log10(pt) + 1) / 3 * (self.height - 60)
        x = [self.x(float(z)) for z in event["track_z0"]]
        half = np.sqrt(event["track_covariance_44"]) / (self.high - self.low) * (WIDTH - LEFT - RIGHT)
        for colour, mask in ((BLACK, own), (PINK, ~own)):
            chosen = seen[mask[seen]]
            bars = (
                chosen[(half[chosen] > 3) & (half[chosen] < 60)] if self.high - self.low < 10 else chosen[:0]
            )
            path = "".join(f"M{x[i] - half[i]:.0f} {y[i]:.0f}h{2 * half[i]:.0f}" for i in bars)
            dots = "".join(f"M{x[i]:.1f} {y[i]:.1f}h0" for i in chosen)
            self.parts.append(f'<path d="{path}" stroke="{colour}" stroke-opacity="0.25"/>')
            self.parts.append(
                f'<path d="{dots}" stroke="{colour}" stroke-opacity="0.6" stroke-width="3" stroke-linecap="round"/>'
            )
        for label in (0.1, 1, 10, 100):
            y = self.top + self.height - 50 - (np.log10(label) + 1) / 3 * (self.height - 60)
            self.parts.append(text(LEFT - 8, y + 4, f"{label:g}", size=12, anchor="end"))

    def marks(self, z: Array, row: int, colour: str) -> None:
        y = self.top + self.height - 40 + 13 * row
        for i in self.inside(z):
            self.parts.append(_line(self.x(z[i]), y, self.x(z[i]), y + 11, colour, 'stroke-width="2"'))


def picture(event: Arrays, result: Arrays) -> str:
    """The whole event above, its densest centimetres below, as SVG."""
    z = event["track_z0"]
    middle = float(event["collision_z"][0])
    panels = [_Panel(-15, 15, TOP, 190), _Panel(middle - 1.5, middle + 1.5, TOP + 250, 190)]
    for panel in panels:
        panel.axis()
        panel.tracks(event)
        panel.marks(event["collision_z"], 0, GREEN)
        panel.marks(result["annealing_vertex_z"], 1, BLUE)
        panel.marks(result["density_vertex_z"], 2, ORANGE)
    entries = (
        (BLACK, "tracks of collisions"),
        (PINK, "fakes, decays in flight"),
        (GREEN, f"{len(event['collision_z'])} simulated collisions"),
        (BLUE, f"{len(result['annealing_vertex_z'])} vertices by annealing"),
        (ORANGE, f"{len(result['density_vertex_z'])} by density"),
    )
    key = legend(entries, LEFT, 62, 200)
    title = f"Primary vertices of one bunch crossing: {len(z)} tracks"
    said = "above the whole event, below 3 cm around the hard collision"
    return page(WIDTH, HEIGHT, LEFT, title, said, [key, *(part for panel in panels for part in panel.parts)])
