"""What keeps the history from growing for ever, on Appwrite: dropped by ids, so that a step is as small as it is said.

A delete by queries would take every row that matches, however many, and hold the server for as long.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from raceday.store.appwrite.operations import OPERATIONS_AT_ONCE, Operation, bulk_delete, update
from raceday.store.appwrite.pending import WaitingRow, waiting_rows, waiting_text
from raceday.store.appwrite.queries import Query, ascending, at_least, below, equal, parts_of
from raceday.store.appwrite.rows import AppwriteRows
from raceday.store.appwrite.snapshot import OUTDATED
from raceday.store.health_ports import DroppedRows
from raceday.store.rows.values import StoredRow, parse_instant
from raceday.store.tables import (
    ALERT_BACKLOG,
    FUNCTION_RUNS,
    MONEY_FLOW_HISTORY,
    NOTIFICATIONS,
    ODDS_HISTORY,
    POLL_CLAIMS,
    POLL_LOGS,
    RACE_POLLS,
    RACES,
    Table,
)

_HISTORY = (ODDS_HISTORY, MONEY_FLOW_HISTORY, RACE_POLLS)
_LOGS = (
    (POLL_LOGS, "occurredAt"),
    (FUNCTION_RUNS, "startedAt"),
    (NOTIFICATIONS, "crossedAt"),
    (ALERT_BACKLOG, "occurredAt"),
)


class AppwriteRetention:
    """Finds what is old and drops it."""

    _rows: AppwriteRows
    _claims_seen: dict[str, StoredRow]

    async def first_start(self, starts_from: datetime | None) -> datetime | None:
        """Return the earliest advertised start at or after an instant (None: of all), or None without any. One call."""
        asked = [] if starts_from is None else [at_least("startTime", starts_from)]
        rows = await self._rows.find(RACES, *asked, ascending("startTime"), columns=("startTime",), at_most=1)
        return parse_instant(rows[0]["startTime"]) if rows else None

    async def count_races(self, starts_from: datetime, starts_before: datetime) -> int:
        """Count the races whose advertised start lies in the span. One call, as long as they are below 5,000."""
        return await self._rows.count(RACES, at_least("startTime", starts_from), below("startTime", starts_before))

    async def drop_history(self, race_id: str, limit: int) -> DroppedRows:
        """Drop a race's odds, money flow and polls, at most `limit` rows of each, with what it kept for its next poll.

        Four calls when there is nothing, else three more and one for every 1,000 rows. One transaction for a `limit`
        of up to 2,000, several for more: where one fails, the next step goes on.
        """
        found = {table: await _ids(self._rows, table, limit, equal("raceId", race_id)) for table in _HISTORY}
        dropped = Counter({table.name: len(ids) for table, ids in found.items()})
        claims = await self._rows.of_ids(POLL_CLAIMS, "$id", [race_id], columns=("pendingRows",))
        waiting = [row for claim in claims for row in waiting_rows(claim)]
        kept = _left_over(waiting, dropped, limit)
        operations = [operation for table, ids in found.items() for operation in _deletes(table, ids)]
        if claims and dropped.total():
            # The state goes too: it lists the buckets that are dropped, and would outlive the race for ever.
            content = {"state": OUTDATED, "pendingRows": waiting_text(kept)}
            operations.append(update(POLL_CLAIMS, {"$id": race_id, **content}))
            self._claims_seen.pop(race_id, None)
        await _commit(self._rows, operations)
        return {name: rows for name, rows in dropped.items() if rows}

    async def drop_logs(self, before: datetime, limit: int) -> DroppedRows:
        """Drop what is older of logs, runs, notifications and alert backlog, at most `limit` rows of each.

        Calls and transactions as of `drop_history`.
        """
        found = {
            table: await _ids(self._rows, table, limit, below(column, before), ascending(column))
            for table, column in _LOGS
        }
        await _commit(self._rows, [operation for table, ids in found.items() for operation in _deletes(table, ids)])
        return {table.name: len(ids) for table, ids in found.items() if ids}


async def _ids(rows: AppwriteRows, table: Table, limit: int, *queries: Query) -> list[str]:
    return [row["$id"] for row in await rows.find(table, *queries, columns=("$id",), at_most=limit)]


async def _commit(rows: AppwriteRows, operations: Sequence[Operation]) -> None:
    for begin in range(0, len(operations), OPERATIONS_AT_ONCE):
        await rows.commit(operations[begin : begin + OPERATIONS_AT_ONCE])


def _deletes(table: Table, ids: Sequence[str]) -> list[Operation]:
    """Return what deletes rows silently: an operation for every 80."""
    return [bulk_delete(table, [equal("$id", *part)]) for part in parts_of(ids)]


def _left_over(waiting: Sequence[WaitingRow], dropped: Counter[str], limit: int) -> list[WaitingRow]:
    """Count what waits as dropped, up to `limit` rows of each table, and return the rest."""
    kept: list[WaitingRow] = []
    for name, row in waiting:
        if dropped[name] < limit:
            dropped[name] += 1
        else:
            kept.append((name, row))
    return kept
