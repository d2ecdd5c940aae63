"""Indexes and the limits that MariaDB sets them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from raceday.simulator.appwrite import params
from raceday.simulator.appwrite.columns import MADE_AFTER
from raceday.simulator.appwrite.errors import invalid_param, refused
from raceday.simulator.appwrite.instants import stamp

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from raceday.simulator.appwrite.columns import Column

LONGEST = 768
"""The sum of the lengths of an index's columns: 3,072 bytes of four each."""
MOST_INDEXES = 59
"""MariaDB's 64 less those that the platform makes for itself."""
_KINDS = ("key", "fulltext", "unique", "spatial")
_ALWAYS_THERE = {"$id": 255, "$createdAt": 1, "$updatedAt": 1, "$sequence": 1}
"""What every table has, and what it counts of an index's length."""


@dataclass(frozen=True, slots=True)
class Index:
    """One index; `error` says why it could not be made."""

    index_id: str
    key: str
    kind: str
    columns: tuple[str, ...]
    lengths: tuple[int, ...]
    orders: tuple[str, ...]
    created_at: datetime
    error: str = ""

    def failed(self, error: str) -> Index:
        """Return the index as one that could not be made."""
        return replace(self, error=error)

    def body(self, now: datetime) -> dict[str, object]:
        """Return the index as the API shows it: processing first, then available or failed."""
        is_made = now >= self.created_at + MADE_AFTER
        made = "failed" if self.error else "available"
        return {
            "$id": self.index_id,
            "$createdAt": stamp(self.created_at),
            "$updatedAt": stamp(self.created_at + MADE_AFTER if is_made else self.created_at),
            "key": self.key,
            "type": self.kind,
            "status": made if is_made else "processing",
            "error": self.error if is_made else "",
            "columns": list(self.columns),
            "lengths": list(self.lengths),
            "orders": list(self.orders),
        }


def index_of(
    body: Mapping[str, object], columns: Mapping[str, Column], is_made: Mapping[str, bool], place: str, now: datetime
) -> Index:
    """Read a request for an index of a table with these columns; `place` begins the index's own id."""
    key = params.checked_id(params.required(body, "key"), "key")
    kind = params.text(body, "type")
    if kind not in _KINDS:
        raise invalid_param("type", f"must be one of {', '.join(_KINDS)}")
    params.required(body, "columns")
    names = params.texts(body, "columns")
    lengths = _lengths_of(body, names, columns)
    for name in names:
        _check_column(name, kind, columns, is_made)
    if (
        kind != "fulltext"
        and sum(_counted(name, length, columns) for name, length in zip(names, lengths, strict=True)) > LONGEST
    ):
        raise refused("column_index_invalid", f"the columns are longer than {LONGEST} together")
    return Index(
        index_id=f"{place}_{key}",
        key=key,
        kind=kind,
        columns=tuple(names),
        lengths=tuple(lengths),
        orders=tuple(params.texts(body, "orders", ("ASC", "DESC"))),
        created_at=now,
    )


def _lengths_of(body: Mapping[str, object], names: Sequence[str], columns: Mapping[str, Column]) -> list[int]:
    given = body.get("lengths") or []
    if not isinstance(given, list) or not all(isinstance(length, int | None) for length in given):
        raise invalid_param("lengths", "must be a list of whole numbers")
    padded = [length or 0 for length in given] + [0] * len(names)
    return [
        length if name in columns and columns[name].is_text else 0 for name, length in zip(names, padded, strict=False)
    ]


def _check_column(name: str, kind: str, columns: Mapping[str, Column], is_made: Mapping[str, bool]) -> None:
    if name in _ALWAYS_THERE:
        return
    if name not in columns:
        raise refused("column_unknown", name)
    if not is_made[name]:
        raise refused("column_not_available", name)
    if columns[name].array:
        raise refused("column_index_invalid", f"{name} holds lists, which have no index")
    if kind == "fulltext" and not columns[name].is_text:
        raise refused("column_index_invalid", f"{name} is no text, so it has no fulltext index")


def _counted(name: str, length: int, columns: Mapping[str, Column]) -> int:
    """Return what a column counts of an index's length."""
    if name in _ALWAYS_THERE:
        return _ALWAYS_THERE[name]
    column = columns[name]
    if column.is_text:
        return length or column.size
    return 2 if column.kind == "float" else 1
