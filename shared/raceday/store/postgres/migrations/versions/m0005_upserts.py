"""A function for each table that writes rows as they were said."""

from __future__ import annotations

from raceday.store.postgres.migrations import run_sql

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make it."""
    run_sql("0005_upserts.up.sql")


def downgrade() -> None:
    """Take it back."""
    run_sql("0005_upserts.down.sql")
