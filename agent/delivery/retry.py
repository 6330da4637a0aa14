"""How long to wait before the next attempt. Pure: randomness and clocks are given."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


def pause_s(
    failures: int, *, first_s: float, max_s: float, retry_after_s: float | None, random: float
) -> float:
    """Seconds to wait after a failure.

    Exponential back-off of which one half is left to chance, so that many agents that lost the service together do not come
    back together ("equal jitter", M. Brooker, AWS Architecture Blog, 2015). Never sooner than the service asked for.

    Args:
        failures: in a row, 1 or more.
        first_s: for the first of them, before chance.
        max_s: the longest, before Retry-After.
        retry_after_s: what the service asked for; None = nothing.
        random: even in [0, 1).
    """
    ceiling = min(max_s, math.ldexp(first_s, min(failures - 1, 64)))
    own = ceiling / 2 * (1 + random)
    return own if retry_after_s is None else max(own, retry_after_s + random * first_s)


def retry_after_s(headers: Mapping[str, str], *, max_s: float, now: datetime) -> float | None:
    """What `Retry-After` asks for (RFC 9110 §10.2.3), in seconds from now; None if it is absent or malformed.

    Args:
        headers: of the answer, names in lower case.
        max_s: more than this is not waited.
        now: by this node's clock. A date counts from the `Date` of the answer, if it has one: this clock may be wrong.
    """
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return float(min(int(text[:18]), max_s))
    at = _date(text)
    if at is None:
        return None
    return min(max(0.0, (at - (_date(headers.get("date", "")) or now)).total_seconds()), max_s)


def _date(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
