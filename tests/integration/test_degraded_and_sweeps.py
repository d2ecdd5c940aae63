"""Polls of low quality are kept, marked and shown; the scheduler starts the sweeps."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from race_day import RaceDay, run_day


async def first_race(day: RaceDay) -> str:
    await day.import_card()
    race_id = day.rows("SELECT \"$id\" FROM races WHERE status = 'Open' ORDER BY startTime")[0][0]
    await day.until(day.start_of(race_id) - timedelta(minutes=4))
    return race_id


@pytest.mark.parametrize(("threshold", "degraded"), [("100", True), ("0", False)])
def test_a_poll_below_the_threshold_is_kept_marked_and_logged(tmp_path: Path, threshold: str, degraded: bool):
    async def scenario(day: RaceDay) -> None:
        race_id = await first_race(day)
        _, answer = await day.call("single-race-poller", {"raceId": race_id})
        (updated,) = answer["updated"]
        assert updated["dataQualityScore"] < 100
        assert updated["degraded"] is degraded
        (mark, score) = day.rows(
            'SELECT degraded, "dataQualityScore" FROM race_polls WHERE "raceId" = ? ORDER BY "polledAt" DESC', race_id
        )[0]
        assert (bool(mark), score) == (degraded, updated["dataQualityScore"])
        logged = day.rows('SELECT error, message FROM poll_logs WHERE "raceId" = ? ORDER BY "occurredAt" DESC', race_id)
        if degraded:
            assert logged[0][0] == "DegradedPoll"
            assert f"score of {score}" in logged[0][1]
            assert " of " in logged[0][1]
        else:
            assert logged == []
        assert day.rows('SELECT count(*) FROM money_flow_history WHERE "raceId" = ?', race_id)[0][0] > 0

    run_day(scenario, tmp_path, races=1, environment={"RACEDAY_QUALITY_THRESHOLD": threshold})


@pytest.mark.parametrize(("minutes", "sweeps"), [("5", 2), ("10", 1), ("0", 0)])
def test_the_scheduler_starts_the_sweeps_every_few_minutes(tmp_path: Path, minutes: str, sweeps: int):
    async def scenario(day: RaceDay) -> None:
        began = day.clock.now().replace(minute=0, second=0, microsecond=0) + timedelta(hours=3)
        await day.until(began)
        for minute in range(10):
            await day.until(began + timedelta(minutes=minute, milliseconds=250))
            await day.bundle.host.start("master-race-scheduler", {})
        await day.bundle.host.drain()
        for function in ("money-flow-tracker", "race-pools-aggregator", "alert-evaluator"):
            runs = day.rows(
                "SELECT \"statusCode\" FROM function_runs WHERE function = ? AND trigger = 'http'", function
            )
            assert [status for (status,) in runs] == [200] * sweeps

    run_day(scenario, tmp_path, races=1, environment={"RACEDAY_SWEEP_MINUTES": minutes})
