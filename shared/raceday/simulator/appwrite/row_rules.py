"""What a row must be like before it is written: every required column, no unknown one, each value of its kind."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING

from raceday.simulator.appwrite.columns import BIG_INT, DOUBLE, SMALL_INT
from raceday.simulator.appwrite.errors import refused
from raceday.simulator.appwrite.instants import instant_of, stamp
from raceday.simulator.wire import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from raceday.simulator.appwrite.columns import Column
    from raceday.simulator.appwrite.errors import PlatformError


class _WrongValue(ValueError):
    """A value that does not fit; the message says what it must be."""


def checked_row(columns: Mapping[str, Column], given: Mapping[str, object]) -> dict[str, object]:
    """Return a whole row's values as they are stored; raises row_invalid_structure in the platform's order."""
    lacking = missing(columns, given)
    if lacking is not None:
        raise lacking
    return checked_values(columns, given)


def missing(columns: Mapping[str, Column], given: Mapping[str, object]) -> PlatformError | None:
    """Return the refusal of the first required column that has no value."""
    for key, column in columns.items():
        if column.required and given.get(key) is None:
            return refused("row_invalid_structure", f"{key} must be given")
    return None


def checked_values(columns: Mapping[str, Column], given: Mapping[str, object]) -> dict[str, object]:
    """Return some of a row's values as they are stored; raises row_invalid_structure."""
    for key in given:
        if key not in columns:
            raise refused("row_invalid_structure", f"the table has no column {key}")
    return {key: _stored(columns[key], value) for key, value in given.items()}


def _stored(column: Column, value: object) -> object:
    if value is None and not column.required:
        return None
    try:
        if column.array:
            return _array(column, value)
        return _CHECKS[column.kind](column, value)
    except _WrongValue as wrong:
        raise refused("row_invalid_structure", f"{column.key} must be {wrong}") from wrong


def _array(column: Column, value: object) -> list[object]:
    if not isinstance(value, list):
        raise _WrongValue("a list")
    return [None if one is None else _CHECKS[column.kind](column, one) for one in value]


def _text(column: Column, value: object) -> object:
    if not isinstance(value, str) or len(value) > column.size:
        raise _WrongValue(f"a text of at most {column.size} characters")
    return value


def _whole(column: Column, value: object) -> object:
    is_big = column.size >= 8 or column.kind == "bigint"
    highest = BIG_INT if is_big else SMALL_INT
    if not isinstance(value, int) or isinstance(value, bool) or not -highest - 1 <= value <= highest:
        raise _WrongValue(f"a whole number of {64 if is_big else 32} bits")
    return _within(column, value)


def _within(column: Column, value: int) -> int:
    if column.lowest is not None and column.highest is not None and not column.lowest <= value <= column.highest:
        raise _WrongValue(f"from {column.lowest} to {column.highest}")
    return value


def _float(column: Column, value: object) -> object:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise _WrongValue("a number")
    lowest = -DOUBLE if column.lowest is None else column.lowest
    highest = DOUBLE if column.highest is None else column.highest
    if not lowest <= value <= highest:
        raise _WrongValue(f"from {lowest} to {highest}")
    return plain(float(value))


def _boolean(_column: Column, value: object) -> object:
    if not isinstance(value, bool):
        raise _WrongValue("true or false")
    return value


def _datetime(_column: Column, value: object) -> object:
    wrong = _WrongValue("a date and time")
    if not isinstance(value, str):
        raise wrong
    try:
        return stamp(instant_of(value))
    except ValueError as error:
        raise wrong from error


def _enum(column: Column, value: object) -> object:
    if value not in column.elements:
        raise _WrongValue(f"one of {', '.join(column.elements)}")
    return value


def _email(column: Column, value: object) -> object:
    if not isinstance(value, str) or value.count("@") != 1 or not all(value.split("@")):
        raise _WrongValue("a mail address")
    return _text(column, value)


def _url(column: Column, value: object) -> object:
    if not isinstance(value, str) or "://" not in value.strip("/"):
        raise _WrongValue("a URL")
    return _text(column, value)


def _ip(column: Column, value: object) -> object:
    try:
        ip_address(str(value))
    except ValueError as error:
        raise _WrongValue("an IP address") from error
    return _text(column, value)


_CHECKS: dict[str, Callable[[Column, object], object]] = {
    "string": _text,
    "varchar": _text,
    "text": _text,
    "mediumtext": _text,
    "longtext": _text,
    "integer": _whole,
    "bigint": _whole,
    "float": _float,
    "boolean": _boolean,
    "datetime": _datetime,
    "enum": _enum,
    "email": _email,
    "url": _url,
    "ip": _ip,
}
