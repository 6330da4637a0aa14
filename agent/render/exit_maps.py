"""Exit status of the process as the caller's dialect wants it: pure functions of the profile.

* `nagios`: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN (Monitoring Plugins guidelines; SAM/ETF and DIRAC too).
* `glidein`: a validation script of glideinWMS may end with 0 or 1 only, and 1 stops the pilot; so 1 is kept for
  CRITICAL and for a run that did not get to its end: a node that hangs is no better than one that fails.
* `npd`: custom plug-ins of node-problem-detector: 0 no problem, 1 problem, 2 unknown. A warning is no reason for
  a condition on the node, so it is 0.
* `always0`: for callers that read the output and take any other status as "the tool is broken" (HTCondor's
  startd cron).
"""

from __future__ import annotations

from typing import Literal, get_args

from profiles.checks import Status, worst
from profiles.profile import CapabilityProfile

ExitMap = Literal["nagios", "glidein", "npd", "always0"]

EXIT_MAPS: tuple[ExitMap, ...] = get_args(ExitMap)

_NAGIOS = {Status.OK: 0, Status.SKIPPED: 0, Status.WARNING: 1, Status.CRITICAL: 2, Status.UNKNOWN: 3}


def overall(profile: CapabilityProfile) -> Status:
    """One verdict for the whole profile.

    A partial profile is never better than UNKNOWN, nor is one without any check: nothing failed, but nobody
    looked.
    """
    verdict = worst([check.status for check in profile.checks])
    if verdict in (Status.OK, Status.SKIPPED):
        return Status.UNKNOWN if profile.limits.partial or not profile.checks else Status.OK
    return verdict


def exit_status(profile: CapabilityProfile, exit_map: ExitMap) -> int:
    """Exit status for one profile in one dialect."""
    verdict = overall(profile)
    match exit_map:
        case "always0":
            return 0
        case "nagios":
            return _NAGIOS[verdict]
        case "glidein":
            return int(verdict is Status.CRITICAL or profile.limits.partial or not profile.checks)
        case "npd":
            return {Status.CRITICAL: 1, Status.UNKNOWN: 2}.get(verdict, 0)
