"""The exit codes of `agent probe`, as a pure function of what was found."""

from __future__ import annotations

from profiles.checks import Status
from profiles.profile import CapabilityProfile

NO_FAILURE = 0
FAILURES = 1
USAGE = 2
NOT_FINISHED = 3
NOT_DELIVERED = 4

MEANING = {
    0: "no check failed; warnings are allowed unless --strict",
    1: "at least one check is CRITICAL, or with --strict WARNING",
    2: "the command line or the configuration is wrong",
    3: "the agent could not finish: a probe crashed, hung or was out of time, the node is locked, output was lost",
    4: "a profile was made but could not be delivered",
    130: "interrupted (SIGINT); the profile is partial",
    143: "terminated (SIGTERM); the profile is partial",
}
"""What `docs/reference` and `--help` say of each code."""

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
