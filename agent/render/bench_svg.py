"""Throughput and scaling as inline SVG: pure functions of what a profile holds."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

from agent.render.plain import one_line
from profiles.payload_result import PayloadResult, VariantResult

WIDTH = 640
BAR = 22
GAP = 8
LEFT = 150
RIGHT = 130

STYLE = """
.sitecap-chart{font:12px system-ui,sans-serif;fill:var(--ink,#1a1a1a)}
.sitecap-chart .bar{fill:var(--granted,#1f77b4)}.sitecap-chart .base{fill:var(--perhaps,#9bbfdc)}
.sitecap-chart .axis,.sitecap-chart .error{stroke:var(--line,#8a8f98);stroke-width:1;fill:none}
.sitecap-chart .error{stroke:var(--ink,#1a1a1a)}
.sitecap-chart .curve{stroke:var(--granted,#1f77b4);stroke-width:2;fill:none}
.sitecap-chart .ideal{stroke:var(--line,#8a8f98);stroke-dasharray:4 3;fill:none}
.sitecap-chart .dot{fill:var(--granted,#1f77b4)}.sitecap-chart .dim{fill:var(--dim,#5a5f68)}
"""


class Bar(NamedTuple):
    """One row of a chart.

    Attributes:
        name: what it is of.
        kind: `best`, or `base` for what others are held against.
        events_per_s: its length.
        low: of its 68 % interval; None = not known.
        high: the other end.
    """

    name: str
    kind: str
    events_per_s: float
    low: float | None
    high: float | None


def bars(result: PayloadResult) -> str:
    """Events/s of each variant with all copies and with one, with their 68 % intervals."""
    rows = [
        Bar(
            f"{variant.name}, {series.copies} {'copy' if series.copies == 1 else 'copies'}",
            variant.role,
            series.events_per_s,
            series.low,
            series.high,
        )
        for variant in result.variants
        for series in sorted(variant.series, key=lambda one: -one.copies)
        if series.copies in (1, result.copies)
    ]
    return bar_chart(f"Events per second of {result.kernel} by variant and copies", rows)


def bar_chart(title: str, rows: Sequence[Bar]) -> str:
    """Horizontal bars to one scale; empty without rows."""
    if not rows:
        return ""
    scale = (WIDTH - LEFT - RIGHT) / max(row.high or row.events_per_s for row in rows)
    body = "".join(_bar(place, row, scale) for place, row in enumerate(rows))
    height = len(rows) * (BAR + GAP) + GAP
    axis = f'<line class="axis" x1="{LEFT}" y1="0" x2="{LEFT}" y2="{height}"/>'
    return _svg(title, height, body + axis)


def _bar(place: int, row: Bar, scale: float) -> str:
    top = GAP + place * (BAR + GAP)
    middle = top + BAR / 2
    kind = "bar" if row.kind == "best" else "base"
    width = row.events_per_s * scale
    low, high = row.low or row.events_per_s, row.high or row.events_per_s
    end = LEFT + max(width, high * scale)
    return (
        f'<text x="{LEFT - 8}" y="{middle + 4:g}" text-anchor="end">{escape(one_line(row.name, 24))}</text>'
        f'<rect class="{kind}" x="{LEFT}" y="{top}" width="{width:.1f}" height="{BAR}"/>'
        f'<line class="error" x1="{LEFT + low * scale:.1f}" x2="{LEFT + high * scale:.1f}" '
        f'y1="{middle:g}" y2="{middle:g}"/>'
        f'<text x="{end + 8:.1f}" y="{middle + 4:g}">{number(row.events_per_s)} events/s</text>'
    )


def number(value: float) -> str:
    """Three significant digits, never an exponent."""
    return f"{value:.0f}" if value >= 1000 else f"{value:.3g}"


def scaling(result: PayloadResult) -> str:
    """Throughput over that of one copy, by copies; the dashed line is what as many lonely copies would give."""
    best = next((variant for variant in result.variants if variant.name == result.variant), None)
    points = [] if best is None else sorted(best.series, key=lambda series: series.copies)
    if len(points) < 2 or points[0].copies != 1:
        return ""
    one = points[0].events_per_s
    most = points[-1].copies
    height, bottom, top, left = 240, 200, 28, 60
    across = (WIDTH - left - 40) / max(most - 1, 1)
    highest = max(most, *(series.events_per_s / one for series in points))
    up = (bottom - top) / highest

    def at(copies: float, times: float) -> tuple[float, float]:
        return left + (copies - 1) * across, bottom - times * up

    x1, y1 = at(1, 1)
    x2, y2 = at(most, most)
    found = [(series.copies, series.events_per_s / one) for series in points]
    places = [at(*point) for point in found]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    dots = "".join(
        f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="4"><title>{copies} copies: {times:.2f}×</title></circle>'
        for (copies, times), (x, y) in zip(found, places, strict=True)
    )
    ticks = "".join(
        f'<text x="{at(copies, 0)[0]:.1f}" y="{bottom + 16}" text-anchor="middle">{copies}</text>'
        for copies in _spread([copies for copies, _ in found])
    )
    heights = "".join(
        f'<text x="{left - 8}" y="{at(1, times)[1] + 4:.1f}" text-anchor="end">{times}×</text>'
        for times in _spread(sorted({1, *(2**power for power in range(1, 16) if 2**power < most), most}))
    )
    last = places[-1]
    label = f'<text x="{last[0] - 8:.1f}" y="{last[1] + 18:.1f}" text-anchor="end">{found[-1][1]:.2f}×</text>'
    body = (
        f'<path class="axis" d="M{left} {top}V{bottom}H{WIDTH - 40}"/>'
        f'<line class="ideal" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'
        f'<polyline class="curve" points="{line}"/>{dots}{ticks}{heights}{label}'
        f'<text class="dim" x="{(left + WIDTH - 40) / 2}" y="{bottom + 34}" text-anchor="middle">copies</text>'
        f'<text class="dim" x="{left + 6}" y="{top - 14}">throughput over that of one copy</text>'
    )
    return _svg(f"Scaling of {result.kernel}", height, body)


def stages(variant: VariantResult) -> str:
    """Where the time of an event goes: one bar divided by stage."""
    total = sum(variant.stages_s.values())
    if total <= 0:
        return ""
    parts = sorted(variant.stages_s.items(), key=lambda item: -item[1])
    rows = "".join(
        f'<text x="{LEFT - 8}" y="{GAP + place * 20 + 13}" text-anchor="end">{escape(one_line(name, 24))}</text>'
        f'<rect class="bar" x="{LEFT}" y="{GAP + place * 20}" height="15" '
        f'width="{seconds / parts[0][1] * (WIDTH - LEFT - RIGHT):.1f}"/>'
        f'<text x="{LEFT + seconds / parts[0][1] * (WIDTH - LEFT - RIGHT) + 8:.1f}" y="{GAP + place * 20 + 13}">'
        f"{seconds / total:.0%}, {seconds * 1e3:.3g} ms</text>"
        for place, (name, seconds) in enumerate(parts[:16])
    )
    return _svg("Time of one event by stage", GAP * 2 + 20 * min(len(parts), 16), rows)


def _spread(values: Sequence[int]) -> list[int]:
    """At most nine of them, so that labels do not touch: the ends and those between that keep their distance."""
    kept: list[int] = []
    room = (values[-1] - values[0]) / 9 if values else 0
    for value in values:
        if not kept or value - kept[-1] >= room:
            kept.append(value)
    if values and kept[-1] != values[-1]:
        kept[-1] = values[-1]
    return kept


def _svg(title: str, height: float, body: str) -> str:
    safe = escape(one_line(title, 200))
    return (
        f'<svg class="sitecap-chart" xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{safe}" '
        f'viewBox="0 0 {WIDTH} {height:g}" width="{WIDTH}"><title>{safe}</title>'
        f"<style>{STYLE}</style>{body}</svg>"
    )
