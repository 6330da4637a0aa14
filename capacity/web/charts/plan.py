"""Need of some scenarios against year over the band of the flat budget, as CMS draws it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt

from capacity.service.views.plan import Resource
from capacity.web.charts.theme import Palette, config

SHAPES = ["square", "circle", "triangle-up", "diamond"]
DASHES = [[1, 0], [6, 3], [2, 2], [8, 2, 2, 2]]
LOW, HIGH = "flat budget low", "flat budget high"


def needs(years: Sequence[int], resource: Resource, colours: Palette) -> dict[str, Any]:
    """Vega-Lite specification: lines of needs, dashed edges and a grey band of the flat budget, what there is."""
    records: list[dict[str, Any]] = []
    edges: dict[str, Sequence[float | None]] = {}
    titles = []
    for column in resource.columns:
        if column.title in (LOW, HIGH):
            edges[column.title] = column.values
        if column.need or not column.title.startswith("flat budget"):
            titles.append(column.title)
            records += [
                {"year": year, "what": column.title, "value": value}
                for year, value in zip(years, column.values, strict=True)
                if value is not None
            ]
    x = alt.X("year:Q", axis=alt.Axis(format="d", tickMinStep=1), title="Year", scale=alt.Scale(nice=False))
    layers: list[alt.Chart] = []
    if len(edges) == 2:
        band = [
            {"year": year, "low": low, "high": high}
            for year, low, high in zip(years, edges[LOW], edges[HIGH], strict=True)
        ]
        ground = alt.Chart(alt.InlineData(values=band)).encode(x=x)
        layers.append(ground.mark_area(color=colours.grid).encode(y="low:Q", y2="high:Q"))
        layers += [
            ground.mark_line(color=colours.text, strokeDash=[8, 4], strokeWidth=2).encode(y=f"{edge}:Q")
            for edge in ("low", "high")
        ]
    shades = [colours.figure, colours.second, colours.third, colours.text, colours.quiet]
    number = len(titles)
    series = alt.Chart(alt.InlineData(values=records)).encode(
        x=x,
        y=alt.Y("value:Q", title=resource.title),
        color=alt.Color(
            "what:N", scale=alt.Scale(domain=titles, range=[shades[at % 5] for at in range(number)])
        ),
    )
    layers.append(
        series.mark_line(strokeWidth=2).encode(
            strokeDash=alt.StrokeDash(
                "what:N", scale=alt.Scale(domain=titles, range=[DASHES[at % 4] for at in range(number)])
            )
        )
    )
    layers.append(
        series.mark_point(filled=True, size=45, opacity=1).encode(
            shape=alt.Shape(
                "what:N", scale=alt.Scale(domain=titles, range=[SHAPES[at % 4] for at in range(number)])
            )
        )
    )
    chart = alt.layer(*layers).properties(width=colours.plot_px, height=340, config=config(colours))
    return chart.to_dict(validate=False)
