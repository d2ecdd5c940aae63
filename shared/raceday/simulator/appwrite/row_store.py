"""The rows of one table: by id, by the values of indexed columns, and never two with the same unique values.

Rows are dictionaries as the API shows them and are replaced, never changed: who holds one holds it as it was.
"""

from __future__ import annotations

from collections import defaultdict
from contextlib import contextmanager
from typing import TYPE_CHECKING

from raceday.simulator.appwrite.collation import folded

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence

Row = dict[str, object]
_NOWHERE = object()
"""In place of a value where there is no row."""


class UniqueValuesTaken(Exception):
    """Another row already has these values of a unique index."""

    def __init__(self, row_id: str) -> None:
        super().__init__(f"row {row_id} has these values already")
        self.row_id = row_id


def same(value: object) -> Hashable:
    """Return what two equal values have in common, as the database compares them."""
    if isinstance(value, str):
        return folded(value)
    return repr(value) if isinstance(value, list) else value


class RowStore:
    """Rows with their indexes; every change can be undone while `undoing` is open."""

    def __init__(self) -> None:
        """Begin without rows. `oldest_first` says in which order `all_rows` comes."""
        self.oldest_first = True
        self._rows: dict[str, Row] = {}
        self._lookups: dict[str, defaultdict[Hashable, dict[str, None]]] = {}
        self._uniques: dict[str, tuple[tuple[str, ...], dict[tuple[Hashable, ...], str]]] = {}
        self._undo: list[tuple[str, Row | None]] | None = None
        self._last_sequence = 0

    def __len__(self) -> int:
        return len(self._rows)

    def next_sequence(self) -> str:
        """Return the next number of the table's counter; it is used up even when the row is refused."""
        self._last_sequence += 1
        return str(self._last_sequence)

    def get(self, row_id: str) -> Row | None:
        """Return the row; ids are compared as texts are: `a` is `A`."""
        return self._rows.get(folded(row_id))

    def all_rows(self) -> Iterable[Row]:
        """Return every row; oldest first unless a deletion was undone."""
        return self._rows.values()

    def with_values(self, column: str, values: Sequence[object]) -> list[Row] | None:
        """Return the rows that have one of the values in an indexed column; None if it has no index."""
        lookup = self._lookups.get(column)
        if lookup is None:
            return None
        wanted = dict.fromkeys(same(value) for value in values)
        return [self._rows[row_key] for value in wanted for row_key in lookup.get(value, ())]

    def holder(self, row: Mapping[str, object], row_id: str) -> str | None:
        """Return the id of another row that has the row's values of a unique index."""
        own = folded(row_id)
        for columns, taken in self._uniques.values():
            key = _unique_key(row, columns)
            if key is not None and taken.get(key, own) != own:
                return str(self._rows[taken[key]]["$id"])
        return None

    def put(self, row: Row) -> None:
        """Store a row, new or in place of the one with its id; raises UniqueValuesTaken."""
        row_id = str(row["$id"])
        holder = self.holder(row, row_id)
        if holder is not None:
            raise UniqueValuesTaken(holder)
        self._replace(folded(row_id), row)

    def remove(self, row_id: str) -> None:
        """Remove a row that is there."""
        self._replace(folded(row_id), None)

    def look_up_by(self, column: str) -> None:
        """Find rows by a column's values from now on."""
        if column not in self._lookups:
            self._lookups[column] = defaultdict(dict)
            for row_key, row in self._rows.items():
                self._lookups[column][same(row.get(column))][row_key] = None

    def keep_unique(self, index: str, columns: tuple[str, ...]) -> bool:
        """Refuse rows with equal values from now on; returns whether the rows so far are unique."""
        taken: dict[tuple[Hashable, ...], str] = {}
        for row_key, row in self._rows.items():
            key = _unique_key(row, columns)
            if key is not None and taken.setdefault(key, row_key) != row_key:
                return False
        self._uniques[index] = (columns, taken)
        return True

    @contextmanager
    def undoing(self) -> Iterator[None]:
        """Take back everything that was written inside when it ends with an error."""
        if self._undo is not None:
            yield
            return
        written: list[tuple[str, Row | None]] = []
        self._undo = written
        try:
            yield
        except BaseException:
            self._undo = None
            for row_key, former in reversed(written):
                self.oldest_first &= former is None or row_key in self._rows
                self._replace(row_key, former)
            raise
        finally:
            self._undo = None

    def _replace(self, row_key: str, row: Row | None) -> None:
        former = self._rows.get(row_key)
        if self._undo is not None:
            self._undo.append((row_key, former))
        if row is None:
            self._rows.pop(row_key, None)
        else:
            self._rows[row_key] = row
        self._look_up(row_key, former, row)
        self._note_unique(row_key, former, row)

    def _look_up(self, row_key: str, former: Row | None, row: Row | None) -> None:
        """Find a row by its present values instead of its former ones."""
        for column, lookup in self._lookups.items():
            before = _NOWHERE if former is None else same(former.get(column))
            after = _NOWHERE if row is None else same(row.get(column))
            if before == after:
                continue
            if former is not None:
                del lookup[before][row_key]
                if not lookup[before]:
                    del lookup[before]
            if row is not None:
                lookup[after][row_key] = None

    def _note_unique(self, row_key: str, former: Row | None, row: Row | None) -> None:
        for columns, taken in self._uniques.values():
            before = None if former is None else _unique_key(former, columns)
            if before is not None and taken.get(before) == row_key:
                del taken[before]
            after = None if row is None else _unique_key(row, columns)
            if after is not None:
                taken[after] = row_key


def _unique_key(row: Mapping[str, object], columns: tuple[str, ...]) -> tuple[Hashable, ...] | None:
    """Return the values of a unique index; None when one is null, for nulls never collide."""
    key = tuple(same(row.get(column)) for column in columns)
    return None if None in key else key
