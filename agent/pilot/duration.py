"""Durations as people write them into submit files: `90`, `90s`, `5m`, `1.5h`."""

from __future__ import annotations

import math
import re

_DURATION = re.compile(r"([0-9]{1,7}(?:\.[0-9]{1,3})?)\s*(s|m|h)?")
_UNIT_S = {None: 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}


def seconds(text: str) -> float:
    """A duration in seconds; a number without a unit is one of seconds.

    Raises:
        ValueError: it is none, or not more than zero; the text says what one looks like.
    """
    match = _DURATION.fullmatch(text.strip())
    value = float(match[1]) * _UNIT_S[match[2]] if match else 0.0
    if not 0 < value < math.inf:
        raise ValueError(
            f"{text[:40]!r} is not a duration: write seconds, minutes or hours, such as 90s, 5m or 1h"
        )
    return value


def shown(seconds_: float) -> str:
    """A duration for a sentence: `42 s`, `5 min`, `3.5 h`."""
    if seconds_ < 120:
        return f"{seconds_:.0f} s"
    if seconds_ < 7200:
        return f"{seconds_ / 60:.3g} min"
    return f"{seconds_ / 3600:.3g} h"
