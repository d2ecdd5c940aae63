"""The store of the self-hosted server: the whole port on one PostgreSQL database, shared by as many servers as like."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from datetime import date, datetime

from raceday.domain.cadence import PollTarget
from raceday.domain.meeting import Meeting
from raceday.domain.poll_audit import PollMark
from raceday.domain.race import Race
from raceday.domain.race_poll import RacePoll, RaceState
from raceday.domain.racing_day import DailyStage, StageProgress
from raceday.errors import StoreConflict
from raceday.store.postgres import claims, ledger, polls, programme, states
from raceday.store.postgres.alerts import PostgresAlerts
from raceday.store.postgres.database import PoolLimits, PostgresDatabase, StandStill
from raceday.store.postgres.flow import PostgresFlow
from raceday.store.postgres.health import PostgresHealth
from raceday.store.postgres.silks import PostgresSilks
from raceday.store.values import DayCounts, MeetingSummary, PollClaim, PollFailure, PollWindow, RaceSummary, RunEntry


class PostgresStore(PostgresAlerts, PostgresFlow, PostgresSilks, PostgresHealth):
    """Keeps races in a PostgreSQL database; see `RaceStore` for what each operation promises."""

    def __init__(self, db: PostgresDatabase) -> None:
        self._db = db

    @classmethod
    async def open(
        cls, database_url: str, limits: PoolLimits | None = None, stand_still: StandStill = nullcontext
    ) -> PostgresStore:
        """Open a migrated database; raises `StoreUnavailable` when it does not answer."""
        return cls(await PostgresDatabase.open(database_url, limits, stand_still))

    @property
    def database(self) -> PostgresDatabase:
        """The database under the store, for what reads it past the port: the API, health, partitions."""
        return self._db

    def session(self) -> PostgresStore:
        """Return a view of the store for one run, with its own count of calls."""
        return PostgresStore(self._db.session())

    @property
    def calls(self) -> int:
        """Statements and transactions so far, each one round trip or a few."""
        return self._db.calls

    async def save_meetings(self, meetings: Sequence[Meeting], at: datetime) -> None:
        """Insert or update meetings by id, all or none."""
        await programme.save_meetings(self._db, meetings, at)

    async def meetings_on(self, racing_date: date) -> list[MeetingSummary]:
        """Return the meetings of a New Zealand racing date, by name."""
        return await programme.meetings_on(self._db, racing_date)

    async def note_races_imported(self, meeting_id: str, at: datetime) -> None:
        """Note that the races of a meeting are stored."""
        await programme.note_races_imported(self._db, meeting_id, at)

    async def note_races_attempt(self, meeting_id: str) -> None:
        """Count one more try to import a meeting's races."""
        await programme.note_races_attempt(self._db, meeting_id)

    async def save_races(self, races: Sequence[Race], at: datetime) -> None:
        """Insert or update races by id, all or none; of polled races only what the list alone knows."""
        await programme.save_races(self._db, races, at)

    async def races_on(self, racing_date: date) -> list[RaceSummary]:
        """Return the races of the meetings of a racing date, by start time."""
        return await programme.races_on(self._db, racing_date)

    async def race(self, race_id: str) -> RaceSummary | None:
        """Return one race, or None when it is not stored."""
        return await programme.race(self._db, race_id)

    async def note_import_attempt(self, race_id: str) -> None:
        """Count one more try to import a race's runners."""
        await programme.note_import_attempt(self._db, race_id)

    async def races_to_poll(self, window: PollWindow) -> list[PollTarget]:
        """Return the races of the window that are not over, and those whose result is still to come, by start."""
        return await claims.races_to_poll(self._db, window)

    async def poll_targets(self, race_ids: Sequence[str]) -> list[PollTarget]:
        """Return the targets of the given races, terminal ones too."""
        return await claims.poll_targets(self._db, race_ids)

    async def claim_races(
        self, targets: Sequence[PollTarget], owner: str, at: datetime, ttl_s: float
    ) -> list[PollClaim]:
        """Claim races by compare-and-set, each on its own; return the claims that were won."""
        return await claims.claim_races(self._db, targets, owner, at, ttl_s)

    async def release_claim(self, claim: PollClaim, not_before: datetime | None) -> None:
        """Give a claim back without a poll; `not_before` holds the next try off."""
        await claims.release_claim(self._db, claim, not_before)

    async def race_states(self, race_ids: Sequence[str]) -> dict[str, RaceState]:
        """Return the last known state of each stored race."""
        return await states.race_states(self._db, race_ids)

    async def save_poll(self, poll: RacePoll, claim: PollClaim) -> None:
        """Write everything a poll changed, in one statement; raises `StoreConflict` behind a claim that is lost."""
        await polls.save_poll(self._db, poll, claim)

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
        await ledger.log_poll(self._db, failure)

    async def stage(self, racing_date: date, stage: DailyStage) -> StageProgress | None:
        """Return how far a stage has come, or None when it was never started."""
        return await ledger.stage(self._db, racing_date, stage)

    async def save_stage(self, progress: StageProgress) -> None:
        """Write how far a stage has come; a complete stage stays complete."""
        await ledger.save_stage(self._db, progress)

    async def log_run(self, run: RunEntry) -> None:
        """Write one row of the run ledger; the same execution twice leaves one row."""
        await ledger.log_run(self._db, run)

    async def day_counts(self) -> DayCounts:
        """Count what is stored."""
        return await ledger.day_counts(self._db)

    async def poll_marks(self, since: datetime | None = None) -> list[PollMark]:
        """Return when each poll was made and due, from an instant on."""
        return await ledger.poll_marks(self._db, since)

    async def swept_to(self, name: str) -> datetime | None:
        """Return up to when a sweep has come, None before its first."""
        return await ledger.swept_to(self._db, name)

    async def note_swept(self, name: str, swept_to: datetime, at: datetime) -> None:
        """Note up to when a sweep has come."""
        await ledger.note_swept(self._db, name, swept_to, at)

    async def close(self) -> None:
        """Close all connections."""
        await self._db.close()
