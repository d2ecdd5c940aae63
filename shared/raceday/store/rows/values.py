"""How single values are written in a row: instants, JSON, and texts that must fit their column."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime, time
from functools import lru_cache
from typing import Any

import orjson

from raceday.store.tables import Table

Row = dict[str, object]
"""A row by the catalogue's column names. A missing name leaves the stored value alone; None empties it."""

StoredRow = Mapping[str, Any]
"""A row as it was read back, with every column that was asked for, in the types of their columns."""


@lru_cache(maxsize=4096)
def instant_text(instant: datetime) -> str:
    """Return an instant as ISO 8601 in UTC with milliseconds, `2026-11-22T04:00:00.000+00:00`.

    This is how Appwrite gives datetimes back; texts of this shape sort like the instants they mean.
    """
    if instant.tzinfo is not UTC:
        instant = instant.astimezone(UTC)
    return instant.isoformat(timespec="milliseconds")


def optional_instant_text(instant: datetime | None) -> str | None:
    """Return an instant as text, or None for None."""
    return None if instant is None else instant_text(instant)


def date_text(day: date) -> str:
    """Return a date as that date's midnight in UTC, whatever the zone it is a date of."""
    return instant_text(datetime.combine(day, time(), UTC))


@lru_cache(maxsize=8192)
def parse_instant(text: str) -> datetime:
    """Return the instant that a stored text means, in UTC."""
    return datetime.fromisoformat(text).astimezone(UTC)


def parse_optional_instant(text: str | None) -> datetime | None:
    """Return the instant that a stored text means, or None for None."""
    return None if text is None else parse_instant(text)


def without_nones(row: Row) -> Row:
    """Return only what a response said, so that what it did not say stays as it is stored."""
    return {name: value for name, value in row.items() if value is not None}


def unsaid_columns(table: Table, said: Collection[str]) -> dict[str, str | int]:
    """Return what a new row holds in required columns that no response has said anything about: "" and 0.

    Only a new row: the store leaves these columns of an existing row alone.
    """
    empty: dict[str, str | int] = {"text": "", "integer": 0}
    return {
        column.name: empty[column.kind]
        for column in table.columns
        if column.required and column.kind in empty and column.name not in said
    }


def json_text(values: Sequence[object], size: int) -> str:
    """Return a list as JSON of at most `size` characters; whole elements are left off at the end to fit."""
    text = orjson.dumps(list(values)).decode()
    while len(text) > size:
        values = values[:-1]
        text = orjson.dumps(list(values)).decode()
    return text


def optional_json_text(values: Sequence[object], size: int) -> str | None:
    """Return a list as JSON, or None when it is empty: an empty list says nothing."""
    return json_text(values, size) if values else None


def fitted(table: Table, row: Row) -> Row:
    """Cut texts to the size of their column: one overlong comment must not cost the whole row."""
    sizes = _text_sizes(table)
    for name, value in row.items():
        if isinstance(value, str) and len(value) > sizes[name]:
            row[name] = value[: sizes[name]]
    return row


@lru_cache(maxsize=64)
def _text_sizes(table: Table) -> dict[str, int]:
    """Return how many characters each column takes; instants are written as 29 characters."""
    sizes = {column.name: column.size if column.kind == "text" else 40 for column in table.columns}
    return {"$id": 36, "$createdAt": 40, "$updatedAt": 40, "$permissions": 2000} | sizes
