"""single-, batch-, enhanced-race-poller and race-data-poller: input, answers, claims, deadlines."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from uuid import uuid4

import pytest

from race_day import RaceDay, run_day
from raceday.simulator.faults import PROFILES


async def shortly_before(day: RaceDay, minutes: float = 4) -> str:
    """Import the card and wait until some minutes before the first race."""
    await day.import_card()
    race_id = day.rows("SELECT \"$id\" FROM races WHERE status = 'Open' ORDER BY startTime")[0][0]
    await day.until(day.start_of(race_id) - timedelta(minutes=minutes))
    return race_id


@pytest.mark.parametrize(
    ("function_id", "body", "field"),
    [
        ("single-race-poller", {}, "raceId"),
        ("single-race-poller", {"raceId": ""}, "raceId"),
        ("single-race-poller", {"raceId": 7}, "raceId"),
        ("single-race-poller", {"raceId": "not-a-uuid"}, "raceId"),
        ("single-race-poller", {"raceId": str(uuid4()), "force": "perhaps"}, "force"),
        ("batch-race-poller", {"raceIds": []}, "raceIds"),
        ("batch-race-poller", {"raceIds": "one"}, "raceIds"),
        ("batch-race-poller", {"raceIds": [str(uuid4()), "x"]}, "raceIds[1]"),
        ("batch-race-poller", {"raceIds": [str(uuid4()) for _ in range(51)]}, "raceIds"),
        ("batch-race-poller", {"raceIds": ["0f57e087-00d9-4c61-9549-835abe2ae2ed"] * 2}, "raceIds"),
        ("enhanced-race-poller", {"raceId": "x"}, "raceId"),
        ("enhanced-race-poller", {"raceId": str(uuid4()), "raceIds": [str(uuid4())]}, "raceId"),
    ],
)
def test_bad_input_is_refused_with_the_field_named(tmp_path: Path, function_id: str, body: dict, field: str):
    async def scenario(day: RaceDay) -> None:
        status, answer = await day.call(function_id, body)
        assert status == 400
        assert answer["field"] == field
        assert field in answer["message"]

    run_day(scenario, tmp_path)


@pytest.mark.parametrize(
    ("function_id", "body"),
    [
        ("single-race-poller", {"raceId": "0f57e087-00d9-4c61-9549-835abe2ae2ed"}),
        ("batch-race-poller", {"raceIds": ["0f57e087-00d9-4c61-9549-835abe2ae2ed"]}),
        ("enhanced-race-poller", {"raceId": "0f57e087-00d9-4c61-9549-835abe2ae2ed"}),
    ],
)
def test_an_unknown_race_is_404(tmp_path: Path, function_id: str, body: dict):
    async def scenario(day: RaceDay) -> None:
        status, answer = await day.call(function_id, body)
        assert status == 404
        assert "is not stored" in answer["message"]

    run_day(scenario, tmp_path)


def test_a_single_poll_says_what_it_updated_and_the_next_one_says_why_not(tmp_path: Path):
    async def scenario(day: RaceDay) -> None:
        race_id = await shortly_before(day)
        status, first = await day.call("single-race-poller", {"raceId": race_id})
        assert status == 200
        (updated,) = first["updated"]
        assert updated["raceId"] == race_id
        assert updated["moneyFlowBuckets"] > 4
        assert updated["totalRacePool"] > 0

        _, again = await day.call("single-race-poller", {"raceId": race_id})
        assert again["updated"] == []
        (skipped,) = again["notPolled"]
        assert "not due before nextDueAt" in skipped["reason"]
        assert skipped["nextDueAt"] > skipped["lastPollAt"]

        _, forced = await day.call("single-race-poller", {"raceId": race_id, "force": True})
        assert len(forced["updated"]) == 1

    run_day(scenario, tmp_path)


def test_a_batch_polls_what_it_can_and_names_what_it_does_not_know(tmp_path: Path):
    async def scenario(day: RaceDay) -> None:
        race_id = await shortly_before(day)
        unknown = str(uuid4())
        status, answer = await day.call("batch-race-poller", {"raceIds": [unknown, race_id]})
        assert status == 200
        assert [updated["raceId"] for updated in answer["updated"]] == [race_id]
        assert [failure["subject"] for failure in answer["failures"]] == [unknown]

    run_day(scenario, tmp_path)


def test_without_a_body_the_batch_poller_takes_what_is_due(tmp_path: Path):
    async def scenario(day: RaceDay) -> None:
        race_id = await shortly_before(day)
        _, answer = await day.call("batch-race-poller")
        assert race_id in [updated["raceId"] for updated in answer["updated"]]

    run_day(scenario, tmp_path)


def test_the_enhanced_poller_follows_a_race_inside_one_execution(tmp_path: Path):
    async def scenario(day: RaceDay) -> None:
        race_id = await shortly_before(day)
        # As the scheduler does it: nobody waits for the answer.
        await day.bundle.host.start("enhanced-race-poller", {"raceIds": [race_id]})
        began = day.clock.now()
        await day.clock.sleep(58)
        polled = [
            request.at for request in day.requests.requests if request.event_id == race_id and request.at >= began
        ]
        assert [round((later - earlier).total_seconds()) for earlier, later in pairwise(polled)] == [30]
        (result,) = [
            result for result in day.bundle.host.history.recent if result.function_id == "enhanced-race-poller"
        ]
        assert result.status_code == 200
        assert result.duration_s < 55

    run_day(scenario, tmp_path)


def test_the_classic_poller_keeps_its_own_cadence(tmp_path: Path):
    async def scenario(day: RaceDay) -> None:
        race_id = await shortly_before(day)
        await day.bundle.host.start("race-data-poller", {})
        began = day.clock.now()
        await day.clock.sleep(58)
        polled = [
            request.at for request in day.requests.requests if request.event_id == race_id and request.at >= began
        ]
        gaps = [round((later - earlier).total_seconds()) for earlier, later in pairwise(polled)]
        assert gaps == [15, 15, 15]

    run_day(scenario, tmp_path)


def test_a_failed_poll_does_not_count_and_is_logged(tmp_path: Path):
    async def scenario(day: RaceDay) -> None:
        race_id = await shortly_before(day)
        before = day.rows('SELECT last_poll_time FROM races WHERE "$id" = ?', race_id)
        day.feed.event = lambda *_: b"<html>gone</html>"  # type: ignore[method-assign]
        status, answer = await day.call("single-race-poller", {"raceId": race_id})
        assert status == 502
        assert answer["failures"][0]["error"] == "FeedContractError"
        assert day.rows('SELECT last_poll_time FROM races WHERE "$id" = ?', race_id) == before
        ((error, payload),) = day.rows("SELECT error, payload FROM poll_logs")
        assert (error, payload) == ("FeedContractError", "<html>gone</html>")
        del day.feed.event
        await day.clock.sleep(16)
        status, answer = await day.call("single-race-poller", {"raceId": race_id})
        assert (status, len(answer["updated"])) == (200, 1)

    run_day(scenario, tmp_path)


def test_a_race_that_the_feed_has_taken_away_is_settled_by_the_meeting_list(tmp_path: Path):
    async def scenario(day: RaceDay) -> None:
        race_id = await shortly_before(day)
        meeting = day.feed.meeting
        day.feed.event = lambda *_: None  # type: ignore[method-assign]
        status, answer = await day.call("single-race-poller", {"raceId": race_id})
        assert (status, answer["failures"][0]["error"]) == (502, "FeedNotFound")

        def called_off(meeting_id: str) -> bytes:
            return meeting(meeting_id).replace(b'"status":"Open"', b'"status":"Abandoned"')

        day.feed.meeting = called_off  # type: ignore[method-assign]
        await day.clock.sleep(301)
        status, answer = await day.call("single-race-poller", {"raceId": race_id})
        assert status == 200
        assert answer["updated"][0]["status"] == "Abandoned"
        runners = day.rows("SELECT count(*) FROM entrants WHERE raceId = ? AND fixedWinOdds IS NOT NULL", race_id)
        assert runners[0][0] > 3, "what was known of the runners is kept"

    run_day(scenario, tmp_path)


def test_a_stalling_feed_ends_the_call_in_time_and_the_others_are_still_written(tmp_path: Path):
    slow = replace(PROFILES["none"], stall=1.0)

    async def scenario(day: RaceDay) -> None:
        began = day.clock.now()
        status, _ = await day.call("daily-meetings")
        assert status == 502
        assert (day.clock.now() - began).total_seconds() <= 15.5

    run_day(scenario, tmp_path, faults=slow)


def test_broken_configuration_is_one_clear_answer(tmp_path: Path):
    async def scenario(day: RaceDay) -> None:
        status, answer = await day.call("daily-meetings")
        assert status == 500
        assert "RACEDAY_CADENCE" in answer["message"]
        assert "enhanced, classic, high-frequency" in answer["message"]
        assert "RACEDAY_CONCURRENCY" in answer["message"], "every wrong variable is named at once"

    run_day(scenario, tmp_path, environment={"RACEDAY_CADENCE": "brisk", "RACEDAY_CONCURRENCY": "many"})
