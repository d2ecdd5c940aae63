"""What creating, changing, counting up and deleting rows does to a table. Upserts live in `row_upserts`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from raceday.simulator.appwrite.collation import folded
from raceday.simulator.appwrite.errors import refused
from raceday.simulator.appwrite.instants import stamp
from raceday.simulator.appwrite.row_rules import checked_row, checked_values, missing
from raceday.simulator.appwrite.row_store import UniqueValuesTaken
from raceday.simulator.wire import plain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from raceday.simulator.appwrite.given_row import GivenRow
    from raceday.simulator.appwrite.row_store import Row
    from raceday.simulator.appwrite.tables import Table


@dataclass(frozen=True, slots=True)
class Writing:
    """When a write happens and under which conditions.

    `not_after` is a stamp: a row that was updated after it is not touched but refused. `own_rows` are the folded ids
    of rows that the same transaction has written already, which that does not concern. `keeps_dates` says whether
    $createdAt and $updatedAt may be given.
    """

    at: datetime
    keeps_dates: bool = True
    not_after: str | None = None
    own_rows: frozenset[str] | set[str] = frozenset()

    def check_fresh(self, row: Row) -> None:
        """Raise row_update_conflict for a row that somebody else has written since."""
        is_newer = self.not_after is not None and str(row["$updatedAt"]) > self.not_after
        if is_newer and folded(str(row["$id"])) not in self.own_rows:
            raise refused("row_update_conflict")

    def dates(self, given: GivenRow, created_at: str | None = None) -> tuple[str, str]:
        """Return $createdAt and $updatedAt of a row written now; `created_at` is that of the row before."""
        now = stamp(self.at)
        if not self.keeps_dates:
            return created_at or now, now
        return given.created_at or created_at or now, given.updated_at or now


def whole_row(table: Table, head: Mapping[str, object], values: Mapping[str, object]) -> Row:
    """Return a row as the API shows it."""
    return {**values, **head, "$databaseId": table.database_id, "$tableId": table.table_id}


def own_values(table: Table, row: Row) -> dict[str, object]:
    """Return a row's values without what the platform adds."""
    return {key: row.get(key) for key in table.columns}


def create(table: Table, rows: Sequence[GivenRow], writing: Writing, *, is_bulk: bool = False) -> list[Row]:
    """Write new rows, all or none; the refusal of a taken id does not name it in a bulk (recorded exchange)."""
    columns = table.ready_columns(writing.at)
    defaults = {key: column.default for key, column in columns.items()}
    checked = [checked_row(columns, defaults | given.values) for given in rows]
    written: list[Row] = []
    numbers = [table.rows.next_sequence() for _ in rows]
    with table.rows.undoing():
        for given, values, number in zip(rows, checked, numbers, strict=True):
            taken = refused("row_already_exists", "of this bulk" if is_bulk else given.row_id)
            if table.rows.get(given.row_id) is not None:
                raise taken
            created_at, updated_at = writing.dates(given)
            head = {
                "$id": given.row_id,
                "$sequence": number,
                "$createdAt": created_at,
                "$updatedAt": updated_at,
                "$permissions": given.permissions or [],
            }
            written.append(whole_row(table, head, values))
            try:
                table.rows.put(written[-1])
            except UniqueValuesTaken as error:
                raise taken from error
    return written


def update(table: Table, row_id: str, given: GivenRow, writing: Writing) -> Row:
    """Change some values of a row; when nothing differs nothing is written and $updatedAt stays."""
    old = table.rows.get(row_id)
    if old is None:
        raise refused("row_not_found", row_id)
    writing.check_fresh(old)
    row = changed_row(table, old, given, writing)
    if not _differs(table, old, given):
        return old
    try:
        table.rows.put(row)
    except UniqueValuesTaken as error:
        raise refused("row_already_exists", row_id) from error
    return row


def update_matching(table: Table, rows: Sequence[Row], given: GivenRow, writing: Writing) -> list[Row]:
    """Change the same values in many rows; every one counts as written, changed or not."""
    written: list[Row] = []
    with table.rows.undoing():
        for old in rows:
            writing.check_fresh(old)
            written.append(changed_row(table, old, given, writing))
            try:
                table.rows.put(written[-1])
            except UniqueValuesTaken as error:
                raise refused("general_unknown") from error
    return written


def delete(table: Table, row_id: str, writing: Writing) -> Row:
    """Remove a row and return it as it was."""
    old = table.rows.get(row_id)
    if old is None:
        raise refused("row_not_found", row_id)
    writing.check_fresh(old)
    table.rows.remove(row_id)
    return old


def delete_matching(table: Table, rows: Sequence[Row], writing: Writing) -> None:
    """Remove many rows, all or none."""
    for row in rows:
        writing.check_fresh(row)
    for row in rows:
        table.rows.remove(str(row["$id"]))


@dataclass(frozen=True, slots=True)
class Step:
    """How far a number is counted up (down if negative), and the bound that refuses it."""

    column: str
    by: float | int
    bound: float | int | None = None


def count(table: Table, row_id: str, step: Step, writing: Writing) -> Row:
    """Count a column and return the row as the platform answers it: the new number with the former $updatedAt.

    The stored row has the new $updatedAt all the same (recorded exchange).
    """
    old = table.rows.get(row_id)
    if old is None:
        raise refused("row_not_found", row_id)
    column = table.ready_columns(writing.at).get(step.column)
    if column is None:
        raise refused("column_not_found", step.column)
    if column.kind not in {"integer", "bigint", "float"} or column.array:
        raise refused("column_type_invalid", f"{step.column} is no number")
    before = old[step.column]
    number = plain((before if isinstance(before, int | float) else 0) + step.by)
    if step.bound is not None and (number > step.bound if step.by > 0 else number < step.bound):
        side = "above" if step.by > 0 else "below"
        raise refused("column_limit_exceeded", f"{step.column} would be {side} {step.bound}")
    answered = {**old, step.column: number}
    table.rows.put({**answered, "$updatedAt": stamp(writing.at)})
    return answered


def changed_row(table: Table, old: Row, given: GivenRow, writing: Writing) -> Row:
    """Return a row with some values changed, checked."""
    columns = table.ready_columns(writing.at)
    values = checked_values(columns, given.values)
    head = {
        "$createdAt": writing.dates(given, str(old["$createdAt"]))[0],
        "$updatedAt": writing.dates(given)[1],
        "$permissions": old["$permissions"] if given.permissions is None else given.permissions,
    }
    row = {**old, **values, **head}
    lacking = missing(columns, row)
    if lacking is not None:
        raise lacking
    return row


def _differs(table: Table, old: Row, given: GivenRow) -> bool:
    """Return whether an update would change anything; unlike an upsert it compares types too."""
    if given.permissions is not None and sorted(given.permissions) != sorted(_texts(old["$permissions"])):
        return True
    return any(_is_other(table, key, old.get(key), value) for key, value in given.values.items())


def _is_other(table: Table, key: str, old: object, new: object) -> bool:
    if old is None or new is None:
        return old is not new
    if table.columns[key].kind == "float":
        # Shown as 5, held as 5.0: a whole number given to a float column is of another type, and so a change.
        return not isinstance(new, float) or old != new
    return old != new


def _texts(value: object) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else []
