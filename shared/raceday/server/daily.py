"""The day's import: at 06:00 in New Zealand, again at 21:00 to fill gaps, and whenever the day is not complete yet.

How far it came is in the database (`daily_stages`, `sweeps`), so that a server that starts, or takes over, goes on
where the last one stopped.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from raceday.domain.derive import DeriveSettings
from raceday.domain.racing_day import NZ, DailyStage, nz_midnight, racing_date
from raceday.errors import RaceDayError
from raceday.jobs.import_entrants import EntrantsPlan, import_entrants
from raceday.jobs.import_meetings import import_meetings
from raceday.jobs.import_races import import_races
from raceday.jobs.ports import JobPorts
from raceday.server.jobs import Job, ServerJobs

INITIALISATION = time(6, 0)
BACK_FILL = time(21, 0)
"""New Zealand's clock, in summer and winter; neither hour is one that a change of the clocks leaves out or repeats."""
RETRY_S = 120.0
"""How long an import that left something behind, or failed, rests before it goes on."""
LOOK_EVERY_S = 60.0
STAGE_S = 1500.0
"""No stage takes as long; three of them are over before 07:00 all the same."""
WHOLE_CARD = 10_000


@dataclass(frozen=True, slots=True)
class ImportDue:
    """One import that has fallen due: of which day, since when, and under which mark it is noted as done."""

    day: date
    at: datetime
    mark: str


def latest_due(now: datetime) -> ImportDue:
    """Return the import that fell due last."""
    today = racing_date(now)
    for day in (today, today - timedelta(days=1)):
        for hour, mark in ((BACK_FILL, "daily-back-fill"), (INITIALISATION, "daily-initialisation")):
            at = datetime.combine(day, hour, NZ).astimezone(UTC)
            if at <= now:
                return ImportDue(day, at, mark)
    raise AssertionError("two of yesterday's imports are always behind us")


def imports_wanted(now: datetime) -> list[ImportDue]:
    """Return what should have been imported by now: what fell due last, and after midnight the new day's card as well.

    Until 06:00 the old day's last races are still run in Western Australia, and somebody who starts a server then
    wants to see what comes.
    """
    last = latest_due(now)
    today = racing_date(now)
    if last.day == today:
        return [last]
    return [last, ImportDue(today, nz_midnight(today), "daily-first-look")]


@dataclass(slots=True)
class DailyImport:
    """Runs the imports of this server's days."""

    jobs: ServerJobs

    async def run(self) -> None:
        """Import whatever is due, as long as this server holds the lease; never returns."""
        clock, log = self.jobs.state.clock, self.jobs.state.log
        while True:
            pause_s = LOOK_EVERY_S
            try:
                for due in imports_wanted(clock.now()):
                    if not await self._is_done(due) and not await self.import_day(due):
                        pause_s = RETRY_S
            except RaceDayError as error:
                log.warning("daily_import_waits", error=type(error).__name__, message=str(error))
            await clock.sleep(pause_s)

    async def import_day(self, due: ImportDue) -> bool:
        """Run the three stages; True when the day is complete with them. What is left, the next call goes on with."""
        clock = self.jobs.state.clock
        began = clock.now()
        for stage, job in self._stages(due.day):
            await self.jobs.run(stage.value, job, STAGE_S)
            if not await self._has_begun(due.day, stage):
                break
        complete = await self._is_complete(due.day)
        if complete:
            await self.jobs.state.store.note_swept(due.mark, due.at, clock.now())
        await self._tell(due, began, complete=complete)
        return complete

    def _stages(self, day: date) -> list[tuple[DailyStage, Job]]:
        settings = self.jobs.settings
        derive = DeriveSettings(settings.estimator, settings.alert_move_pct, settings.quality_threshold)
        plan = EntrantsPlan(WHOLE_CARD, settings.politeness_s, derive)

        async def meetings(ports: JobPorts) -> None:
            await import_meetings(ports, day, settings.follow)

        async def races(ports: JobPorts) -> None:
            await import_races(ports, day, settings.politeness_s)

        async def entrants(ports: JobPorts) -> None:
            await import_entrants(ports, day, plan)

        return [(DailyStage.MEETINGS, meetings), (DailyStage.RACES, races), (DailyStage.ENTRANTS, entrants)]

    async def _is_done(self, due: ImportDue) -> bool:
        noted = await self.jobs.state.store.swept_to(due.mark)
        return noted is not None and noted >= due.at and await self._is_complete(due.day)

    async def _has_begun(self, day: date, stage: DailyStage) -> bool:
        """Whether a stage has left something for the next one to go on with."""
        store = self.jobs.state.store
        if stage is DailyStage.MEETINGS:
            progress = await store.stage(day, stage)
            return progress is not None and progress.complete
        return bool(await store.races_on(day))

    async def _is_complete(self, day: date) -> bool:
        for stage in DailyStage:
            progress = await self.jobs.state.store.stage(day, stage)
            if progress is None or not progress.complete:
                return False
        return True

    async def _tell(self, due: ImportDue, began: datetime, *, complete: bool) -> None:
        """Log what the day holds now, and how long that took."""
        state = self.jobs.state
        races = await state.store.races_on(due.day)
        meetings = await state.store.meetings_on(due.day)
        ((entrants,),) = await state.database.tuples(
            "SELECT count(*) FROM entrants WHERE race_id = ANY(%s)", ([race.race_id for race in races],)
        )
        write = state.log.info if complete else state.log.warning
        write(
            "day_imported" if complete else "day_incomplete",
            kind=due.mark,
            racing_date=due.day.isoformat(),
            meetings=len(meetings),
            races=len(races),
            entrants=entrants,
            races_without_runners=sum(not race.entrants_imported for race in races),
            duration_s=round((state.clock.now() - began).total_seconds(), 1),
        )
