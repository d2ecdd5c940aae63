"""Claims, logs, runs, stages, sweeps and leases."""

from __future__ import annotations

from raceday.store.postgres.migrations import run_sql

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make it."""
    run_sql("0004_bookkeeping.up.sql")


def downgrade() -> None:
    """Take it back."""
    run_sql("0004_bookkeeping.down.sql")
