"""Silks in PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from raceday.domain.silks.jockey_silks import JockeySilks
from raceday.store.postgres.database import PostgresDatabase
from raceday.store.postgres.names import json_rows, selected
from raceday.store.rows.silks import RUNNER_COLUMNS, silk_of, silk_row, silk_runner
from raceday.store.rows.values import instant_text
from raceday.store.silk_ports import SilkRunner
from raceday.store.tables import ENTRANTS, JOCKEY_SILKS

_RUNNERS = f"SELECT {selected(ENTRANTS, RUNNER_COLUMNS)} FROM entrants "  # noqa: S608


class PostgresSilks:
    """The operations of `SilkStore`."""

    _db: PostgresDatabase

    async def silk_runners(self, race_id: str) -> list[SilkRunner]:
        """Return the runners of a race by number."""
        rows = await self._db.rows(_RUNNERS + "WHERE race_id = %s ORDER BY runner_number", (race_id,))
        return [silk_runner(row) for row in rows]

    async def silk_runners_by_id(self, entrant_ids: Sequence[str]) -> dict[str, SilkRunner]:
        """Return the stored runners among these ids."""
        rows = await self._db.rows(_RUNNERS + "WHERE entrant_id = ANY(%s)", (list(entrant_ids),))
        return {row["$id"]: silk_runner(row) for row in rows}

    async def silks(self, silk_ids: Sequence[str]) -> dict[str, JockeySilks]:
        """Return the stored silks among these ids."""
        rows = await self._db.rows(
            f"SELECT {selected(JOCKEY_SILKS)} FROM jockey_silks WHERE silk_id = ANY(%s)",  # noqa: S608
            (list(silk_ids),),
        )
        return {row["$id"]: silk_of(row) for row in rows}

    async def save_silks(self, silks: Sequence[JockeySilks], at: datetime) -> None:
        """Insert or replace silks by id, all or none; the jockey of stored ones is kept."""
        rows = [silk_row(kept, at) for kept in silks]
        async with self._db.transaction() as tx:
            # Others may read meanwhile, but of two who bring the same new silks the second sees the first's jockey.
            await tx.execute("LOCK TABLE jockey_silks IN SHARE ROW EXCLUSIVE MODE")
            stored = await tx.tuples(
                "SELECT silk_id, jockey_name FROM jockey_silks WHERE silk_id = ANY(%s)",
                ([row["$id"] for row in rows],),
            )
            jockeys = dict(stored)
            for row in rows:
                row["jockeyName"] = jockeys.get(row["$id"]) or row["jockeyName"]
            await tx.execute(
                "SELECT upsert_jockey_silks(%s::jsonb, %s)", (json_rows(JOCKEY_SILKS, rows), instant_text(at))
            )
