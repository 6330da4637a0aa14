"""The first tables."""

import sqlalchemy as sa
from alembic import op

from capacity.store.types import BIG_NUMBER, Json, UtcDateTime

revision = "0001"
down_revision = None


def upgrade() -> None:
    """To this version."""
    op.create_table(
        "archive",
        sa.Column("path", sa.String(length=300), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=32), nullable=False),
        sa.Column("written_at", UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("path", name="pk_archive"),
    )
    op.create_index("ix_archive_day", "archive", ["day"])

    op.create_table(
        "archived",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=32), nullable=False),
        sa.Column("path", sa.String(length=300), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_archived"),
    )
    op.create_table(
        "calibration",
        sa.Column("version", sa.String(length=40), nullable=False),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("provisional", sa.Boolean(), nullable=False),
        sa.Column("document", Json, nullable=False),
        sa.PrimaryKeyConstraint("version", name="pk_calibration"),
    )
    op.create_table(
        "measurement",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("site", sa.String(length=64), nullable=True),
        sa.Column("node_id", sa.String(length=32), nullable=True),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("total", sa.Double(), nullable=False),
        sa.Column("loaded_cpus", sa.Integer(), nullable=False),
        sa.Column("cpu_key", sa.String(length=120), nullable=True),
        sa.Column("measured_at", UtcDateTime(timezone=True), nullable=True),
        sa.Column("imported_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("report", Json, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_measurement"),
    )
    op.create_index("ix_measurement_cpu_key", "measurement", ["cpu_key"])
    op.create_index("ix_measurement_node_id", "measurement", ["node_id"])
    op.create_index("ix_measurement_site", "measurement", ["site"])

    op.create_table(
        "node",
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("node_id", sa.String(length=32), nullable=False),
        sa.Column("first_seen_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("profiles", sa.BigInteger(), nullable=False),
        sa.Column("pending_since", UtcDateTime(timezone=True), nullable=True),
        sa.Column("claimed_until", UtcDateTime(timezone=True), nullable=True),
        sa.Column("newest", sa.BigInteger(), nullable=False),
        sa.Column("absorbed", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("hostname", sa.String(length=255), nullable=True),
        sa.Column("cpu_key", sa.String(length=120), nullable=True),
        sa.Column("arch", sa.String(length=16), nullable=True),
        sa.Column("logical_cpus", sa.Integer(), nullable=True),
        sa.Column("granted_cores", sa.Double(), nullable=True),
        sa.Column("hs23_per_core", sa.Double(), nullable=True),
        sa.Column("hs23_granted", sa.Double(), nullable=True),
        sa.Column("sigma", sa.Double(), nullable=True),
        sa.Column("method", sa.String(length=16), nullable=True),
        sa.Column("provisional", sa.Boolean(), nullable=True),
        sa.Column("calibration_version", sa.String(length=40), nullable=True),
        sa.Column("catalogue_version", sa.String(length=40), nullable=True),
        sa.Column("usable", sa.Boolean(), nullable=True),
        sa.Column("unusable_reason", sa.Text(), nullable=True),
        sa.Column("findings", sa.Integer(), nullable=False),
        sa.Column("gpus", Json, nullable=True),
        sa.Column("state", Json, nullable=True),
        sa.PrimaryKeyConstraint("site", "node_id", name="pk_node"),
    )
    op.create_index("ix_node_cpu_key", "node", ["cpu_key"])
    op.create_index("ix_node_last_seen_at", "node", ["last_seen_at"])
    op.create_index("ix_node_pending_since", "node", ["pending_since"])

    op.create_table(
        "node_key",
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("key", sa.String(length=32), nullable=False),
        sa.Column("node_id", sa.String(length=32), nullable=False),
        sa.Column("seen_at", UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("site", "kind", "key", name="pk_node_key"),
    )
    op.create_index("ix_node_key_key", "node_key", ["key"])
    op.create_index("ix_node_key_node_id", "node_key", ["node_id"])

    op.create_table(
        "pledge",
        sa.Column("federation", sa.String(length=120), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("cpu_hs23", sa.Double(), nullable=False),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("federation", "year", name="pk_pledge"),
    )
    op.create_table(
        "profile",
        sa.Column("sequence", BIG_NUMBER, autoincrement=True, nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("node_id", sa.String(length=32), nullable=False),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("received_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("seen_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("received_day", sa.Date(), nullable=False),
        sa.Column("submitter", sa.String(length=200), nullable=False),
        sa.Column("digest", sa.String(length=32), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name="pk_profile"),
        sa.UniqueConstraint("id", name="uq_profile_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_profile_received_day_site", "profile", ["received_day", "site"])
    op.create_index("ix_profile_site_node_id_sequence", "profile", ["site", "node_id", "sequence"])

    op.create_table(
        "site",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("federation", sa.String(length=120), nullable=True),
        sa.Column("country", sa.String(length=64), nullable=True),
        sa.Column("tier", sa.Integer(), nullable=True),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("updated_at", UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_site"),
    )
    op.create_index("ix_site_federation", "site", ["federation"])

    op.create_table(
        "token",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=8), nullable=False),
        sa.Column("site", sa.String(length=64), nullable=True),
        sa.Column("note", sa.String(length=200), nullable=True),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("expires_at", UtcDateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", UtcDateTime(timezone=True), nullable=True),
        sa.Column("last_used_at", UtcDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_token"),
        sa.UniqueConstraint("hash", name="uq_token_hash"),
    )
    op.create_table(
        "estimate",
        sa.Column("id", BIG_NUMBER, autoincrement=True, nullable=False),
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("node_id", sa.String(length=32), nullable=False),
        sa.Column("at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("profile_id", sa.String(length=36), nullable=True),
        sa.Column("method", sa.String(length=16), nullable=False),
        sa.Column("hs23_per_core", sa.Double(), nullable=False),
        sa.Column("sigma", sa.Double(), nullable=False),
        sa.Column("hs23_granted", sa.Double(), nullable=True),
        sa.Column("granted_cores", sa.Double(), nullable=True),
        sa.Column("catalogue_version", sa.String(length=40), nullable=False),
        sa.Column("calibration_version", sa.String(length=40), nullable=True),
        sa.ForeignKeyConstraint(
            ["site", "node_id"], ["node.site", "node.node_id"], name="fk_estimate_site_node_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_estimate"),
    )
    op.create_index("ix_estimate_site_node_id_at", "estimate", ["site", "node_id", "at"])


def downgrade() -> None:
    """Back from it."""
    op.drop_table("estimate")
    op.drop_table("token")

    op.drop_table("site")

    op.drop_table("profile")
    op.drop_table("pledge")

    op.drop_table("node_key")

    op.drop_table("node")

    op.drop_table("measurement")
    op.drop_table("calibration")
    op.drop_table("archived")

    op.drop_table("archive")
