"""Profile with payloads → one self-contained HTML page: throughput, scaling, physics, one event of each kernel drawn.

It loads nothing and runs no script; text from the node is escaped. Pictures come from the kernels of this installation
and are embedded as images, so that nothing in them can act on the page.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from html import escape

from agent.render import bench_device_html
from agent.render.bench_device_text import place_of
from agent.render.bench_svg import bars, number, scaling, stages
from agent.render.bench_text import significant, state_of
from agent.render.html_style import STYLE
from agent.render.plain import one_line
from profiles.payload_result import PayloadResult, PhysicsMetric
from profiles.profile import CapabilityProfile

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
_WORDS = {"ok": "ok", "part": "warning", "FAIL": "critical", "skip": "skipped"}
_MORE = "figure svg{min-width:0;max-width:100%}figure img{max-width:100%;background:#fff}figure{margin:.8rem 0}td.number{white-space:nowrap}"


class Picture:
    """One event drawn, or why it is not.

    Args:
        svg: a whole SVG document; None = there is none.
        reason: why not, or what has to be known about it.
    """

    def __init__(self, svg: str | None, reason: str | None = None) -> None:
        self.svg = svg
        self.reason = reason


def render(profile: CapabilityProfile, pictures: Mapping[str, Picture] | None = None) -> str:
    """The page, with a final newline. `pictures` are by kernel."""
    drawn = pictures or {}
    kernels = "".join(_kernel(result, drawn.get(result.kernel)) for result in profile.payloads)
    left_out = () if profile.bench is None else profile.bench.left_out
    rows = "".join(f"<tr><td>{_text(one.name)}</td><td>{_text(one.reason)}</td></tr>\n" for one in left_out)
    partial = (
        f"<p><strong>Incomplete:</strong> {_text(profile.limits.reason or '')}</p>\n"
        if profile.limits.partial
        else ""
    )
    device = profile.payloads[0].device if profile.payloads else "no payloads"
    copies = profile.bench.copies if profile.bench is not None else 0
    on_cpus = any(result.backend == "cpu" for result in profile.payloads)
    pinned = f"{copies} pinned {'copy' if copies == 1 else 'copies'}, " if on_cpus else ""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>sitecap: payloads</title>\n<style>{STYLE}{_MORE}</style>\n</head>\n<body>\n"
        f"<h1>Payloads on {_text(device)}</h1>\n"
        f'<p class="dim">{pinned}'
        f"{profile.created_at:%Y-%m-%d %H:%M} UTC, sitecap {_text(profile.agent.version)}</p>\n{partial}"
        f"{_tables(profile.payloads)}{kernels}"
        + (f"<h2>Left out</h2>\n<table>{rows}</table>\n" if rows else "")
        + f'<p class="dim">Profile <code>{_text(profile.id)}</code>, schema {_text(profile.schema_version)}.</p>\n'
        "</body>\n</html>\n"
    )


def _text(text: str) -> str:
    return escape(one_line(text), quote=True)


def _tables(results: tuple[PayloadResult, ...]) -> str:
    """One of the CPUs and one of each GPU."""
    places: dict[str, list[PayloadResult]] = {}
    for result in results:
        places.setdefault(place_of(result), []).append(result)
    tables = (
        _table(here)
        if here[0].backend == "cpu"
        else bench_device_html.table(here, [_first_cells(one) for one in here])
        for here in places.values()
    )
    return "".join(tables) + bench_device_html.together(results)


def _table(results: Sequence[PayloadResult]) -> str:
    head = ("Kernel", "Physics", "Events/s", "One copy", "Scaling", "Best / baseline", "Memory per copy")
    rows = "".join(
        f"<tr>{''.join(f'<td>{cell}</td>' for cell in _first_cells(result))}"
        f"<td>{_maybe(result.one_copy_events_per_s)}</td>"
        f"<td>{_times(result.events_per_s, result.one_copy_events_per_s)}</td>"
        f"<td>{_times(result.events_per_s, result.baseline_events_per_s)}</td>"
        f"<td>{_megabytes(result.memory_per_copy_bytes)}</td></tr>\n"
        for result in results
    )
    return f"<table><tr>{''.join(f'<th>{word}</th>' for word in head)}</tr>\n{rows}</table>\n"


def _first_cells(result: PayloadResult) -> tuple[str, str, str]:
    return (_text(result.kernel), _state(result), _rate(result))


def _state(result: PayloadResult) -> str:
    word = "right" if result.physics.right else ("wrong" if result.physics.metrics else "not judged")
    return f'<span class="verdict {_WORDS[state_of(result)]}">{word}</span>'


def _rate(result: PayloadResult) -> str:
    if result.events_per_s is None:
        return "–"
    if result.events_per_s_low is None or result.events_per_s_high is None:
        return number(result.events_per_s)
    half = (result.events_per_s_high - result.events_per_s_low) / 2 / result.events_per_s
    return f"{number(result.events_per_s)} ± {half * 100:.1f} %"


def _maybe(value: float | None) -> str:
    return "–" if value is None else number(value)


def _times(above: float | None, below: float | None) -> str:
    return "–" if above is None or below is None else f"{above / below:.2f}×"


def _megabytes(value: int | None) -> str:
    return "–" if value is None else f"{value / 1e6:.0f} MB"


def _kernel(result: PayloadResult, picture: Picture | None) -> str:
    where = "" if result.backend == "cpu" else f" on {place_of(result)}"
    parts = [f"<h2>{_text(result.kernel + where)}</h2>\n<p>{_text(result.title or '')}</p>\n"]
    why = [text for text in (result.reason, result.physics.reason) if text]
    parts += [f"<p><strong>{_text(sentence)}</strong></p>\n" for sentence in dict.fromkeys(why)]
    parts += [f'<p class="dim">{_text(sentence)}</p>\n' for sentence in result.remarks]
    for chart in (bars(result), scaling(result), bench_device_html.bars(result)):
        if chart:
            parts.append(f"<figure>{chart}</figure>\n")
    parts += [_picture(result, picture), _physics(result)]
    best = next((variant for variant in result.variants if variant.name == result.variant), None)
    if best is not None and best.stages_s:
        parts.append(
            f"<details><summary>Where the time goes</summary><figure>{stages(best)}</figure></details>\n"
        )
    parts.append(bench_device_html.details(result))
    return "".join(parts)


def _physics(result: PayloadResult) -> str:
    rows = "".join(
        f"<tr><td>{_text(metric.name)}</td>"
        f'<td class="number">{"not a number" if metric.value is None else significant(metric.value)}</td>'
        f'<td class="number">{_allowed(metric)}</td>'
        f'<td class="number">{"" if metric.unit == "1" else _text(metric.unit)}</td>'
        f"<td>{'' if metric.right else '<strong>wrong</strong> '}{_text(metric.means or '')}</td></tr>\n"
        for metric in result.physics.metrics
    )
    if not rows:
        return ""
    head = "".join(f"<th>{word}</th>" for word in ("Physics", "Value", "Allowed", "Unit", "Meaning"))
    return f"<table><tr>{head}</tr>\n{rows}</table>\n"


def _allowed(metric: PhysicsMetric) -> str:
    if metric.low is None or metric.high is None:
        return ""
    return f"{significant(metric.low)} to {significant(metric.high)}"


def _picture(result: PayloadResult, picture: Picture | None) -> str:
    if picture is None:
        return ""
    if picture.svg is None:
        return f'<p class="dim">No picture: {_text(picture.reason or "no reason given")}</p>\n'
    data = b64encode(picture.svg.encode()).decode()
    said = f"One event. {picture.reason}" if picture.reason else "The first of the events that were measured."
    return (
        f'<figure><img alt="One event of {_text(result.kernel)} with its result" src="data:image/svg+xml;base64,{data}">'
        f"<figcaption>{_text(said)}</figcaption></figure>\n"
    )
