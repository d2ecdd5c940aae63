"""What goes wrong with one race, one call or one write, and that nothing else suffers for it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from race_day import RaceDay, run_day
from raceday.domain.poll_audit import audit_polls
from raceday.errors import ExecutionRefused, FeedUnavailable, StoreUnavailable
from raceday.jobs.report import RunReport
from raceday.simulator.faults import FaultProfile


async def due_hour(day: RaceDay) -> list[str]:
    """Import the card, wait until a few minutes before the first race, and return the races by start."""
    await day.import_card()
    races = [race_id for (race_id,) in day.rows("SELECT \"$id\" FROM races WHERE status = 'Open' ORDER BY startTime")]
    await day.until(day.start_of(races[0]) - timedelta(minutes=4))
    return races


async def follow(day: RaceDay, race_ids: list[str]) -> dict[str, Any]:
    """Run the enhanced poller over races as the scheduler would, and return its ledger row."""
    execution_id = await day.bundle.host.start("enhanced-race-poller", {"raceIds": race_ids})
    await day.clock.sleep(59)
    columns = ("statusCode", "processed", "failed", "skipped", "remaining", "durationMs")
    (row,) = day.rows(f"SELECT {', '.join(columns)} FROM function_runs WHERE executionId = ?", execution_id)
    return dict(zip(columns, row, strict=True))


def test_a_race_that_breaks_in_a_way_nobody_foresaw_costs_only_itself(tmp_path: Path):
    async def scenario(day: RaceDay) -> None:
        races = await due_hour(day)
        states = type(day.bundle.store).race_states

        async def broken(store, race_ids):
            if races[0] in race_ids:
                raise OverflowError("Python int too large to convert to SQLite INTEGER")
            return await states(store, race_ids)

        type(day.bundle.store).race_states = broken
        try:
            ran = await follow(day, races[:4])
        finally:
            type(day.bundle.store).race_states = states
        assert ran["statusCode"] == 200
        assert ran["processed"] >= 3
        assert ran["failed"] >= 2, "it is tried again, 15 s later at the earliest"
        logged = day.rows("SELECT DISTINCT raceId, error FROM poll_logs")
        assert logged == [(races[0], "OverflowError")]
        tries = [r.at.timestamp() for r in day.requests.requests if r.event_id == races[0]][-ran["failed"] :]
        assert min(later - earlier for earlier, later in pairwise(tries)) >= 15

    run_day(scenario, tmp_path)


def test_a_store_that_fails_once_fails_one_poll_and_not_the_run(tmp_path: Path):
    async def scenario(day: RaceDay) -> None:
        races = await due_hour(day)
        claim = type(day.bundle.store).claim_races
        failures = iter([True])

        async def once_broken(store, *arguments):
            if next(failures, False):
                raise StoreUnavailable("database is locked; nothing was written")
            return await claim(store, *arguments)

        type(day.bundle.store).claim_races = once_broken
        try:
            ran = await follow(day, races[:4])
        finally:
            type(day.bundle.store).claim_races = claim
        assert (ran["statusCode"], ran["failed"]) == (200, 1)
        assert ran["processed"] >= 4

    run_day(scenario, tmp_path)


def test_a_race_lost_sight_of_ends_for_this_run_and_the_others_go_on(tmp_path: Path):
    async def scenario(day: RaceDay) -> None:
        races = await due_hour(day)
        look = type(day.bundle.store).poll_targets

        async def blind(store, race_ids):
            if len(race_ids) == 1:
                raise StoreUnavailable("database is locked")
            return await look(store, race_ids)

        type(day.bundle.store).poll_targets = blind
        try:
            ids = [
                await day.bundle.host.start("enhanced-race-poller", {"raceIds": races[:4]}) for _ in ("one", "another")
            ]
            await day.clock.sleep(59)
        finally:
            type(day.bundle.store).poll_targets = look
        runs = day.rows("SELECT statusCode, processed, skipped FROM function_runs WHERE executionId IN (?, ?)", *ids)
        assert [status for status, _, _ in runs] == [200, 200]
        assert sum(processed for _, processed, _ in runs) >= 4
        assert sum(skipped for _, _, skipped in runs) >= 1, "they met at a race"

    run_day(scenario, tmp_path)


def test_a_run_cut_by_its_deadline_says_what_it_did(tmp_path: Path):
    async def scenario(day: RaceDay) -> None:
        races = await due_hour(day)
        event = day.feed.event
        answers = iter(range(3))

        def stalling(*asked):
            if next(answers, None) is None:
                raise ConnectionResetError
            return event(*asked)

        day.feed.event = stalling  # type: ignore[method-assign]
        ran = await follow(day, races)
        assert ran["durationMs"] <= 55_000
        assert ran["processed"] == 3
        assert ran["failed"] > 0
        assert ran["failed"] == day.rows("SELECT count(*) FROM poll_logs")[0][0]

    run_day(scenario, tmp_path)


def test_a_stalling_feed_never_keeps_a_poller_beyond_its_minute(tmp_path: Path):
    async def scenario(day: RaceDay) -> None:
        races = await due_hour(day)
        ran = await follow(day, races)
        assert ran["durationMs"] <= 55_000
        assert ran["processed"] + ran["failed"] + ran["remaining"] >= 1

    run_day(scenario, tmp_path, faults=FaultProfile(stall=0.3), seed=5)


def test_a_race_that_another_run_polls_is_followed_on_and_stays_in_time(tmp_path: Path):
    async def scenario(day: RaceDay) -> None:
        races = await due_hour(day)
        over = asyncio.Event()
        running = asyncio.create_task(day.bundle.host.run(over, grace_s=30))
        began = day.clock.now()
        for _ in range(8):
            await day.clock.sleep(53)
            await day.call("single-race-poller", {"raceId": races[0], "force": True})
        over.set()
        await running
        audit = audit_polls(
            mark for mark in await day.bundle.store.poll_marks(began + timedelta(minutes=1)) if mark.race_id == races[0]
        )
        assert audit.late_polls == 0
        assert audit.lateness_p95_s <= 12

    run_day(scenario, tmp_path, environment={"RACEDAY_CADENCE": "high-frequency"})


def test_a_dispatch_that_was_refused_is_tried_again_at_the_next_tick(tmp_path: Path):
    async def scenario(day: RaceDay) -> None:
        races = await due_hour(day)
        start = day.bundle.host.start
        refusals = iter([True])

        async def refusing(function_id, body):
            if function_id == "enhanced-race-poller" and next(refusals, False):
                raise ExecutionRefused("the queue is full")
            return await start(function_id, body)

        day.bundle.host.start = refusing  # type: ignore[method-assign]
        began = day.clock.now()
        await start("master-race-scheduler", {})
        await day.clock.sleep(59)
        polls = [mark for mark in await day.bundle.store.poll_marks(began) if mark.race_id == races[0]]
        assert polls, "the second tick dispatched it"

    run_day(scenario, tmp_path)


def test_a_misspelt_field_is_refused_instead_of_ignored(tmp_path: Path):
    async def scenario(day: RaceDay) -> None:
        for function_id, body, field in (
            ("enhanced-race-poller", {"raceID": "x"}, "raceID"),
            ("daily-meetings", {"day": "2026-11-22"}, "day"),
            ("daily-meetings", {"date": "22.11.2026"}, "date"),
            ("single-race-poller", {"raceId": "0f57e087-00d9-4c61-9549-835abe2ae2ed", "force": []}, "force"),
        ):
            status, answer = await day.call(function_id, body)
            assert (status, answer["field"]) == (400, field)

    run_day(scenario, tmp_path)


def test_a_final_race_is_asked_again_for_the_result_it_came_without(tmp_path: Path):
    async def scenario(day: RaceDay) -> None:
        races = await due_hour(day)
        event = day.feed.event
        withheld = iter(range(4))

        def without_result(event_id, options):
            body = event(event_id, options)
            if event_id == races[0] and b'"status":"Final"' in body and next(withheld, None) is not None:
                return body.replace(b'"results":', b'"later":').replace(b'"dividends":', b'"later_too":')
            return body

        day.feed.event = without_result  # type: ignore[method-assign]
        over = asyncio.Event()
        running = asyncio.create_task(day.bundle.host.run(over, grace_s=30))
        await day.until(day.start_of(races[0]) + timedelta(minutes=40))
        over.set()
        await running
        assert next(withheld, None) is None, "the first Final came without a result, and so did three more"
        assert day.rows("SELECT resultStatus FROM race_results WHERE raceId = ?", races[0]) == [("final",)]

    run_day(scenario, tmp_path)


def test_a_partner_id_that_the_feed_repeats_stays_out_of_answers_logs_and_tables(tmp_path: Path):
    async def scenario(day: RaceDay) -> None:
        races = await due_hour(day)
        day.feed.event = lambda *_: b'{"you are": "CANARY-1234"'  # type: ignore[method-assign]
        status, answer = await day.call("single-race-poller", {"raceId": races[0]})
        assert status == 502
        assert "CANARY" not in str(answer)
        assert "CANARY" not in str([result.logs + result.errors for result in day.bundle.host.history.recent])
        for table in ("poll_logs", "function_runs"):
            assert "CANARY" not in str(day.rows(f"SELECT * FROM {table}"))

    run_day(scenario, tmp_path, environment={"NZTAB_PARTNER_ID": "CANARY-1234", "RACEDAY_LOG_LEVEL": "DEBUG"})


def test_a_run_that_failed_for_the_store_alone_says_so() -> None:
    report = RunReport()
    report.fail("one", StoreUnavailable("away"))
    assert report.status_code == 503
    report.fail("two", FeedUnavailable("away"))
    assert report.status_code == 502
    report.done()
    assert report.status_code == 200
