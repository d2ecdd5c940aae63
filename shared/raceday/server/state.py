"""What one server knows of itself: written by its scheduler, read by `/health` and `/metrics`."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from raceday.server.metrics import ServerMetrics

if TYPE_CHECKING:
    from raceday.clock import Clock
    from raceday.jobs.ports import RunLog
    from raceday.store.ports import RaceStore
    from raceday.store.postgres.database import PostgresDatabase


@dataclass(slots=True)
class ServerState:
    """The server as it stands. Instants are aware and in UTC; None for what has not happened yet.

    `scheduler_seen_at` is the last turn of the scheduler's loop. `polls` counts the races polled by this server,
    `failed_polls` the attempts that failed; a race that another server had is neither. `clock_ahead_s` is how far this
    machine's clock is ahead of the database's, in seconds.
    """

    database: PostgresDatabase
    store: RaceStore
    clock: Clock
    log: RunLog
    started_at: datetime
    metrics: ServerMetrics = field(default_factory=ServerMetrics)
    scheduler_seen_at: datetime | None = None
    last_poll_at: datetime | None = None
    last_feed_success_at: datetime | None = None
    last_feed_error: str = ""
    polls: int = 0
    failed_polls: int = 0
    races_followed: int = 0
    clock_ahead_s: float | None = None

    def __post_init__(self) -> None:
        """Let the metrics show the database's pool."""
        self.metrics.watch_pool(lambda: self.database.use)
