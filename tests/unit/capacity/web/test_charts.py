"""Charts say what the numbers say."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from capacity.fleet.model import Interval
from capacity.hs06.calibration import Residual
from capacity.hs06.model import Method
from capacity.service.views.calibration import ResidualRow
from capacity.service.views.common import log_interval, roll_row
from capacity.service.views.history import HistoryDay
from capacity.service.views.node import HistoryRow, ladder
from capacity.web.charts import calibration, capacities, history
from capacity.web.charts.ladder import ladder as ladder_chart
from capacity.web.charts.svg import ChartTooLargeError, Pictures, digest_of, draw
from capacity.web.charts.theme import Palette, Scheme, Width, palette
from tests.unit.capacity.web import samples

LIGHT = palette(Scheme.LIGHT, Width.WIDE)


def _values(spec: Mapping[str, Any]) -> list[dict[str, Any]]:
    """All records of a specification."""
    return [record for records in spec["datasets"].values() for record in records]


def _texts(svg: str) -> list[str]:
    return [text.text or "" for text in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]


def _past(days_ago: int, value: float) -> HistoryRow:
    return HistoryRow(
        at=samples.NOW - timedelta(days=days_ago),
        method=Method.CATALOGUE,
        hs23_per_core=log_interval(value, 0.1),
        hs23_granted=value * 16,
        granted_cores=16,
        catalogue_version="1",
        calibration_version=None,
        profile_id=None,
    )


def _residual(family: str, target: float, fitted: float, held_out: float | None) -> ResidualRow:
    residual = Residual(
        id="a",
        family=family,
        kind="HS23",
        target_hs23_per_core=target,
        fitted_hs23_per_core=fitted,
        held_out_hs23_per_core=held_out,
        outlier=False,
    )
    return ResidualRow.of(residual)


class TestLadder:
    estimate = samples.estimate()

    def test_it_has_every_rung_with_a_figure_and_the_combination(self) -> None:
        spec = ladder_chart(ladder(self.estimate), self.estimate, LIGHT)
        found = {record["method"]: record for record in _values(spec) if "method" in record}
        assert list(found) == ["Catalogue", "Payloads", "Family", "Default", "Combined"]
        assert found["Payloads"]["value"] == 12.0
        assert found["Payloads"]["low"] == pytest.approx(12.0 * 2.718281828**-0.25)
        assert (found["Combined"]["low"], found["Combined"]["high"]) == (12.4, 16.3)

    def test_the_leading_method_is_told_by_shape_too(self) -> None:
        spec = ladder_chart(ladder(self.estimate), self.estimate, LIGHT)
        leading = [record for record in _values(spec) if record.get("kind") == "leading method"]
        assert [record["method"] for record in leading] == ["Catalogue"]
        shapes = next(layer["encoding"]["shape"] for layer in spec["layer"] if "shape" in layer["encoding"])
        assert len(set(shapes["scale"]["range"])) == 3

    def test_the_constant_is_a_rule_at_ten(self) -> None:
        assert {"x": 10.0} in _values(ladder_chart(ladder(self.estimate), self.estimate, LIGHT))


class TestCapacities:
    def test_each_site_has_its_interval_its_constant_and_its_pledge(self) -> None:
        rows = [roll_row(samples.roll("T2_A", 1000)), roll_row(samples.roll("T2_B", 500, pledge_hs23=None))]
        found = _values(capacities.capacities(rows, LIGHT))
        first = [record for record in found if record["name"] == "T2_A"]
        assert [record["khs23"] for record in first] == pytest.approx([13.1, 10.0, 14.41])
        assert first[0]["low"] == pytest.approx(13.1 * 0.92)
        assert [record["kind"] for record in found if record["name"] == "T2_B"] == capacities.KINDS[:2]

    def test_a_large_fleet_is_cut(self) -> None:
        rows = [roll_row(samples.roll(f"T2_{number:03}")) for number in range(100)]
        names = {record["name"] for record in _values(capacities.capacities(rows, LIGHT))}
        assert names == {f"T2_{number:03}" for number in range(capacities.MAX_ROWS)}


class TestHistory:
    def test_figures_are_in_order_of_time_and_the_last_one_holds_on(self) -> None:
        found = history.node_rows([_past(1, 15.0), _past(9, 12.0)], samples.NOW)
        assert [record["value"] for record in found] == [12.0, 15.0, 15.0]
        assert [record["at"] for record in found] == sorted(record["at"] for record in found)
        assert found[-1]["at"] == "2026-11-20T12:00:00Z"

    def test_days_are_in_khs23_and_a_bound_that_is_not_known_is_not_drawn(self) -> None:
        days = [
            HistoryDay(day=date(2026, 11, 2), hs23=2000, low=1900, high=2100, nodes=2),
            HistoryDay(day=date(2026, 11, 1), hs23=900, nodes=1),
        ]
        assert history.day_rows(days) == [
            {"at": "2026-11-01T00:00:00Z", "khs23": 0.9, "low": None, "high": None},
            {"at": "2026-11-02T00:00:00Z", "khs23": 2.0, "low": 1.9, "high": 2.1},
        ]


class TestCalibration:
    rows = (_residual("zen3", 10.0, 11.0, 12.0), _residual("icelake", 20.0, 19.0, None))

    def test_fitted_and_held_out_are_two_points(self) -> None:
        found = calibration.fit_rows(self.rows)
        assert [(r["target"], r["predicted"], r["kind"]) for r in found] == [
            (10.0, 11.0, "fitted"),
            (10.0, 12.0, "family left out"),
            (20.0, 19.0, "fitted"),
        ]

    def test_errors_are_in_per_cent(self) -> None:
        found = calibration.family_rows(self.rows)
        assert [record["error_percent"] for record in found] == pytest.approx([10.0, 20.0, -5.0])

    def test_the_axis_holds_every_error(self) -> None:
        spec = calibration.families(self.rows, LIGHT)
        points = next(layer for layer in spec["layer"] if "family" in json.dumps(layer["encoding"]))
        low, high = points["encoding"]["x"]["scale"]["domain"]
        assert low == -high
        assert high > 20.0


@pytest.mark.parametrize("scheme", list(Scheme))
@pytest.mark.parametrize("width", list(Width))
def test_every_variant_can_be_drawn(scheme: Scheme, width: Width) -> None:
    colours = palette(scheme, width)
    estimate = samples.estimate()
    for spec in (
        ladder_chart(ladder(estimate), estimate, colours),
        capacities.capacities([roll_row(samples.roll("T2_A"))], colours),
        history.node_history([_past(1, 15.0), _past(9, 12.0)], samples.NOW, colours),
        history.by_day([HistoryDay(day=date(2026, 11, 2), hs23=2000, nodes=2)], colours),
        calibration.fit([_residual("zen3", 10.0, 11.0, 12.0)], colours),
        calibration.families([_residual("zen3", 10.0, 11.0, 12.0)], colours),
    ):
        svg = draw(spec)
        assert colours.ground in svg
        assert _texts(svg)


def test_names_of_profiles_are_text_in_a_picture() -> None:
    svg = draw(capacities.capacities([roll_row(samples.roll(samples.XSS))], LIGHT))
    assert "<script" not in svg
    assert any("<script>" in text for text in _texts(svg))


def test_nothing_is_fetched_from_a_chart() -> None:
    with pytest.raises(ValueError, match=r"(?i)external|allowed|denied|not"):
        draw(
            {
                "data": {"url": "https://example.org/data.json"},
                "mark": "point",
                "encoding": {"x": {"field": "a", "type": "quantitative"}},
            }
        )


def test_a_chart_has_a_bound() -> None:
    with pytest.raises(ChartTooLargeError, match="not drawn"):
        draw({"datasets": {"a": [{"x": "y" * 600_000}]}})


class TestPictures:
    def _kept(self, max_bytes: int) -> tuple[Pictures, list[Mapping[str, Any]]]:
        drawn: list[Mapping[str, Any]] = []

        def drawing(spec: Mapping[str, Any]) -> str:
            drawn.append(spec)
            return "x" * 100

        return Pictures(max_bytes, drawing), drawn

    def test_a_picture_is_drawn_once(self) -> None:
        pictures, drawn = self._kept(1000)
        for _ in range(3):
            assert pictures.get("a", lambda: {"n": 1}) == "x" * 100
        assert len(drawn) == 1

    def test_the_least_used_picture_makes_room(self) -> None:
        pictures, drawn = self._kept(250)
        for name in ("a", "b", "a", "c", "a", "b"):
            pictures.get(name, dict)
        assert len(drawn) == 4  # a, b, c, and b again

    def test_one_that_is_larger_than_the_room_is_given_but_not_kept(self) -> None:
        pictures, drawn = self._kept(50)
        pictures.get("a", dict)
        pictures.get("a", dict)
        assert len(drawn) == 2

    def test_equal_data_has_an_equal_digest(self) -> None:
        assert digest_of({"a": 1, "b": [1.5]}) == digest_of({"b": [1.5], "a": 1})
        assert digest_of({"a": 1}) != digest_of({"a": 2})


def _contrast(one: str, other: str) -> float:
    def light(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        r, g, b = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
        return 0.2126 * r + 0.7152 * g + 0.0722 * b

    high, low = sorted((light(one), light(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", list(Scheme))
def test_marks_and_text_stand_out(scheme: Scheme) -> None:
    """WCAG 2.1: 4.5 for text, 3 for marks."""
    colours: Palette = palette(scheme, Width.WIDE)
    assert _contrast(colours.text, colours.ground) >= 4.5
    for mark in (colours.quiet, colours.figure, colours.second, colours.third):
        assert _contrast(mark, colours.ground) >= 3


def test_an_interval_of_nothing_is_drawn_as_a_point() -> None:
    row = roll_row(samples.roll("T2_A", hs23=Interval(value=0, low=0, high=0), constant_10_hs23=0.0))
    assert capacities.rows([row])[0] == {
        "name": "T2_A",
        "kind": capacities.KINDS[0],
        "khs23": 0,
        "low": 0,
        "high": 0,
    }
