"""Queries as clients send them: JSON texts, checked against the columns, sorted into what a listing needs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import orjson

from raceday.simulator.appwrite.errors import PlatformError, invalid_param, invalid_query, refused
from raceday.simulator.appwrite.instants import instant_of, stamp

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from raceday.simulator.appwrite.columns import Column

MOST_QUERIES = 100
LONGEST_QUERY = 4096
MOST_VALUES = 500
DEFAULT_LIMIT = 25

ONE_VALUE = ("notEqual", "lessThan", "lessThanEqual", "greaterThan", "greaterThanEqual", "startsWith", "endsWith")
ANY_VALUES = ("equal", "contains")
NULLS = ("isNull", "isNotNull")
LOGICAL = ("or", "and")
FILTERS = (*ONE_VALUE, *ANY_VALUES, *NULLS, *LOGICAL, "between")
_ORDERS = ("orderAsc", "orderDesc")
_CURSORS = ("cursorAfter", "cursorBefore")
_METHODS = (*FILTERS, *_ORDERS, *_CURSORS, "limit", "offset", "select")
_NOT_MODELLED = frozenset({
    "search", "notSearch", "notContains", "notStartsWith", "notEndsWith", "notBetween", "orderRandom", "exists",
    "notExists", "regex", "containsAny", "containsAll", "elemMatch", "createdBefore", "createdAfter",
    "createdBetween", "updatedBefore", "updatedAfter", "updatedBetween", "crosses", "notCrosses", "distanceEqual",
    "distanceNotEqual", "distanceGreaterThan", "distanceLessThan", "intersects", "notIntersects", "overlaps",
    "notOverlaps", "touches", "notTouches",
})  # fmt: skip

_SYSTEM_KINDS = {"$id": "string", "$sequence": "integer", "$createdAt": "datetime", "$updatedAt": "datetime"}


@dataclass(frozen=True, slots=True)
class Query:
    """One query; the values of `or` and `and` are queries themselves."""

    method: str
    attribute: str
    values: tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Listing:
    """What a list of queries asks for; `cursor` is a row id, and `backwards` whether what comes before it is wanted."""

    filters: tuple[Query, ...]
    orders: tuple[tuple[str, bool], ...] = ()
    limit: int = DEFAULT_LIMIT
    offset: int = 0
    cursor: str | None = None
    backwards: bool = False
    selection: tuple[str, ...] = ()


def listing_of(texts: object, columns: Mapping[str, Column], default_limit: int = DEFAULT_LIMIT) -> Listing:
    """Read and check the queries of a call; raises the platform's refusals."""
    return _sorted_out(parsed(texts), columns, default_limit)


def parsed(texts: object) -> list[Query]:
    """Read the queries of a call without looking at what they ask for."""
    if texts is None:
        return []
    fits = isinstance(texts, list) and all(isinstance(text, str) and len(text) <= LONGEST_QUERY for text in texts)
    if not isinstance(texts, list) or not fits or len(texts) > MOST_QUERIES:
        raise invalid_param(
            "queries", f"must be a list of at most {MOST_QUERIES} texts of at most {LONGEST_QUERY} characters"
        )
    return [_read(text) for text in texts]


@lru_cache(maxsize=4096)
def _read(text: str) -> Query:
    try:
        return _query(orjson.loads(text))
    except orjson.JSONDecodeError as error:
        raise invalid_query("this is not JSON") from error


def _nested(given: object) -> Query:
    return _read(given) if isinstance(given, str) else _query(given)


def _query(given: object) -> Query:
    if not isinstance(given, dict):
        raise invalid_query(f"this must be an object, not {type(given).__name__}")
    method, attribute, values = given.get("method"), given.get("attribute", ""), given.get("values", [])
    if method in _NOT_MODELLED:
        raise PlatformError(501, "general_not_implemented", f"this stand-in does not know the query {method}")
    if method not in _METHODS:
        raise invalid_query(f"there is no method {method}")
    if not isinstance(attribute, str) or not isinstance(values, list):
        raise invalid_query("the attribute must be a text, the values a list")
    return Query(method, attribute, tuple(map(_nested, values)) if method in LOGICAL else tuple(values))


def _sorted_out(queries: Sequence[Query], columns: Mapping[str, Column], default_limit: int) -> Listing:
    filters: list[Query] = []
    orders: list[tuple[str, bool]] = []
    limit, offset, cursor, backwards = default_limit, 0, None, False
    selection: tuple[str, ...] = ()
    for query in queries:
        if query.method in FILTERS:
            filters.append(_checked(query, columns))
        elif query.method in _ORDERS:
            orders.append((_known(query.attribute or "$sequence", columns), query.method == "orderDesc"))
        elif query.method == "limit":
            limit = _whole(query)
        elif query.method == "offset":
            offset = _whole(query)
        elif query.method in _CURSORS:
            cursor, backwards = _cursor(query), query.method == "cursorBefore"
        else:
            selection += _selected(query, columns)
    return Listing(tuple(filters), tuple(orders), limit, offset, cursor, backwards, selection)


def _selected(query: Query, columns: Mapping[str, Column]) -> tuple[str, ...]:
    """Return what one `select` names: at least one column, none of them twice, `*` for all."""
    names = [str(value) for value in query.values]
    if not names or len(set(names)) < len(names):
        raise invalid_query("select needs a column, and none of them twice")
    return tuple(_known(name, columns) for name in names if name != "*")


def _known(attribute: str, columns: Mapping[str, Column]) -> str:
    if attribute not in columns and attribute not in _SYSTEM_KINDS and attribute != "$permissions":
        raise invalid_query(f"the table has no column {attribute}")
    return attribute


def _whole(query: Query) -> int:
    value = query.values[0] if len(query.values) == 1 else None
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise invalid_query(f"{query.method} needs one whole number, not below 0")
    return value


def _cursor(query: Query) -> str:
    if len(query.values) != 1 or not isinstance(query.values[0], str):
        raise invalid_query(f"{query.method} needs one row id")
    return query.values[0]


def _checked(query: Query, columns: Mapping[str, Column]) -> Query:
    """Return a filter with its dates in the form in which they are stored."""
    if query.method in LOGICAL:
        nested = [value for value in query.values if isinstance(value, Query)]
        if len(nested) < 2 or any(one.method not in FILTERS for one in nested):
            raise invalid_query(f"{query.method} needs two filters or more")
        return Query(query.method, "", tuple(_checked(one, columns) for one in nested))
    attribute = _known(query.attribute, columns)
    _check_count(query)
    kind = kind_of(attribute, columns)
    if query.method == "contains" and kind not in _TEXT_KINDS and not columns[attribute].array:
        raise invalid_query(f"contains is for texts and lists, which {attribute} is not")
    return Query(query.method, attribute, tuple(_stored(kind, attribute, value) for value in query.values))


def _check_count(query: Query) -> None:
    count = len(query.values)
    if query.method in ANY_VALUES and not count:
        raise invalid_query(f"{query.method} needs a value")
    if query.method in ONE_VALUE and count != 1:
        raise invalid_query(f"{query.method} needs one value, not {count}")
    if query.method == "between" and count != 2:
        raise invalid_query(f"between needs two values, not {count}")
    if count > MOST_VALUES:
        raise invalid_query(f"more than {MOST_VALUES} values for {query.attribute}")


def kind_of(attribute: str, columns: Mapping[str, Column]) -> str:
    """Return what an attribute is compared as."""
    system = _SYSTEM_KINDS.get(attribute)
    if system is not None:
        return system
    column = columns.get(attribute)
    return "string" if column is None or column.is_text else column.kind


def _stored(kind: str, attribute: str, value: object) -> object:
    expected = _EXPECTED[kind]
    is_right = isinstance(value, expected) and (kind == "boolean" or not isinstance(value, bool))
    if attribute == "$sequence" and isinstance(value, str) and value.isdigit():
        return int(value)
    if is_right and kind != "datetime":
        return value
    try:
        if is_right:
            return stamp(instant_of(str(value)))
    except ValueError:
        is_right = False
    raise invalid_query(f"a value does not fit {attribute}")


def not_found(cursor: str, *, backwards: bool) -> PlatformError:
    """Return the refusal of a cursor whose row is gone."""
    return refused("general_cursor_not_found", cursor, "cursorBefore" if backwards else "cursorAfter")


_TEXT_KINDS = ("string",)
_EXPECTED: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "datetime": str,
    "boolean": bool,
    "integer": int,
    "bigint": int,
    "float": (int, float),
}
