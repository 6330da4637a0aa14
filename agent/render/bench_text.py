"""The screen of `agent bench`: one line a kernel, what is wrong below it, then conditions and what was left out."""

from __future__ import annotations

import textwrap

from agent.render import bench_device_text
from agent.render.bench_device_text import place_of
from agent.render.plain import one_line
from agent.render.text import NARROWEST
from profiles.payload_result import PayloadResult, RateSeries, VariantResult
from profiles.profile import CapabilityProfile

NAME_WIDTH = 12
"""Kernels are called pixeltrack or so; with longer names a line would be longer than 80 columns."""

_COLOURS = {"ok": 32, "FAIL": 31, "part": 33, "skip": 90}
_HEAD = ("all copies", "one copy", "scaling", "vs base", "physics", "MB")
_WIDTHS = (14, 8, 7, 7, 7, 5)


def render(profile: CapabilityProfile, *, width: int, colour: bool = False, verbose: bool = False) -> str:
    """All but the first line of the screen."""
    width = max(width, NARROWEST)
    results = profile.payloads
    names = max((len(one_line(result.kernel, NAME_WIDTH)) for result in results), default=0)
    out: list[str] = [] if results else ["", *_fold(_heading(profile), width)]
    place = None
    for result in results:
        if place != place_of(result):
            place = place_of(result)
            on_cpus = result.backend == "cpu"
            heading = _heading(profile) if on_cpus else one_line(bench_device_text.heading(result))
            out += ["", *_fold(heading, width)]
            head, widths = _columns(result)
            cells = "  ".join(word.rjust(size) for word, size in zip(head, widths, strict=True))
            out.append(f"{'':9}{'':{names}} {cells}")
        out += _kernel(result, names, width, colour=colour)
        if verbose:
            out += _details(result, width)
    for sentence in bench_device_text.together(results):
        out += ["", *_fold(sentence, width)]
    out += _conditions(profile, width)
    out += _left_out(profile, width)
    out += ["", *_fold(_ending(profile), width)]
    return "\n".join(line.rstrip() for line in out) + "\n"


def _columns(result: PayloadResult) -> tuple[tuple[str, ...], tuple[int, ...]]:
    if result.backend == "cpu":
        return _HEAD, _WIDTHS
    return bench_device_text.HEAD, bench_device_text.WIDTHS


def state_of(result: PayloadResult) -> str:
    """ok: right and measured; part: right, but not all was measured; FAIL: wrong or broken; skip: not begun."""
    if result.failed:
        return "FAIL"
    if result.events_per_s is not None:
        return "ok" if result.reason is None else "part"
    return "part" if any(variant.series for variant in result.variants) else "skip"


def _heading(profile: CapabilityProfile) -> str:
    bench = profile.bench
    if bench is None or not profile.payloads:
        return "This profile holds no payloads."
    first = profile.payloads[0]
    copies = f"{bench.copies} {'copy' if bench.copies == 1 else 'copies'}"
    present = profile.scope.cores_present
    where = f"CPUs {first.cpus}" if first.cpus else "no CPUs"
    of = f" of {present}" if present is not None else ""
    return one_line(f"Events per second of {copies} on {where}{of}, {first.device}")


def _kernel(result: PayloadResult, names: int, width: int, *, colour: bool) -> list[str]:
    word = state_of(result)
    _, widths = _columns(result)
    row = "  ".join(text.rjust(size) for text, size in zip(_cells(result), widths, strict=True))
    line = f"  {word:<5}  {one_line(result.kernel, NAME_WIDTH):<{names}} {row}"
    if colour:
        line = line.replace(word, f"\033[{_COLOURS[word]}m{word}\033[0m", 1)
    out = [line]
    why = [text for text in (result.physics.reason if word == "FAIL" else None, result.reason) if text]
    for sentence in dict.fromkeys(why):
        out += _fold(one_line(sentence), width, first="        why   ", rest=" " * 14)
    told = " ".join(why)
    for variant in result.variants:
        # The same fault in another variant is not news.
        if variant.reason and variant.name != result.variant and _fault(variant) not in told:
            out += _fold(
                one_line(f"{variant.name}: {variant.reason}"), width, first="        also  ", rest=" " * 14
            )
    return out


def _cells(result: PayloadResult) -> tuple[str, ...]:
    if result.backend != "cpu":
        return bench_device_text.cells(result, _rate(result), _verdict(result))
    return (
        _rate(result),
        _number(result.one_copy_events_per_s),
        _times(result.events_per_s, result.one_copy_events_per_s),
        _times(result.events_per_s, result.baseline_events_per_s),
        _verdict(result),
        "–" if result.memory_per_copy_bytes is None else f"{result.memory_per_copy_bytes / 1e6:.0f}",
    )


def _fault(variant: VariantResult) -> str:
    return (variant.reason or "").partition("so it has no score: ")[2] or variant.reason or ""


def _rate(result: PayloadResult) -> str:
    if result.events_per_s is None:
        return "–"
    if result.events_per_s_low is None or result.events_per_s_high is None:
        return f"{_number(result.events_per_s)} ±  ?  "
    half = (result.events_per_s_high - result.events_per_s_low) / 2 / result.events_per_s
    return f"{_number(result.events_per_s)} ±{half * 100:4.1f} %"


def _number(value: float | None) -> str:
    return "–" if value is None else significant(value)


def significant(value: float) -> str:
    """Four significant digits, and no exponent for large ones."""
    if abs(value) >= 1000:
        return f"{value:.0f}"
    return f"{value:.4g}"


def _times(above: float | None, below: float | None) -> str:
    return "–" if above is None or below is None else f"{above / below:.2f}×"


def _verdict(result: PayloadResult) -> str:
    if result.physics.right:
        return "right"
    return "WRONG" if result.physics.metrics else "–"


def _details(result: PayloadResult, width: int) -> list[str]:
    out = []
    for variant in result.variants:
        out += _variant(variant, width)
    for word, text in bench_device_text.details(result):
        out += _fold(one_line(text), width, first=f"        {word:<7} ", rest=" " * 16)
    for metric in result.physics.metrics:
        value = (
            "not a number"
            if metric.value is None
            else f"{significant(metric.value)} {_unit(metric.unit)}".strip()
        )
        allowed = (
            ""
            if metric.low is None or metric.high is None
            else f" ({significant(metric.low)} to {significant(metric.high)})"
        )
        mark = "" if metric.right else "  WRONG"
        out += _fold(
            one_line(f"{metric.name}: {value}{allowed}{mark}"), width, first="        physics ", rest=" " * 16
        )
    chosen = result.event_set
    if chosen is not None:
        size = "" if chosen.size_bytes is None else f", {chosen.size_bytes / 1e6:.0f} MB"
        text = f"{chosen.count} of section {chosen.section} at pile-up {chosen.pile_up:g}, seed {chosen.seed}{size}"
        out += _fold(one_line(text), width, first="        events  ", rest=" " * 16)
    return out


def _unit(unit: str) -> str:
    return "" if unit == "1" else unit


def _variant(variant: VariantResult, width: int) -> list[str]:
    lanes = "" if variant.lanes is None else f", {variant.lanes} {'lane' if variant.lanes == 1 else 'lanes'}"
    out = _fold(
        one_line(f"{variant.name} ({variant.role}{lanes}, {variant.compiler or 'not loaded'})"),
        width, first="        variant ", rest=" " * 16,
    )  # fmt: skip
    for series in variant.series:
        out += _fold(_series(series), width, first=" " * 18, rest=" " * 20)
    total = sum(variant.stages_s.values())
    if total > 0:
        parts = sorted(variant.stages_s.items(), key=lambda item: -item[1])
        text = ", ".join(f"{name} {seconds / total:.0%}" for name, seconds in parts[:8])
        out += _fold(f"{total * 1e3:.3g} ms/event: {one_line(text)}", width, first=" " * 18, rest=" " * 20)
    return out


def _series(series: RateSeries) -> str:
    ends = (
        ""
        if series.low is None or series.high is None
        else f" [{_number(series.low)}, {_number(series.high)}]"
    )
    copies = f"{series.copies} {'copy' if series.copies == 1 else 'copies'}"
    aside = f", {len(series.set_aside)} set aside" if series.set_aside else ""
    return f"{copies}: {_number(series.events_per_s)}{ends}, {len(series.samples)} repeats{aside}"


def _conditions(profile: CapabilityProfile, width: int) -> list[str]:
    rows = [
        (one_line(result.kernel, NAME_WIDTH), remark)
        for result in profile.payloads
        for remark in result.remarks
    ]
    if not rows:
        return []
    names = max(len(name) for name, _ in rows)
    out = ["", "Conditions"]
    last = None
    for name, remark in rows:
        shown = name if name != last else ""
        last = name
        out += _fold(one_line(remark), width, first=f"  {shown:<{names}}  ", rest=" " * (names + 4))
    return out


def _left_out(profile: CapabilityProfile, width: int) -> list[str]:
    left_out = () if profile.bench is None else profile.bench.left_out
    if not left_out:
        return []
    rows = [(one_line(one.name, NAME_WIDTH), one_line(one.reason)) for one in left_out]
    names = max(len(name) for name, _ in rows)
    out = ["", "Left out"]
    for name, reason in rows:
        out += _fold(reason, width, first=f"  {name:<{names}}  ", rest=" " * (names + 4))
    return out


def _ending(profile: CapabilityProfile) -> str:
    states = [state_of(result) for result in profile.payloads]
    words = (("FAIL", "failed"), ("part", "in part"), ("skip", "not measured"), ("ok", "right"))
    counted = ", ".join(f"{states.count(state)} {word}" for state, word in words if state in states)
    took = "" if profile.bench is None else f" in {profile.bench.duration_s:.0f} s"
    text = f"{counted or 'no kernels'}{took}. Nothing was sent."
    if profile.limits.partial:
        text = f"PARTIAL: {one_line(profile.limits.reason or '')}. {text}"
    return text


def _fold(text: str, width: int, first: str = "", rest: str = "") -> list[str]:
    if width < 60:
        rest = rest[:10]
    return textwrap.wrap(
        text or "-", width, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False
    )
