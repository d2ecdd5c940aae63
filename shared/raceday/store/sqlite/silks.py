"""Silks in SQLite."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from raceday.domain.silks.jockey_silks import JockeySilks
from raceday.store.rows.silks import RUNNER_COLUMNS, silk_of, silk_row, silk_runner
from raceday.store.rows.values import instant_text
from raceday.store.silk_ports import SilkRunner
from raceday.store.sqlite.connection import SqliteConnection, placeholders
from raceday.store.tables import JOCKEY_SILKS

_RUNNER = ", ".join(f'"{column}"' for column in RUNNER_COLUMNS)


class SqliteSilks:
    """The operations of `SilkStore`."""

    _db: SqliteConnection

    async def silk_runners(self, race_id: str) -> list[SilkRunner]:
        """Return the runners of a race by number."""
        with self._db.reading():
            rows = self._db.rows(
                f'SELECT {_RUNNER} FROM entrants WHERE "raceId" = ? ORDER BY "runnerNumber"',  # noqa: S608
                (race_id,),
            )
        return [silk_runner(row) for row in rows]

    async def silk_runners_by_id(self, entrant_ids: Sequence[str]) -> dict[str, SilkRunner]:
        """Return the stored runners among these ids."""
        with self._db.reading():
            rows = self._db.rows(
                f'SELECT {_RUNNER} FROM entrants WHERE "$id" IN ({placeholders(entrant_ids)})',  # noqa: S608
                entrant_ids,
            )
        return {row["$id"]: silk_runner(row) for row in rows}

    async def silks(self, silk_ids: Sequence[str]) -> dict[str, JockeySilks]:
        """Return the stored silks among these ids."""
        with self._db.reading():
            rows = self._db.rows(
                f'SELECT * FROM jockey_silks WHERE "$id" IN ({placeholders(silk_ids)})',  # noqa: S608
                silk_ids,
            )
        return {row["$id"]: silk_of(row) for row in rows}

    async def save_silks(self, silks: Sequence[JockeySilks], at: datetime) -> None:
        """Insert or replace silks by id, all or none; the jockey of stored ones is kept."""
        rows = [silk_row(kept, at) for kept in silks]
        with self._db.writing():
            stored = self._db.tuples(
                f'SELECT "$id", "jockeyName" FROM jockey_silks WHERE "$id" IN ({placeholders(rows)})',  # noqa: S608
                [row["$id"] for row in rows],
            )
            jockeys = dict(stored)
            for row in rows:
                row["jockeyName"] = jockeys.get(row["$id"]) or row["jockeyName"]
            self._db.upsert(JOCKEY_SILKS, rows, instant_text(at))
