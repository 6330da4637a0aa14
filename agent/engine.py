"""What the container engines share: their names, and the one exception."""

from __future__ import annotations

ENGINES = ("docker", "podman", "apptainer")
"""What `--container` can start an image with."""


class EngineError(Exception):
    """The agent could not be run in a container; the text is one sentence: what, where, what to do."""
