"""Capacities side by side: each with its interval, its pledge and what the constant 10 would say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt

from capacity.service.views.common import RollRow
from capacity.web.charts.theme import Palette, config

MAX_ROWS = 25
"""Rows of a chart; the table beside it has all."""

KILO = 1000.0
KINDS = ["capacity (68 % interval)", "constant 10 per core", "pledge"]


def rows(rolls: Sequence[RollRow]) -> list[dict[str, Any]]:
    """Long records, one for each figure that there is; kHS23."""
    records: list[dict[str, Any]] = []
    for row in rolls[:MAX_ROWS]:
        hs23 = row.roll.hs23
        figures = (hs23.value, row.roll.constant_10_hs23 or None, row.pledge.hs23 if row.pledge else None)
        for kind, figure in zip(KINDS, figures, strict=True):
            if figure is None:
                continue
            record: dict[str, Any] = {"name": row.roll.name, "kind": kind, "khs23": figure / KILO}
            if kind == KINDS[0]:
                record |= {"low": hs23.low / KILO, "high": hs23.high / KILO}
            records.append(record)
    return records


def capacities(rolls: Sequence[RollRow], colours: Palette) -> dict[str, Any]:
    """Vega-Lite specification: a row for each roll-up, in the order given."""
    records = rows(rolls)
    base = alt.Chart(alt.InlineData(values=records)).encode(
        y=alt.Y("name:N", sort=[row.roll.name for row in rolls[:MAX_ROWS]], title=None)
    )
    shade = alt.Color(
        "kind:N", scale=alt.Scale(domain=KINDS, range=[colours.figure, colours.second, colours.third])
    )
    spans = (
        base.transform_filter("isValid(datum.low)")
        .mark_rule(strokeWidth=3)
        .encode(
            x=alt.X("low:Q", title="kHS23 (1 kHS23 = 1 000 HS23)", axis=alt.Axis(tickCount=8)),
            x2="high:Q",
            color=shade,
        )
    )
    points = base.mark_point(filled=False, size=80, strokeWidth=2, opacity=1).encode(
        x="khs23:Q",
        color=shade,
        shape=alt.Shape("kind:N", scale=alt.Scale(domain=KINDS, range=["circle", "diamond", "M0,-1L0,1"])),
    )
    chart = alt.layer(spans, points).properties(
        width=colours.plot_px, height=alt.Step(22), config=config(colours)
    )
    return chart.to_dict()
