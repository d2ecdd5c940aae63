"""A whole small race day through crons, executions and functions, and what must be true of it in the end."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from race_day import RaceDay, run_day
from raceday.domain.poll_audit import audit_polls
from raceday.simulator.faults import PROFILES


async def to_the_end(day: RaceDay) -> None:
    """Run the bundle as the platform would until every race is over."""
    over = asyncio.Event()
    running = asyncio.create_task(day.bundle.host.run(over, grace_s=30))
    await day.clock.sleep(3600)
    while day.rows("SELECT count(*) FROM races WHERE status NOT IN ('Final', 'Abandoned')")[0][0]:
        await day.clock.sleep(300)
    over.set()
    await running


async def figures(day: RaceDay) -> dict[str, Any]:
    """What the day left behind."""
    audit = audit_polls(await day.bundle.store.poll_marks())
    failed_runs = list(day.bundle.host.history.failures)
    return {"audit": audit, "failed_runs": failed_runs, "counts": await day.bundle.store.day_counts()}


INCREMENTS = """
    SELECT entrantId, sum(incrementalWinAmount), sum(incrementalPlaceAmount),
           (SELECT winPoolAmount FROM money_flow_history last WHERE last.entrantId = m.entrantId
             AND winPoolAmount IS NOT NULL ORDER BY timeInterval LIMIT 1),
           (SELECT placePoolAmount FROM money_flow_history last WHERE last.entrantId = m.entrantId
             AND winPoolAmount IS NOT NULL ORDER BY timeInterval LIMIT 1)
    FROM money_flow_history m WHERE winPoolAmount IS NOT NULL GROUP BY entrantId
"""


def test_every_race_is_polled_at_its_cadence_until_it_is_over(tmp_path: Path):
    async def scenario(day: RaceDay) -> None:
        await to_the_end(day)
        made = await figures(day)
        audit, counts = made["audit"], made["counts"]

        assert set(counts.races_by_status) <= {"Final", "Abandoned"}
        assert counts.races == len(day.races())
        assert (audit.double_polls, audit.late_polls) == (0, 0)
        assert audit.lateness_p95_s < 5
        assert made["failed_runs"] == []
        assert counts.failed_polls == 0
        assert counts.results >= counts.races_by_status["Final"]

        sums = day.rows(INCREMENTS)
        assert len(sums) > 50
        for entrant_id, win_sum, place_sum, last_win, last_place in sums:
            assert (win_sum, place_sum) == (last_win, last_place), entrant_id

        busiest = "SELECT max(runs) FROM (SELECT count(*) AS runs FROM {} GROUP BY substr({}, 1, 16))"
        [(planned,)] = day.rows(busiest.format("function_runs WHERE trigger <> 'event'", "startedAt"))
        assert planned <= 7, "a scheduler, a poller, at most a daily stage, and the three sweeps"
        [(raised,)] = day.rows(busiest.format("function_runs WHERE trigger = 'event'", "startedAt"))
        [(polls,)] = day.rows(busiest.format("race_polls", "polledAt"))
        assert 0 < raised <= polls, "at most one event a poll, whatever the field"

    run_day(scenario, tmp_path, meetings=2, environment={"RACEDAY_POLITENESS_S": "1"})


@pytest.mark.parametrize("cadence", ["classic", "high-frequency"])
def test_the_other_cadences_follow_a_day_as_well(tmp_path: Path, cadence: str):
    async def scenario(day: RaceDay) -> None:
        await to_the_end(day)
        made = await figures(day)
        assert (made["audit"].double_polls, made["audit"].late_polls) == (0, 0)
        assert made["failed_runs"] == []

    run_day(scenario, tmp_path, races=3, environment={"RACEDAY_CADENCE": cadence})


def test_seed_003s_single_and_batch_pollers_follow_a_day_as_well(tmp_path: Path):
    async def scenario(day: RaceDay) -> None:
        await to_the_end(day)
        made = await figures(day)
        assert (made["audit"].double_polls, made["audit"].late_polls) == (0, 0)
        functions = {name for (name,) in day.rows('SELECT DISTINCT "function" FROM function_runs')}
        assert {"single-race-poller", "batch-race-poller"} <= functions
        assert "enhanced-race-poller" not in functions

    run_day(scenario, tmp_path, meetings=2, races=3, environment={"RACEDAY_DISPATCH": "single-or-batch"})


def test_on_a_rough_feed_every_race_still_ends_and_every_failure_is_counted(tmp_path: Path):
    async def scenario(day: RaceDay) -> None:
        await to_the_end(day)
        made = await figures(day)
        assert set(made["counts"].races_by_status) <= {"Final", "Abandoned"}
        assert made["audit"].double_polls == 0
        failed_in_runs = day.rows(
            "SELECT coalesce(sum(failed), 0) FROM function_runs WHERE \"function\" = 'enhanced-race-poller'"
        )[0][0]
        imports = day.rows("SELECT count(*) FROM poll_logs WHERE \"function\" = 'daily-entrants'")[0][0]
        assert made["counts"].failed_polls == failed_in_runs + imports
        assert made["counts"].failed_polls > 0
        errors = {error for (error,) in day.rows("SELECT DISTINCT error FROM poll_logs")}
        assert "FeedContractError" in errors

    run_day(scenario, tmp_path, meetings=2, races=5, faults=PROFILES["rough"], seed=3)


def test_two_schedulers_and_a_person_at_once_still_poll_each_race_once_per_interval(tmp_path: Path):
    async def scenario(day: RaceDay) -> None:
        await day.import_card()
        first = day.rows("SELECT \"$id\" FROM races WHERE status = 'Open' ORDER BY startTime")[0][0]
        await day.until(day.start_of(first) - timedelta(minutes=20))
        began = day.clock.now()
        over = asyncio.Event()

        async def second_scheduler() -> None:
            for _ in range(60):
                await day.bundle.host.start("master-race-scheduler", {})
                await day.clock.sleep(60)

        async def person() -> None:
            while day.clock.now() < began + timedelta(minutes=58):
                for race_id in day.races()[:6]:
                    await day.call("single-race-poller", {"raceId": race_id})
                await day.clock.sleep(7)

        running = asyncio.create_task(day.bundle.host.run(over, grace_s=30))
        await asyncio.gather(second_scheduler(), person())
        over.set()
        await running

        everything = audit_polls(await day.bundle.store.poll_marks(began))
        # Nobody polled between the import and this hour, so what was overdue is caught up in its first minutes.
        audit = audit_polls(await day.bundle.store.poll_marks(began + timedelta(minutes=3)))
        assert audit.polls > 80
        assert everything.double_polls == 0
        assert (audit.double_polls, audit.late_polls) == (0, 0)
        fetched: dict[str, list[float]] = {}
        for request in day.requests.requests:
            if request.event_id is not None and request.at >= began:
                fetched.setdefault(request.event_id, []).append(request.at.timestamp())
        assert sum(len(moments) for moments in fetched.values()) == everything.polls, "no fetch went to waste"
        assert min(later - earlier for moments in fetched.values() for earlier, later in pairwise(moments)) >= 29.5

    run_day(scenario, tmp_path, meetings=3)


def test_after_an_outage_of_the_scheduler_all_races_are_caught_up(tmp_path: Path):
    async def scenario(day: RaceDay) -> None:
        await day.import_card()
        first = day.rows("SELECT \"$id\" FROM races WHERE status = 'Open' ORDER BY startTime")[0][0]
        await day.until(day.start_of(first) + timedelta(hours=3))
        overdue = day.rows("SELECT count(*) FROM races WHERE status NOT IN ('Final', 'Abandoned')")[0][0]
        over = asyncio.Event()
        running = asyncio.create_task(day.bundle.host.run(over, grace_s=30))
        await day.clock.sleep(180)
        over.set()
        await running
        still = day.rows("SELECT count(*) FROM races WHERE status NOT IN ('Final', 'Abandoned')")[0][0]
        assert still < overdue
        polled = day.rows("SELECT count(DISTINCT raceId) FROM race_polls WHERE dueAt IS NOT NULL")[0][0]
        assert polled >= overdue - still

    run_day(scenario, tmp_path, meetings=2)
