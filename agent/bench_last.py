"""The last result, kept beside the events so that `--show last` finds it."""

from __future__ import annotations

import os
from pathlib import Path

from profiles.profile import CapabilityProfile
from profiles.reading import MAX_PROFILE_BYTES, ProfileError, read_profile, write_profile

NAME = "last-bench.json"


def keep(profile: CapabilityProfile, place: Path) -> str | None:
    """Keep a profile; why not, in a sentence, if that cannot be done."""
    path = place / NAME
    unfinished = place / f".{NAME}.{os.getpid()}.part"
    try:
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        unfinished.write_text(write_profile(profile), "utf-8")
        unfinished.replace(path)
    except (OSError, ProfileError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        return f"the result is not kept for --show last: {path}: {reason}"
    return None


def read(path: Path) -> CapabilityProfile:
    """A profile from a file.

    Raises:
        ProfileError: there is none, or it is not a profile; the text says why.
    """
    try:
        with path.open("rb") as file:
            document = file.read(MAX_PROFILE_BYTES + 1)
    except OSError as error:
        hint = ": run `agent bench` first" if path.name == NAME else ""
        raise ProfileError(f"{path}: {error.strerror}{hint}") from error
    try:
        return read_profile(document)
    except ProfileError as error:
        raise ProfileError(f"{path}: {error}") from error
