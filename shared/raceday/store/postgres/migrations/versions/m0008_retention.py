"""Old days of the history leave their tables."""

from __future__ import annotations

from raceday.store.postgres.migrations import run_sql

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Make it."""
    run_sql("0008_retention.up.sql")


def downgrade() -> None:
    """Take it back."""
    run_sql("0008_retention.down.sql")
