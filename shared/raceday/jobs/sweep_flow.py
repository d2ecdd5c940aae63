"""The sweeps of money-flow-tracker and race-pools-aggregator: they find what lost events left out, and derive it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta

from raceday.domain.entrant_update import EntrantUpdate
from raceday.domain.flow_update import NotDue, miscounted, update_flow
from raceday.domain.money_flow import Estimator
from raceday.jobs.ports import JobPorts
from raceday.jobs.report import RunReport
from raceday.store.flow_ports import SweepWindow

LOOK_BACK = timedelta(hours=24)
"""Races that started longer ago are over; a correction of them is derived by its event alone."""
LOOK_AHEAD = timedelta(hours=36)
"""The card of the next racing day is imported about a day before its last race."""
OVERLAP = timedelta(minutes=5)
"""A write may become visible some time after the moment that it is stamped with; clocks differ, too."""
RACE_S = 5.0
"""What is kept of a run's time for one race."""

RaceSweep = Callable[[str, Sequence[EntrantUpdate]], Awaitable[Counter[str]]]
"""Sweeps one race for the runners that others wrote, and counts what was found."""
CHANGES = ("derived", "repaired")


async def sweep_money_flow(ports: JobPorts, estimator: Estimator) -> RunReport:
    """Derive the buckets of the runners that others wrote since the last sweep, where they are missing.

    Where it looks, it also counts the increments of the whole race again and repairs what does not add up.
    """

    async def sweep_race(race_id: str, updates: Sequence[EntrantUpdate]) -> Counter[str]:
        found: Counter[str] = Counter()
        stored = await ports.store.race_flow(race_id, min(update.written_at for update in updates))
        if stored is None:
            return found
        for update in updates:
            due = update_flow(update, stored.standing(update), estimator)
            if isinstance(due, NotDue):
                found[due.value] += 1
            elif await ports.store.save_flow(update, estimator, ports.clock.now()):
                found["derived"] += 1
        if any(miscounted([kept.flow for kept in buckets]) for buckets in stored.buckets.values()):
            found["repaired"] += await ports.store.repair_increments(race_id, ports.clock.now())
        return found

    return await _sweep(ports, sweep_race)


async def sweep_pools(ports: JobPorts, estimator: Estimator) -> RunReport:
    """Bring the pools of the races up to date whose runners others wrote since the last sweep."""

    async def sweep_race(race_id: str, _: Sequence[EntrantUpdate]) -> Counter[str]:
        changed = await ports.store.save_pool_totals(race_id, estimator, ports.clock.now())
        return Counter({"derived" if changed else NotDue.DERIVED.value: 1})

    return await _sweep(ports, sweep_race)


async def _sweep(ports: JobPorts, sweep_race: RaceSweep) -> RunReport:
    """Sweep race by race, those first whose oldest write waits longest.

    The mark moves over what was done alone: a race that failed, or was not come to, is looked at again.
    """
    report = ports.report
    began = ports.clock.now()
    found: Counter[str] = Counter(derived=0, alreadyDerived=0)
    swept_to = began
    for race_id, updates in (await _written_by_others(ports)).items():
        if not ports.deadline.allows(RACE_S):
            report.remaining += 1
            swept_to = min(swept_to, updates[0].written_at)
            continue
        try:
            in_race = await sweep_race(race_id, updates)
        except Exception as error:  # noqa: BLE001 (one race that nobody foresaw must not cost the others)
            ports.log.warning("sweep_failed", race_id=race_id, error=type(error).__name__, message=str(error))
            report.fail(race_id, error)
            swept_to = min(swept_to, updates[0].written_at)
            continue
        found.update(in_race)
        if any(in_race[change] for change in CHANGES):
            report.done()
        else:
            report.skip()
    report.details |= found
    report.details["sweptTo"] = swept_to.isoformat(timespec="milliseconds")
    await ports.store.note_swept(ports.function, swept_to, ports.clock.now())
    return report


async def _written_by_others(ports: JobPorts) -> Mapping[str, Sequence[EntrantUpdate]]:
    """Return the runners that others wrote since the last sweep, by race."""
    now = ports.clock.now()
    swept_to = await ports.store.swept_to(ports.function)
    window = SweepWindow(now - LOOK_BACK, now + LOOK_AHEAD, (swept_to or now - LOOK_BACK) - OVERLAP)
    races: dict[str, list[EntrantUpdate]] = {}
    for update in await ports.store.runners_written_by_others(window):
        races.setdefault(update.race_id, []).append(update)
    return races
