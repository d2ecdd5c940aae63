"""The three daily functions: what they store, in which order, and how they go on where they stopped."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from race_day import DAY, RaceDay, run_day
from raceday.domain.racing_day import DailyStage, stage_due_at
from raceday.domain.status import RaceStatus
from raceday.errors import FeedContractError, FeedNotFound, FeedThrottled, FeedUnavailable
from raceday.nztab.client import NzTabClient
from raceday.nztab.mapping_meetings import ProgrammedMeeting
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


def _failing(monkeypatch: pytest.MonkeyPatch, call: str, error: Exception, which: Callable[[str], bool]) -> None:
    """Let the feed's client fail for some ids, as it would after its own retries."""
    real = getattr(NzTabClient, call)

    async def broken(self: NzTabClient, subject: str, **options: bool) -> object:
        if which(subject):
            raise error
        return await real(self, subject, **options)

    monkeypatch.setattr(NzTabClient, call, broken)


LASTING = [FeedNotFound("not found"), FeedContractError("no JSON")]
PASSING = [FeedUnavailable("503"), FeedThrottled("429", 30.0)]


@pytest.mark.parametrize("error", LASTING, ids=repr)
def test_a_meeting_that_keeps_failing_is_given_up_and_the_others_are_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
):
    async def scenario(day: RaceDay) -> None:
        await day.call("daily-meetings")
        bad = day.programme.meetings[0].meeting_id
        _failing(monkeypatch, "meeting", error, lambda meeting_id: meeting_id == bad)
        for tried in range(1, 4):
            _, races = await day.call("daily-races")
            assert (races["processed"], races["failed"]) == (1 if tried == 1 else 0, 1)
            assert (races["stageComplete"], races["remaining"]) == (tried == 3, 0 if tried == 3 else 1)
            assert races["givenUp"] == ([bad] if tried == 3 else [])
            status, entrants = await day.call("daily-entrants")
            assert (status, entrants["remaining"], entrants["stageComplete"]) == (200, 0, tried == 3)
        assert day.rows("SELECT count(*) FROM races WHERE meeting = ?", bad) == [(0,)]
        assert day.rows('SELECT count(*) FROM races WHERE "entrantsImportedAt" IS NULL') == [(0,)]

    run_day(scenario, tmp_path, meetings=2)


@pytest.mark.parametrize("error", PASSING, ids=repr)
def test_a_meeting_is_never_given_up_for_an_outage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception):
    async def scenario(day: RaceDay) -> None:
        await day.call("daily-meetings")
        with monkeypatch.context() as outage:
            _failing(outage, "meeting", error, lambda _: True)
            for _ in range(5):
                status, races = await day.call("daily-races")
                assert (status, races["remaining"], races["stageComplete"]) == (502, 2, False)
        _, races = await day.call("daily-races")
        assert (races["processed"], races["stageComplete"]) == (2, True)

    run_day(scenario, tmp_path, meetings=2)


def test_a_run_goes_on_where_the_last_one_stopped_and_starts_over_when_all_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    async def scenario(day: RaceDay) -> None:
        await day.call("daily-meetings")
        bad = day.programme.meetings[0].meeting_id
        with monkeypatch.context() as outage:
            _failing(outage, "meeting", FeedUnavailable("503"), lambda meeting_id: meeting_id == bad)
            _, races = await day.call("daily-races")
            assert (races["processed"], races["remaining"]) == (2, 1)
        before = len(day.requests.requests)
        _, races = await day.call("daily-races")
        assert (races["processed"], races["remaining"], races["stageComplete"]) == (1, 0, True)
        assert [request.path.rpartition("/")[2] for request in day.requests.requests[before:]] == [bad]
        _, races = await day.call("daily-races")
        assert races["processed"] == 3

    run_day(scenario, tmp_path, meetings=3)


@pytest.mark.parametrize("error", PASSING, ids=repr)
def test_an_outage_leaves_every_race_waiting_and_ends_the_run_early(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
):
    async def scenario(day: RaceDay) -> None:
        await day.call("daily-meetings")
        await day.call("daily-races")
        waiting = len(day.races())
        with monkeypatch.context() as outage:
            _failing(outage, "event", error, lambda _: True)
            for _ in range(4):
                status, report = await day.call("daily-entrants")
                assert (status, report["failed"], report["remaining"]) == (502, 5, waiting)
                assert not report["stageComplete"]
        assert day.rows('SELECT count(*) FROM races WHERE coalesce("entrantsAttempts", 0) > 0') == [(0,)]
        await day.clock.sleep(60)
        await day.import_card()
        assert day.rows('SELECT count(*) FROM races WHERE "entrantsImportedAt" IS NULL') == [(0,)]

    run_day(scenario, tmp_path, meetings=1)


def test_races_that_never_answer_go_behind_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    async def scenario(day: RaceDay) -> None:
        await day.call("daily-meetings")
        await day.call("daily-races")
        stuck = set(day.races()[:5])
        _failing(monkeypatch, "event", FeedUnavailable("503"), lambda race_id: race_id in stuck)
        _, first = await day.call("daily-entrants")
        assert (first["failed"], first["processed"]) == (5, 0)
        _, second = await day.call("daily-entrants")
        assert second["processed"] == len(day.races()) - 5
        assert not second["stageComplete"]

    run_day(scenario, tmp_path, meetings=1)


def test_the_scheduler_goes_on_at_once_only_while_something_gets_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    async def scenario(day: RaceDay) -> None:
        await day.call("daily-meetings")
        await day.call("daily-races")
        _failing(monkeypatch, "event", FeedUnavailable("503"), lambda _: True)
        await day.until(stage_due_at(DAY, DailyStage.ENTRANTS) + timedelta(minutes=5))
        over = asyncio.Event()
        running = asyncio.create_task(day.bundle.host.run(over, grace_s=5))
        await day.clock.sleep(16 * 60)
        over.set()
        await running
        begun = day.rows("SELECT startedAt FROM function_runs WHERE function = 'daily-entrants' ORDER BY startedAt")
        times = [datetime.fromisoformat(text) for (text,) in begun]
        assert min(later - earlier for earlier, later in pairwise(times)) >= timedelta(minutes=5)
        assert day.rows("SELECT complete FROM daily_stages WHERE stage = 'daily-entrants'") == [(0,)]

    run_day(scenario, tmp_path, meetings=1)


def test_a_bad_meeting_does_not_keep_the_scheduler_from_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    async def scenario(day: RaceDay) -> None:
        bad = day.programme.meetings[0].meeting_id
        _failing(monkeypatch, "meeting", FeedUnavailable("503"), lambda meeting_id: meeting_id == bad)
        over = asyncio.Event()
        running = asyncio.create_task(day.bundle.host.run(over, grace_s=5))
        await day.until(stage_due_at(DAY, DailyStage.MEETINGS) + timedelta(hours=2, minutes=8))
        assert dict(day.rows("SELECT stage, complete FROM daily_stages"))["daily-races"] == 0
        good = day.programme.meetings[1].meeting_id
        assert day.rows('SELECT count(*) FROM races WHERE meeting = ? AND "entrantsImportedAt" IS NULL', good) == [(0,)]
        over.set()
        await running

    run_day(scenario, tmp_path, meetings=2, begins=stage_due_at(DAY, DailyStage.MEETINGS) + timedelta(hours=2))


def test_long_pauses_spread_an_import_over_several_runs(tmp_path: Path):
    async def scenario(day: RaceDay) -> None:
        over = asyncio.Event()
        running = asyncio.create_task(day.bundle.host.run(over, grace_s=5))
        await day.until(stage_due_at(DAY, DailyStage.MEETINGS) + timedelta(hours=1))
        over.set()
        await running
        runs = "SELECT statusCode, processed, remaining FROM function_runs WHERE function = ? ORDER BY startedAt"
        assert day.rows(runs, "daily-races") == [(200, 5, 3), (200, 3, 0)]
        assert {status for status, *_ in day.rows(runs, "daily-entrants")} == {200}
        assert [complete for (complete,) in day.rows("SELECT complete FROM daily_stages")] == [1, 1, 1]

    run_day(scenario, tmp_path, meetings=8, races=2, environment={"RACEDAY_POLITENESS_S": "60"})


def test_a_race_that_the_list_wrongly_called_off_is_polled_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    called_off: set[str] = set()
    real = NzTabClient.meetings

    async def listed(self: NzTabClient, date_from: date, date_to: date | None = None) -> list[ProgrammedMeeting]:
        return [
            ProgrammedMeeting(
                meeting,
                [replace(race, status=RaceStatus.ABANDONED) if race.race_id in called_off else race for race in races],
            )
            for meeting, races in await real(self, date_from, date_to)
        ]

    async def scenario(day: RaceDay) -> None:
        await day.import_card()
        race_id = day.races()[0]
        status = 'SELECT status FROM races WHERE "$id" = ?'
        monkeypatch.setattr(NzTabClient, "meetings", listed)
        await day.until(day.start_of(race_id) - timedelta(minutes=40))
        over = asyncio.Event()
        running = asyncio.create_task(day.bundle.host.run(over, grace_s=5))
        called_off.add(race_id)
        await day.clock.sleep(11 * 60)
        assert day.rows(status, race_id) == [("Abandoned",)]
        called_off.clear()
        await day.clock.sleep(11 * 60)
        back_at = day.clock.now()
        await day.clock.sleep(5 * 60)
        over.set()
        await running
        assert day.rows(status, race_id) == [("Open",)]
        [(polled_at,)] = day.rows('SELECT last_poll_time FROM races WHERE "$id" = ?', race_id)
        assert datetime.fromisoformat(polled_at) > back_at

    run_day(scenario, tmp_path, meetings=1)
