"""Taking profiles in: each is validated, then all that are right are kept together, then everybody is told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Literal

from capacity.service.principal import Principal, Role
from capacity.store import profiles
from capacity.store.database import Database
from capacity.store.profiles import NewProfile
from profiles.reading import ProfileError, read_profile

_MAX_SUBMITTER_CHARACTERS = 200
_AT_A_TIME = 250
"""Documents of one transaction: bounds memory and how long others wait; more would hardly make one cheaper."""


@dataclass(frozen=True)
class Verdict:
    """What became of one document.

    Attributes:
        index: its place among those that were handed in, from 0.
        id: of the profile; None if none could be read.
        status: stored and duplicate are good; the others were not kept.
        message: one sentence.
    """

    index: int
    id: str | None
    status: Literal["stored", "duplicate", "conflict", "invalid", "forbidden"]
    message: str


def accept(
    database: Database, documents: Sequence[bytes], principal: Principal, now: datetime
) -> list[Verdict]:
    """Keep profiles; one verdict a document, in order. When it returns, what is called stored is on the disk.

    Raises:
        RefusedError: the principal may not submit at all.
        UnavailableError: the database cannot be asked. Of many documents the first may have been kept: sent again,
            they are duplicates.
    """
    principal.require(Role.SUBMIT)
    verdicts: list[Verdict] = []
    for start in range(0, len(documents), _AT_A_TIME):
        verdicts += _accept(database, start, documents[start : start + _AT_A_TIME], principal, now)
    return verdicts


def _accept(
    database: Database, first: int, documents: Sequence[bytes], principal: Principal, now: datetime
) -> Iterator[Verdict]:
    read = [_read(first + place, document, principal, now) for place, document in enumerate(documents)]
    rows = [one for one in read if isinstance(one, NewProfile)]
    outcomes = iter(database.keep(rows) if rows else ())
    for place, one in enumerate(read):
        if isinstance(one, Verdict):
            yield one
        else:
            outcome = next(outcomes)
            yield Verdict(first + place, one.id, outcome, _SAYS[outcome])


_SAYS = {
    "stored": "stored",
    "duplicate": "this profile was stored before; nothing changed",
    "conflict": "another document has this id: nothing was stored; have the agent write a new profile",
}


def _read(index: int, document: bytes, principal: Principal, now: datetime) -> NewProfile | Verdict:
    try:
        profile = read_profile(document)
    except ProfileError as error:
        return Verdict(index, None, "invalid", str(error))
    site = profile.site.name if profile.site else principal.only_site
    if site is None:
        return Verdict(
            index,
            profile.id,
            "invalid",
            "the profile names no site and the sender may write for more than one: "
            "set the site in the agent's configuration, or use a token of one site",
        )
    if not principal.may_write_for(site):
        return Verdict(
            index,
            profile.id,
            "forbidden",
            f"the sender may not write for {site}: use a token of that site",
        )
    kept = document.strip()  # one that is sent alone ends with a newline, one among many does not
    return NewProfile(
        id=profile.id,
        site=site,
        node_id=profile.node.id,
        boot_key=profile.node.boot_key,
        created_at=profile.created_at,
        received_at=now,
        submitter=principal.subject[:_MAX_SUBMITTER_CHARACTERS],
        digest=blake2b(kept, digest_size=16).hexdigest(),
        size_bytes=len(kept),
        document=profiles.packed(kept),
    )
