"""alert-evaluator, by call: what lost events left out, and what a run had no time for.

A race is looked at as a whole: every runner, over the whole race so far. That leaves what all its events would have.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from raceday.jobs.evaluate_alerts import AlertPlan, AlertTally, evaluate_runners
from raceday.jobs.ports import JobPorts
from raceday.jobs.report import RunReport
from raceday.store.alert_ports import AlertBacklog, ConfigCursor

if TYPE_CHECKING:
    from raceday.store.ports import RaceStore

SWEEP = "alert-evaluator"
"""The name of its mark."""
RACE_MARGIN_S = 15.0
"""A race is begun only when this is left of the run: what is pending is delivered after the sweep, by the same run."""
FIRST_LOOK_BACK = timedelta(minutes=15)
LONGEST_LOOK_BACK = timedelta(days=1)
"""After a longer stop nobody wants to be told of what was."""
OVERLAP = timedelta(minutes=1)
"""A row bears the time of its poll and is stored a little later; a sweep looks back so far behind the last one."""
NEAR = timedelta(minutes=70)
"""Races further from their start are left to their own events: they are polled too seldom to be looked at each time,
and a sweep looks at the whole past of a race when it comes near."""
BACKLOG_AT_ONCE = 100


async def sweep_alerts(ports: JobPorts, plan: AlertPlan) -> RunReport:
    """Evaluate the backlog and the races that were touched, or came near their start, since the last sweep.

    The mark moves only over races that were done. One that fails is counted and noted in the backlog; the others
    go on.
    """
    tally = AlertTally()
    began = ports.clock.now()
    await _work_off_backlog(ports, plan, tally)
    await ports.store.note_swept(SWEEP, await _sweep_races(ports, plan, tally, began), began)
    tally.tell(ports)
    return ports.report


async def resume_alerts(ports: JobPorts, plan: AlertPlan) -> RunReport:
    """Evaluate what earlier runs noted and did not come to."""
    tally = AlertTally()
    await _work_off_backlog(ports, plan, tally)
    tally.tell(ports)
    return ports.report


async def _work_off_backlog(ports: JobPorts, plan: AlertPlan, tally: AlertTally) -> None:
    backlog = await ports.store.alert_backlog(BACKLOG_AT_ONCE)
    for number, note in enumerate(backlog):
        if not ports.deadline.allows(RACE_MARGIN_S):
            ports.report.remaining += len(backlog) - number
            return
        await _evaluate_note(ports, plan, tally, note, noted=True)


async def _sweep_races(ports: JobPorts, plan: AlertPlan, tally: AlertTally, began: datetime) -> datetime:
    """Evaluate the races with something new, those first that wait longest; return how far that has come."""
    mark = await ports.store.swept_to(SWEEP)
    since = began - FIRST_LOOK_BACK if mark is None else max(mark - OVERLAP, began - LONGEST_LOOK_BACK)
    races = await _races_with_news(ports.store, since, began)
    for number, (race_id, new_at) in enumerate(races):
        if not ports.deadline.allows(RACE_MARGIN_S):
            ports.report.remaining += len(races) - number
            return min(new_at, began)
        await _evaluate_note(ports, plan, tally, AlertBacklog(race_id, "", "", began), noted=False)
    return began


async def _races_with_news(store: RaceStore, since: datetime, now: datetime) -> list[tuple[str, datetime]]:
    """Return the races that were touched, or came near their start, since an instant; each with when, oldest first.

    A race that comes near is looked at even when nothing touches it any more: events may have been lost before.
    """
    news = {race.race_id: race.advertised_start - NEAR for race in await store.followed_races(since + NEAR, now + NEAR)}
    for race_id, touched_at in await store.races_touched(since, now + NEAR):
        news[race_id] = max(touched_at, news.get(race_id, touched_at))
    return sorted(news.items(), key=lambda race: (race[1], race[0]))


async def _evaluate_note(
    ports: JobPorts, plan: AlertPlan, tally: AlertTally, note: AlertBacklog, *, noted: bool
) -> None:
    """Evaluate a race or one runner of it; what is not done, for lack of time or an error, is noted.

    `noted`: the backlog holds the note already, and is to be rid of it.
    """
    try:
        stopped_at = await _evaluate(ports, plan, tally, note)
    except Exception as error:  # noqa: BLE001 (one race that nobody foresaw must not cost the others)
        ports.log.warning("alerts_not_evaluated", race_id=note.race_id, error=type(error).__name__, message=str(error))
        ports.report.fail(note.race_id, error)
        await ports.store.save_alert_backlog(note)
        return
    rest = None
    if stopped_at is not None:
        rest = AlertBacklog(note.race_id, note.entrant_id, stopped_at.user_id, ports.clock.now())
        ports.report.remaining += 1
    if noted or rest is not None:
        await ports.store.settle_alert_backlog(note, rest)
    ports.report.done()


async def _evaluate(ports: JobPorts, plan: AlertPlan, tally: AlertTally, note: AlertBacklog) -> ConfigCursor | None:
    runners = await ports.store.alert_runners(note.race_id)
    meant = [runner for runner in runners if note.entrant_id in {"", runner.entrant_id}]
    if not meant:
        return None
    begin = ConfigCursor(note.from_user) if note.from_user else None
    return await evaluate_runners(ports, plan, meant, tally, begin=begin)
