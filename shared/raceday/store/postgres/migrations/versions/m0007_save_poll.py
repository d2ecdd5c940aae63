"""One poll in one statement."""

from __future__ import annotations

from raceday.store.postgres.migrations import run_sql

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Make it."""
    run_sql("0007_save_poll.up.sql")


def downgrade() -> None:
    """Take it back."""
    run_sql("0007_save_poll.down.sql")
