"""How a figure changed over time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import altair as alt

from capacity.service.views.history import HistoryDay
from capacity.service.views.node import HistoryRow
from capacity.web.charts.theme import Palette, config

MAX_POINTS = 400
"""Latest points of a history that are drawn."""


def node_rows(history: Sequence[HistoryRow], until: datetime) -> list[dict[str, Any]]:
    """Records in order of time, HS23 per core; the last figure holds until `until`."""
    ordered = sorted(history, key=lambda row: row.at)[-MAX_POINTS:]
    records = [
        {
            "at": _stamp(row.at),
            "value": row.hs23_per_core.value,
            "low": row.hs23_per_core.low,
            "high": row.hs23_per_core.high,
        }
        for row in ordered
    ]
    if records and ordered[-1].at < until:
        records.append({**records[-1], "at": _stamp(until)})
    return records


def node_history(history: Sequence[HistoryRow], until: datetime, colours: Palette) -> dict[str, Any]:
    """Vega-Lite specification: the figure as steps in a band of 68 %."""
    base = alt.Chart(alt.InlineData(values=node_rows(history, until))).encode(x=_time())
    band = base.mark_area(interpolate="step-after", color=colours.band, opacity=0.6).encode(
        y=alt.Y("low:Q", title="HS23 per core", scale=alt.Scale(zero=True)), y2="high:Q"
    )
    line = base.mark_line(
        interpolate="step-after",
        color=colours.figure,
        strokeWidth=2,
        point={"filled": True, "color": colours.figure},
    ).encode(y="value:Q")
    return (
        alt.layer(band, line).properties(width=colours.plot_px, height=160, config=config(colours)).to_dict()
    )


def day_rows(days: Sequence[HistoryDay]) -> list[dict[str, Any]]:
    """Records in order of time, kHS23; null where a bound is not known."""
    ordered = sorted(days, key=lambda day: day.day)[-MAX_POINTS:]
    return [
        {
            "at": f"{day.day.isoformat()}T00:00:00Z",
            "khs23": day.hs23 / 1000,
            "low": None if day.low is None else day.low / 1000,
            "high": None if day.high is None else day.high / 1000,
        }
        for day in ordered
    ]


def by_day(days: Sequence[HistoryDay], colours: Palette) -> dict[str, Any]:
    """Vega-Lite specification: capacity by day as steps, in a band of 68 % where that is known."""
    base = alt.Chart(alt.InlineData(values=day_rows(days))).encode(x=_time())
    band = (
        base.transform_filter("datum.low !== null")
        .mark_area(interpolate="step-after", color=colours.band, opacity=0.6)
        .encode(y=alt.Y("low:Q", title="kHS23", scale=alt.Scale(zero=True)), y2="high:Q")
    )
    line = base.mark_line(
        interpolate="step-after",
        color=colours.figure,
        strokeWidth=2,
        point={"filled": True, "color": colours.figure},
    ).encode(y=alt.Y("khs23:Q", title="kHS23", scale=alt.Scale(zero=True)))
    return (
        alt.layer(band, line).properties(width=colours.plot_px, height=160, config=config(colours)).to_dict()
    )


def _time() -> alt.X:
    return alt.X("at:T", title="UTC", scale=alt.Scale(type="utc"), axis=alt.Axis(labelOverlap=True))


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
