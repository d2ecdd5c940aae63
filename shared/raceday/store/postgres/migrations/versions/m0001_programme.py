"""Meetings, races, runners, results, pools, silks and closing snapshots."""

from __future__ import annotations

from raceday.store.postgres.migrations import run_sql

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make it."""
    run_sql("0001_programme.up.sql")


def downgrade() -> None:
    """Take it back."""
    run_sql("0001_programme.down.sql")
