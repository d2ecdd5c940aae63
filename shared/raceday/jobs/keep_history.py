"""Drops what is older than it is to be kept, in small steps: history by race, logs by time.

Kept for good: meetings, races, runners, results, pools, closing snapshots, silks, and what people set.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from raceday.domain.racing_day import nz_midnight, racing_date
from raceday.errors import RaceDayError
from raceday.jobs.close_races import close_race
from raceday.jobs.ports import JobPorts

HISTORY_MARK = "keep-history"
"""The mark up to which the races' history was dropped, by their start."""
ROWS_A_STEP = 2000
"""Rows of one table that one transaction drops at most: other writers wait for milliseconds, not for minutes."""
ONE_STEP_S = 2.0


@dataclass(slots=True)
class HistoryDropped:
    """What a run dropped: races whose history went, snapshots that were made first, and rows by table.

    Races that started before `dropped_to` have no history any more. `races_remaining` and `logs_remaining` say what
    the run's time did not reach; the next run goes on there.
    """

    dropped_to: datetime | None = None
    races: int = 0
    closed: int = 0
    rows: Counter[str] = field(default_factory=Counter)
    races_remaining: int = 0
    logs_remaining: bool = False

    def as_json(self) -> dict[str, object]:
        """Return what was dropped as a JSON object, for a run's answer."""
        return {
            "droppedTo": None if self.dropped_to is None else self.dropped_to.isoformat(),
            "races": self.races,
            "closed": self.closed,
            "rows": dict(self.rows),
            "racesRemaining": self.races_remaining,
            "logsRemaining": self.logs_remaining,
        }


async def keep_history(ports: JobPorts, retention_days: int) -> HistoryDropped:
    """Drop history and logs of racing days more than `retention_days` ago, as far as the run's time goes.

    Days are New Zealand dates, so that a racing day goes as a whole. A race loses its history only after its closing
    snapshot was written. Where a run stops, whatever the reason, the next one goes on: a failure is counted in the
    report and ends this run's dropping, nothing else.
    """
    oldest_kept = racing_date(ports.clock.now()) - timedelta(days=retention_days)
    dropped = HistoryDropped(dropped_to=await ports.store.swept_to(HISTORY_MARK))
    try:
        await _drop_histories(ports, nz_midnight(oldest_kept), dropped)
        await _drop_logs(ports, nz_midnight(oldest_kept), dropped)
    except RaceDayError as error:
        ports.log.warning("history_not_dropped", error=type(error).__name__, message=str(error))
        ports.report.fail("retention", error)
    return dropped


async def _drop_histories(ports: JobPorts, until: datetime, dropped: HistoryDropped) -> None:
    """Drop the history of every race that started before `until`, one racing day after the other."""
    while (start := await ports.store.first_start(dropped.dropped_to)) is not None and start < until:
        day_end = min(until, nz_midnight(racing_date(start) + timedelta(days=1)))
        for race in await ports.store.followed_races(start, day_end):
            if not race.closed:
                dropped.closed += await close_race(ports.store, race.race_id, ports.clock.now())
            if not await _drop_history(ports, race.race_id, dropped):
                dropped.races_remaining = await ports.store.count_races(race.advertised_start, until)
                return
        await ports.store.note_swept(HISTORY_MARK, day_end, ports.clock.now())
        dropped.dropped_to = day_end


async def _drop_history(ports: JobPorts, race_id: str, dropped: HistoryDropped) -> bool:
    """Drop one race's history step by step; False when the run's time was up before it was gone."""
    before = dropped.rows.total()
    while ports.deadline.allows(ONE_STEP_S):
        rows = await ports.store.drop_history(race_id, ROWS_A_STEP)
        dropped.rows.update(rows)
        if max(rows.values(), default=0) < ROWS_A_STEP:
            dropped.races += dropped.rows.total() > before
            return True
        await ports.clock.sleep(0)
    return False


async def _drop_logs(ports: JobPorts, before: datetime, dropped: HistoryDropped) -> None:
    while ports.deadline.allows(ONE_STEP_S):
        rows = await ports.store.drop_logs(before, ROWS_A_STEP)
        dropped.rows.update(rows)
        if max(rows.values(), default=0) < ROWS_A_STEP:
            return
        await ports.clock.sleep(0)
    dropped.logs_remaining = True
