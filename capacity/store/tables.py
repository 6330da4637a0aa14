"""The tables. A change here needs a migration in `store/migrations/`; a test compares the two."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Date,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    MetaData,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from capacity.store.types import BIG_NUMBER, Json, UtcDateTime

_NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Table(DeclarativeBase):
    """Base of all tables."""

    metadata = MetaData(naming_convention=_NAMES)


class ProfileRow(Table):
    """A document as it was received. The row is the acknowledgement: it is committed before anybody is answered."""

    __tablename__ = "profile"
    __table_args__ = (
        UniqueConstraint("id"),
        Index("ix_profile_site_node_id_sequence", "site", "node_id", "sequence"),
        Index("ix_profile_received_day_site", "received_day", "site"),  # the archive is cut by both
        {
            "sqlite_autoincrement": True
        },  # a number is never given twice, not even after the archive took the last
    )

    # Order of arrival; within a node also order of commit, so that "what came since" leaves nothing out.
    sequence: Mapped[int] = mapped_column(BIG_NUMBER, primary_key=True, autoincrement=True)
    id: Mapped[str] = mapped_column(String(36))
    site: Mapped[str] = mapped_column(String(64))
    node_id: Mapped[str] = mapped_column(String(32))  # canonical, see NodeKeyRow
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)  # as the agent's clock said
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)  # the earlier of the two
    received_day: Mapped[date] = mapped_column(Date)  # UTC
    submitter: Mapped[str] = mapped_column(String(200))  # token id, or subject@issuer
    digest: Mapped[str] = mapped_column(String(32))  # BLAKE2b-128 of the document
    size_bytes: Mapped[int]
    document: Mapped[bytes] = mapped_column(LargeBinary)  # packed, see store.packing


class ArchivedRow(Table):
    """A profile that lies in the archive: what came once is still known when it comes again, and can be found."""

    __tablename__ = "archived"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    site: Mapped[str] = mapped_column(String(64))
    digest: Mapped[str] = mapped_column(String(32))
    path: Mapped[str] = mapped_column(String(300))


class NodeRow(Table):
    """One machine of one site; keyed by both, so that nobody writes over another site's node."""

    __tablename__ = "node"
    __table_args__ = (
        Index("ix_node_pending_since", "pending_since"),
        Index("ix_node_cpu_key", "cpu_key"),
        Index("ix_node_severity_hs23_granted", "severity", "hs23_granted"),
    )

    site: Mapped[str] = mapped_column(String(64), primary_key=True)
    node_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    first_seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_seen_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    profiles: Mapped[int] = mapped_column(BigInteger, default=0)
    pending_since: Mapped[datetime | None] = mapped_column(
        UtcDateTime
    )  # has profiles that state does not know
    claimed_until: Mapped[datetime | None] = mapped_column(UtcDateTime)  # a refresher is at work until then
    newest: Mapped[int] = mapped_column(BigInteger, default=0)  # sequence of the last profile that came
    absorbed: Mapped[int] = mapped_column(BigInteger, default=0)  # sequence of the last profile in state
    revision: Mapped[int] = mapped_column(
        BigInteger, default=0
    )  # raised whenever state is written or dropped
    # What is asked for over many nodes stands in columns of its own, copied from state.
    hostname: Mapped[str | None] = mapped_column(String(255))
    cpu_key: Mapped[str | None] = mapped_column(String(120))
    arch: Mapped[str | None] = mapped_column(String(16))
    logical_cpus: Mapped[int | None]
    granted_cores: Mapped[float | None]
    hs23_per_core: Mapped[float | None]
    hs23_granted: Mapped[float | None]
    sigma: Mapped[float | None]
    method: Mapped[str | None] = mapped_column(String(16))
    provisional: Mapped[bool | None]
    calibration_version: Mapped[str | None] = mapped_column(String(40))
    catalogue_version: Mapped[str | None] = mapped_column(String(40))
    usable: Mapped[bool | None]
    unusable_reason: Mapped[str | None] = mapped_column(Text)
    findings: Mapped[int] = mapped_column(default=0)
    gpus: Mapped[dict[str, Any] | None] = mapped_column(Json)  # device → number
    # After what sums are made of, so that SQLite reads that without the pages that a long value flows over to.
    state: Mapped[dict[str, Any] | None] = mapped_column(Json)  # fleet.model.NodeState
    # A page asks for these of a hundred nodes; to read their states would take ten times as long.
    severity: Mapped[int] = mapped_column(default=0, server_default="0")  # of worst, see fleet.attention
    worst: Mapped[dict[str, Any] | None] = mapped_column(Json)  # hs06.model.Finding
    checks: Mapped[list[dict[str, Any]] | None] = mapped_column(Json)  # of the latest look, CheckView


class NodeKeyRow(Table):
    """Names under which a machine was seen (its id, its boot key) → the id that it is kept under."""

    __tablename__ = "node_key"

    site: Mapped[str] = mapped_column(String(64), primary_key=True)
    kind: Mapped[str] = mapped_column(String(8), primary_key=True)  # id, boot
    key: Mapped[str] = mapped_column(String(32), primary_key=True, index=True)  # also across sites
    node_id: Mapped[str] = mapped_column(String(32), index=True)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)


class EstimateRow(Table):
    """History: what a node was said to be worth, when, and by which calibration."""

    __tablename__ = "estimate"
    __table_args__ = (
        Index("ix_estimate_site_node_id_at", "site", "node_id", "at"),
        ForeignKeyConstraint(["site", "node_id"], ["node.site", "node.node_id"]),
    )

    id: Mapped[int] = mapped_column(BIG_NUMBER, primary_key=True, autoincrement=True)
    site: Mapped[str] = mapped_column(String(64))
    node_id: Mapped[str] = mapped_column(String(32))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    profile_id: Mapped[str | None] = mapped_column(String(36))
    method: Mapped[str] = mapped_column(String(16))
    hs23_per_core: Mapped[float]
    sigma: Mapped[float]
    hs23_granted: Mapped[float | None]
    granted_cores: Mapped[float | None]
    catalogue_version: Mapped[str] = mapped_column(String(40))
    calibration_version: Mapped[str | None] = mapped_column(String(40))


class CapacityDayRow(Table):
    """What a site, federation, country or CMS was said to be worth at the end of a day; days that are over stay."""

    __tablename__ = "capacity_day"

    kind: Mapped[str] = mapped_column(String(10), primary_key=True)  # site, federation, country, cms
    name: Mapped[str] = mapped_column(String(120), primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)  # UTC
    at: Mapped[datetime] = mapped_column(UtcDateTime)  # when it was summed; of one day the latest counts
    nodes: Mapped[int]  # with a figure, seen lately
    granted_cores: Mapped[float | None]
    hs23: Mapped[float]
    low: Mapped[float | None]
    high: Mapped[float | None]
    hs23_usable: Mapped[float | None]
    pledge_hs23: Mapped[float | None]
    calibration_version: Mapped[str | None] = mapped_column(String(40))  # in use then


class MeasurementRow(Table):
    """A full HEPscore23 or HS06 run that somebody imported."""

    __tablename__ = "measurement"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)  # digest of the report's own id
    site: Mapped[str | None] = mapped_column(String(64), index=True)
    node_id: Mapped[str | None] = mapped_column(String(32), index=True)
    kind: Mapped[str] = mapped_column(String(8))  # HS23, HS06
    total: Mapped[float]
    loaded_cpus: Mapped[int]
    cpu_key: Mapped[str | None] = mapped_column(String(120), index=True)
    measured_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    imported_at: Mapped[datetime] = mapped_column(UtcDateTime)
    source: Mapped[str] = mapped_column(String(200))
    report: Mapped[dict[str, Any]] = mapped_column(Json)  # imports.model.ImportedScore


class CalibrationRow(Table):
    """A fitted calibration with its inputs; never changed, one is active."""

    __tablename__ = "calibration"

    version: Mapped[str] = mapped_column(String(40), primary_key=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    active: Mapped[bool] = mapped_column(default=False)
    provisional: Mapped[bool]
    document: Mapped[dict[str, Any]] = mapped_column(Json)


class SiteRow(Table):
    """A site and where it belongs; `source` says who told."""

    __tablename__ = "site"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    federation: Mapped[str | None] = mapped_column(String(120), index=True)
    country: Mapped[str | None] = mapped_column(String(64))
    tier: Mapped[int | None]
    source: Mapped[str] = mapped_column(String(200))
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)


class PledgeRow(Table):
    """CPU that a federation pledged for a year, HS23."""

    __tablename__ = "pledge"

    federation: Mapped[str] = mapped_column(String(120), primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True)
    cpu_hs23: Mapped[float]
    source: Mapped[str] = mapped_column(String(200))


class TokenRow(Table):
    """An API token; its text is never kept, only its hash."""

    __tablename__ = "token"

    id: Mapped[str] = mapped_column(String(16), primary_key=True)  # printed part of the token
    hash: Mapped[str] = mapped_column(String(64), unique=True)  # SHA-256; the secret has 256 random bits
    role: Mapped[str] = mapped_column(String(8))  # read, submit, admin
    site: Mapped[str | None] = mapped_column(String(64))  # None = every site
    note: Mapped[str | None] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class ArchiveRow(Table):
    """A Parquet file that holds profiles which are no longer in the table."""

    __tablename__ = "archive"

    path: Mapped[str] = mapped_column(String(300), primary_key=True)  # relative to the archive's folder
    day: Mapped[date] = mapped_column(Date, index=True)
    site: Mapped[str] = mapped_column(String(64))
    rows: Mapped[int]
    digest: Mapped[str] = mapped_column(String(32))
    written_at: Mapped[datetime] = mapped_column(UtcDateTime)
