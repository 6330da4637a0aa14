"""Colours and sizes of the charts, light and dark; the same tones as the style sheet.

Okabe and Ito's palette (jfly.uni-koeln.de/color, 2008) told apart by most readers; every series also has a shape or dash.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, NamedTuple


class Scheme(StrEnum):
    """What the reader's system prefers."""

    LIGHT = "light"
    DARK = "dark"


class Width(StrEnum):
    """Room on the reader's screen."""

    WIDE = "wide"
    NARROW = "narrow"


class Palette(NamedTuple):
    """Colours of one scheme and the width of the plot in CSS pixels."""

    ground: str
    text: str
    quiet: str
    grid: str
    figure: str
    second: str
    third: str
    band: str
    plot_px: int


_COLOURS = {
    Scheme.LIGHT: ("#ffffff", "#1c2328", "#545f68", "#dde2e6", "#00558c", "#a34700", "#00704f", "#9cc3de"),
    Scheme.DARK: ("#14191d", "#e4e9ed", "#a5b0b9", "#333c44", "#74b9ec", "#f0a35e", "#5cc9a0", "#2f5d7e"),
}
_PLOT_PX = {Width.WIDE: 640, Width.NARROW: 210}
# The metrics that vl-convert measures labels with; browsers put a like font in its place.
_FONT = "Liberation Sans, Arial, Helvetica, sans-serif"


def palette(scheme: Scheme, width: Width) -> Palette:
    """Colours and plot width of one variant of a chart."""
    return Palette(*_COLOURS[scheme], plot_px=_PLOT_PX[width])


def config(colours: Palette) -> dict[str, Any]:
    """The ``config`` block that gives every chart the look of the pages."""
    text = {"labelColor": colours.text, "titleColor": colours.text, "labelFont": _FONT, "titleFont": _FONT}
    return {
        "background": colours.ground,
        "font": _FONT,
        "view": {"stroke": None},
        "axis": {
            **text,
            "gridColor": colours.grid,
            "domainColor": colours.quiet,
            "tickColor": colours.quiet,
            "labelFontSize": 12,
            "titleFontSize": 12,
            "titleFontWeight": "normal",
            "labelLimit": 150 if colours.plot_px < 300 else 260,
        },
        "legend": {
            **text,
            "orient": "bottom",
            "labelFontSize": 12,
            "title": None,
            "labelLimit": 300,
            "columnPadding": 24,
            "columns": 1 if colours.plot_px < 300 else 3,
        },
    }
