"""API tokens: only the hash is kept, so that a stolen database opens nothing."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from capacity.store.tables import TokenRow

_USE_IS_NOTED_EVERY = timedelta(minutes=1)


class StoredToken(NamedTuple):
    """A token without its secret."""

    id: str
    hash: str  # SHA-256 of the secret, hexadecimal
    role: str
    site: str | None
    note: str | None
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None


_COLUMNS = tuple(getattr(TokenRow, name) for name in StoredToken._fields)


def add(session: Session, token: StoredToken) -> None:
    """Keep a new token."""
    session.add(TokenRow(**token._asdict()))
    session.flush()


def find(session: Session, token_id: str) -> StoredToken | None:
    """A token by its printed part, valid or not: whoever asks compares hash, expiry and revocation."""
    found = session.execute(select(*_COLUMNS).where(TokenRow.id == token_id)).one_or_none()
    return StoredToken(*found) if found else None


def listing(session: Session) -> list[StoredToken]:
    """All tokens, newest first."""
    found = session.execute(select(*_COLUMNS).order_by(TokenRow.created_at.desc(), TokenRow.id))
    return [StoredToken(*row) for row in found]


def revoke(session: Session, token_id: str, at: datetime) -> bool:
    """Take a token out of use; False if there is none. One that was revoked before keeps its first moment."""
    found = session.scalars(
        update(TokenRow)
        .where(TokenRow.id == token_id, TokenRow.revoked_at.is_(None))
        .values(revoked_at=at)
        .returning(TokenRow.id)
    ).all()
    return bool(found) or find(session, token_id) is not None


def note_use(session: Session, token_id: str, at: datetime) -> None:
    """Note when a token was last used, to the minute, so that a busy one does not write with each request."""
    session.execute(
        update(TokenRow)
        .where(
            TokenRow.id == token_id,
            or_(TokenRow.last_used_at.is_(None), TokenRow.last_used_at < at - _USE_IS_NOTED_EVERY),
        )
        .values(last_used_at=at)
    )
