"""The embedded store: the whole port on one SQLite file."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path

from raceday.domain.cadence import PollTarget
from raceday.domain.meeting import Meeting
from raceday.domain.poll_audit import PollMark
from raceday.domain.race import Race
from raceday.domain.race_poll import RacePoll, RaceState
from raceday.domain.racing_day import DailyStage, StageProgress
from raceday.errors import StoreConflict
from raceday.store.events import RowEventSink
from raceday.store.sqlite import claims, ledger, polls, programme, states
from raceday.store.sqlite.alerts import SqliteAlerts
from raceday.store.sqlite.connection import SqliteConnection
from raceday.store.sqlite.flow import SqliteFlow
from raceday.store.sqlite.health import SqliteHealth
from raceday.store.sqlite.silks import SqliteSilks
from raceday.store.values import DayCounts, MeetingSummary, PollClaim, PollFailure, PollWindow, RaceSummary, RunEntry


class SqliteStore(SqliteAlerts, SqliteFlow, SqliteSilks, SqliteHealth):
    """Keeps races in one SQLite file; see `RaceStore` for what each operation promises.

    Several processes may use one file: SQLite's write lock makes every operation atomic for all of them.
    """

    def __init__(self, db: SqliteConnection, on_row_event: RowEventSink | None = None) -> None:
        self._db = db
        self._on_row_event = on_row_event

    @classmethod
    def open(cls, path: str | Path, on_row_event: RowEventSink | None = None) -> SqliteStore:
        """Open a database file, or `:memory:`, making whatever it lacks.

        `on_row_event` is told, after the commit, of each race whose runners moved. Raises `ConfigError` when the path
        cannot hold a database or holds something else.
        """
        return cls(SqliteConnection.open(str(path)), on_row_event)

    @classmethod
    def open_read_only(cls, path: str | Path) -> SqliteStore:
        """Open a database that exists to look at it: nothing is made or added, and writing fails.

        Raises `ConfigError` when there is none, or an older RaceDay made it.
        """
        return cls(SqliteConnection.open_read_only(str(path)))

    def session(self) -> SqliteStore:
        """Return a view of the store for one run, with its own count of calls."""
        return SqliteStore(self._db.session(), self._on_row_event)

    @property
    def calls(self) -> int:
        """Round trips so far: a transaction or a read is one."""
        return self._db.calls

    @property
    def transactions(self) -> int:
        """Writing transactions committed so far."""
        return self._db.transactions

    async def save_meetings(self, meetings: Sequence[Meeting], at: datetime) -> None:
        """Insert or update meetings by id, all or none."""
        programme.save_meetings(self._db, meetings, at)

    async def meetings_on(self, racing_date: date) -> list[MeetingSummary]:
        """Return the meetings of a New Zealand racing date, by name."""
        return programme.meetings_on(self._db, racing_date)

    async def note_races_imported(self, meeting_id: str, at: datetime) -> None:
        """Note that the races of a meeting are stored."""
        programme.note_races_imported(self._db, meeting_id, at)

    async def note_races_attempt(self, meeting_id: str) -> None:
        """Count one more try to import a meeting's races."""
        programme.note_races_attempt(self._db, meeting_id)

    async def save_races(self, races: Sequence[Race], at: datetime) -> None:
        """Insert or update races by id, all or none; of polled races only what the list alone knows."""
        programme.save_races(self._db, races, at)

    async def races_on(self, racing_date: date) -> list[RaceSummary]:
        """Return the races of the meetings of a racing date, by start time."""
        return programme.races_on(self._db, racing_date)

    async def race(self, race_id: str) -> RaceSummary | None:
        """Return one race, or None when it is not stored."""
        return programme.race(self._db, race_id)

    async def note_import_attempt(self, race_id: str) -> None:
        """Count one more try to import a race's runners."""
        programme.note_import_attempt(self._db, race_id)

    async def races_to_poll(self, window: PollWindow) -> list[PollTarget]:
        """Return the races of the window that are not over, and those whose result is still to come, by start."""
        return claims.races_to_poll(self._db, window)

    async def poll_targets(self, race_ids: Sequence[str]) -> list[PollTarget]:
        """Return the targets of the given races, terminal ones too."""
        return claims.poll_targets(self._db, race_ids)

    async def claim_races(
        self, targets: Sequence[PollTarget], owner: str, at: datetime, ttl_s: float
    ) -> list[PollClaim]:
        """Claim races by compare-and-set, each on its own; return the claims that were won."""
        return claims.claim_races(self._db, targets, owner, at, ttl_s)

    async def release_claim(self, claim: PollClaim, not_before: datetime | None) -> None:
        """Give a claim back without a poll; `not_before` holds the next try off."""
        claims.release_claim(self._db, claim, not_before)

    async def race_states(self, race_ids: Sequence[str]) -> dict[str, RaceState]:
        """Return the last known state of each stored race."""
        return states.race_states(self._db, race_ids)

    async def save_poll(self, poll: RacePoll, claim: PollClaim) -> None:
        """Write everything a poll changed, in one transaction; then tell of the race when runners of it moved.

        Doing the same poll twice under its claim writes it once. Raises `StoreConflict` when the claim is not
        the newest of its race.
        """
        events = polls.save_poll(self._db, poll, claim, events=self._on_row_event is not None)
        for event in events:
            if self._on_row_event is not None:
                self._on_row_event(event)

    async def save_polls(self, polls: Sequence[tuple[RacePoll, PollClaim]]) -> dict[str, StoreConflict]:
        """Write polls of several races, each in a transaction of its own; return the conflicts, by race."""
        conflicts: dict[str, StoreConflict] = {}
        for poll, claim in polls:
            try:
                await self.save_poll(poll, claim)
            except StoreConflict as conflict:
                conflicts[poll.race.race_id] = conflict
        return conflicts

    async def log_poll(self, failure: PollFailure) -> None:
        """Write one row of `poll_logs`."""
        ledger.log_poll(self._db, failure)

    async def stage(self, racing_date: date, stage: DailyStage) -> StageProgress | None:
        """Return how far a stage has come, or None when it was never started."""
        return ledger.stage(self._db, racing_date, stage)

    async def save_stage(self, progress: StageProgress) -> None:
        """Write how far a stage has come; a complete stage stays complete."""
        ledger.save_stage(self._db, progress)

    async def log_run(self, run: RunEntry) -> None:
        """Write one row of the run ledger; the same execution twice leaves one row."""
        ledger.log_run(self._db, run)

    async def day_counts(self) -> DayCounts:
        """Count what is stored."""
        return ledger.day_counts(self._db)

    async def poll_marks(self, since: datetime | None = None) -> list[PollMark]:
        """Return when each poll was made and due, from an instant on."""
        return ledger.poll_marks(self._db, since)

    async def swept_to(self, name: str) -> datetime | None:
        """Return up to when a sweep has come, None before its first."""
        return ledger.swept_to(self._db, name)

    async def note_swept(self, name: str, swept_to: datetime, at: datetime) -> None:
        """Note up to when a sweep has come."""
        ledger.note_swept(self._db, name, swept_to, at)

    async def close(self) -> None:
        """Close the database."""
        self._db.close()
