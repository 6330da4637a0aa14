"""How a calibration fits: predicted against measured, and errors by CPU family."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import altair as alt

from capacity.service.views.calibration import ResidualRow
from capacity.web.charts.theme import Palette, config

LEAST_REACH_PERCENT = 10.0
"""The axis of errors reaches at least so far to both sides, so that small errors look small."""
KINDS = ["fitted", "family left out"]


def fit_rows(residuals: Sequence[ResidualRow]) -> list[dict[str, Any]]:
    """For each node its fitted and its held-out prediction, HS23 per core."""
    records: list[dict[str, Any]] = []
    for row in residuals:
        one = row.residual
        for kind, predicted in zip(
            KINDS, (one.fitted_hs23_per_core, one.held_out_hs23_per_core), strict=True
        ):
            if predicted is not None:
                records.append({"target": one.target_hs23_per_core, "predicted": predicted, "kind": kind})
    return records


def fit(residuals: Sequence[ResidualRow], colours: Palette) -> dict[str, Any]:
    """Vega-Lite specification: predicted over measured with the line on which both are equal."""
    records = fit_rows(residuals)
    ends = [value for record in records for value in (record["target"], record["predicted"])]
    low, high = min(ends, default=1.0) * 0.9, max(ends, default=20.0) * 1.1
    scale = alt.Scale(domain=[low, high], zero=False, nice=False)
    same = (
        alt.Chart(alt.InlineData(values=[{"x": low, "y": low}, {"x": high, "y": high}]))
        .mark_line(strokeDash=[5, 4], color=colours.quiet)
        .encode(x=alt.X("x:Q", scale=scale), y=alt.Y("y:Q", scale=scale))
    )
    points = (
        alt.Chart(alt.InlineData(values=records))
        .mark_point(size=60, strokeWidth=1.6, opacity=0.9)
        .encode(
            x=alt.X("target:Q", scale=scale, title="measured, HS23 per core"),
            y=alt.Y("predicted:Q", scale=scale, title="predicted, HS23 per core"),
            **_by_kind(colours),
        )
    )
    side = min(colours.plot_px, 340)
    return alt.layer(same, points).properties(width=side, height=side, config=config(colours)).to_dict()


def family_rows(residuals: Sequence[ResidualRow]) -> list[dict[str, Any]]:
    """Relative errors in per cent, by family."""
    records: list[dict[str, Any]] = []
    for row in residuals:
        for kind, error in zip(KINDS, (row.fit_error, row.held_out_error), strict=True):
            if error is not None:
                percent = 100 * math.expm1(error)
                records.append({"family": row.residual.family, "error_percent": percent, "kind": kind})
    return records


def families(residuals: Sequence[ResidualRow], colours: Palette) -> dict[str, Any]:
    """Vega-Lite specification: predicted / measured − 1 in per cent, a row for each family."""
    records = family_rows(residuals)
    reach = max([LEAST_REACH_PERCENT, *(1.1 * abs(record["error_percent"]) for record in records)])
    points = (
        alt.Chart(alt.InlineData(values=records))
        .mark_point(size=60, strokeWidth=1.6, opacity=0.9)
        .encode(
            x=alt.X(
                "error_percent:Q",
                title="predicted / measured − 1, %",
                scale=alt.Scale(domain=[-reach, reach], nice=False),
            ),
            y=alt.Y("family:N", title=None),
            **_by_kind(colours),
        )
    )
    zero = (
        alt.Chart(alt.InlineData(values=[{"x": 0}]))
        .mark_rule(strokeDash=[5, 4], color=colours.quiet)
        .encode(x="x:Q")
    )
    chart = alt.layer(zero, points).properties(
        width=colours.plot_px, height=alt.Step(24), config=config(colours)
    )
    return chart.to_dict()


def _by_kind(colours: Palette) -> dict[str, Any]:
    return {
        "color": alt.Color("kind:N", scale=alt.Scale(domain=KINDS, range=[colours.figure, colours.second])),
        "shape": alt.Shape("kind:N", scale=alt.Scale(domain=KINDS, range=["circle", "diamond"])),
    }
