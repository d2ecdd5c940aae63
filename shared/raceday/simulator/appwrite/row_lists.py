"""Finding rows: filters, order, cursor, limit, and a total that stops counting."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any

from raceday.simulator.appwrite.collation import folded, without_case
from raceday.simulator.appwrite.errors import refused
from raceday.simulator.appwrite.queries import Query, kind_of, not_found

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from raceday.simulator.appwrite.columns import Column
    from raceday.simulator.appwrite.queries import Listing
    from raceday.simulator.appwrite.row_store import Row
    from raceday.simulator.appwrite.tables import Table

    Test = Callable[[Row], bool]

MOST_COUNTED = 5000
"""Where `total` stops."""
_ALWAYS_SHOWN = ("$id", "$sequence", "$createdAt", "$updatedAt", "$permissions", "$databaseId", "$tableId")


def matching(table: Table, filters: Sequence[Query], columns: Mapping[str, Column]) -> list[Row]:
    """Return the rows that pass all filters, oldest first."""
    candidates, answered = _candidates(table, filters)
    tests = [test_of(query, columns) for query in filters if query is not answered]
    found = [row for row in candidates if all(test(row) for test in tests)] if tests else list(candidates)
    if answered is None and table.rows.oldest_first:
        return found
    return sorted(found, key=_sequence)


def page(table: Table, found: list[Row], listing: Listing, columns: Mapping[str, Column]) -> list[Row]:
    """Return the rows of a listing in its order, cut to its cursor, offset and limit, with the columns selected."""
    rows = ordered(found, listing.orders, columns)
    if listing.cursor is not None:
        rows = _cut(table, rows, listing, columns)
    if listing.backwards:
        end = max(0, len(rows) - listing.offset)
        rows = rows[max(0, end - listing.limit) : end]
    else:
        rows = rows[listing.offset : listing.offset + listing.limit]
    return _selected(rows, listing.selection)


def ordered(rows: Iterable[Row], orders: Sequence[tuple[str, bool]], columns: Mapping[str, Column]) -> list[Row]:
    """Sort rows that come oldest first; nulls come first ascending, and equal rows stay oldest first."""
    in_order = list(rows)
    for attribute, descending in reversed(orders):
        comparable = _comparable(attribute, columns)

        def key(row: Row, comparable: Callable[[Row], Any] = comparable) -> tuple[bool, Any]:
            value = comparable(row)
            return (value is not None, 0 if value is None else value)

        in_order.sort(key=key, reverse=descending)
    return in_order


def selected(row: Row, selection: Sequence[str]) -> Row:
    """Return the selected columns of a row; what begins with a dollar sign is shown in any case."""
    if not selection:
        return row
    return {name: row[name] for name in (*selection, *_ALWAYS_SHOWN) if name in row}


def _selected(rows: list[Row], selection: Sequence[str]) -> list[Row]:
    """Return the selected columns of many rows. Rows from before a column was made do not have it."""
    if not selection:
        return rows
    names = tuple(dict.fromkeys((*selection, *_ALWAYS_SHOWN)))
    values = itemgetter(*names)
    try:
        return [dict(zip(names, values(row), strict=True)) for row in rows]
    except KeyError:
        return [selected(row, selection) for row in rows]


def test_of(query: Query, columns: Mapping[str, Column]) -> Test:
    """Return the test of one filter. As in SQL, a null passes no comparison, not even `notEqual`."""
    if query.method in {"or", "and"}:
        tests = [test_of(nested, columns) for nested in query.values if isinstance(nested, Query)]
        return lambda row: any(test(row) for test in tests) if query.method == "or" else all(t(row) for t in tests)
    attribute = query.attribute
    if query.method == "isNull":
        return lambda row: row.get(attribute) is None
    if query.method == "isNotNull":
        return lambda row: row.get(attribute) is not None
    if query.method in {"contains", "startsWith", "endsWith"}:
        return _like(query)
    return _comparison(query, columns)


def _comparison(query: Query, columns: Mapping[str, Column]) -> Test:
    read = _comparable(query.attribute, columns)
    is_text = kind_of(query.attribute, columns) == "string"
    values: list[Any] = [folded(str(value)) if is_text else value for value in query.values]
    if query.method == "equal":
        wanted = frozenset(values)
        return lambda row: read(row) in wanted
    first, last = values[0], values[-1]
    compared: dict[str, Callable[[Any], bool]] = {
        "notEqual": lambda value: value != first,
        "lessThan": lambda value: value < first,
        "lessThanEqual": lambda value: value <= first,
        "greaterThan": lambda value: value > first,
        "greaterThanEqual": lambda value: value >= first,
        "between": lambda value: first <= value <= last,
    }
    compare = compared[query.method]

    def test(row: Row) -> bool:
        value = read(row)
        return value is not None and compare(value)

    return test


def _like(query: Query) -> Test:
    wanted = [without_case(str(value)) for value in query.values]
    attribute, method = query.attribute, query.method

    def fits(text: str) -> bool:
        if method == "startsWith":
            return text.startswith(wanted[0])
        return text.endswith(wanted[0]) if method == "endsWith" else any(part in text for part in wanted)

    def test(row: Row) -> bool:
        value = row.get(attribute)
        if isinstance(value, list):
            return any(one in value for one in query.values)
        return isinstance(value, str) and fits(without_case(value))

    return test


def _comparable(attribute: str, columns: Mapping[str, Column]) -> Callable[[Row], Any]:
    """Return what reads an attribute of a row as it is compared."""
    if attribute == "$sequence":
        return _sequence
    if kind_of(attribute, columns) != "string":
        return lambda row: row.get(attribute)

    def text(row: Row) -> object:
        value = row.get(attribute)
        return folded(value) if isinstance(value, str) else None

    return text


def _sequence(row: Row) -> int:
    return int(row["$sequence"])  # type: ignore[call-overload, no-any-return]


def _candidates(table: Table, filters: Sequence[Query]) -> tuple[Iterable[Row], Query | None]:
    """Return the rows worth testing, few if a filter asks for values of an indexed column or for ids, and that filter.

    They all pass it.
    """
    fewest: list[Row] | None = None
    answered: Query | None = None
    for query in filters:
        if query.method != "equal":
            continue
        if query.attribute == "$id":
            found = {folded(str(value)): table.rows.get(str(value)) for value in query.values}
            return [row for row in found.values() if row is not None], query
        rows = table.rows.with_values(query.attribute, query.values)
        if rows is not None and (fewest is None or len(rows) < len(fewest)):
            fewest, answered = rows, query
    return (table.rows.all_rows(), None) if fewest is None else (fewest, answered)


def _cut(table: Table, rows: list[Row], listing: Listing, columns: Mapping[str, Column]) -> list[Row]:
    """Return the rows after (or before) the cursor's, which need not be among those found.

    A cursor whose row is empty in a column to order by is refused.
    """
    cursor = table.rows.get(str(listing.cursor))
    if cursor is None:
        raise not_found(str(listing.cursor), backwards=listing.backwards)
    for attribute, _descending in listing.orders:
        if cursor.get(attribute) is None:
            raise refused("database_query_order_null", attribute)
    place = _place_of(cursor, rows)
    if place is None:
        rows = ordered(sorted([*rows, cursor], key=_sequence), listing.orders, columns)
        place = _place_of(cursor, rows) or 0
    return rows[:place] if listing.backwards else rows[place + 1 :]


def _place_of(wanted: Row, rows: Sequence[Row]) -> int | None:
    return next((place for place, row in enumerate(rows) if row is wanted), None)
