"""A writer that is killed leaves nothing half-written, and the same write again gives the same rows."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from faults import store_kill_child
from raceday.store.sqlite import SqliteStore
from raceday.store.tables import CATALOGUE

run = asyncio.run
TESTS = Path(__file__).parents[1]


def contents(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """Return every row of every table."""
    connection = sqlite3.connect(path)
    try:
        return {
            table.name: connection.execute(f'SELECT * FROM {table.sql_name} ORDER BY "$id"').fetchall()
            for table in CATALOGUE
        }
    finally:
        connection.close()


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a database for each place where a writer was killed by SIGKILL."""
    folder = tmp_path_factory.mktemp("killed")
    run(store_kill_child.prepare(folder / "before.db"))
    path = os.pathsep.join([str(TESTS), str(TESTS.parent / "shared")])
    subprocess.run(
        [sys.executable, store_kill_child.__file__, str(folder / "before.db"), str(folder)],
        check=True,
        env={**os.environ, "PYTHONPATH": path},
        timeout=60,
    )
    return folder


@pytest.mark.parametrize(("write", "at_least"), [("save_poll", 12), ("save_races", 3)])
def test_a_killed_writer_leaves_the_rows_as_they_were(killed: Path, write: str, at_least: int) -> None:
    before = contents(killed / "before.db")
    places = sorted(killed.glob(f"{write}.killed-*.db"))
    assert len(places) >= at_least
    for place in places:
        assert contents(place) == before, place.name


@pytest.mark.parametrize("write", list(store_kill_child.WRITES))
def test_the_same_write_after_a_kill_gives_the_rows_of_an_undisturbed_one(
    killed: Path, write: str, tmp_path: Path
) -> None:
    undisturbed = contents(killed / f"{write}.undisturbed.db")
    assert undisturbed != contents(killed / "before.db")
    for place in sorted(killed.glob(f"{write}.killed-*.db")):
        # With its write-ahead log, as the killed process left them; the originals are for the other test.
        for file in killed.glob(f"{place.name}*"):
            shutil.copy(file, tmp_path)
        store = SqliteStore.open(tmp_path / place.name)
        run(store_kill_child.WRITES[write](store))
        run(store.close())
        assert contents(tmp_path / place.name) == undisturbed, place.name


def test_a_poll_that_was_killed_after_its_commit_is_not_written_twice(tmp_path: Path) -> None:
    path = tmp_path / "raceday.db"
    run(store_kill_child.prepare(path))
    store = SqliteStore.open(path)
    made = run(store_kill_child.the_poll(store))
    run(store.save_poll(made, store_kill_child.the_claim()))
    once = contents(path)
    run(store.save_poll(made, store_kill_child.the_claim()))
    run(store.close())
    assert contents(path) == once
