"""The history, partitioned by New Zealand day."""

from __future__ import annotations

from raceday.store.postgres.migrations import run_sql

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make it."""
    run_sql("0002_history.up.sql")


def downgrade() -> None:
    """Take it back."""
    run_sql("0002_history.down.sql")
