"""Ranges follow from samples; a manifest keeps everything that is not a range."""

from __future__ import annotations

import tomllib

import pytest

from payloads.catalogue import kernels
from payloads.ranges import derive, rewritten, table

MANIFEST = """\
name = "toy"  # kept

[physics.efficiency]
low = 0.1
high = 0.2
unit = "1"
means = "share of what is there"
origin = "a guess"

[physics.efficiency_far]
low = 1
high = 2
means = "kept"
origin = "kept"
"""


def test_a_range_is_eight_spreads_about_the_mean() -> None:
    found = derive([10.0, 11.0, 12.0], is_share=False, sample="1 event")
    assert (found.low, found.high) == pytest.approx((3.0, 19.0))
    assert "11 +- 1 in 3 samples of 1 event" in found.origin


def test_a_share_stays_between_nought_and_one() -> None:
    found = derive([0.9, 0.8, 1.0], is_share=True, sample="1 event")
    assert found.high == 1.0
    assert found.low == pytest.approx(0.1)


def test_what_hardly_varies_still_gets_two_percent() -> None:
    found = derive([50.0, 50.0, 50.0], is_share=False, sample="1 event")
    assert (found.low, found.high) == pytest.approx((49.0, 51.0))


def test_only_the_named_metric_is_rewritten() -> None:
    found = derive([0.9, 0.8, 1.0], is_share=True, sample="1 event")
    before, after = tomllib.loads(MANIFEST), rewritten(MANIFEST, {"efficiency": found})
    changed = tomllib.loads(after)
    assert changed["physics"]["efficiency"]["low"] == pytest.approx(0.1)
    assert changed["physics"]["efficiency"]["origin"] == found.origin
    assert changed["physics"]["efficiency_far"] == before["physics"]["efficiency_far"]
    assert "# kept" in after


@pytest.mark.parametrize(
    "name", ["catracks", "clue", "eseeding", "hgcalml", "mkfit", "pflow", "pixeltrack", "vertexing"]
)
def test_a_readme_has_the_ranges_of_its_manifest(name: str) -> None:
    (kernel,) = (one for one in kernels() if one.name == name)
    assert table(kernel) in (kernel.folder / "README.md").read_text("utf-8")
