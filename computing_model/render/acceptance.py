"""The talk's numbers beside ours, as text."""

from __future__ import annotations

from collections.abc import Sequence

from computing_model.acceptance import Row


def text_of(rows: Sequence[Row]) -> str:
    """One line a number; "no" with the reason where the printed one does not follow."""
    lines = [f"{'id':14}{'quantity':46}{'printed':>9}{'computed':>11}{'rounded':>9}  follows  rule"]
    for row in rows:
        rounded = "" if row.rounded is None else f"{row.rounded:g}"
        end = row.rule if row.note is None else f"{row.rule}; {row.note}"
        lines.append(
            f"{row.id:14}{row.quantity:46.45}{row.printed:>9g}{row.computed:>11.6g}{rounded:>9}  "
            f"{'yes' if row.reproduces else 'no ':7}  {end}"
        )
    followed = sum(row.reproduces for row in rows)
    lines.append(f"{followed} of {len(rows)} follow")
    return "\n".join(lines) + "\n"
