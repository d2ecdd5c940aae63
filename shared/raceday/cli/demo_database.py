"""Where demo and replay keep what they follow: a file of their own, made anew each time, never somebody else's."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from raceday.errors import ConfigError
from raceday.host.bundle import PROJECT_ROOT

DEFAULT_FOLDER = PROJECT_ROOT / ".raceday"
DEFAULT_DATABASE = DEFAULT_FOLDER / "demo.sqlite"
DEMO_APPLICATION_ID = 0x52444459
"""Written into the database's header, so that only an earlier demo's or replay's file is ever replaced."""


def fresh_database(path: Path) -> Path:
    """Return the path of a new database, removing an earlier demo's or replay's.

    Raises `ConfigError` when the path holds anything else.
    """
    path = path.resolve()
    if path.exists() and not _is_a_demo(path):
        raise ConfigError(
            f"{path} exists and was made by neither demo nor replay: give another --db, or remove it yourself"
        )
    try:
        for leftover in (path, path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")):
            leftover.unlink(missing_ok=True)
        for icon in icon_folder(path).glob("*.svg"):
            icon.unlink()
        path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(path)) as connection:
            connection.execute(f"PRAGMA application_id = {DEMO_APPLICATION_ID}")
    except (OSError, sqlite3.Error) as error:
        raise ConfigError(f"{path} cannot be written ({error}): give another --db") from None
    return path


def icon_folder(database: Path) -> Path:
    """Return the folder beside a demo's database in which the silks of its day are drawn."""
    return database.with_suffix(".icons")


def _is_a_demo(path: Path) -> bool:
    if not path.is_file():
        return False
    if path.stat().st_size == 0:
        return True
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            (application_id,) = connection.execute("PRAGMA application_id").fetchone()
    except sqlite3.Error:
        return False
    return bool(application_id == DEMO_APPLICATION_ID)
