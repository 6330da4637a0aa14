"""One event through all kernels → lines for a terminal: time and share of each, beside the share that CMS publishes. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from agent.bench_event import EventChoice, Step


def render(choice: EventChoice, steps: Sequence[Step]) -> str:
    """The table, with a final newline."""
    total_s = sum(step.seconds for step in steps)
    names = max((len(step.kernel) for step in steps), default=6)
    out = [heading(choice), "", f"{'kernel':<{names}}  {'takes':<12} {'ms':>9} {'share':>7} {'CMS':>6}"]
    for step in steps:
        cells = f"{step.after or 'detector':<12} {step.seconds * 1e3:>9.2f} {step.seconds / total_s:>7.1%}"
        published = "-" if step.published_share is None else f"{step.published_share:.0%}"
        out.append(f"{step.kernel:<{names}}  {cells} {published:>6}")
    out.append(f"{'all':<{names}}  {'':<12} {total_s * 1e3:>9.2f}")
    return "\n".join([*out, "", *NOTES]) + "\n"


def heading(choice: EventChoice) -> str:
    """Which event it is."""
    return f"Event {choice.event} of seed {choice.seed} at pile-up {choice.pile_up:g}, one core"


NOTES = (
    "share: of the time of these kernels; CMS: of its whole reconstruction, as it says GPUs may take over.",
    "The two have different wholes: what can be compared are ratios between kernels.",
)
