"""Rows about polls without news, which still wait in the claims, beside those in their tables: see `pending`.

Read what waits before the table: what a poll writes between the two reads is then seen twice, by its id, instead of
never.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from raceday.store.appwrite.pending import pending_rows
from raceday.store.appwrite.queries import is_filled
from raceday.store.appwrite.rows import AppwriteRows
from raceday.store.rows.values import StoredRow
from raceday.store.tables import POLL_CLAIMS, Table


async def all_waiting(rows: AppwriteRows, table: Table) -> list[StoredRow]:
    """Return what waits for a table, of all races: a call for every 1,000 races that have something waiting.

    No index helps: the claims are looked through, one small row a race.
    """
    claims = await rows.find(POLL_CLAIMS, is_filled("pendingRows"), columns=("pendingRows",))
    return [row for claim in claims for row in pending_rows(claim, table)]


def with_waiting(written: Iterable[StoredRow], waiting: Sequence[StoredRow]) -> list[StoredRow]:
    """Return the rows of a table and those that wait for it, each once."""
    return list({row["$id"]: row for row in (*waiting, *written)}.values())
