"""What all renderers share: one safe line out of any text, numbers without exponents, order by severity."""

from __future__ import annotations

import math
import re

from profiles.checks import SEVERITY, CheckResult, Scalar, Status
from profiles.profile import CapabilityProfile

_NOT_PRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]+")
_NOT_ENCODABLE = re.compile("[\ud800-\udfff\ufffe\uffff]")
"""Surrogates, which UTF-8 cannot say, and the two characters that XML 1.0 does not allow even escaped."""

_SPACES = re.compile(r"\s+")

PROBLEMS = (Status.CRITICAL, Status.WARNING, Status.UNKNOWN)
"""Verdicts that somebody has to look at, the most severe first."""


def one_line(text: str, width: int | None = None) -> str:
    """The text on one line: control and direction marks become spaces; cut with "…" beyond `width`.

    A host file may hold terminal escapes, newlines that forge a second line of output, or marks that reverse
    the reading direction; none of them survives this. `width` is in characters.
    """
    text = _NOT_ENCODABLE.sub("\ufffd", _NOT_PRINTABLE.sub(" ", text))
    line = _SPACES.sub(" ", text).strip()
    if width is not None and len(line) > width:
        line = line[: max(width - 1, 0)].rstrip() + "…"
    return line


def number_text(value: Scalar | None) -> str | None:
    """A number in plain decimal notation, at most six decimals; None for what is not a finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    if isinstance(value, int):
        return str(value)
    return f"{value:.6f}".rstrip("0").rstrip(".")


def worst_first(checks: tuple[CheckResult, ...]) -> list[CheckResult]:
    """The checks that somebody has to look at, CRITICAL first; the catalogue's order within one severity."""
    return [check for status in PROBLEMS for check in checks if check.status is status]


def counts(checks: tuple[CheckResult, ...]) -> dict[Status, int]:
    """How many checks have each verdict, the most severe first, without zeros."""
    found = {status: sum(check.status is status for check in checks) for status in reversed(SEVERITY)}
    return {status: count for status, count in found.items() if count}


def counts_text(checks: tuple[CheckResult, ...]) -> str:
    """E.g. "1 critical, 2 warning, 30 ok"."""
    return ", ".join(f"{count} {status.lower()}" for status, count in counts(checks).items()) or "no checks"


def cores_text(profile: CapabilityProfile) -> str:
    """What the profile speaks for, e.g. "slot with 8 of 64 CPUs"; says so where a number is not known."""
    granted = number_text(profile.scope.cores_granted) or "an unknown number"
    present = profile.scope.cores_present
    of = f" of {present}" if present is not None else ""
    return f"{profile.scope.kind} with {granted}{of} CPUs"
