"""Frames, legends and pages of the pictures: places, ticks, and words that are no markup."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import numpy as np
import pytest

from payloads.drawing import Panel, legend, page, ticks

PANEL = Panel(left=100, top=50, width=200, height=400, x=(-1.0, 1.0), y=(0.0, 8.0))
SVG = "{http://www.w3.org/2000/svg}"


def parsed(*parts: str, title: str = "t", said: str = "s") -> ET.Element:
    return ET.fromstring(page(500, 600, 10, title, said, parts))


def test_the_corners_of_the_coordinates_are_the_corners_of_the_frame() -> None:
    u, v = PANEL.at(np.array([-1.0, 1.0, 0.0]), np.array([0.0, 8.0, 4.0]))
    assert u.tolist() == [100, 300, 200]
    assert v.tolist() == [450, 50, 250]  # upwards in the coordinate is upwards in the picture


def test_what_lies_outside_is_told_apart() -> None:
    seen = PANEL.holds(np.array([0.0, 1.1, 0.0]), np.array([1.0, 1.0, -0.1]))
    assert seen.tolist() == [True, False, False]


def test_curves_are_paths_and_an_empty_one_is_none() -> None:
    none = np.zeros(0)
    root = parsed(PANEL.lines([(np.array([-1.0, 1.0]), np.array([0.0, 8.0])), (none, none)], "#123456", 2))
    (path,) = root.iter(f"{SVG}path")
    assert path.get("d") == "M100.0 450.0L300.0 50.0"
    assert (path.get("stroke"), path.get("stroke-width")) == ("#123456", "2")


def test_what_is_clipped_keeps_its_places() -> None:
    (inner,) = parsed(PANEL.clipped([])).findall(f"{SVG}svg")
    assert inner.get("viewBox") == "100 50 200 400"
    assert [inner.get(name) for name in ("x", "y", "width", "height")] == ["100", "50", "200", "400"]


@pytest.mark.parametrize(
    ("span", "step", "wanted"),
    [((-1.0, 1.0), 0.5, [-1, -0.5, 0, 0.5, 1]), ((0.3, 2.9), 1, [1, 2]), ((0.1, 0.2), 1, [])],
)
def test_ticks_are_the_multiples_within(span: tuple[float, float], step: float, wanted: list[float]) -> None:
    assert ticks(span, step) == pytest.approx(wanted)


def test_axes_carry_their_names_and_no_negative_zero() -> None:
    words = [
        text.text for text in parsed(PANEL.frame("x (cm)", "pT (GeV)", [-0.0, 1], [])).iter(f"{SVG}text")
    ]
    assert words == ["t", "s", "0", "1", "x (cm)", "pT (GeV)"]


def test_words_are_no_markup() -> None:
    root = parsed(legend([("red", "pT < 1 & more")], 0, 0, 100), title="<b>", said='"')
    assert [text.text for text in root.iter(f"{SVG}text")] == ["<b>", '"', "pT < 1 & more"]


def test_a_legend_breaks_its_rows() -> None:
    root = parsed(legend([("red", name) for name in "abc"], 10, 20, 100, a_row=2))
    places = [(box.get("x"), box.get("y")) for box in root.findall(f"{SVG}rect")[1:]]
    assert places == [("10", "20"), ("110", "20"), ("10", "40")]
