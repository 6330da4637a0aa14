"""A tornado as text."""

from __future__ import annotations

from computing_model.sensitivity import Tornado

_WIDTH = 40


def text_of(found: Tornado) -> str:
    """One line an assumption that matters, the widest swing first, with a bar over the whole span."""
    ends = [value for swing in found.swings for value in (swing.low, swing.high)]
    least, most = min([*ends, found.middle]), max([*ends, found.middle])
    span = (most - least) or 1.0
    lines = [
        f"{found.resource} of {found.year}: {found.middle:,.0f}; each assumption alone, low end to high end"
    ]
    for swing in found.swings:
        if swing.low == swing.high:
            continue
        left, right = sorted((swing.low, swing.high))
        first, last = (round(_WIDTH * (value - least) / span) for value in (left, right))
        bar = " " * first + "█" * max(last - first, 0)
        lines.append(f"{swing.name:42.42} {swing.low:>12,.0f} {swing.high:>12,.0f}  {bar}".rstrip())
    return "\n".join(lines) + "\n"
