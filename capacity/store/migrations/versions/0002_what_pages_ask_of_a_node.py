"""What pages ask of many nodes stands beside their state: failing checks, the worst finding and how bad it is."""

import sqlalchemy as sa
from alembic import op

from capacity.store.types import Json

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """To this version; nodes are looked at again, which fills the new columns from what is known of them."""
    op.add_column("node", sa.Column("severity", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("node", sa.Column("worst", Json, nullable=True))
    op.add_column("node", sa.Column("checks", Json, nullable=True))
    op.create_index("ix_node_severity_hs23_granted", "node", ["severity", "hs23_granted"])
    op.execute(
        "UPDATE node SET pending_since = COALESCE(pending_since, last_seen_at), revision = revision + 1"
        " WHERE state IS NOT NULL"
    )


def downgrade() -> None:
    """Back from it."""
    op.drop_index("ix_node_severity_hs23_granted", "node")
    for column in ("checks", "worst", "severity"):
        op.drop_column("node", column)
