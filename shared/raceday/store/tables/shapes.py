"""What a table is made of: the words in which the catalogue is written."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

Kind = Literal["text", "integer", "float", "boolean", "datetime"]
IndexKind = Literal["key", "unique"]
Scalar = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Column:
    """One column; `size` is the most characters that a text holds, 0 for other kinds.

    `about` says what the name does not: a unit, the shape of a JSON text, the words that occur. A column that is
    `appwrite_only` is there for clients of that platform, or because it joins nothing; PostgreSQL does without.
    """

    name: str
    kind: Kind
    size: int = 0
    required: bool = False
    default: Scalar = None
    about: str = ""
    appwrite_only: bool = False


@dataclass(frozen=True, slots=True)
class Index:
    """An index over the named columns, in this order."""

    name: str
    columns: tuple[str, ...]
    kind: IndexKind = "key"


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """One table. `permissions` are Appwrite's; an empty tuple leaves it to API keys alone.

    A table is equal to itself only, which makes it a cheap dictionary key on the hot path.
    """

    name: str
    columns: tuple[Column, ...]
    indexes: tuple[Index, ...] = ()
    permissions: tuple[str, ...] = ()
    row_security: bool = False
    about: str = ""

    @property
    def sql_name(self) -> str:
        """The table's name in SQL databases, which do not like hyphens."""
        return self.name.replace("-", "_")

    def column(self, name: str) -> Column:
        """Return the column of this name; `KeyError` when there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(f"table {self.name} has no column {name}")


PUBLIC = ('read("any")',)
"""Anyone may read; only API keys write (the original let anyone write, which was a hole)."""


def text(name: str, size: int, *, required: bool = False, default: str | None = None, about: str = "") -> Column:
    """Return a text column of at most `size` characters."""
    return Column(name, "text", size, required, default, about)


def integer(name: str, *, required: bool = False, default: int | None = None, about: str = "") -> Column:
    """Return a whole-number column (64 bits)."""
    return Column(name, "integer", 0, required, default, about)


def decimal(name: str, *, required: bool = False, about: str = "") -> Column:
    """Return a floating-point column."""
    return Column(name, "float", 0, required, about=about)


def boolean(name: str, *, required: bool = False, default: bool | None = None, about: str = "") -> Column:
    """Return a true-or-false column."""
    return Column(name, "boolean", 0, required, default, about)


def instant(name: str, *, required: bool = False, about: str = "") -> Column:
    """Return a column of UTC instants with milliseconds."""
    return Column(name, "datetime", 0, required, about=about)


def on_appwrite(column: Column) -> Column:
    """Return a column that PostgreSQL does without."""
    return replace(column, appwrite_only=True)
