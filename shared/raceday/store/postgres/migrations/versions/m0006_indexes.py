"""The indexes that the queries need."""

from __future__ import annotations

from raceday.store.postgres.migrations import run_sql

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Make it."""
    run_sql("0006_indexes.up.sql")


def downgrade() -> None:
    """Take it back."""
    run_sql("0006_indexes.down.sql")
