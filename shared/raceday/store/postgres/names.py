"""The catalogue in PostgreSQL's words: `raceId` of `race-pools` is `race_id` of `race_pools`.

A table whose rows are known by a name of their own (a race's by `raceId`) has that column as its key and no other;
the rest have `id`. Rows go in as JSON by these names and come back by the catalogue's, so that everything that makes
and reads rows (`raceday.store.rows`) is the same on every store.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

import orjson

from raceday.store.rows.values import Row
from raceday.store.tables import CATALOGUE, Column, Table

SQL_TYPES = {
    "text": "text",
    "integer": "bigint",
    "float": "double precision",
    "boolean": "boolean",
    "datetime": "timestamp with time zone",
}
PARTITIONED: Mapping[str, str] = {
    "odds-history": "eventTimestamp",
    "money-flow-history": "eventTimestamp",
    "race-polls": "polledAt",
}
"""The tables that are partitioned by day, each with the instant that decides."""
_NATURAL_KEYS: Mapping[str, str] = {
    "meetings": "meetingId",
    "races": "raceId",
    "entrants": "entrantId",
    "race-results": "raceId",
    "race-pools": "raceId",
    "race-closings": "raceId",
    "poll-claims": "raceId",
    "jockey-silks": "silkId",
    "sweeps": "name",
}
_NAMED_OTHERWISE: Mapping[tuple[str, str], str] = {
    # `created_at` is the row's own.
    ("user-alert-configs", "createdAt"): "client_created_at",
}
_NEXT_WORD = re.compile(r"(?<=[a-z0-9])([A-Z])")
_LAST_NUMBER = re.compile(r"(?<=[a-z])(\d+)$")


@lru_cache(maxsize=1024)
def sql_column(table: Table, name: str) -> str:
    """Return the name of a column in PostgreSQL; `$id` is the table's key."""
    if name == "$id":
        return key_column(table)
    otherwise = _NAMED_OTHERWISE.get((table.name, name))
    if otherwise is not None:
        return otherwise
    words = _NEXT_WORD.sub(r"_\1", name.removeprefix("$")).lower()
    return _LAST_NUMBER.sub(r"_\1", words)


def key_column(table: Table) -> str:
    """Return the column that is a row's `$id`."""
    natural = _NATURAL_KEYS.get(table.name)
    return "id" if natural is None else sql_column(table, natural)


def columns_of(table: Table) -> tuple[Column, ...]:
    """Return the columns of the catalogue that PostgreSQL has, without key, creation and update."""
    natural = _NATURAL_KEYS.get(table.name)
    own = [column for column in table.columns if not column.appwrite_only and column.name != natural]
    return (*own, Column("$permissions", "text", 2000)) if table.row_security else tuple(own)


def table_named(name: str) -> Table:
    """Return the table of the catalogue with this name; `KeyError` when there is none."""
    for table in CATALOGUE:
        if table.name == name:
            return table
    raise KeyError(f"the catalogue has no table {name}")


@lru_cache(maxsize=512)
def selected(table: Table, names: tuple[str, ...] = (), alias: str = "") -> str:
    """Return the list of a SELECT that reads columns under the catalogue's names; without names all of them."""
    wanted = names or ("$id", "$createdAt", "$updatedAt", *_all_names(table))
    prefix = f"{alias or table.sql_name}."
    return ", ".join(f'{prefix}"{sql_column(table, name)}" AS "{name}"' for name in wanted)


def _all_names(table: Table) -> tuple[str, ...]:
    names = tuple(column.name for column in columns_of(table))
    natural = _NATURAL_KEYS.get(table.name)
    return names if natural is None else (natural, *names)


def sql_row(table: Table, row: Mapping[str, object]) -> Row:
    """Return a row by PostgreSQL's names."""
    names = _names(table)
    return {names[name]: value for name, value in row.items()}


def sql_rows(table: Table, rows: Iterable[Mapping[str, object]]) -> list[Row]:
    """Return rows by PostgreSQL's names; what is said twice about one row is said once, the later word counts."""
    key = key_column(table)
    by_key: dict[object, Row] = {}
    for row in rows:
        renamed = sql_row(table, row)
        by_key[renamed[key]] = by_key.get(renamed[key], {}) | renamed
    return list(by_key.values())


def json_rows(table: Table, rows: Iterable[Mapping[str, object]]) -> str:
    """Return rows by PostgreSQL's names as a JSON list, as the functions of the database take them."""
    return json_text(sql_rows(table, rows))


def json_text(value: object) -> str:
    """Return rows as PostgreSQL takes JSON: the one character that it cannot keep, NUL, is left out of texts."""
    text = orjson.dumps(value).decode()
    return orjson.dumps(_without_nul(value)).decode() if "\\u0000" in text else text


def _without_nul(value: object) -> object:
    if isinstance(value, str):
        return value.replace("\0", "")
    if isinstance(value, dict):
        return {name: _without_nul(each) for name, each in value.items()}
    return [_without_nul(each) for each in value] if isinstance(value, list) else value


@lru_cache(maxsize=64)
def _names(table: Table) -> dict[str, str]:
    everything = [column.name for column in table.columns]
    return {name: sql_column(table, name) for name in ("$id", "$createdAt", "$updatedAt", "$permissions", *everything)}
