"""What can go wrong with a payload, as sentences for an admin."""

from __future__ import annotations


class PayloadError(Exception):
    """A payload cannot be run or its result not be had; the message says why and what to do."""


class NotBuiltError(PayloadError):
    """The compiled kernels are not there."""
