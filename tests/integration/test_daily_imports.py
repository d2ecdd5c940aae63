"""The three daily functions: what they store, in which order, and how they go on where they stopped."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

from race_day import DAY, RaceDay, run_day
from raceday.domain.racing_day import DailyStage, stage_due_at
from raceday.simulator.faults import PROFILES


def test_the_card_is_imported_in_three_steps(tmp_path: Path):
    async def scenario(day: RaceDay) -> None:
        status, meetings = await day.call("daily-meetings")
        assert (status, meetings["processed"], meetings["stageComplete"]) == (200, 2, True)
        assert meetings["listed"] > 2, "greyhounds and foreign meetings are listed, and left out"
        assert {row[0] for row in day.rows("SELECT country FROM meetings")} <= {"AUS", "NZ"}

        status, races = await day.call("daily-races")
        assert (status, races["processed"], races["races"]) == (200, 2, len(day.races()))
        assert day.rows('SELECT count(*) FROM races JOIN meetings ON races.meeting = meetings."$id"') == [
            (len(day.races()),)
        ]

        status, entrants = await day.call("daily-entrants")
        assert (status, entrants["processed"]) == (200, len(day.races()))
        assert entrants["stageComplete"]
        assert day.rows("SELECT count(*) FROM odds_history WHERE type = 'fixed_win'")[0][0] > 100

    run_day(scenario, tmp_path, meetings=2)


def test_a_second_import_changes_nothing(tmp_path: Path):
    async def scenario(day: RaceDay) -> None:
        await day.import_card()
        tables = ("meetings", "races", "entrants", "odds_history", "money_flow_history", "race_pools")
        before = {table: day.rows(f"SELECT count(*) FROM {table}") for table in tables}
        await day.import_card()
        assert {table: day.rows(f"SELECT count(*) FROM {table}") for table in tables} == before

    run_day(scenario, tmp_path)


def test_a_stage_whose_prerequisite_is_missing_says_so_and_does_nothing(tmp_path: Path):
    async def scenario(day: RaceDay) -> None:
        status, report = await day.call("daily-races")
        assert status == 424
        assert "daily-meetings is not complete for 2026-11-22" in report["message"]
        status, report = await day.call("daily-entrants")
        assert status == 424
        assert day.requests.requests == []

    run_day(scenario, tmp_path)


def test_twenty_races_a_run_and_the_following_runs_finish_the_card(tmp_path: Path):
    async def scenario(day: RaceDay) -> None:
        await day.call("daily-meetings")
        await day.call("daily-races")
        races = len(day.races())
        remaining = [races]
        while remaining[-1]:
            _, report = await day.call("daily-entrants")
            assert report["processed"] == min(20, remaining[-1])
            assert report["remaining"] == remaining[-1] - report["processed"]
            assert report["stageComplete"] == (report["remaining"] == 0)
            remaining.append(report["remaining"])
        assert len(remaining) > 2, "the card must be longer than one run for this test to say anything"

    run_day(scenario, tmp_path, meetings=4)


def test_polite_imports_pause_between_calls(tmp_path: Path):
    async def scenario(day: RaceDay) -> None:
        await day.import_card()
        calls = [request.at for request in day.requests.requests if request.event_id is not None]
        gaps = [(later - earlier).total_seconds() for earlier, later in pairwise(calls)]
        assert min(gaps) >= 2.0

    run_day(scenario, tmp_path, environment={"RACEDAY_POLITENESS_S": "2"})


def test_greyhounds_are_followed_when_configured(tmp_path: Path):
    async def scenario(day: RaceDay) -> None:
        await day.call("daily-meetings")
        assert "G" in {row[0] for row in day.rows("SELECT category FROM meetings")}

    run_day(scenario, tmp_path, environment={"RACEDAY_CODES": "T,H,G"})


def test_failing_races_neither_stop_the_others_nor_are_forgotten(tmp_path: Path):
    broken = replace(PROFILES["none"], missing_event=0.4)

    async def scenario(day: RaceDay) -> None:
        await day.call("daily-meetings")
        await day.call("daily-races")
        status, report = await day.call("daily-entrants")
        assert status == 200
        assert report["failed"] > 0
        assert report["processed"] > 0
        assert not report["stageComplete"]
        assert report["processed"] + report["failed"] + report["skipped"] == min(20, len(day.races()))
        assert {failure["error"] for failure in report["failures"]} == {"FeedNotFound"}
        logged = day.rows("SELECT count(*) FROM poll_logs")[0][0]
        assert logged == report["failed"]

    run_day(scenario, tmp_path, meetings=2, faults=broken)


def test_if_everything_fails_the_run_fails_and_nothing_counts_as_done(tmp_path: Path):
    down = replace(PROFILES["none"], server_error=1.0)

    async def scenario(day: RaceDay) -> None:
        status, report = await day.call("daily-meetings")
        assert status == 502
        assert not report["ok"]
        assert day.rows("SELECT complete FROM daily_stages") == [(0,)]

    run_day(scenario, tmp_path, faults=down)


def test_the_scheduler_starts_a_stage_that_no_cron_started(tmp_path: Path):
    async def scenario(day: RaceDay) -> None:
        over = asyncio.Event()
        running = asyncio.create_task(day.bundle.host.run(over, grace_s=5))
        await day.until(stage_due_at(DAY, DailyStage.MEETINGS) + timedelta(hours=2, minutes=6))
        over.set()
        await running
        stages = day.rows("SELECT stage, complete FROM daily_stages ORDER BY startedAt")
        assert stages == [("daily-meetings", 1), ("daily-races", 1), ("daily-entrants", 1)]

    run_day(scenario, tmp_path, begins=stage_due_at(DAY, DailyStage.MEETINGS) + timedelta(hours=2))
