"""What can go wrong in the service, as sentences for the person who asked. Doors turn them into statuses and exit codes."""

from __future__ import annotations


class CapacityError(Exception):
    """Base: the text says what is wrong, where, and what to do."""


class NotFoundError(CapacityError):
    """There is no such site, node, profile, token or calibration (HTTP 404)."""


class RefusedError(CapacityError):
    """Whoever asks may not do that (HTTP 403)."""


class BadInputError(CapacityError):
    """What was handed in cannot be used (HTTP 400 or 422, exit code 2)."""


class ConflictError(CapacityError):
    """It contradicts what is already there, such as an id that another document has (HTTP 409)."""


class UnavailableError(CapacityError):
    """The database cannot be asked now; nothing was acknowledged, so the sender keeps it (HTTP 503).

    Attributes:
        retry_after_s: seconds after which a sender should try again.
    """

    def __init__(self, message: str, retry_after_s: int = 10) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
