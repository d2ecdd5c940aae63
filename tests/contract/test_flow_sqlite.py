"""The suite of money flow and pools by event on SQLite, with the plans of its queries and what a file can show."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

from contract.store_examples import IMPORTED, START, event, race
from contract.store_steps import SOON, imported, polled
from contract.suite_flow import AFTER, NOW, FlowSuite, all_day, flow_operations, told
from contract.test_sqlite_query_plans import full_scans
from contract.test_store_sqlite import sqlite_rows
from raceday.domain.money_flow import Estimator
from raceday.store.ports import RaceStore
from raceday.store.rows.values import instant_text
from raceday.store.sqlite import SqliteStore

run = asyncio.run


class TestFlowSqlite(FlowSuite):
    def make_store(self, folder: Path) -> RaceStore:
        return SqliteStore.open(folder / "raceday.db")

    def rows(self, store: RaceStore, table: str) -> list[dict[str, object]]:
        return sqlite_rows(store, table)

    def write_runner(self, store: RaceStore, entrant_id: str, columns: dict[str, object]) -> None:
        assert isinstance(store, SqliteStore)
        settings = ", ".join(f'"{column}" = ?' for column in columns)
        store._db.write(f'UPDATE entrants SET {settings} WHERE "$id" = ?', (*columns.values(), entrant_id))


def test_no_query_of_the_event_functions_scans_a_table(tmp_path: Path) -> None:
    store = SqliteStore.open(tmp_path / "raceday.db")
    run(imported(store))
    run(polled(store, event(race(), SOON)))
    statements: list[str] = []
    store._db._connection.set_trace_callback(statements.append)
    run(flow_operations(store))
    store._db._connection.set_trace_callback(None)
    plans = {
        sql: full_scans(store, sql)
        for sql in dict.fromkeys(statements)
        if sql.split()[0] in {"SELECT", "UPDATE", "INSERT"}
    }
    assert len(plans) >= 10
    assert {sql: scans for sql, scans in plans.items() if scans} == {}
    run(store.close())


def test_a_program_that_writes_past_our_bookkeeping_columns_is_seen(tmp_path: Path) -> None:
    store = SqliteStore.open(tmp_path / "raceday.db")
    run(imported(store))
    run(polled(store, event(race(), SOON)))
    store._db.write('UPDATE entrants SET "lastUpdated" = ? WHERE "runnerNumber" = 2', (instant_text(AFTER),))
    [update] = run(store.runners_written_by_others(all_day(AFTER)))
    assert (update.runner_number, update.written_at) == (2, AFTER)
    run(store.close())


def test_what_is_derived_already_costs_one_read(tmp_path: Path) -> None:
    store = SqliteStore.open(tmp_path / "raceday.db")
    run(imported(store))
    calls = store.calls
    run(store.flow_standing(told(SOON)))
    run(store.pool_standing(told(SOON)))
    assert store.calls - calls == 2
    run(store.close())


def test_writers_in_several_connections_undo_nothing_of_one_another(tmp_path: Path) -> None:
    path = tmp_path / "raceday.db"
    store = SqliteStore.open(path)
    run(imported(store))
    amounts = {minutes: 1_000 * (100 - minutes) for minutes in range(75, -3, -3)}

    def write(minutes: int) -> None:
        mine = SqliteStore.open(path)
        run(mine.save_flow(told(START - timedelta(minutes=minutes), amounts[minutes]), Estimator.HOLD, NOW))
        run(mine.close())

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(write, amounts))
    rows = sqlite_rows(store, "money-flow-history")
    assert sum(row["incrementalWinAmount"] for row in rows) == amounts[0]
    assert run(store.repair_increments(race().race_id, IMPORTED)) == 0
    run(store.close())
