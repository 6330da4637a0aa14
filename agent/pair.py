"""`agent probe --container`: look again from inside a container, and show both views."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator, Sequence
from types import FrameType

from agent.codes import FAILURES, NOT_FINISHED
from agent.engines import EngineError, probe_in_container
from agent.exit_code import exit_code
from agent.run import Request
from agent.side_by_side import Comparison, compare, render_json, render_markdown, render_text
from probes.remote_settings import TrafficSettings
from profiles.profile import CapabilityProfile

FORMATS = ("text", "json", "markdown")
START_S = 30.0
"""What an engine may take to create, start and remove a container, beside the agent's own budget."""


def check_request(request: Request, format_name: str) -> None:
    """Refuse what cannot be combined with a container.

    Raises:
        EngineError: a recording or another root is looked at, or the format has no place for two profiles.
    """
    if format_name not in FORMATS:
        raise EngineError(
            f"--container shows two profiles: choose {', '.join(FORMATS)} instead of {format_name}"
        )
    if request.replay is not None or request.root != "/":
        raise EngineError("--container compares with this machine: leave --replay and --root out")


def look_inside(
    host: CapabilityProfile, request: Request, container: tuple[str, str], names: Sequence[str]
) -> Comparison:
    """Probe inside a container of `container` = (engine, image) with the same probes and settings.

    Raises:
        EngineError: see `agent.engines.probe_in_container`.
        SystemExit: SIGINT or SIGTERM came; the container has been removed.
    """
    engine, image = container
    # Inside there is no cache, and the two looks are to be of one moment: no waiting for a turn there.
    settings = request.config.model_copy(update={"traffic": TrafficSettings()})
    with _ended_by_signals():
        inside = probe_in_container(
            engine, image, names, settings=settings, timeout_s=request.config.budget_s + START_S
        )
    return compare(host, inside)


def render(comparison: Comparison, format_name: str, width: int) -> str:
    """The comparison in one of `FORMATS`."""
    if format_name == "json":
        return render_json(comparison)
    if format_name == "markdown":
        return render_markdown(comparison)
    return render_text(comparison, width)


def worse_code(host_code: int, comparison: Comparison, *, strict: bool) -> int:
    """The exit code for both views: a failed check in either counts, then a view that was not finished."""
    inside = exit_code(comparison.container, strict=strict, interrupted_by=None, out_of_budget=False)
    return next(
        (code for code in (FAILURES, NOT_FINISHED) if code in (host_code, inside)), max(host_code, inside)
    )


@contextlib.contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Let SIGINT and SIGTERM unwind the stack, so that the container is removed on the way out."""

    def leave(number: int, _frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    before = {number: signal.signal(number, leave) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
