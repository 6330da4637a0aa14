"""PostgreSQL keeps a document in its row up to a page and does not try to pack it again; beyond, in slices as before.

A document is packed before it is stored. For one of 2.4 kB the table beside the table (TOAST) with its index cost more than
half of PostgreSQL's work; for one of 16 kB the attempt to pack it again cost a quarter. What is there stays where it is.
"""

from alembic import op

revision = "0004"
down_revision = "0003"

_PAGE = 8160  # bytes; the largest that a row may have before parts of it are put elsewhere


def upgrade() -> None:
    """To this version."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE profile ALTER document SET STORAGE EXTERNAL")
        op.execute(f"ALTER TABLE profile SET (toast_tuple_target = {_PAGE})")


def downgrade() -> None:
    """Back from it."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE profile RESET (toast_tuple_target)")
        op.execute("ALTER TABLE profile ALTER document SET STORAGE EXTENDED")
