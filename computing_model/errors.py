"""Why a plan cannot be made."""

from __future__ import annotations


class ModelError(Exception):
    """The assumptions cannot be used; the text names the key, where it came from, and the remedy."""
