"""Numbers, intervals, sizes and moments as the pages print them. Pure functions; registered as template filters."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from markupsafe import Markup, escape

NARROW = "\u202f"
"""Narrow space that does not break: between groups of digits and before a unit."""

_BINARY = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
_AGES = ((86400, "d"), (3600, "h"), (60, "min"))
_ASYMMETRIC = 0.25
"""Arms of an interval that differ by more than this share of their mean are both printed."""


def grouped(value: float, decimals: int = 0) -> str:
    """A number with groups of three digits; 1 234 567."""
    return f"{value:,.{decimals}f}".replace(",", NARROW).replace("-", "−")


def number(value: float | None, digits: int = 3) -> str:
    """A number to so many significant digits; whole numbers of more digits stay whole."""
    if value is None or not math.isfinite(value):
        return "—"
    if value == 0:
        return "0"
    decimals = digits - 1 - math.floor(math.log10(abs(value)))
    if float(value).is_integer() or decimals <= 0:
        return grouped(value)
    text = grouped(value, min(decimals, 6))
    return text.rstrip("0").rstrip(".") if "." in text else text


def whole(value: float | None) -> str:
    """A number without decimals, in groups of three digits."""
    return "—" if value is None or not math.isfinite(value) else grouped(value)


def coded(text: str) -> Markup:
    """Text in which `words between backticks` stand as code; everything is escaped."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return escape(text)
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if index % 2 else escape(part)
        for index, part in enumerate(parts)
    )


def interval(value: float, low: float, high: float) -> str:
    """A figure with its interval: ``12.3 ± 1.1``, or ``12.3 +2.9 −2.1`` where the arms differ.

    Both are rounded to two significant digits of the shorter arm (at most two decimals).
    """
    up, down = max(high - value, 0.0), max(value - low, 0.0)
    if up == down == 0 or not all(map(math.isfinite, (value, low, high))):
        return number(value)
    places = _places(min(arm for arm in (up, down) if arm > 0))
    if abs(up - down) > _ASYMMETRIC * (up + down) / 2:
        return f"{_rounded(value, places)} +{_rounded(up, places)} −{_rounded(down, places)}"
    return f"{_rounded(value, places)} ± {_rounded((up + down) / 2, places)}"


def _places(arm: float) -> int:
    """Decimals (negative: tens) that leave two significant digits of `arm`."""
    return min(1 - math.floor(math.log10(arm)), 2)


def _rounded(value: float, places: int) -> str:
    return grouped(round(value, places), max(places, 0))


def percent(share: float | None, decimals: int = 0) -> str:
    """A share as per cent."""
    if share is None or not math.isfinite(share):
        return "—"
    return f"{grouped(share * 100, decimals)}{NARROW}%"


def size(count_bytes: float | None) -> str:
    """A number of bytes in binary units."""
    if count_bytes is None:
        return "—"
    value, unit = float(count_bytes), 0
    while value >= 1024 and unit < len(_BINARY) - 1:
        value, unit = value / 1024, unit + 1
    return f"{number(value)}{NARROW}{_BINARY[unit]}"


def moment(at: datetime | None) -> str:
    """A moment as UTC, to the minute."""
    return "—" if at is None else f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def machine_moment(at: datetime) -> str:
    """A moment for the ``datetime`` attribute of ``<time>``."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def age(seconds: float) -> str:
    """How long ago, in the largest unit that fits."""
    for length, unit in _AGES:
        if seconds >= length:
            return f"{grouped(seconds // length)}{NARROW}{unit}"
    return "less than a minute"
