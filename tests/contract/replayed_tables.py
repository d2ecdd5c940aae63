"""Every table after one replay of the whole corpus, read once for all tests that compare with it."""

from __future__ import annotations

import json
import sqlite3
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from raceday.cli.replay import run_replay

Tables = dict[str, list[dict[str, Any]]]


@lru_cache(maxsize=1)
def replayed_tables(corpus: Path) -> Tables:
    """Replay the corpus into a new database; return its rows by the table's SQL name."""
    with TemporaryDirectory() as folder:
        outcome = run_replay(corpus, Path(folder) / "replay.sqlite")
        assert (outcome.mapped, outcome.failures) == (outcome.events, [])
        db = sqlite3.connect(outcome.database)
        db.row_factory = sqlite3.Row
        names = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        tables = {name: [dict(row) for row in db.execute(f"SELECT * FROM {name}")] for name in names}
        db.close()
    return tables


def by_id(tables: Tables, name: str) -> dict[str, dict[str, Any]]:
    return {row["$id"]: row for row in tables[name]}


def parsed(text: str | None) -> Any:
    """The JSON in a column; None for an empty one."""
    return json.loads(text) if text else None
