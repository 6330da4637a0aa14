"""API tokens: made once, shown once, kept as a hash; checked, listed, revoked."""

from __future__ import annotations

import hmac
import re
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from capacity.errors import BadInputError, NotFoundError
from capacity.service.credentials import ApiToken, UnauthenticatedError, new_api_token
from capacity.service.principal import Principal, Role
from capacity.store import tokens as rows
from capacity.store.database import Database
from capacity.store.tokens import StoredToken

MAX_LIFE = timedelta(days=3660)
USED_PRECISION = timedelta(hours=1)
"""How exactly the last use is kept: writing it at every use would cost a transaction each."""

_SITE = re.compile(r"T[0-9]_[A-Z]{2}_[A-Za-z0-9_]{1,48}")  # as the profile has it
_DURATION = re.compile(r"([1-9][0-9]{0,5})([hdw])")
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


TokenState = Literal["active", "expired", "revoked"]


class Created(NamedTuple):
    """A new token: `text` is not kept anywhere and cannot be shown again."""

    id: str
    text: str
    expires_at: datetime | None


class TokenInfo(NamedTuple):
    """What may be shown of a token."""

    id: str
    role: Role
    site: str | None
    note: str | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None

    def state(self, now: datetime) -> TokenState:
        """Word for it: active, expired or revoked."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= now else "active"


def parse_duration(text: str) -> timedelta:
    """A life such as 12h, 90d or 4w.

    Raises:
        BadInputError: not of that form, or longer than ten years.
    """
    match = _DURATION.fullmatch(text.strip())
    life = int(match.group(1)) * _UNITS[match.group(2)] if match else None
    if life is None or life > MAX_LIFE:
        raise BadInputError(
            f"{text[:40]!r} is not a duration: write for example 12h, 90d or 4w, at most 10 years"
        )
    return life


def create(
    database: Database,
    *,
    role: Role,
    site: str | None,
    now: datetime,
    life: timedelta | None = None,
    note: str | None = None,
) -> Created:
    """Make a token and keep its hash.

    Args:
        database: where.
        role: what it may be used for.
        site: the site that it may write for; None = every site. A read token reads every site anyway.
        now: its date.
        life: how long it works; None = until it is revoked.
        note: whose it is, for the list.

    Raises:
        BadInputError: a site name that is none, an admin token of one site, or too long a note.
    """
    if site is not None and not _SITE.fullmatch(site):
        raise BadInputError(f"{site[:80]!r} is not a site name: write for example T2_LV_Example")
    if role is Role.ADMIN and site is not None:
        raise BadInputError("an admin token is for the whole service: leave the site out")
    if note is not None and (len(note) > 200 or not note.isprintable()):
        raise BadInputError("a note has at most 200 printable characters")
    token = new_api_token()
    expires_at = now + life if life is not None else None
    with database.session() as session:
        rows.add(
            session,
            StoredToken(
                id=token.id,
                hash=token.hash,
                role=role.value,
                site=site,
                note=note,
                created_at=now,
                expires_at=expires_at,
            ),
        )
    return Created(token.id, token.text, expires_at)


def all_tokens(database: Database) -> tuple[TokenInfo, ...]:
    """Every token, newest first."""
    with database.reading() as session:
        return tuple(_info(row) for row in rows.listing(session))


def revoke(database: Database, token_id: str, now: datetime) -> None:
    """From now on it is refused; again is no error.

    Raises:
        NotFoundError: there is no such token.
    """
    with database.session() as session:
        if not rows.revoke(session, token_id, now):
            raise NotFoundError(f"there is no token {token_id[:80]!r}: see `capacity token list`")


def verify(database: Database, token: ApiToken, now: datetime) -> tuple[Principal, datetime | None]:
    """Whose token it is, and when it expires.

    Raises:
        UnauthenticatedError: unknown, expired or revoked; which of them only the list tells.
        UnavailableError: the database cannot be asked.
    """
    with database.reading() as session:
        row = rows.find(session, token.id)
        info = _info(row) if row is not None else None
        known_hash = row.hash if row is not None else "0" * 64
    # The comparison takes the same time for every wrong token, and happens even if there is none of that id.
    right = hmac.compare_digest(known_hash, token.hash)
    if info is None or not right or info.state(now) != "active":
        raise UnauthenticatedError(
            "the token is not valid here (unknown, expired or revoked): ask for a new one"
        )
    if info.last_used_at is None or now - info.last_used_at > USED_PRECISION:
        with database.session() as session:
            rows.note_use(session, token.id, now)
    sites = None if info.site is None else frozenset({info.site})
    return Principal(subject=info.id, roles=frozenset({info.role}), sites=sites), info.expires_at


def _info(row: StoredToken) -> TokenInfo:
    return TokenInfo(
        id=row.id,
        role=Role(row.role),
        site=row.site,
        note=row.note,
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        last_used_at=row.last_used_at,
    )
