"""Upserts, with what makes them treacherous (all seen on 1.9.6).

- A row whose given values all loosely equal the stored ones, none left out, is not written. For a new row the stored
  ones are null, so a new row of nothing but 0, null, false and '' is silently not written.
- Every required column must be given, even when the row exists; left-out optional columns keep their values.
- A unique value that another row holds is no conflict: that other row is overwritten, and the one asked for is not
  made though the answer shows it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from raceday.simulator.appwrite.collation import folded, loosely_equal
from raceday.simulator.appwrite.errors import refused
from raceday.simulator.appwrite.row_rules import checked_row
from raceday.simulator.appwrite.row_store import UniqueValuesTaken
from raceday.simulator.appwrite.row_writes import own_values, whole_row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from raceday.simulator.appwrite.given_row import GivenRow
    from raceday.simulator.appwrite.row_store import Row
    from raceday.simulator.appwrite.row_writes import Writing
    from raceday.simulator.appwrite.tables import Table


@dataclass(frozen=True, slots=True)
class _Planned:
    """One row to write: as it was, if it was there, and as it will be, less its $sequence."""

    old: Row | None
    head: dict[str, object]
    values: dict[str, object]


def upsert(table: Table, rows: Sequence[GivenRow], writing: Writing) -> list[Row]:
    """Write rows, new or existing, all or none, and return those that were written, as the platform answers them."""
    planned = []
    for given in rows:
        old = table.rows.get(given.row_id)
        if _would_change(table, given, old):
            planned.append(_planned(table, given, old, writing))
    ids = [folded(str(plan.head["$id"])) for plan in planned]
    if len(set(ids)) < len(ids):
        raise refused("row_already_exists", "of this bulk")
    with table.rows.undoing():
        return [_written(table, plan) for plan in planned]


def _would_change(table: Table, given: GivenRow, old: Row | None) -> bool:
    if given.permissions is not None and sorted(given.permissions) != sorted(_permissions(old)):
        return True
    stored: Row = old or {}
    if not all(loosely_equal(stored.get(key), value) for key, value in given.values.items()):
        return True
    return old is not None and any(key not in given.values for key in table.columns)


def _planned(table: Table, given: GivenRow, old: Row | None, writing: Writing) -> _Planned:
    columns = table.ready_columns(writing.at)
    kept = own_values(table, old) if old is not None else {key: column.default for key, column in columns.items()}
    optional = {key: kept.get(key) for key, column in columns.items() if not column.required}
    values = checked_row(columns, optional | given.values)
    if old is not None:
        writing.check_fresh(old)
    created_at, updated_at = writing.dates(given, None if old is None else str(old["$createdAt"]))
    head: dict[str, object] = {
        "$id": given.row_id,
        "$createdAt": created_at,
        "$updatedAt": updated_at,
        "$permissions": _permissions(old) if given.permissions is None else given.permissions,
    }
    return _Planned(old, head, values)


def _written(table: Table, plan: _Planned) -> Row:
    number = table.rows.next_sequence()
    if plan.old is not None:
        kept = {"$id": plan.old["$id"], "$sequence": plan.old["$sequence"]}
        row = whole_row(table, plan.head | kept, plan.values)
        try:
            table.rows.put(row)
        except UniqueValuesTaken as taken:
            raise refused("row_already_exists", plan.head["$id"]) from taken
        return row
    holder = table.rows.holder(plan.values, str(plan.head["$id"]))
    if holder is None:
        row = whole_row(table, plan.head | {"$sequence": number}, plan.values)
        table.rows.put(row)
        return row
    other = table.rows.get(holder)
    kept = {"$id": holder, "$sequence": other["$sequence"] if other else number}
    table.rows.put(whole_row(table, plan.head | kept, plan.values))
    return whole_row(table, plan.head | {"$sequence": ""}, plan.values)


def _permissions(old: Row | None) -> list[str]:
    held = [] if old is None else old["$permissions"]
    return [str(one) for one in held] if isinstance(held, list) else []
