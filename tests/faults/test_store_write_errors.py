"""What a store does when a write fails in the middle: an error, a full disk, a lock, an exit."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from contract.store_examples import IMPORTED, event, meeting, race
from contract.store_steps import LATER, SOON, claimed, imported, polled, state_of
from faults.store_kill_child import OWNER, prepare, save_poll, steps_of
from raceday.errors import StoreUnavailable
from raceday.store.events import RowEvent
from raceday.store.sqlite import SqliteStore
from raceday.store.tables import CATALOGUE

run = asyncio.run


def everything(store: SqliteStore) -> list[list[tuple[object, ...]]]:
    """Return every row of every table."""
    return [store._db.tuples(f'SELECT * FROM {table.sql_name} ORDER BY "$id"') for table in CATALOGUE]


def failing_at(number: int, error: BaseException) -> Callable[[str], None]:
    """Return a step that raises when it is called for the `number`th time."""
    seen: list[str] = []

    def step(name: str) -> None:
        seen.append(name)
        if len(seen) == number:
            raise error

    return step


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (sqlite3.OperationalError("disk I/O error"), StoreUnavailable),
        (KeyboardInterrupt(), KeyboardInterrupt),
        (asyncio.CancelledError(), asyncio.CancelledError),
    ],
)
def test_an_error_at_any_step_of_a_poll_leaves_nothing_and_tells_no_one(
    tmp_path: Path, error: BaseException, expected: type[BaseException]
) -> None:
    run(prepare(tmp_path / "steps.db"))
    steps = steps_of(tmp_path / "steps.db", "save_poll")
    path = tmp_path / "raceday.db"
    run(prepare(path))
    told: list[RowEvent] = []
    store = SqliteStore.open(path, told.append)
    before = everything(store)
    for number in range(1, len(steps) + 1):
        store._db.step = failing_at(number, error)
        with pytest.raises(expected):
            run(save_poll(store))
        assert everything(store) == before, steps[number - 1]
    assert told == []
    store._db.step = lambda _: None
    run(save_poll(store))
    assert [event.action for event in told] == ["update"]
    run(store.close())


def test_a_full_disk_is_unavailable_and_loses_nothing() -> None:
    store = SqliteStore.open(":memory:")
    run(imported(store))
    run(polled(store, event(race(), SOON)))
    claim = run(claimed(store, race().race_id, LATER, OWNER))
    state = run(state_of(store, race().race_id))
    before = everything(store)
    [(pages,)] = store._db.tuples("PRAGMA page_count")
    store._db.tuples(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreUnavailable, match="full"):
        run(store.save_meetings([meeting(number) for number in range(500)], IMPORTED))
    assert everything(store) == before
    store._db.tuples("PRAGMA max_page_count = 100000")
    assert run(state_of(store, race().race_id)) == state
    run(store.release_claim(claim, None))
    run(store.close())


def test_a_database_that_stays_locked_is_unavailable_and_works_again_afterwards(tmp_path: Path) -> None:
    path = tmp_path / "raceday.db"
    store = SqliteStore.open(path)
    store._db.tuples("PRAGMA busy_timeout = 10")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable, match="locked"):
        run(store.save_meetings([meeting()], IMPORTED))
    # Readers are not held up by a writer.
    assert run(store.race_states([race().race_id])) == {}
    other.execute("ROLLBACK")
    run(store.save_meetings([meeting()], IMPORTED))
    assert run(store.day_counts()).meetings == 1
    other.close()
    run(store.close())
