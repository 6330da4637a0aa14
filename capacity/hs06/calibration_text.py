"""A calibration as text: what it stands on, what it is worth on families that it did not see, what was left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from capacity.hs06.calibration import PROVISIONAL_SIGMA, Calibration

_MOST_LEFT_OUT = 10


def told(calibration: Calibration) -> str:
    """For a screen, with a final newline."""
    return "\n".join(_lines(calibration)) + "\n"


def _lines(calibration: Calibration) -> Iterator[str]:
    kinds: Counter[str] = Counter(one.kind for one in calibration.inputs)
    yield f"calibration {calibration.version}, made {calibration.created_at.isoformat(timespec='seconds')}"
    if calibration.note:
        yield calibration.note
    if calibration.provisional:
        yield "PROVISIONAL: no node with a measured score stands behind it; intervals are 25 % or wider"
    stands_on = ", ".join(
        f"{kinds[kind]} × {says}"
        for kind, says in (
            ("HS23", "measured HS23"),
            ("HS06", "measured HS06"),
            ("expected", "expected by name"),
        )
        if kinds[kind]
    )
    yield f"stands on: {stands_on}"
    worth = max(calibration.sigma, PROVISIONAL_SIGMA if calibration.provisional else calibration.floor)
    yield f"a node of a family that it did not see: ± {worth:.1%}, and what the fit itself is unsure of"
    yield ""
    yield f"{'kernel':<16}{'version':<9}{'weight':>8}{'±':>8}{'reference events/s per CPU':>29}"
    for term in calibration.terms:
        yield (
            f"{term.kernel:<16}{term.version:<9}{term.weight:>8.3f}{term.weight_sigma:>8.3f}"
            f"{term.reference_events_per_s:>29.4g}"
        )
    yield f"SMT on against off, beyond what the kernels show: {calibration.smt:+.1%}"
    if calibration.families:
        yield ""
        yield f"{'family left out':<24}{'nodes':>6}{'outliers':>9}{'rms':>8}{'bias':>8}{'by name':>9}"
    for family in calibration.families:
        yield (
            f"{family.family:<24}{family.nodes:>6}{family.outliers:>9}{_share(family.rms):>8}"
            f"{_share(family.bias, sign='+'):>8}{_share(family.expected_rms):>9}"
        )
    for one in calibration.residuals:
        if one.outlier:
            ratio = one.target_hs23_per_core / one.fitted_hs23_per_core
            yield f"outlier, not counted: {one.id} ({one.cpu_model or 'no name'}): {ratio:.2f} times what its payloads say"
    for left in calibration.left_out[:_MOST_LEFT_OUT]:
        yield f"left out: {left.id}: {left.reason}"
    if len(calibration.left_out) > _MOST_LEFT_OUT:
        yield f"left out: {len(calibration.left_out) - _MOST_LEFT_OUT} more, see --json"


def _share(value: float | None, sign: str = "") -> str:
    return "-" if value is None else f"{value:{sign}.1%}"
