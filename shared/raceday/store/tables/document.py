"""The catalogue as a page for people: `python -m raceday.store.tables.document > docs/tables.md`."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from raceday.store.tables import CATALOGUE, Column, Table

_PREFACE = """\
# The tables

Made from the catalogue in `shared/raceday/store/tables`; do not edit it by hand.

- **Names.** Appwrite has the names below. SQLite writes `_` for `-` (`race-pools` is `race_pools`), keeps `true` and
  `false` as 1 and 0, and its columns are named the same; quote `"$id"` there.
- **Ids.** Every row has `$id`, `$createdAt` and `$updatedAt`. Meetings, races and runners have the feed's own UUID as
  `$id`; pools, results and claims have that of their race; a history row has one made from what it describes.
- **Money.** Amounts are whole cents. Prices are dollars for one dollar staked, and dividends and prize money are
  dollars. Shares are percent: 12.5 means 12.5 %.
- **Times.** Instants are UTC, `2026-11-22T04:00:00.000+00:00`. A meeting's `date` is the New Zealand racing date at
  midnight UTC: compare it with exactly that text, it is a day and no instant.
- **Money flow.** Read `money-flow-history` by `raceId` and `entrantId` in descending `timeInterval`: from `isBaseline`
  on, increments add up to the last amount. The newest amounts also stand in `entrants`, the race's in `race-pools`.
"""


def tables_markdown() -> str:
    """Return the whole catalogue as Markdown: an overview, then each table with its columns and indexes."""
    overview = [f"| [{table.name}](#{table.name}) | {table.about} |" for table in CATALOGUE]
    parts = [_PREFACE, "\n".join(["| table | what it holds |", "|---|---|", *overview]) + "\n"]
    return "\n".join([*parts, *map(_table, CATALOGUE)])


def _table(table: Table) -> str:
    heading = ["| column | type | required | default | about |", "|---|---|---|---|---|"]
    rows = [_column(column) for column in table.columns]
    lines = [f"## {table.name}", "", table.about, "", *heading, *rows, "", _indexes(table), "", _permissions(table)]
    return "\n".join(lines) + "\n"


def _column(column: Column) -> str:
    kind = f"text ({column.size})" if column.kind == "text" else column.kind
    default = "" if column.default is None else f"`{_literal(column.default)}`"
    return f"| {column.name} | {kind} | {'yes' if column.required else ''} | {default} | {column.about} |"


def _literal(default: str | float) -> str:
    return str(default).lower() if isinstance(default, bool) else str(default)


def _indexes(table: Table) -> str:
    described = [
        f"`{index.name}` on {_listed(index.columns)}{', unique' if index.kind == 'unique' else ''}"
        for index in table.indexes
    ]
    return f"Indexes: {'; '.join(described)}." if described else "Indexes: none besides `$id`."


def _permissions(table: Table) -> str:
    granted = _listed(table.permissions) if table.permissions else "API keys only"
    rows = "; each row may grant more" if table.row_security else ""
    return f"Permissions: {granted}{rows}."


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def main() -> None:
    """Write the page to standard output."""
    sys.stdout.write(tables_markdown())


if __name__ == "__main__":
    main()
