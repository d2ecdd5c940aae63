"""Rows about polls that found nothing new: they wait in the claim's row, so that such a poll costs one call to store.

They are written with the next poll of the race that found something, in its transaction. Whoever reads `race-polls` or
`poll_logs` adds what still waits.
"""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from raceday.store.rows.values import Row, StoredRow
from raceday.store.tables import POLL_CLAIMS, Table

WaitingRow = tuple[str, Row]
"""The name of a table, and a row of it."""
MOST_CHARS = POLL_CLAIMS.column("pendingRows").size // 2
"""A poll that would make more wait than this writes all of it instead."""


def waiting_rows(claim: StoredRow) -> list[WaitingRow]:
    """Return everything that waits in a row of `poll-claims`."""
    text = claim.get("pendingRows")
    return [(name, row) for name, row in orjson.loads(text)] if text else []


def pending_rows(claim: StoredRow, table: Table) -> list[StoredRow]:
    """Return the rows of one table that wait in a row of `poll-claims`."""
    return [row for name, row in waiting_rows(claim) if name == table.name]


def waiting_text(waiting: Sequence[WaitingRow]) -> str | None:
    """Return what is to wait as the text of the column; None for nothing."""
    return orjson.dumps(waiting).decode() if waiting else None
