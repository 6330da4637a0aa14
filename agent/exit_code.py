"""The exit codes of `agent probe` and `agent bench`, as pure functions of what was found."""

from __future__ import annotations

from agent.codes import FAILURES, NO_FAILURE, NOT_FINISHED
from profiles.checks import Status
from profiles.profile import CapabilityProfile

SIGNALS = {"SIGINT": 130, "SIGTERM": 143}


def exit_code(
    profile: CapabilityProfile, *, strict: bool, interrupted_by: str | None, out_of_budget: bool
) -> int:
    """The exit code of a probe run; a time-out is never 0."""
    if interrupted_by:
        return SIGNALS.get(interrupted_by, NOT_FINISHED)
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


def bench_exit_code(profile: CapabilityProfile, *, interrupted_by: str | None) -> int:
    """The exit code of a benchmark; kernels that the budget left out are never 0."""
    if interrupted_by:
        return SIGNALS.get(interrupted_by, NOT_FINISHED)
    if profile.bench is None or profile.bench.reason or not profile.payloads:
        return NOT_FINISHED
    if any(one.failed for one in profile.payloads):
        return FAILURES
    if any(one.events_per_s is None or one.reason for one in profile.payloads):
        return NOT_FINISHED
    return NO_FAILURE
