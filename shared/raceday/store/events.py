"""Row events: what a store tells the platform when it wrote a single row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

RowAction = Literal["create", "update", "upsert", "delete"]


@dataclass(frozen=True, slots=True)
class RowEvent:
    """One row was written; `row` holds its columns after the write, by the catalogue's names."""

    table: str
    row_id: str
    action: RowAction
    row: Mapping[str, object]


RowEventSink = Callable[[RowEvent], None]
