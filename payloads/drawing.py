"""What the pictures of the kernels have in common: the page, frames with axes, dots and curves in them, a legend. SVG, pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]
Span = tuple[float, float]

# Okabe and Ito's colours, which most kinds of colour blindness tell apart.
BLUE, RED, GREEN, PINK, ORANGE, SKY, YELLOW = COLOURS = (
    "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442",
)  # fmt: skip
GREY, INK = "#AAAAAA", "#333333"


@dataclass(frozen=True)
class Panel:
    """A frame in which two coordinates are drawn.

    Attributes:
        left: of the frame in the picture, pixels.
        top: likewise.
        width: likewise.
        height: likewise.
        x: the coordinate at the left and at the right edge.
        y: at the lower and at the upper edge.
    """

    left: float
    top: float
    width: float
    height: float
    x: Span
    y: Span

    def at(self, x: Floats | float, y: Floats | float) -> tuple[Floats, Floats]:
        """Places in the picture, pixels."""
        across = (np.asarray(x) - self.x[0]) / (self.x[1] - self.x[0])
        down = (self.y[1] - np.asarray(y)) / (self.y[1] - self.y[0])
        return np.asarray(self.left + across * self.width), np.asarray(self.top + down * self.height)

    def holds(self, x: Floats, y: Floats) -> npt.NDArray[np.bool_]:
        """Which of them lie within the frame."""
        return np.asarray(
            (self.x[0] <= x) & (x <= self.x[1]) & (self.y[0] <= y) & (y <= self.y[1]), dtype=np.bool_
        )

    def dots(self, x: Floats, y: Floats, colour: str, size: float) -> str:
        """Points of one size, as one path."""
        marks = "".join(f"M{u:.1f} {v:.1f}h0" for u, v in zip(*self.at(x, y), strict=True))
        return (
            f'<path d="{marks}" stroke="{escape(colour)}" stroke-width="{size:.3g}" stroke-linecap="round"/>'
        )

    def discs(self, x: Floats, y: Floats, radii: Floats, colour: str, opacity: float = 0.75) -> str:
        """Points, each of its own size."""
        circles = "".join(
            f'<circle cx="{u:.1f}" cy="{v:.1f}" r="{r:.1f}"/>'
            for u, v, r in zip(*self.at(x, y), radii, strict=True)
        )
        return f'<g fill="{escape(colour)}" fill-opacity="{opacity}">{circles}</g>'

    def lines(
        self, curves: Iterable[tuple[Floats, Floats]], colour: str, width: float, more: str = ""
    ) -> str:
        """Curves, as one path; ``more`` are further attributes of it."""
        marks = "".join(
            "M" + "L".join(f"{u:.1f} {v:.1f}" for u, v in zip(*self.at(x, y), strict=True))
            for x, y in curves
            if len(x)
        )
        stroke = f'stroke="{escape(colour)}" stroke-width="{width:g}" stroke-opacity="0.8"'
        return f'<path d="{marks}" {stroke} fill="none" {more}/>'

    def clipped(self, parts: Iterable[str]) -> str:
        """What of the parts lies within the frame; a nested <svg> needs no id, which two pictures on a page could share."""
        box = f"{self.left:g} {self.top:g} {self.width:g} {self.height:g}"
        place = f'x="{self.left:g}" y="{self.top:g}" width="{self.width:g}" height="{self.height:g}"'
        return f'<svg {place} viewBox="{box}">{"".join(parts)}</svg>'

    def frame(self, xlabel: str, ylabel: str, xticks: Iterable[float], yticks: Iterable[float]) -> str:
        """Border, ticks, names of the axes."""
        bottom = self.top + self.height
        box = f'x="{self.left:g}" y="{self.top:g}" width="{self.width:g}" height="{self.height:g}"'
        parts = [f'<rect {box} fill="none" stroke="{INK}"/>']
        for tick in xticks:
            u = float(self.at(tick, self.y[0])[0])
            parts.append(f'<path d="M{u:.1f} {bottom:g}v5" stroke="{INK}"/>')
            parts.append(text(u, bottom + 19, _label(tick), anchor="middle"))
        for tick in yticks:
            v = float(self.at(self.x[0], tick)[1])
            parts.append(f'<path d="M{self.left:g} {v:.1f}h-5" stroke="{INK}"/>')
            parts.append(text(self.left - 8, v + 4, _label(tick), anchor="end"))
        parts.append(text(self.left + self.width / 2, bottom + 39, xlabel, anchor="middle"))
        parts.append(text(self.left - 42, self.top + self.height / 2, ylabel, anchor="middle", upright=True))
        return "".join(parts)


def ticks(span: Span, step: float) -> list[float]:
    """The multiples of a step within a span."""
    return [step * k for k in range(int(np.ceil(span[0] / step)), int(np.floor(span[1] / step)) + 1)]


def _label(tick: float) -> str:
    return f"{tick + 0.0:.3g}"  # 0.0 takes the sign off a zero


def text(
    x: float, y: float, words: str, *, size: int = 13, anchor: str = "start", upright: bool = False
) -> str:
    """Words at a place; ``upright`` ones read from below."""
    turn = f' transform="rotate(-90 {x:g} {y:g})"' if upright else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}"{turn}>{escape(words)}</text>'


def legend(entries: Iterable[tuple[str, str]], left: float, top: float, step: float, a_row: int = 100) -> str:
    """A patch of colour and what it means, for each (colour, words).

    Args:
        entries: in order.
        left: of the first, pixels.
        top: of the first row.
        step: from one to the next.
        a_row: how many stand side by side.
    """
    parts = []
    for k, (colour, words) in enumerate(entries):
        x, y = left + step * (k % a_row), top + 20 * (k // a_row)
        parts.append(f'<rect x="{x:g}" y="{y:g}" width="12" height="12" fill="{escape(colour)}"/>')
        parts.append(text(x + 18, y + 10.5, words))
    return "".join(parts)


def page(width: float, height: float, left: float, title: str, said: str, parts: Sequence[str]) -> str:
    """The whole picture: white ground, a title, a line below it, and the parts; with a final newline."""
    size = f'viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}"'
    head = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" fill="{INK}">',
        f'<rect width="{width:g}" height="{height:g}" fill="white"/>',
        text(left, 26, title, size=17),
        text(left, 48, said),
    ]
    return "\n".join([*head, *parts, "</svg>\n"])
