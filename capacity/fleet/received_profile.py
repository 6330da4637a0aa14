"""A profile as it was received, with what the service noted of its arrival."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple


class ReceivedProfile(NamedTuple):
    """One profile, in the database or in a file of the archive.

    Attributes:
        sequence: counts all that were ever received.
        id: of the profile.
        node_id: of its node.
        created_at: by the node's clock, UTC.
        received_at: by the service's, UTC.
        seen_at: the earlier of the two, UTC.
        submitter: whose token it came with.
        digest: BLAKE2b-128 of the document, hexadecimal.
        document: JSON, as it was received.
    """

    sequence: int
    id: str
    node_id: str
    created_at: datetime
    received_at: datetime
    seen_at: datetime
    submitter: str
    digest: str
    document: bytes
