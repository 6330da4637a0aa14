"""What a pilot says at its end, a sentence each. Pure."""

from __future__ import annotations

from agent.pilot import summary
from agent.pilot.hand_over import Handed
from agent.pilot.run import Outcome
from agent.render.exit_maps import overall


def words(outcome: Outcome) -> list[str]:
    """What went wrong, what was found, and where it is."""
    said = list(outcome.remarks)
    profile = outcome.profile
    if outcome.waited_for is not None:
        said.append(outcome.waited_for)
    elif profile is None:
        said.append("no profile could be made")
    else:
        measured = [one.kernel for one in profile.payloads if one.events_per_s is not None]
        partial = f", incomplete: {profile.limits.reason}" if profile.limits.partial else ""
        said.append(
            f"profile {profile.id}: {overall(profile)}, {len(profile.checks)} checks, "
            f"{len(measured)} kernels measured{partial}"
        )
        if outcome.handed is not None:
            said.append(_of_delivery(outcome.handed))
        if outcome.file is not None:
            delivered = outcome.handed is not None and outcome.handed.delivered
            hint = "" if delivered else f"; hand it in from anywhere: agent submit {outcome.file}"
            said.append(f"left in {outcome.file}{hint}")
    if outcome.summary is not None:
        said.append(summary.sentence(outcome.summary))
    return said


def _of_delivery(handed: Handed) -> str:
    if handed.delivered:
        return f"delivered: {handed.sentence}"
    waits = f"; it waits in {handed.waits_in}" if handed.waits_in else ""
    return f"not delivered: {handed.sentence}{waits}"
