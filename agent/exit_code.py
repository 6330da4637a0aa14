"""The exit codes of `agent probe`, as a pure function of what was found."""

from __future__ import annotations

from agent.codes import FAILURES, NO_FAILURE, NOT_FINISHED
from profiles.checks import Status
from profiles.profile import CapabilityProfile

_SIGNALS = {"SIGINT": 130, "SIGTERM": 143}


def exit_code(
    profile: CapabilityProfile, *, strict: bool, interrupted_by: str | None, out_of_budget: bool
) -> int:
    """The exit code of a probe run; a time-out is never 0."""
    if interrupted_by:
        return _SIGNALS.get(interrupted_by, NOT_FINISHED)
    if out_of_budget:
        return NOT_FINISHED
    statuses = {check.status for check in profile.checks}
    if Status.CRITICAL in statuses:
        return FAILURES
    if profile.limits.partial:
        return NOT_FINISHED
    if strict and Status.WARNING in statuses:
        return FAILURES
    return NO_FAILURE
