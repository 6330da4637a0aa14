"""Sites, where they belong, and what federations pledged."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select, union
from sqlalchemy.orm import Session

from capacity.fleet.model import Pledge, SiteInfo
from capacity.store.tables import NodeRow, PledgeRow, SiteRow
from capacity.store.upserts import dialect_of, insert_into


def put(session: Session, sites: Sequence[SiteInfo], source: str, at: datetime) -> None:
    """Write what is known of sites over what was known; a site that is not named keeps what it has."""
    if not sites:
        return
    insert = insert_into(dialect_of(session), SiteRow)
    columns = ("federation", "country", "tier", "source", "updated_at")
    session.execute(
        insert.on_conflict_do_update(
            index_elements=["name"], set_={name: insert.excluded[name] for name in columns}
        ),
        [
            {**site.model_dump(), "source": source[:200], "updated_at": at}
            for site in sorted({site.name: site for site in sites}.values(), key=lambda site: site.name)
        ],
    )


def put_pledges(session: Session, pledges: Sequence[Pledge]) -> None:
    """Write pledges over those of the same federation and year."""
    if not pledges:
        return
    insert = insert_into(dialect_of(session), PledgeRow)
    session.execute(
        insert.on_conflict_do_update(
            index_elements=["federation", "year"],
            set_={"cpu_hs23": insert.excluded.cpu_hs23, "source": insert.excluded.source},
        ),
        [
            {
                "federation": pledge.federation,
                "year": pledge.year,
                "cpu_hs23": pledge.cpu_hs23,
                "source": pledge.source[:200],
            }
            for _, pledge in sorted({(one.federation, one.year): one for one in pledges}.items())
        ],
    )


def described(session: Session) -> list[SiteInfo]:
    """Sites that somebody described, by name."""
    found = session.execute(
        select(SiteRow.name, SiteRow.federation, SiteRow.country, SiteRow.tier).order_by(SiteRow.name)
    )
    return [SiteInfo(name=row[0], federation=row[1], country=row[2], tier=row[3]) for row in found]


def infos(session: Session) -> list[SiteInfo]:
    """All sites by name: those that somebody described and those that only have nodes."""
    names = union(select(SiteRow.name), select(NodeRow.site)).subquery()
    found = session.execute(
        select(names.c[0], SiteRow.federation, SiteRow.country, SiteRow.tier)
        .outerjoin(SiteRow, SiteRow.name == names.c[0])
        .order_by(names.c[0])
    )
    return [SiteInfo(name=row[0], federation=row[1], country=row[2], tier=row[3]) for row in found]


def info(session: Session, name: str) -> SiteInfo | None:
    """One site; None if nobody described it and it has no node."""
    found = session.get(SiteRow, name)
    if found is not None:
        return SiteInfo(name=name, federation=found.federation, country=found.country, tier=found.tier)
    seen = session.scalar(select(NodeRow.site).where(NodeRow.site == name).limit(1))
    return SiteInfo(name=name) if seen else None


def pledges(session: Session, year: int | None = None) -> list[Pledge]:
    """Pledges of one year, or all, by federation and year."""
    statement = select(PledgeRow).order_by(PledgeRow.federation, PledgeRow.year)
    if year is not None:
        statement = statement.where(PledgeRow.year == year)
    return [
        Pledge(federation=row.federation, year=row.year, cpu_hs23=row.cpu_hs23, source=row.source)
        for row in session.scalars(statement)
    ]
