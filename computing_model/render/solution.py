"""What would have to be true, in words."""

from __future__ import annotations

from computing_model.sensitivity import Fit


def text_of(found: Fit) -> str:
    """Two lines: the question, the answer."""
    solution = found.solution
    return (
        f"{found.resource} of {found.year}: need {found.need_now:,.0f}, flat budget ({found.edge}) {solution.bound:,.0f}\n"
        f"it fits with {solution.key} = {solution.value:.4g} (now {solution.now:.4g})\n"
    )
