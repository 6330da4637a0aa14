"""The rungs of a node's ladder: what each method says, beside the figure that came out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt

from capacity.hs06.model import Estimate
from capacity.service.views.node import LadderRow
from capacity.web.charts.theme import Palette, config

CONSTANT = 10.0
"""HS06 per core that CMS's site table says for every site that typed nothing (benchmarks.md b1)."""

RESULT = "Combined"
_SHORT = {
    "measured": "Measured",
    "catalogue": "Catalogue",
    "payload": "Payloads",
    "family": "Family",
    "default": "Default",
}


def rows(rungs: Sequence[LadderRow], estimate: Estimate) -> list[dict[str, Any]]:
    """One record for every rung that has a figure, and one for the combination; HS23 per core."""
    found = [
        {
            "method": _SHORT[rung.method],
            "value": rung.hs23_per_core.value,
            "low": rung.hs23_per_core.low,
            "high": rung.hs23_per_core.high,
            "kind": "leading method" if rung.leads else "method",
        }
        for rung in rungs
        if rung.hs23_per_core is not None
    ]
    return [
        *found,
        {
            "method": RESULT,
            "value": estimate.hs23_per_core,
            "low": estimate.low,
            "high": estimate.high,
            "kind": "combined figure",
        },
    ]


def ladder(rungs: Sequence[LadderRow], estimate: Estimate, colours: Palette) -> dict[str, Any]:
    """Vega-Lite specification: one interval a rung, the combined figure last, the constant 10 as a dashed rule."""
    records = rows(rungs, estimate)
    kinds = ["method", "leading method", "combined figure"]
    base = alt.Chart(alt.InlineData(values=records)).encode(
        y=alt.Y("method:N", sort=[record["method"] for record in records], title=None)
    )
    shade = alt.Color(
        "kind:N",
        scale=alt.Scale(domain=kinds, range=[colours.quiet, colours.second, colours.figure]),
    )
    scale = alt.Scale(zero=True, nice=True)
    spans = base.mark_rule(strokeWidth=3).encode(
        x=alt.X("low:Q", title="HS23 per core, 68 % interval", scale=scale, axis=alt.Axis(tickCount=8)),
        x2="high:Q",
        color=shade,
    )
    points = base.mark_point(filled=True, size=110, opacity=1).encode(
        x=alt.X("value:Q", scale=scale),
        color=shade,
        shape=alt.Shape("kind:N", scale=alt.Scale(domain=kinds, range=["circle", "triangle-up", "diamond"])),
    )
    constant = (
        alt.Chart(alt.InlineData(values=[{"x": CONSTANT}]))
        .mark_rule(strokeDash=[5, 4], color=colours.quiet)
        .encode(x="x:Q")
    )
    chart = alt.layer(constant, spans, points).properties(
        width=colours.plot_px, height=alt.Step(30), config=config(colours)
    )
    return chart.to_dict()
