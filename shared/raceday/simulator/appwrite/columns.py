"""Columns: the kinds there are, what each may be asked for, how it is shown, and what it takes of a row's width."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from raceday.simulator.appwrite import params
from raceday.simulator.appwrite.errors import invalid_param, refused
from raceday.simulator.appwrite.instants import stamp

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

MADE_AFTER = timedelta(milliseconds=400)
"""Columns and indexes are made by a worker: half a second and less on the server observed."""
LARGEST_VARCHAR = 16_381
LARGEST_STRING = 1_073_741_824
BIG_INT = 9_223_372_036_854_775_807
SMALL_INT = 2_147_483_647
DOUBLE = 1.7976931348623157e308

TEXTS = {"text": 65_535, "mediumtext": 16_777_215, "longtext": 4_294_967_295}
FORMATS = {"email": 254, "url": 2000, "ip": 39, "enum": 255}
"""Kinds that are strings with a format, and the size they are stored with."""
NUMBERS = ("integer", "bigint", "float")
KINDS = ("string", "varchar", *TEXTS, *NUMBERS, "boolean", "datetime", *FORMATS)
_POINTER_BYTES = 20
"""What is kept outside the row: long strings, texts and arrays."""
_FIXED_BYTES = {"bigint": 8, "float": 8, "boolean": 1, "datetime": 7} | dict.fromkeys(TEXTS, _POINTER_BYTES)


@dataclass(frozen=True, slots=True)
class Column:
    """One column; `size` is in characters for texts, in bytes for whole numbers; `error` says why it was not made."""

    key: str
    kind: str
    required: bool
    created_at: datetime
    size: int = 0
    array: bool = False
    default: object = None
    lowest: float | int | None = None
    highest: float | int | None = None
    elements: tuple[str, ...] = ()
    encrypt: bool = False
    error: str = ""

    @property
    def made_at(self) -> datetime:
        """The instant from which it is available."""
        return self.created_at + MADE_AFTER

    @property
    def is_text(self) -> bool:
        """Whether it is compared as text, which ignores case, accents and trailing spaces."""
        return self.kind in {"string", "varchar"} or self.kind in TEXTS or self.kind in FORMATS

    def width_bytes(self) -> int:
        """Return what it takes of the 65,535 bytes of a row (the adapter's own arithmetic for MariaDB)."""
        if self.array:
            return _POINTER_BYTES
        if self.kind == "integer":
            return self.size
        if self.kind in _FIXED_BYTES:
            return _FIXED_BYTES[self.kind]
        if self.size > LARGEST_VARCHAR:
            return _POINTER_BYTES
        return 4 * self.size + (2 if self.size > 255 else 1)

    def body(self, now: datetime) -> dict[str, object]:
        """Return the column as the API shows it: processing first, available soon after."""
        is_made = now >= self.made_at
        made = "failed" if self.error else "available"
        return {
            "key": self.key,
            "type": "double" if self.kind == "float" else "string" if self.kind in FORMATS else self.kind,
            "status": made if is_made else "processing",
            "error": self.error if is_made else "",
            "required": self.required,
            "array": self.array,
            "$createdAt": stamp(self.created_at),
            "$updatedAt": stamp(self.made_at if is_made else self.created_at),
            **self._own_body(),
            "default": self.default,
        }

    def _own_body(self) -> dict[str, object]:
        """Return what only columns of its kind have."""
        own: dict[str, object] = {}
        if self.kind in NUMBERS:
            own = {"min": self.lowest, "max": self.highest}
        elif self.kind in FORMATS or self.kind == "datetime":
            own = {"format": self.kind if self.kind in FORMATS else ""}
        elif self.is_text:
            own = {"encrypt": self.encrypt}
        if self.kind in {"string", "varchar"}:
            own["size"] = self.size
        if self.kind == "enum":
            own["elements"] = list(self.elements)
        return own


def column_of(kind: str, body: Mapping[str, object], now: datetime) -> Column:
    """Read a request for a column; raises the platform's refusals."""
    key = params.checked_id(params.required(body, "key"), "key")
    params.required(body, "required")
    required = params.flag(body, "required", default=False)
    array = params.flag(body, "array", default=False)
    default = body.get("default")
    if default is not None and (required or array):
        raise refused("column_default_unsupported")
    lowest, highest = _range_of(kind, body)
    return Column(
        key=key,
        kind=kind,
        required=required,
        created_at=now,
        size=_size_of(kind, body, highest),
        array=array,
        default=default,
        lowest=lowest,
        highest=highest,
        elements=_elements_of(body) if kind == "enum" else (),
        encrypt=params.flag(body, "encrypt", default=False),
    )


def changed_column(column: Column, body: Mapping[str, object]) -> Column:
    """Read a request for a change of a column: default and required always, size and bounds when they are given.

    A whole number keeps the bytes that it was made with (the server changes the bounds alone).
    """
    params.required(body, "required")
    required = params.flag(body, "required", default=False)
    default = body.get("default")
    if default is not None and (required or column.array):
        raise refused("column_default_unsupported")
    lowest, highest = column.lowest, column.highest
    if column.kind in NUMBERS and (body.get("min") is not None or body.get("max") is not None):
        lowest, highest = _range_of(column.kind, body)
    size = column.size
    if column.kind in {"string", "varchar"} and body.get("size") is not None:
        size = _size_of(column.kind, body, None)
    return replace(column, required=required, default=default, lowest=lowest, highest=highest, size=size)


def _size_of(kind: str, body: Mapping[str, object], highest: float | int | None) -> int:
    if kind in {"string", "varchar"}:
        params.required(body, "size")
        return params.whole(body, "size", 0, 1, LARGEST_STRING if kind == "string" else LARGEST_VARCHAR)
    if kind == "integer":
        return 8 if highest is not None and highest > SMALL_INT else 4
    return TEXTS.get(kind) or FORMATS.get(kind, 0)


def _range_of(kind: str, body: Mapping[str, object]) -> tuple[float | int | None, float | int | None]:
    if kind not in NUMBERS:
        return None, None
    lowest, highest = (-DOUBLE, DOUBLE) if kind == "float" else (-BIG_INT - 1, BIG_INT)
    given_lowest, given_highest = _number(body, "min", kind), _number(body, "max", kind)
    lowest = lowest if given_lowest is None else given_lowest
    highest = highest if given_highest is None else given_highest
    if lowest > highest:
        raise refused("column_value_invalid", f"min {lowest} is above max {highest}")
    return lowest, highest


def _number(body: Mapping[str, object], name: str, kind: str) -> float | int | None:
    value = body.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int if kind != "float" else (int, float)):
        raise invalid_param(name, "must be a number" if kind == "float" else "must be a whole number")
    return value


def _elements_of(body: Mapping[str, object]) -> tuple[str, ...]:
    params.required(body, "elements")
    return tuple(params.texts(body, "elements"))
