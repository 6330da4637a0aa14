"""What a pilot says at its end, a sentence each. Pure."""

from __future__ import annotations

from agent.pilot import summary
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
        if outcome.file is not None:
            said.append(f"left in {outcome.file}; hand it in from anywhere: agent submit {outcome.file}")
    if outcome.summary is not None:
        said.append(summary.sentence(outcome.summary))
    return said
