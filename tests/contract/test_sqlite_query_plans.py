"""No query of the SQLite adapter reads a whole table (the counts excepted), proved with its own query plans."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from contract.store_examples import DAY, IMPORTED, START, event, meeting, race, result
from contract.store_steps import ALL_DAY, SOON, claimed, polled, state_of
from contract.suite_alerts import alert_operations
from contract.suite_health import health_operations
from contract.suite_silks import silk_operations
from raceday.domain.racing_day import DailyStage, StageProgress
from raceday.domain.status import RaceStatus
from raceday.store.sqlite import SqliteStore
from raceday.store.values import PollFailure, RunEntry

MEETINGS = 4
RACES_EACH = 6


async def a_day(store: SqliteStore) -> None:
    """Store a small day: every race polled once, then one once more to its end."""
    await store.save_meetings([meeting(number) for number in range(1, MEETINGS + 1)], IMPORTED)
    for number in range(1, MEETINGS + 1):
        races = [race(position, number) for position in range(1, RACES_EACH + 1)]
        await store.save_races(races, IMPORTED)
        for of in races:
            await polled(store, event(of, SOON, runners=8))


async def every_operation(store: SqliteStore) -> None:
    """Call everything that the port offers, the counts excepted."""
    of = race(1, 1)
    await store.save_meetings([meeting()], IMPORTED)
    await store.meetings_on(DAY)
    await store.note_races_imported(meeting().meeting_id, IMPORTED)
    await store.note_races_attempt(meeting().meeting_id)
    await store.save_races([of], IMPORTED)
    await store.races_on(DAY)
    await store.race(of.race_id)
    await store.note_import_attempt(of.race_id)
    await store.races_to_poll(ALL_DAY)
    await store.release_claim(await claimed(store, of.race_id, SOON), None)
    state = await state_of(store, of.race_id)
    assert len(state.entrants) == 8
    for minutes, win_cents in ((11, 2_000_000), (6, 3_000_000)):
        await polled(store, event(of, START - timedelta(minutes=minutes), runners=8, win_cents=win_cents))
    put_back = replace(of, advertised_start=START + timedelta(minutes=5))
    at = START - timedelta(minutes=5)
    repaired = await polled(store, event(put_back, at, runners=8, win_cents=4_000_000))
    assert repaired.repairs
    over = replace(put_back, status=RaceStatus.FINAL)
    ended = await polled(store, event(over, START, runners=7, result=result(of, START)))
    assert ended.result is not None
    await store.log_poll(PollFailure(of.race_id, SOON, "f", "e", "FeedUnavailable", "timed out"))
    await store.save_stage(StageProgress(DAY, DailyStage.RACES, complete=False, started_at=IMPORTED))
    await store.stage(DAY, DailyStage.RACES)
    await store.log_run(RunEntry("e", "f", "http", SOON, 1, 200, 1, 0, 0, 0, 1, 1, 40.0))
    assert await store.poll_marks(SOON)
    await alert_operations(store)
    await silk_operations(store)
    await health_operations(store)


def traced(store: SqliteStore) -> list[str]:
    """Return every distinct statement that `every_operation` makes SQLite run."""
    statements: list[str] = []
    store._db._connection.set_trace_callback(statements.append)
    asyncio.run(every_operation(store))
    store._db._connection.set_trace_callback(None)
    return [sql for sql in dict.fromkeys(statements) if sql.split()[0] in {"SELECT", "UPDATE", "INSERT", "DELETE"}]


def full_scans(store: SqliteStore, sql: str) -> list[str]:
    """Return the lines of a query plan that read a whole table or index."""
    plan = store._db.tuples(f"EXPLAIN QUERY PLAN {sql}")
    return [detail for *_, detail in plan if detail.startswith("SCAN")]


@pytest.fixture
def store(tmp_path: Path) -> SqliteStore:
    return SqliteStore.open(tmp_path / "raceday.db")


def test_no_query_scans_a_table(store: SqliteStore) -> None:
    asyncio.run(a_day(store))
    statements = traced(store)
    kinds = [sql.split()[0] for sql in statements]
    assert kinds.count("SELECT") >= 12
    assert kinds.count("UPDATE") >= 5
    assert {sql: scans for sql in statements if (scans := full_scans(store, sql))} == {}
    asyncio.run(store.close())


def test_a_query_without_an_index_would_be_seen(store: SqliteStore) -> None:
    asyncio.run(a_day(store))
    assert full_scans(store, "SELECT * FROM entrants WHERE jockey = 'Jockey 1'") == ["SCAN entrants"]
    asyncio.run(store.close())


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM meetings WHERE date = '2026-11-22T00:00:00.000+00:00' AND country IN ('AUS', 'NZ')",
        "SELECT * FROM races WHERE \"raceId\" = 'r'",
        "SELECT * FROM races WHERE meeting = 'm' ORDER BY \"raceNumber\"",
        "SELECT * FROM races WHERE \"startTime\" > '2026' AND status <> 'Final' ORDER BY \"startTime\" LIMIT 1",
        'SELECT * FROM entrants WHERE "raceId" = \'r\' ORDER BY "runnerNumber"',
        "SELECT * FROM race_results WHERE \"raceId\" = 'r'",
        "SELECT * FROM race_pools WHERE \"raceId\" = 'r'",
        "SELECT * FROM money_flow_history WHERE \"raceId\" = 'r' AND \"entrantId\" IN ('a', 'b')",
        "SELECT * FROM money_flow_history WHERE \"raceId\" = 'r' AND type = 'x' AND \"timeInterval\" < 66",
        "SELECT * FROM user_alert_configs WHERE \"userId\" = 'u'",
        'SELECT * FROM odds_history WHERE "raceId" = \'r\' AND "entrantId" = \'a\' ORDER BY "eventTimestamp"',
    ],
)
def test_the_queries_of_the_dashboard_have_an_index(store: SqliteStore, sql: str) -> None:
    assert full_scans(store, sql) == []
    asyncio.run(store.close())
