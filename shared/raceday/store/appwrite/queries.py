"""The platform's queries as texts. Text is compared without regard to case, accents and trailing spaces: whoever asks
for an exact text looks at what comes back.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

import orjson

from raceday.store.rows.values import instant_text

Value = str | int | float | bool | datetime
Query = str
"""One query as the platform takes it: JSON of at most 4,096 characters."""

VALUES_AT_ONCE = 80
"""Ids of 36 characters that fit one query (4,096 characters)."""


def equal(column: str, *values: Value) -> Query:
    """Match rows whose column is one of at most 500 values."""
    return _query("equal", column, values)


def not_equal(column: str, value: Value) -> Query:
    """Match rows whose column holds another value: as in SQL, an empty column does not match."""
    return _query("notEqual", column, (value,))


def at_least(column: str, value: Value) -> Query:
    """Match rows from a value on."""
    return _query("greaterThanEqual", column, (value,))


def at_most(column: str, value: Value) -> Query:
    """Match rows up to a value, inclusive."""
    return _query("lessThanEqual", column, (value,))


def above(column: str, value: Value) -> Query:
    """Match rows behind a value."""
    return _query("greaterThan", column, (value,))


def below(column: str, value: Value) -> Query:
    """Match rows before a value."""
    return _query("lessThan", column, (value,))


def is_empty(column: str) -> Query:
    """Match rows whose column holds nothing."""
    return _query("isNull", column, ())


def is_filled(column: str) -> Query:
    """Match rows whose column holds something."""
    return _query("isNotNull", column, ())


def either(*queries: Query) -> Query:
    """Match rows that one of at least two queries matches."""
    return _logical("or", queries)


def all_of(*queries: Query) -> Query:
    """Match rows that every one of at least two queries matches; for use inside `either`."""
    return _logical("and", queries)


def ascending(column: str) -> Query:
    """Order by a column."""
    return _query("orderAsc", column, ())


def descending(column: str) -> Query:
    """Order by a column, the greatest first."""
    return _query("orderDesc", column, ())


def limit(rows: int) -> Query:
    """Give at most so many rows."""
    return _plain("limit", rows)


def behind(row_id: str) -> Query:
    """Give what comes behind a row in the order asked for."""
    return _plain("cursorAfter", row_id)


def select(columns: Sequence[str]) -> Query:
    """Give these columns alone (the platform adds a row's own, `$id` and the like)."""
    return _plain("select", *columns)


def parts_of(values: Sequence[str]) -> Iterator[Sequence[str]]:
    """Cut ids into parts that fit one query each."""
    for begin in range(0, len(values), VALUES_AT_ONCE):
        yield values[begin : begin + VALUES_AT_ONCE]


def _query(method: str, column: str, values: Sequence[Value]) -> Query:
    query: dict[str, object] = {"method": method, "attribute": column}
    if values:
        query["values"] = [instant_text(value) if isinstance(value, datetime) else value for value in values]
    return orjson.dumps(query).decode()


def _plain(method: str, *values: str | int) -> Query:
    return orjson.dumps({"method": method, "values": list(values)}).decode()


def _logical(method: str, queries: Sequence[Query]) -> Query:
    return orjson.dumps({"method": method, "values": [orjson.loads(query) for query in queries]}).decode()
