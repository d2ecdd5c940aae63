"""master-race-scheduler: every minute, start what falls due until the next run, and what the day still lacks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from raceday.domain.cadence import PollTarget
from raceday.domain.meeting import MeetingFilter
from raceday.domain.racing_day import DailyStage, current_card, racing_date
from raceday.errors import ExecutionRefused, RaceDayError
from raceday.jobs.dispatch import FOLLOW, MAX_RACE_IDS, Dispatch
from raceday.jobs.due_races import DuePlan, due_races
from raceday.jobs.ports import JobPorts
from raceday.jobs.refresh_meetings import REFRESH_MINUTES, refresh_meetings
from raceday.jobs.report import RunReport
from raceday.jobs.stages import missing_stage

RUN_EVERY = timedelta(minutes=1)
TICKS_OF_SEED_003 = 4
"""Single and batch pollers wait at most 15 s for a race to fall due, so they are dispatched every 15 s."""

SWEEPERS = ("money-flow-tracker", "race-pools-aggregator", "alert-evaluator")
"""What repairs what lost events left out; alerts last, because they look at what the others repair."""


@dataclass(frozen=True, slots=True)
class SchedulePlan:
    """How the scheduler works: `ticks` looks at the races a run, evenly over its minute.

    Every `sweep_minutes` it starts the functions that repair what lost events left out; never when it is 0.
    """

    due: DuePlan
    dispatch: Dispatch = Dispatch.ENHANCED
    ticks: int = 4
    follow: MeetingFilter = field(default_factory=MeetingFilter)
    sweep_minutes: int = 5


async def schedule_polls(ports: JobPorts, plan: SchedulePlan) -> RunReport:
    """Dispatch the races that fall due until the next run, tick by tick, and heal the daily import.

    A dispatch only starts an execution: whether a race is really polled is settled by its claim.
    """
    report = ports.report
    started = _Started(report)
    began = ports.clock.now()
    await _start_missing_stage(ports, started)
    dispatched: set[str] = set()
    ticks = plan.ticks if plan.dispatch is Dispatch.ENHANCED else TICKS_OF_SEED_003
    tick_s = RUN_EVERY.total_seconds() / ticks
    for tick in range(ticks):
        await _wait_for_tick(ports, began + timedelta(seconds=tick * tick_s))
        if not ports.deadline.allows(1.0):
            report.message = f"stopped before tick {tick + 1} of {ticks}: the deadline is near"
            break
        horizon = _horizon(plan, began, ports.clock.now(), tick_s)
        due = await due_races(ports, replace(plan.due, until=horizon))
        dispatched |= await _dispatch(ports, plan.dispatch, _not_yet(due, plan.dispatch, dispatched), started)
        report.details["ticks"] = tick + 1
        if tick == 0:
            await _refresh_when_due(ports, plan.follow, began, report)
            await _sweep_when_due(ports, plan.sweep_minutes, began, started)
    return report


def _horizon(plan: SchedulePlan, began: datetime, now: datetime, tick_s: float) -> datetime:
    """Return until when a tick looks ahead: as far as a looping poller follows, or to the next tick."""
    if plan.dispatch is Dispatch.SINGLE_OR_BATCH:
        return now + timedelta(seconds=tick_s)
    return min(began + RUN_EVERY, now + FOLLOW)


async def _wait_for_tick(ports: JobPorts, at: datetime) -> None:
    await ports.clock.sleep((at - ports.clock.now()).total_seconds())


def _not_yet(due: Sequence[PollTarget], dispatch: Dispatch, dispatched: set[str]) -> list[PollTarget]:
    """Leave out what a looping poller of this run already follows."""
    if dispatch is Dispatch.SINGLE_OR_BATCH:
        return list(due)
    return [target for target in due if target.race_id not in dispatched]


async def _dispatch(ports: JobPorts, dispatch: Dispatch, due: Sequence[PollTarget], started: _Started) -> set[str]:
    """Start the pollers for the due races; return the races whose execution was taken."""
    taken: set[str] = set()
    for function_id, race_ids in _executions(dispatch, [target.race_id for target in due]):
        body: dict[str, object] = {"raceIds": race_ids}
        if function_id == "single-race-poller":
            body = {"raceId": race_ids[0]}
        if await started.start(ports, function_id, body, len(race_ids)):
            taken.update(race_ids)
    return taken


def _executions(dispatch: Dispatch, race_ids: list[str]) -> list[tuple[str, list[str]]]:
    if not race_ids:
        return []
    if dispatch is Dispatch.SINGLE_OR_BATCH and len(race_ids) == 1:
        return [("single-race-poller", race_ids)]
    function_id = "enhanced-race-poller" if dispatch is Dispatch.ENHANCED else "batch-race-poller"
    chunks = range(0, len(race_ids), MAX_RACE_IDS)
    return [(function_id, race_ids[at : at + MAX_RACE_IDS]) for at in chunks]


async def _start_missing_stage(ports: JobPorts, started: _Started) -> None:
    stage: DailyStage | None = await missing_stage(ports, racing_date(ports.clock.now()))
    if stage is not None:
        ports.log.info("stage_started", stage=stage)
        await started.start(ports, stage.value, {}, 1)


@dataclass(slots=True)
class _Started:
    """The executions that this run started, counted by function."""

    report: RunReport
    counts: Counter[str] = field(default_factory=Counter)

    async def start(self, ports: JobPorts, function_id: str, body: dict[str, object], subjects: int) -> bool:
        """Start one execution for so many races and say whether it was taken; a refusal does not stop the run."""
        try:
            await ports.executions.start(function_id, body)
        except ExecutionRefused as error:
            ports.log.error("execution_refused", function_id=function_id, message=str(error))
            self.report.fail(function_id, error)
            return False
        self.report.done()
        self.counts[function_id] += subjects
        self.report.details["dispatched"] = dict(self.counts)
        return True


async def _refresh_when_due(ports: JobPorts, follow: MeetingFilter, began: datetime, report: RunReport) -> None:
    """Every few minutes, take over what the meeting list says; its failure is counted and nothing else suffers."""
    if began.minute % REFRESH_MINUTES:
        return
    try:
        card = current_card(began)
        refreshed = await refresh_meetings(ports.feed, ports.store, ports.clock.now(), card, follow)
        report.details["refreshedRaces"] = refreshed
    except RaceDayError as error:
        ports.log.warning("refresh_failed", error=type(error).__name__, message=str(error))
        report.fail("meeting list", error)


async def _sweep_when_due(ports: JobPorts, sweep_minutes: int, began: datetime, started: _Started) -> None:
    """Every few minutes, start the sweeps; each is an execution of its own with its own deadline."""
    if sweep_minutes == 0 or began.minute % sweep_minutes:
        return
    for function_id in SWEEPERS:
        await started.start(ports, function_id, {}, 1)
