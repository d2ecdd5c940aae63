"""RaceDay's own books on Appwrite: failed polls, runs, stages of the daily import, and counts of everything."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime

from raceday.domain.poll_audit import PollMark
from raceday.domain.racing_day import DailyStage, StageProgress
from raceday.errors import StoreConflict
from raceday.store.appwrite.conflicts import begun_again
from raceday.store.appwrite.queries import ascending, at_least, equal, not_equal
from raceday.store.appwrite.rows import AppwriteRows
from raceday.store.appwrite.waiting import all_waiting, with_waiting
from raceday.store.rows.polls import (
    DEGRADED,
    MARK_COLUMNS,
    failure_row,
    poll_mark,
    run_row,
    stage_id,
    stage_progress,
    stage_row,
)
from raceday.store.rows.values import instant_text, parse_instant
from raceday.store.tables import (
    DAILY_STAGES,
    ENTRANTS,
    FUNCTION_RUNS,
    JOCKEY_SILKS,
    MEETINGS,
    MONEY_FLOW_HISTORY,
    NOTIFICATIONS,
    ODDS_HISTORY,
    POLL_LOGS,
    RACE_POLLS,
    RACE_POOLS,
    RACE_RESULTS,
    RACES,
    SWEEPS,
)
from raceday.store.values import DayCounts, PollFailure, RunEntry


class AppwriteLedger:
    """Keeps the books."""

    _rows: AppwriteRows

    async def log_poll(self, failure: PollFailure) -> None:
        """Write one row of `poll_logs`; a row that is there already is the same. One call."""
        await self._rows.create(POLL_LOGS, failure_row(failure))

    async def log_run(self, run: RunEntry) -> None:
        """Write one row of the run ledger; the same execution twice leaves one row. One call."""
        await self._rows.create(FUNCTION_RUNS, run_row(run))

    async def stage(self, racing_date: date, stage: DailyStage) -> StageProgress | None:
        """Return how far a stage has come, or None when it was never started. One call."""
        row = await self._rows.get(DAILY_STAGES, stage_id(racing_date, stage))
        return None if row is None else stage_progress(row)

    async def save_stage(self, progress: StageProgress) -> None:
        """Write how far a stage has come; a complete stage stays complete. One call when it is complete, else two."""
        row = stage_row(progress)
        if progress.complete:
            await self._rows.upsert(DAILY_STAGES, [row])
            return
        row_id = str(row.pop("$id"))

        async def save() -> None:
            stored = await self._rows.get(DAILY_STAGES, row_id)
            if stored is None:
                if not await self._rows.create(DAILY_STAGES, {"$id": row_id, **row}):
                    raise StoreConflict(f"stage {row_id}: somebody else began it first")
            elif not stored["complete"]:
                await self._rows.update(DAILY_STAGES, row_id, row, unchanged_since=stored["$updatedAt"])

        await begun_again(save)

    async def swept_to(self, name: str) -> datetime | None:
        """Return up to when a sweep has come, None before its first. One call."""
        row = await self._rows.get(SWEEPS, name)
        return None if row is None else parse_instant(row["sweptTo"])

    async def note_swept(self, name: str, swept_to: datetime, at: datetime) -> None:  # noqa: ARG002 (the port's shape)
        """Note up to when a sweep has come; when that was noted, the platform stamps itself. One call."""
        await self._rows.upsert(SWEEPS, [{"$id": name, "name": name, "sweptTo": instant_text(swept_to)}])

    async def poll_marks(self, since: datetime | None = None) -> list[PollMark]:
        """Return when each poll was made and due, of those made at or after `since`: a call for every 1,000, and one
        for those that still wait to be written.
        """
        waiting = await all_waiting(self._rows, RACE_POLLS)
        from_text = "" if since is None else instant_text(since)
        asked = [] if since is None else [at_least("polledAt", since)]
        written = await self._rows.find(RACE_POLLS, *asked, ascending("polledAt"), columns=MARK_COLUMNS)
        return [poll_mark(row) for row in with_waiting(written, waiting) if row["polledAt"] >= from_text]

    async def day_counts(self) -> DayCounts:
        """Count what is stored: a call for each table, but all rows of those with 5,000 or more are read.

        Tables are counted one after the other; what is written meanwhile is in some of the counts.
        """
        waiting = await all_waiting(self._rows, RACE_POLLS)
        races = await self._rows.find(RACES, columns=("status",))
        count = self._rows.count
        return DayCounts(
            meetings=await count(MEETINGS),
            races=len(races),
            entrants=await count(ENTRANTS),
            races_by_status=dict(Counter(str(row["status"]) for row in races)),
            polls=await count(RACE_POLLS) + len(waiting),
            failed_polls=await count(POLL_LOGS, not_equal("error", DEGRADED)),
            odds_ticks=await count(ODDS_HISTORY),
            money_flow_buckets=await count(MONEY_FLOW_HISTORY),
            race_pools=await count(RACE_POOLS, equal("hasData", True)),
            results=await count(RACE_RESULTS),
            notifications=await count(NOTIFICATIONS),
            silks=await count(JOCKEY_SILKS),
        )
