"""Two profiles with payloads beside each other: ratios with intervals, and everything that makes them less than equal."""

from __future__ import annotations

import json
from dataclasses import dataclass

from agent.render.plain import one_line
from payloads.sampling import Interval, ratio
from profiles.payload_result import PayloadResult
from profiles.profile import CapabilityProfile


@dataclass(frozen=True, kw_only=True)
class Row:
    """One kernel in both profiles; B over A."""

    kernel: str
    a: float | None
    b: float | None
    ratio: Interval | None
    said: tuple[str, ...]

    @property
    def significant(self) -> bool:
        """Whether 1 lies outside twice the interval (95 %)."""
        found = self.ratio
        if found is None or found.low is None or found.high is None:
            return False
        return abs(found.median - 1) > 2 * (found.high - found.low) / 2


@dataclass(frozen=True)
class Comparison:
    """All kernels of either profile, and what differs between the two runs."""

    rows: tuple[Row, ...]
    said: tuple[str, ...]


def compare(a: CapabilityProfile, b: CapabilityProfile) -> Comparison:
    """B against A, kernel by kernel."""
    left = {_key(one): one for one in a.payloads}
    right = {_key(one): one for one in b.payloads}
    keys = list(dict.fromkeys((*left, *right)))
    rows = tuple(_row(_name(*key), left.get(key), right.get(key)) for key in keys)
    return Comparison(rows, tuple(_runs(a, b)))


def _key(result: PayloadResult) -> tuple[str, str]:
    """Where, and what: of several GPUs each is held against the one with its number."""
    return (result.backend if result.device_run is None else result.device_run.place), result.kernel


def _name(place: str, kernel: str) -> str:
    return kernel if ":" not in place else f"{kernel} {place}"


def _row(kernel: str, a: PayloadResult | None, b: PayloadResult | None) -> Row:
    said = []
    for side, one in (("A", a), ("B", b)):
        if one is None:
            said.append(f"{side} does not have it")
        elif one.events_per_s is None:
            said.append(f"{side} has no throughput: {one.reason or one.physics.reason or 'no reason given'}")
    found = None
    if a is not None and b is not None:
        said += _differences(a, b)
        same = a.version == b.version and _events_of(a) == _events_of(b)
        if a.events_per_s is not None and b.events_per_s is not None and same:
            found = ratio(_interval(b), _interval(a))
        elif not same:
            said.append("no ratio: the two did not do the same work")
    return Row(
        kernel=kernel,
        a=None if a is None else a.events_per_s,
        b=None if b is None else b.events_per_s,
        ratio=found,
        said=tuple(said),
    )


def _interval(result: PayloadResult) -> Interval:
    assert result.events_per_s is not None
    return Interval(result.events_per_s, result.events_per_s_low, result.events_per_s_high)


def _events_of(result: PayloadResult) -> tuple[object, ...]:
    chosen = result.event_set
    if chosen is None:
        return (result.events,)
    return (
        chosen.section,
        chosen.simulation_version,
        chosen.pile_up,
        chosen.seed,
        chosen.count,
        chosen.digest,
    )


def _differences(a: PayloadResult, b: PayloadResult) -> list[str]:
    said = []
    if a.version != b.version:
        said.append(f"versions of the kernel differ: {a.version} and {b.version}")
    if _events_of(a) != _events_of(b):
        said.append("the event sets differ")
    for what, left, right in (
        ("variants", a.variant, b.variant),
        ("compilers", a.compiler, b.compiler),
        ("flags", " ".join(a.flags), " ".join(b.flags)),
    ):
        if left and right and left != right:
            said.append(f"{what} differ: {left} and {right}")
    digests = [
        {variant.digest for variant in one.variants if variant.physics_right} - {None} for one in (a, b)
    ]
    same_work = a.version == b.version and _events_of(a) == _events_of(b)
    if same_work and all(digests) and digests[0] != digests[1]:
        said.append(
            "the results differ bit by bit, which equal versions never do: suspect a build or a machine"
        )
    for side, one in (("A", a), ("B", b)):
        if one.remarks:
            said.append(f"{side}: {one.remarks[0]}")
    return said


def _runs(a: CapabilityProfile, b: CapabilityProfile) -> list[str]:
    said = []
    if a.node.id != b.node.id:
        said.append("the machines differ")
    devices = [{one.device for one in profile.payloads} for profile in (a, b)]
    if devices[0] != devices[1] and all(devices):
        said.append(
            f"the processors differ: {', '.join(sorted(devices[0]))} and {', '.join(sorted(devices[1]))}"
        )
    if a.agent.version != b.agent.version:
        said.append(f"versions of sitecap differ: {a.agent.version} and {b.agent.version}")
    if a.bench is not None and b.bench is not None:
        if a.bench.copies != b.bench.copies:
            said.append(
                f"copies differ: {a.bench.copies} and {b.bench.copies}; totals are compared, not rates a copy"
            )
        if a.bench.mode != b.bench.mode:
            said.append(f"modes differ: {a.bench.mode} and {b.bench.mode}")
    said += [f"{side} holds no payloads" for side, one in (("A", a), ("B", b)) if not one.payloads]
    return said


def render_text(comparison: Comparison, width: int = 80) -> str:
    """One line a kernel; a ratio that is not one within 95 % is marked."""
    names = max((len(one_line(row.kernel, 20)) for row in comparison.rows), default=6)
    out = [f"  {'':{names}}  {'A events/s':>12}  {'B events/s':>12}  {'B / A':>20}"]
    for row in comparison.rows:
        mark = "≠" if row.significant else " "
        out.append(
            f"{mark} {one_line(row.kernel, 20):{names}}  {_number(row.a):>12}  {_number(row.b):>12}  {_ratio(row.ratio):>20}"
        )
        out += [f"    {one_line(sentence, 4 * width)}" for sentence in row.said]
    if comparison.said:
        out += ["", "Note", *(f"  {one_line(sentence, 4 * width)}" for sentence in comparison.said)]
    out += [
        "",
        "Ratios are of medians, with 68 % intervals; ≠ marks those that differ from 1 by more than two of them.",
    ]
    return "\n".join(out) + "\n"


def render_json(comparison: Comparison) -> str:
    """`{"kernels": [{kernel, a_events_per_s, b_events_per_s, ratio, low, high, notes}], "notes": […]}`."""
    rows = [
        {
            "kernel": row.kernel,
            "a_events_per_s": row.a,
            "b_events_per_s": row.b,
            "ratio": None if row.ratio is None else row.ratio.median,
            "low": None if row.ratio is None else row.ratio.low,
            "high": None if row.ratio is None else row.ratio.high,
            "differs": row.significant,
            "notes": list(row.said),
        }
        for row in comparison.rows
    ]
    return json.dumps({"kernels": rows, "notes": list(comparison.said)}, indent=1, ensure_ascii=False) + "\n"


def _number(value: float | None) -> str:
    return "–" if value is None else (f"{value:.0f}" if value >= 1000 else f"{value:.4g}")


def _ratio(found: Interval | None) -> str:
    if found is None:
        return "–"
    if found.low is None or found.high is None:
        return f"{found.median:.3f} ± ?"
    return f"{found.median:.3f} ± {(found.high - found.low) / 2:.3f}"
