"""What can go wrong on the way to the service, as sentences for whoever reads the log."""

from __future__ import annotations


class DeliveryError(Exception):
    """Profiles cannot be handed in at all; the text says why and what to do."""


class SpoolError(DeliveryError):
    """The spool cannot keep a document, or cannot be read; the text names the place and the remedy."""
