"""What can be wrong on the way to a repository, as an exception with the class of the fault and one clause."""

from __future__ import annotations

CONTENT_FAULTS = frozenset(
    {"not-a-manifest", "not-a-whitelist", "not-a-certificate", "bad-hash", "bad-signature", "whitelist-signature", "truncated"}
)  # fmt: skip
"""Faults of what arrived: whether the proxy or the server is to blame shows when it is fetched without the proxy."""


class FaultError(Exception):
    """A step is broken.

    Attributes:
        name: class of the fault, e.g. "bad-hash"; shown in route tables and evidence.
        detail: one clause for people: what was seen.
        connected: False if no TCP connection came about, so that the step before the object is to blame.
    """

    def __init__(self, name: str, detail: str, *, connected: bool = True) -> None:
        super().__init__(f"{name}: {detail}")
        self.name = name
        self.detail = detail
        self.connected = connected
