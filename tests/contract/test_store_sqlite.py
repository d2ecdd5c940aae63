"""The SQLite adapter: the behavioural suite on a file and in memory, and what only a file can show."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from contract.store_examples import IMPORTED, event, meeting, poll, race, runner
from contract.store_steps import LATER, SOON, TTL_S, claimed, imported, polled, state_of, target_of
from contract.store_suite import StoreSuite
from raceday.domain.entrant import Scratching
from raceday.domain.odds import Odds
from raceday.domain.race import Race
from raceday.errors import ConfigError, StoreUnavailable
from raceday.store.events import RowEvent
from raceday.store.ports import RaceStore
from raceday.store.rows.updates import moved_runners
from raceday.store.sqlite import SqliteStore
from raceday.store.tables import CATALOGUE
from raceday.store.values import PollClaim

run = asyncio.run


def sqlite_rows(store: RaceStore, name: str) -> list[dict[str, object]]:
    """Return the rows of a table as the suite wants them."""
    assert isinstance(store, SqliteStore)
    table = next(table for table in CATALOGUE if table.name == name)
    booleans = {column.name for column in table.columns if column.kind == "boolean"}
    return [
        {key: bool(value) if key in booleans and value is not None else value for key, value in row.items()}
        for row in store._db.rows(f'SELECT * FROM {table.sql_name} ORDER BY "$id"')
    ]


class TestSqliteFile(StoreSuite):
    def make_store(self, folder: Path) -> RaceStore:
        return SqliteStore.open(folder / "raceday.db")

    def rows(self, store: RaceStore, table: str) -> list[dict[str, object]]:
        return sqlite_rows(store, table)


class TestSqliteMemory(StoreSuite):
    def make_store(self, folder: Path) -> RaceStore:
        return SqliteStore.open(":memory:")

    def rows(self, store: RaceStore, table: str) -> list[dict[str, object]]:
        return sqlite_rows(store, table)


def test_what_was_saved_is_there_after_opening_again(tmp_path: Path) -> None:
    path = tmp_path / "raceday.db"
    store = SqliteStore.open(path)
    run(imported(store))
    run(polled(store, event(race(), SOON)))
    run(store.close())
    again = SqliteStore.open(path)
    assert run(target_of(again, race().race_id)).last_poll_at == SOON
    run(again.close())


def test_a_poll_without_news_is_noted_in_the_race_too(tmp_path: Path) -> None:
    store = SqliteStore.open(tmp_path / "raceday.db")
    run(imported(store))
    run(polled(store, event(race(), SOON)))
    again = poll(event(race(), SOON), run(state_of(store, race().race_id)))
    again = replace(again, timing=replace(again.timing, polled_at=LATER))
    assert not again.changed
    run(store.save_poll(again, run(claimed(store, race().race_id, LATER))))
    assert sqlite_rows(store, "races")[0]["last_poll_time"] == "2026-11-22T03:40:30.000+00:00"


def test_one_of_many_connections_wins_a_claim(tmp_path: Path) -> None:
    path = tmp_path / "raceday.db"
    store = SqliteStore.open(path)
    run(imported(store))
    target = run(target_of(store, race().race_id))

    def contend(number: int) -> list[PollClaim]:
        mine = SqliteStore.open(path)
        won = run(mine.claim_races([target], f"run-{number}", SOON, TTL_S))
        run(mine.close())
        return won

    with ThreadPoolExecutor(8) as pool:
        winners = [claim for claims in pool.map(contend, range(8)) for claim in claims]
    assert len(winners) == 1
    run(store.close())


def test_pollers_in_several_processes_wait_for_one_another(tmp_path: Path) -> None:
    path = tmp_path / "raceday.db"
    store = SqliteStore.open(path)
    races = [race(number) for number in range(1, 5)]
    run(imported(store, *races))

    def follow(of: Race) -> int:
        mine = SqliteStore.open(path)
        for number in range(10):
            run(polled(mine, event(of, SOON + timedelta(seconds=30 * number), win_cents=1000 * number)))
        run(mine.close())
        return 10

    with ThreadPoolExecutor(len(races)) as pool:
        assert list(pool.map(follow, races)) == [10] * len(races)
    assert run(store.day_counts()).polls == 40
    run(store.close())


def test_a_poll_raises_one_event_for_its_race_when_runners_moved_and_the_row_names_them() -> None:
    seen: list[RowEvent] = []
    store = SqliteStore.open(":memory:", seen.append)
    run(imported(store))
    run(polled(store, event(race(), SOON)))
    assert seen == []
    moved, slight = runner(1, race(), odds=Odds(2.0, 1.3, 3.1, 1.4)), runner(2, race(), odds=Odds(4.01, 1.4, 4.1, 1.5))
    withdrawn = replace(runner(3, race()), is_scratched=True, scratching=Scratching(SOON))
    made = run(polled(store, event(race(), LATER, entrants=(moved, slight, withdrawn))))
    assert made.moved == {moved.entrant_id, withdrawn.entrant_id}
    [told] = seen
    assert (told.table, told.row_id, told.action) == ("races", race().race_id, "update")
    assert told.row == next(row for row in sqlite_rows(store, "races"))
    first, second = moved_runners(told.row)
    assert (first.entrant_id, first.name, first.runner_number, first.scratched) == (
        moved.entrant_id,
        "Runner 1",
        1,
        False,
    )
    assert (second.entrant_id, second.scratched, second.scratched_at) == (withdrawn.entrant_id, True, SOON)
    assert first.race_id == race().race_id
    assert first.written_at == LATER
    run(store.close())


def test_a_write_is_one_transaction_and_a_read_none() -> None:
    store = SqliteStore.open(":memory:")
    run(imported(store))
    claim = run(claimed(store, race().race_id, SOON))
    calls, transactions = store.calls, store.transactions
    run(store.release_claim(claim, None))
    assert (store.calls - calls, store.transactions - transactions) == (1, 1)
    run(store.race_states([race().race_id]))
    assert (store.calls - calls, store.transactions - transactions) == (2, 1)
    claim = run(claimed(store, race().race_id, SOON))
    made = poll(event(race(), SOON), run(state_of(store, race().race_id)))
    calls, transactions = store.calls, store.transactions
    run(store.save_poll(made, claim))
    assert (store.calls - calls, store.transactions - transactions) == (1, 1)
    run(store.close())


def test_an_older_file_gets_the_columns_it_lacks_and_keeps_its_rows(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    with sqlite3.connect(path) as old:
        old.execute(
            'CREATE TABLE race_pools ("$id" TEXT PRIMARY KEY, "$createdAt" TEXT, "$updatedAt" TEXT, "raceId" TEXT, '
            '"winPoolTotal" INTEGER, notes TEXT)'
        )
        old.execute("INSERT INTO race_pools VALUES ('r1', 't', 't', 'r1', 4200, 'mine')")
    old.close()
    store = SqliteStore.open(path)
    [row] = sqlite_rows(store, "race-pools")
    assert (row["winPoolTotal"], row["notes"], row["placePoolTotal"], row["currency"]) == (4200, "mine", 0, "$")
    run(store.close())


def test_a_column_of_another_type_is_refused_with_its_name(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    with sqlite3.connect(path) as old:
        old.execute('CREATE TABLE race_pools ("$id" TEXT PRIMARY KEY, "winPoolTotal" REAL)')
    old.close()
    with pytest.raises(ConfigError, match=r"column winPoolTotal of table race_pools is REAL, expected INTEGER"):
        SqliteStore.open(path)


def _text_file(folder: Path) -> Path:
    path = folder / "notes.txt"
    path.write_text("These are notes and not a database, long enough to have a header. " * 20)
    return path


def _missing_folder(folder: Path) -> Path:
    return folder / "nowhere" / "raceday.db"


def _the_folder_itself(folder: Path) -> Path:
    return folder


@pytest.mark.parametrize("place", [_text_file, _missing_folder, _the_folder_itself])
def test_a_path_that_cannot_hold_a_database_is_named(tmp_path: Path, place: Callable[[Path], Path]) -> None:
    path = place(tmp_path)
    with pytest.raises(ConfigError, match=str(path)):
        SqliteStore.open(path)


def test_a_closed_store_is_unavailable() -> None:
    store = SqliteStore.open(":memory:")
    run(store.close())
    with pytest.raises(StoreUnavailable):
        run(store.save_meetings([meeting()], IMPORTED))
