"""money-flow-tracker and race-pools-aggregator on the host: events, sweeps, and the same rows as our polls make."""

from __future__ import annotations

import asyncio
import json
import random
import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from legacy_writer import LegacyWriter, Round
from race_day import RaceDay, run_day
from raceday.domain.flow_update import NotDue, update_flow
from raceday.domain.money_flow import Estimator
from raceday.host.executions import ExecutionResult
from raceday.store.events import RowEvent
from raceday.store.rows.updates import entrant_update
from raceday.store.sqlite import SqliteStore

TRACKER, AGGREGATOR = "money-flow-tracker", "race-pools-aggregator"


def rows_of(day: RaceDay, table: str) -> list[dict[str, Any]]:
    """All rows of a table, without when they were written."""
    connection = sqlite3.connect(day.database)
    connection.row_factory = sqlite3.Row
    try:
        rows = [dict(row) for row in connection.execute(f'SELECT * FROM {table} ORDER BY "$id"')]
    finally:
        connection.close()
    return [{name: row[name] for name in row if name not in {"$createdAt", "$updatedAt"}} for row in rows]


def runs_of(day: RaceDay, function: str) -> list[tuple[Any, ...]]:
    """Trigger, status, what was done and skipped, and store calls of each run of a function."""
    return day.rows(
        "SELECT trigger, statusCode, processed, skipped, storeCalls FROM function_runs WHERE function = ? "
        "AND trigger = 'event' ORDER BY executionId",
        function,
    )


async def import_and_wait(day: RaceDay, minutes: float) -> str:
    """Import the card and wait until some minutes before the first race."""
    await day.import_card()
    race_id = day.rows("SELECT \"$id\" FROM races WHERE status = 'Open' ORDER BY startTime")[0][0]
    await day.until(day.start_of(race_id) - timedelta(minutes=minutes))
    return race_id


def writer_of(day: RaceDay, race_id: str) -> LegacyWriter:
    """Another program that writes the live runners of a race."""
    runners = day.rows('SELECT "$id" FROM entrants WHERE raceId = ? AND NOT isScratched ORDER BY 1', race_id)
    return LegacyWriter(sqlite3.connect(day.database), race_id, [entrant_id for (entrant_id,) in runners])


def round_at(day: RaceDay, writer: LegacyWriter, number: int) -> Round:
    """What the writer sees now: a pool that grows, and holds that wander."""
    field = len(writer.entrant_ids)
    holds = [4 + (3 * runner + 5 * number) % 13 for runner in range(field)]
    return Round(day.clock.now(), 150_000 + 70_000 * number, holds)


async def publish(day: RaceDay, *events: RowEvent) -> None:
    """Raise row events and wait until every function that listens is done."""
    for event in events:
        day.bundle.host.publish(event)
    await day.bundle.host.drain()


def test_a_write_by_another_program_is_derived_by_its_events(tmp_path: Path):
    async def scenario(day: RaceDay) -> None:
        race_id = await import_and_wait(day, 33)
        writer = writer_of(day, race_id)
        seen = round_at(day, writer, 1)
        await publish(day, *writer.write_round(seen))

        written = day.rows(
            "SELECT entrantId, winPoolAmount, incrementalWinAmount, previousInterval, timeToStart, intervalType, "
            "winPoolPercentage, dataQualityScore FROM money_flow_history WHERE raceId = ? AND timeInterval = 30",
            race_id,
        )
        before = dict(
            day.rows(
                "SELECT entrantId, winPoolAmount FROM money_flow_history WHERE raceId = ? AND timeInterval = 60",
                race_id,
            )
        )
        held = dict(zip(writer.entrant_ids, seen.holds, strict=True))
        assert len(written) == len(writer.entrant_ids)
        for entrant_id, win_cents, increment, previous, minutes, label, percentage, score in written:
            assert win_cents == seen.win_cents * held[entrant_id] / 100
            assert increment == win_cents - before[entrant_id]
            assert (previous, minutes, label, percentage, score) == (60, 33, "5m", held[entrant_id], None)
        pools = day.rows("SELECT winPoolTotal, placePoolTotal, hasData FROM race_pools WHERE raceId = ?", race_id)
        assert pools == [(seen.win_cents, seen.win_cents // 2, 1)]
        assert {run[:2] for run in runs_of(day, TRACKER)} == {("event", 200)}

    run_day(scenario, tmp_path, races=2)


def test_the_same_event_again_costs_one_read_and_writes_nothing(tmp_path: Path):
    async def scenario(day: RaceDay) -> None:
        race_id = await import_and_wait(day, 33)
        writer = writer_of(day, race_id)
        events = writer.write_round(round_at(day, writer, 1))
        await publish(day, *events)
        ends = [rows_of(day, table) for table in ("money_flow_history", "race_pools")]
        first = len(runs_of(day, TRACKER))
        await publish(day, *events, replace(events[0], action="upsert"), replace(events[1], action="create"))

        again = [runs_of(day, function)[first:] for function in (TRACKER, AGGREGATOR)]
        assert {run for runs in again for run in runs} == {("event", 200, 0, 1, 1)}
        assert [rows_of(day, table) for table in ("money_flow_history", "race_pools")] == ends

    run_day(scenario, tmp_path, races=2)


def test_our_own_polls_raise_no_events_here_and_a_row_that_they_wrote_costs_one_read(tmp_path: Path):
    async def scenario(day: RaceDay) -> None:
        race_id = await import_and_wait(day, 12)
        for _ in range(8):
            await day.call("single-race-poller", {"raceId": race_id, "force": True})
            await day.clock.sleep(60)
        await day.bundle.host.drain()
        assert runs_of(day, TRACKER) == runs_of(day, AGGREGATOR) == []

        rows = day.bundle.store._db.rows('SELECT * FROM entrants WHERE "raceId" = ?', (race_id,))
        await publish(day, *(RowEvent("entrants", row["$id"], "upsert", row) for row in rows))
        assert len(runs_of(day, TRACKER)) == len(rows) > 3
        assert {run for function in (TRACKER, AGGREGATOR) for run in runs_of(day, function)} == {
            ("event", 200, 0, 1, 1)
        }

    run_day(scenario, tmp_path, races=2)


@pytest.mark.parametrize(
    ("action", "row", "status", "said"),
    [
        ("delete", {"$id": "x"}, 200, {"skipped": 1}),
        ("update", {"$id": "x", "raceId": "", "$updatedAt": "2026-11-22T00:00:00.000+00:00"}, 400, {"field": "raceId"}),
        ("update", {"$id": "x", "raceId": "y", "$updatedAt": "lately"}, 400, {"field": "$updatedAt"}),
        ("update", {"$id": "x", "raceId": "y", "$updatedAt": "2026-11-22T00:00:00.000+00:00"}, 200, {"unknownRace": 1}),
    ],
)
def test_events_that_make_nothing(tmp_path: Path, action: Any, row: dict[str, object], status: int, said: dict):
    async def scenario(day: RaceDay) -> None:
        answers = await answers_to(day, RowEvent("entrants", "x", action, row))
        for function in (TRACKER, AGGREGATOR):
            answered, answer = answers[function]
            assert answered == status
            assert said.items() <= answer.items()

    run_day(scenario, tmp_path, races=1)


Answer = tuple[int, dict[str, Any]]


async def answers_to(day: RaceDay, event: RowEvent) -> dict[str, Answer]:
    """Raise one event and return what each function answered."""
    answers: dict[str, Answer] = {}

    def note(result: ExecutionResult) -> None:
        answers[result.function_id] = (result.status_code, json.loads(result.body))

    day.bundle.host._on_execution = note
    await publish(day, event)
    return answers


def test_a_sweep_is_called_without_a_body(tmp_path: Path):
    async def scenario(day: RaceDay) -> None:
        await day.import_card()
        for function in (TRACKER, AGGREGATOR):
            status, answer = await day.call(function)
            assert (status, answer["derived"], answer["failed"]) == (200, 0, 0)
            status, answer = await day.call(function, {"raceId": day.races()[0]})
            assert (status, answer["field"]) == (400, "raceId")

    run_day(scenario, tmp_path, races=1)


def lossy(share: float, seed: int) -> Callable[[Callable[[RowEvent], None]], Callable[[RowEvent], None]]:
    """Return what loses a share of the events, doubles as many, and delivers some after the next ones."""
    chance = random.Random(seed)

    def around(publish_on: Callable[[RowEvent], None]) -> Callable[[RowEvent], None]:
        held: list[RowEvent] = []

        def publish_some(event: RowEvent) -> None:
            fate = chance.random()
            if fate < share:
                return
            if fate < 2 * share:
                held.append(event)
                return
            for due in [event, event, *held] if fate < 3 * share else [event, *held]:
                publish_on(due)
            held.clear()

        return publish_some

    return around


Ends = dict[str, list[dict[str, Any]]]


async def followed_by_another_program(day: RaceDay, *, sweeps: bool) -> Ends:
    """Let another program follow the first race alone, every ten minutes; sweep between its rounds."""
    race_id = await import_and_wait(day, 65)
    writer = writer_of(day, race_id)
    for number in range(7):
        await publish(day, *writer.write_round(round_at(day, writer, number)))
        await day.clock.sleep(300)
        if sweeps:
            for function in (TRACKER, AGGREGATOR):
                status, answer = await day.call(function)
                assert (status, answer["failed"], answer["remaining"]) == (200, 0, 0)
        await day.clock.sleep(300)
    return {table: rows_of(day, table) for table in ("money_flow_history", "race_pools")}


async def followed_by_our_polls(day: RaceDay, *, sweeps: bool) -> Ends:
    """Let the scheduler follow the race's last minutes and its end; sweep now and then."""
    await import_and_wait(day, 11)
    over = asyncio.Event()
    running = asyncio.create_task(day.bundle.host.run(over, grace_s=30))
    while day.rows("SELECT count(*) FROM races WHERE status NOT IN ('Final', 'Abandoned')")[0][0]:
        await day.clock.sleep(600)
        if sweeps:
            for function in (TRACKER, AGGREGATOR):
                status, answer = await day.call(function)
                assert (status, answer["derived"]) == (200, 0)
    over.set()
    await running
    return {table: rows_of(day, table) for table in ("money_flow_history", "race_pools")}


@pytest.mark.parametrize("follow", [followed_by_another_program, followed_by_our_polls])
def test_a_fifth_of_the_events_lost_others_doubled_or_late_ends_as_without_loss(
    tmp_path: Path, follow: Callable[..., Awaitable[Ends]]
):
    def day_of(name: str, around: Callable[..., Any] | None) -> Ends:
        async def scenario(day: RaceDay) -> Ends:
            if around is not None:
                day.bundle.host.publish = around(day.bundle.host.publish)
            return await follow(day, sweeps=around is not None)

        folder = tmp_path / name
        folder.mkdir()
        return run_day(scenario, folder, races=1)

    whole = day_of("whole", None)

    assert day_of("lossy", lossy(0.2, 7)) == whole
    assert len(whole["money_flow_history"]) > 50


DERIVED_ALIKE = (
    "raceId", "entrantId", "type", "timeToStart", "timeInterval", "intervalType", "poolType", "holdPercentage",
    "betPercentage", "impliedPercentage", "winPoolAmount", "placePoolAmount", "incrementalAmount",
    "incrementalWinAmount", "incrementalPlaceAmount", "winPoolPercentage", "placePoolPercentage", "fixedWinOdds",
    "fixedPlaceOdds", "poolWinOdds", "poolPlaceOdds", "previousInterval", "isBaseline", "estimator",
    "pollingTimestamp", "bucketDocumentId", "isConsolidated", "$id",
)  # fmt: skip


def test_updates_make_the_rows_that_our_polls_make_inline(tmp_path: Path):
    """The rows of entrants after each poll, as events to a store that never polled."""

    async def scenario(day: RaceDay) -> None:
        race_id = await import_and_wait(day, 64)
        start = day.start_of(race_id)
        other = SqliteStore.open(tmp_path / "other.sqlite")
        copied = day.rows('SELECT "$id", "$createdAt", "$updatedAt", raceId, name, raceNumber, startTime, status '
                          'FROM races WHERE "$id" = ?', race_id)  # fmt: skip
        other._db.write(
            'INSERT INTO races ("$id", "$createdAt", "$updatedAt", raceId, name, raceNumber, startTime, status) '
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            copied[0],
        )
        await hand_over(day, race_id, other)
        while day.clock.now() < start + timedelta(minutes=3):
            await day.call("single-race-poller", {"raceId": race_id, "force": True})
            await hand_over(day, race_id, other)
            await day.clock.sleep(60 if day.clock.now() > start - timedelta(minutes=7) else 180)

        assert day.start_of(race_id) == start
        inline = alike([row for row in rows_of(day, "money_flow_history") if row["raceId"] == race_id])
        derived = alike(other._db.rows('SELECT * FROM money_flow_history ORDER BY "$id"'))
        assert len(inline) > 150
        assert derived == inline
        await other.close()

    run_day(scenario, tmp_path, races=1)


def alike(rows: list[Any]) -> list[dict[str, Any]]:
    return [{name: row[name] for name in DERIVED_ALIKE} for row in rows]


async def hand_over(day: RaceDay, race_id: str, other: SqliteStore) -> None:
    """Tell a store of the runners that the last poll wrote, one update each, in the order of their ids."""
    (last_poll,) = day.rows('SELECT last_poll_time FROM races WHERE "$id" = ?', race_id)[0]
    for row in rows_of_runners(day, race_id, last_poll):
        update = entrant_update(row)
        made = update_flow(update, await other.flow_standing(update), Estimator.HOLD)
        assert await other.save_flow(update, Estimator.HOLD, day.clock.now()) == (not isinstance(made, NotDue))


def rows_of_runners(day: RaceDay, race_id: str, written_at: str) -> list[dict[str, Any]]:
    connection = sqlite3.connect(day.database)
    connection.row_factory = sqlite3.Row
    try:
        found = connection.execute(
            'SELECT * FROM entrants WHERE raceId = ? AND lastUpdated = ? ORDER BY "$id"', (race_id, written_at)
        ).fetchall()
    finally:
        connection.close()
    return [{**dict(row), "isScratched": bool(row["isScratched"])} for row in found]
