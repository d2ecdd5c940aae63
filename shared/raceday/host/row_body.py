"""The body of an event execution: the row as the platform would send it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from raceday.store.events import RowEvent


def event_body(event: RowEvent, database_id: str, written_at: datetime) -> str:
    """Return the row's state after the write as JSON; never its former values, never a list of what changed."""
    row = {
        "$id": event.row_id,
        "$tableId": event.table,
        "$databaseId": database_id,
        "$updatedAt": written_at,
        "$permissions": [],
        **event.row,
    }
    return json.dumps(row, default=_platform_value)


def _platform_value(value: object) -> str:
    """Write an instant as the platform does: UTC, milliseconds, numeric offset."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds")
    raise TypeError(f"a row holds {type(value).__name__}, which no column type can")
