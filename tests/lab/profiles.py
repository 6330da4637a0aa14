"""What the tests of whole profiles share: a profile is valid and complete before anything in it is believed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from profiles.checks import CheckResult
from profiles.profile import CapabilityProfile
from profiles.reading import read_profile


class IncompleteProfileError(Exception):
    """A probe did not finish, so the profile is no ground for a test."""


def complete_profile(document: str) -> CapabilityProfile:
    """The profile in what the agent printed, if every probe of it finished.

    Raises:
        IncompleteProfileError: a probe did not finish; with its name and what is said of it.
        ProfileError: the document is not a valid profile.
    """
    profile = read_profile(document.encode())
    unfinished = [
        f"{run.name} {run.outcome} ({run.reason})"
        for run in profile.limits.probes
        if run.outcome != "finished"
    ]
    if unfinished or profile.limits.partial or not profile.limits.probes:
        raise IncompleteProfileError(
            f"the profile is not complete: {profile.limits.reason}; {', '.join(unfinished) or 'no probe ran'}"
        )
    return profile


def check(profile: CapabilityProfile, check_id: str) -> CheckResult:
    """The verdict of one check; KeyError if the profile has none."""
    return {result.id: result for result in profile.checks}[check_id]


def replayed(recording: Path) -> CapabilityProfile:
    """What the agent makes of a recording, natively."""
    done = subprocess.run(
        [sys.executable, "-m", "agent", "probe", "--json", "--quiet", "--replay", recording],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode in (0, 1), done.stderr
    return complete_profile(done.stdout)
