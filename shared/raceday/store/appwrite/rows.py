"""What can be done with rows on the platform, each in as few calls as it takes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from urllib.parse import quote

import orjson

from raceday.errors import StoreConflict, StoreUnavailable
from raceday.store.appwrite.operations import OPERATIONS_AT_ONCE, Operation, bulk_upsert, sendable
from raceday.store.appwrite.queries import Query, behind, equal, limit, parts_of, select
from raceday.store.appwrite.refusal import CONFLICT, NOT_FOUND, AppwriteRefused
from raceday.store.appwrite.rest import AppwriteRest, JsonObject
from raceday.store.rows.values import StoredRow
from raceday.store.tables import Table

PAGE_ROWS = 1000
"""Rows asked for at once; the platform has no upper bound, a body has."""
TOTAL_STOPS_AT = 5000
TRANSACTION_TTL_S = 60
"""The shortest that the platform allows; what was begun and not committed is forgotten after it."""
TRANSACTION_TRIES = 3
COMMIT_LOOKS = 10
COMMIT_PAUSE_S = 1.0
"""After a commit without an answer: how often, and with which pauses, the server is asked whether it is done."""
_COMMITTING = "committing"
Verification = Callable[[], Awaitable[bool]]
"""Looks, after everything was staged, whether it may be committed: False when there is nothing left to do.

Whatever it read and is written by somebody else before the commit makes the commit fail, if the transaction updates it.
"""


class AppwriteRows:
    """The rows of one database, as one run sees them with its key."""

    def __init__(self, rest: AppwriteRest) -> None:
        """Ask through `rest`."""
        self.rest = rest
        self._database_id = rest.settings.database_id
        self._transactions = "/tablesdb/transactions"

    @property
    def calls(self) -> int:
        """Requests so far, retries included."""
        return self.rest.calls

    async def find(
        self, table: Table, *queries: Query, columns: Sequence[str] = (), at_most: int | None = None
    ) -> list[StoredRow]:
        """Return the rows that the queries match, in the order that they ask for; all of them, or `at_most` so many.

        One call for every 1,000 rows. With `columns` only these are in a row, beside its `$id` and the like.
        """
        found: list[StoredRow] = []
        chosen = [select(columns)] if columns else []
        while at_most is None or len(found) < at_most:
            page = PAGE_ROWS if at_most is None else min(PAGE_ROWS, at_most - len(found))
            cursor = [behind(str(found[-1]["$id"]))] if found else []
            asked = [("queries[]", query) for query in (*queries, *chosen, *cursor, limit(page))]
            # Counting costs the server a second query, and stops at 5,000.
            answer = await self.rest.call("GET", self._path(table), query=[*asked, ("total", "0")])
            rows = [_readable(row) for row in answer["rows"]]
            found += rows
            if len(rows) < page:
                break
        return found

    async def of_ids(
        self, table: Table, column: str, values: Sequence[str], *queries: Query, columns: Sequence[str] = ()
    ) -> list[StoredRow]:
        """Return the rows whose column is one of some ids; one call for every 80 of them, none for none."""
        found: list[StoredRow] = []
        for part in parts_of(list(dict.fromkeys(values))):
            found += await self.find(table, equal(column, *part), *queries, columns=columns)
        return found

    async def count(self, table: Table, *queries: Query) -> int:
        """Count the rows that the queries match: the platform's total stops at 5,000, from there all are read."""
        asked = [("queries[]", query) for query in (*queries, limit(1))]
        total = int((await self.rest.call("GET", self._path(table), query=asked))["total"])
        if total < TOTAL_STOPS_AT:
            return total
        return len(await self.find(table, *queries, columns=("$id",)))

    async def get(self, table: Table, row_id: str) -> StoredRow | None:
        """Return a row as it is in the database, or None when there is none.

        Asked for as a listing: a single row comes out of the server's cache, which may keep what a transaction has
        just replaced for a day (utopia-php/database#910). Listings are read from the database.
        """
        found = await self.find(table, equal("$id", row_id), at_most=1)
        return found[0] if found else None

    async def create(self, table: Table, row: Mapping[str, object]) -> bool:
        """Make a row; return False when its id is taken (by an earlier try of the same call, too). Raises an event."""
        content = sendable(row)
        row_id, permissions = content.pop("$id"), content.pop("$permissions", None)
        body: JsonObject = {"rowId": row_id, "data": content}
        if permissions is not None:
            body["permissions"] = permissions
        try:
            await self.rest.call("POST", self._path(table), body=body)
        except AppwriteRefused as error:
            if error.status == CONFLICT:
                return False
            raise
        return True

    async def update(
        self, table: Table, row_id: str, columns: Mapping[str, object], *, unchanged_since: str | None = None
    ) -> StoredRow | None:
        """Change columns of a row and return it as it is now; None when there is none. Raises an event.

        Raises StoreConflict when it was written after `unchanged_since` (its `$updatedAt` as it was read).
        """
        try:
            answer = await self.rest.call(
                "PATCH", self._path(table, row_id), body={"data": sendable(columns)}, unchanged_since=unchanged_since
            )
        except AppwriteRefused as error:
            if error.status == NOT_FOUND and error.kind == "row_not_found":
                return None
            if error.status == CONFLICT:
                raise StoreConflict(f"{table.name} {row_id}: somebody else wrote it first") from error
            raise
        return _readable(answer)

    async def upsert(self, table: Table, rows: Sequence[Mapping[str, object]]) -> None:
        """Insert or update rows by id, all or none; every required column has to be given.

        One call, and an `.upsert` event for every row that changes; for more than 100 rows a transaction, without.
        """
        operations = bulk_upsert(table, rows)
        if len(operations) > 1:
            await self.commit(operations)
        elif operations:
            await self.rest.call("PUT", self._path(table), body={"rows": operations[0].content})

    async def delete(self, table: Table, row_id: str) -> None:
        """Delete a row; one that is not there is no error. Raises an event."""
        try:
            await self.rest.call("DELETE", self._path(table, row_id))
        except AppwriteRefused as error:
            if error.status != NOT_FOUND:
                raise

    async def commit(self, operations: Sequence[Operation], verify: Verification | None = None) -> bool:
        """Write at most 100 operations in one transaction: all or none; return False when `verify` stopped it.

        Three calls beside what `verify` asks. Raises StoreConflict when an id to create is taken, or a row to update
        or delete was written by somebody else since it was staged.
        """
        if not operations:
            return True
        if len(operations) > OPERATIONS_AT_ONCE:
            raise ValueError(f"{len(operations)} operations do not fit a transaction of {OPERATIONS_AT_ONCE}")
        for tries_left in reversed(range(TRANSACTION_TRIES)):
            try:
                return await self._committed(operations, verify)
            except AppwriteRefused as error:
                if error.status == CONFLICT:
                    raise StoreConflict(f"somebody else wrote first: {error}") from error
                raise
            except StoreUnavailable:
                if tries_left == 0:
                    raise
        raise AssertionError("unreachable: the last try returns or raises")

    async def _committed(self, operations: Sequence[Operation], verify: Verification | None) -> bool:
        begun = await self.rest.call("POST", self._transactions, body={"ttl": TRANSACTION_TTL_S})
        transaction = f"{self._transactions}/{begun['$id']}"
        staged = [operation.body(self._database_id) for operation in operations]
        # Staged once only: an answer that was lost leaves a transaction that nobody commits, and a new one is begun.
        await self.rest.call("POST", f"{transaction}/operations", body={"operations": staged}, once=True)
        if verify is not None and not await verify():
            return False
        await self._end(transaction)
        return True

    async def _end(self, transaction: str) -> None:
        """Commit; when the answer is lost, ask what became of it."""
        try:
            await self.rest.call("PATCH", transaction, body={"commit": True}, once=True)
        except AppwriteRefused:
            raise
        except StoreUnavailable:
            if await self._outcome(transaction) != "committed":
                raise

    async def _outcome(self, transaction: str) -> str:
        """Return a transaction's status, as a rule once the server is no longer at it.

        Begun again beside one that is still being written, the same rows would wait for each other's locks.
        """
        status = _COMMITTING
        for look in range(COMMIT_LOOKS):
            await asyncio.sleep(COMMIT_PAUSE_S if look else 0)
            status = str((await self.rest.call("GET", transaction)).get("status"))
            if status != _COMMITTING:
                break
        return status

    def _path(self, table: Table, row_id: str | None = None) -> str:
        path = f"/tablesdb/{self._database_id}/tables/{table.name}/rows"
        return path if row_id is None else f"{path}/{quote(row_id, safe='')}"


def _readable(row: JsonObject) -> StoredRow:
    """Return a row as the row functions read it: permissions are a text."""
    return {**row, "$permissions": orjson.dumps(row.get("$permissions") or []).decode()}
