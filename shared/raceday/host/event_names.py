"""How row events are named and which patterns a function may subscribe to.

The platform names every event twice, once per generation of its API (`tables…rows` and `collections…documents`), and
derives the shorter names too. A pattern's segments are whole ids or `*`; there is no filter on columns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from raceday.store.events import RowEvent

GENERATIONS = (("tables", "rows"), ("collections", "documents"))
SUBSCRIBABLE_ACTIONS = ("create", "update", "delete")


def check_pattern(pattern: str) -> None:
    """Accept what the platform accepts of row events; raises ValueError that says what to write instead."""
    segments = pattern.split(".")
    if segments[0] == "functions":
        raise ValueError(f"{pattern!r}: a function cannot subscribe to function events")
    if segments[0] == "tablesdb":
        raise ValueError(f"{pattern!r}: events are named databases.DATABASE.tables.TABLE.rows.ROW, not tablesdb")
    if segments[-1] == "upsert":
        raise ValueError(
            f"{pattern!r}: the platform refuses .upsert patterns; leave the action out and read it from the "
            "x-appwrite-event header"
        )
    if not _is_row_pattern(segments):
        raise ValueError(
            f"{pattern!r} is not a row event; expected databases.DATABASE.tables.TABLE.rows.ROW"
            f" (or collections/documents), `*` for any, with or without {'/'.join(SUBSCRIBABLE_ACTIONS)}"
        )


def _is_row_pattern(segments: list[str]) -> bool:
    """Return whether the segments are databases.ID, …KIND.ID, …KIND.ID or …KIND.ID.ACTION of one generation."""
    if len(segments) not in {2, 4, 6, 7} or segments[0] != "databases" or not all(segments):
        return False
    if len(segments) == 7 and segments[6] not in SUBSCRIBABLE_ACTIONS:
        return False
    kinds = tuple(segments[2:6:2])
    return any(generation[: len(kinds)] == kinds for generation in GENERATIONS)


def matches(pattern: str, database_id: str, event: RowEvent) -> bool:
    """Return whether a function with this pattern runs for the event."""
    segments = pattern.split(".")
    ids = (database_id, event.table, event.row_id)
    ids_match = all(wanted in {"*", actual} for wanted, actual in zip(segments[1:6:2], ids, strict=False))
    return ids_match and (len(segments) < 7 or segments[6] == event.action)


def header_name(database_id: str, event: RowEvent) -> str:
    """Return the name in the x-appwrite-event header.

    Observed on 1.9.6: a create is named by the older generation, every other single write by the newer.
    """
    table_kind, row_kind = GENERATIONS[1] if event.action == "create" else GENERATIONS[0]
    return f"databases.{database_id}.{table_kind}.{event.table}.{row_kind}.{event.row_id}.{event.action}"
