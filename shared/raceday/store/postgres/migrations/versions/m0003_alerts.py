"""What people set and are told."""

from __future__ import annotations

from raceday.store.postgres.migrations import run_sql

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make it."""
    run_sql("0003_alerts.up.sql")


def downgrade() -> None:
    """Take it back."""
    run_sql("0003_alerts.down.sql")
