"""Silks on Appwrite."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from raceday.domain.silks.jockey_silks import JockeySilks
from raceday.store.appwrite.queries import ascending, equal
from raceday.store.appwrite.rows import AppwriteRows
from raceday.store.rows.silks import RUNNER_COLUMNS, silk_of, silk_row, silk_runner
from raceday.store.silk_ports import SilkRunner
from raceday.store.tables import ENTRANTS, JOCKEY_SILKS


class AppwriteSilks:
    """The operations of `SilkStore`."""

    _rows: AppwriteRows

    async def silk_runners(self, race_id: str) -> list[SilkRunner]:
        """Return the runners of a race by number: one call."""
        rows = await self._rows.find(
            ENTRANTS, equal("raceId", race_id), ascending("runnerNumber"), columns=("raceId", *RUNNER_COLUMNS)
        )
        return [silk_runner(row) for row in rows if row["raceId"] == race_id]

    async def silk_runners_by_id(self, entrant_ids: Sequence[str]) -> dict[str, SilkRunner]:
        """Return the stored runners among these ids: one call for every 80."""
        rows = await self._rows.of_ids(ENTRANTS, "$id", entrant_ids, columns=RUNNER_COLUMNS)
        return {row["$id"]: silk_runner(row) for row in rows if row["$id"] in set(entrant_ids)}

    async def silks(self, silk_ids: Sequence[str]) -> dict[str, JockeySilks]:
        """Return the stored silks among these ids: one call for every 80."""
        rows = await self._rows.of_ids(JOCKEY_SILKS, "$id", silk_ids)
        return {row["$id"]: silk_of(row) for row in rows if row["$id"] in set(silk_ids)}

    async def save_silks(self, silks: Sequence[JockeySilks], at: datetime) -> None:
        """Insert or replace silks by id, all or none; the jockey of stored ones is kept. Two calls.

        Of two runs that keep new silks at once, the later one's jockey stays.
        """
        rows = {kept.silk.silk_id: silk_row(kept, at) for kept in silks}
        for stored in await self._rows.of_ids(JOCKEY_SILKS, "$id", list(rows), columns=("jockeyName",)):
            if stored["$id"] in rows and stored["jockeyName"]:
                rows[stored["$id"]]["jockeyName"] = stored["jockeyName"]
        await self._rows.upsert(JOCKEY_SILKS, list(rows.values()))
