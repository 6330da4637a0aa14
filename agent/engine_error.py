"""The one exception of the container engines."""

from __future__ import annotations


class EngineError(Exception):
    """The agent could not be run in a container; the text is one sentence: what, where, what to do."""
