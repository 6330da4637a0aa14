"""The page of an event in a real browser: it draws, turns, hides layers, asks nobody for anything."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lab import LabUnavailableError, skip_or_fail
from tests.lab.browser import Visit, browser

pytestmark = pytest.mark.lab

COLOURED = """() => {
  const view = document.getElementById("view"), dots = view.getContext("2d").getImageData(0, 0, view.width, view.height).data;
  let seen = 0;
  for (let i = 0; i < dots.length; i += 4) seen += Math.max(dots[i], dots[i + 1], dots[i + 2]) - Math.min(dots[i], dots[i + 1], dots[i + 2]) > 40;
  return seen;
}"""
PICTURE = 'document.getElementById("view").toDataURL()'


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Visit]:
    path = tmp_path / "event.html"
    command = [sys.executable, "-m", "agent", "bench", "event", "--pile-up", "20", "-o", str(path)]
    subprocess.run(command, check=True, timeout=300)
    try:
        with browser() as found:
            visit = Visit(found.new_page(viewport={"width": 1280, "height": 900}))
            visit.page.goto(path.as_uri())
            yield visit
    except LabUnavailableError as reason:
        skip_or_fail(reason)


def changes(visit: Visit, what: Any) -> bool:
    before = visit.page.evaluate(PICTURE)
    what()
    return bool(visit.page.evaluate(PICTURE) != before)


def test_the_event_is_drawn_and_follows_mouse_keys_and_boxes(page: Visit) -> None:
    tab = page.page
    assert tab.evaluate(COLOURED) > 2000
    boxes = tab.locator("#layers input")
    assert boxes.count() >= 8
    for view in ("across", "along", "turned"):
        assert (
            changes(page, lambda view=view: tab.locator(f"button[data-view={view}]").click())
            or view == "turned"
        )
        assert tab.evaluate(COLOURED) > 1000, view
    place = tab.locator("#view").bounding_box()
    middle = (place["x"] + place["width"] / 2, place["y"] + place["height"] / 2)

    def drag() -> None:
        tab.mouse.move(*middle)
        tab.mouse.down()
        tab.mouse.move(middle[0] + 80, middle[1] + 40)
        tab.mouse.up()

    assert changes(page, drag)
    assert changes(page, lambda: tab.mouse.wheel(0, 300))
    tab.locator("#view").focus()
    assert changes(page, lambda: tab.keyboard.press("ArrowLeft"))
    assert changes(page, lambda: tab.keyboard.press("+"))
    for box in range(boxes.count()):
        boxes.nth(box).uncheck()
    assert tab.evaluate(COLOURED) == 0, "nothing is left but axes"
    # That is about our own reading of the canvas.
    assert [words for words in page.complaints if "willReadFrequently" not in words] == []
    assert [request for request in page.requests if not request.startswith(("file:", "data:"))] == []
