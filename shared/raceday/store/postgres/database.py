"""A PostgreSQL database: pooled connections, one statement or one transaction at a time, errors in our own words.

Every operation takes one connection and gives it back before the next one asks: no operation ever waits for a second
connection while it holds a first, so that the pool cannot starve itself.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, TypeVar

import orjson
import psycopg
import stamina
from psycopg import AsyncConnection
from psycopg.rows import dict_row
from psycopg.types.json import set_json_loads
from psycopg_pool import AsyncConnectionPool, PoolClosed, PoolTimeout

from raceday.errors import StoreUnavailable
from raceday.store.postgres.instants import InstantLoader
from raceday.store.rows.values import StoredRow

Pool = AsyncConnectionPool[AsyncConnection[tuple[Any, ...]]]
T = TypeVar("T")
StandStill = Callable[[], AbstractContextManager[object]]
"""Entered while an answer of the database is awaited: a virtual clock must not run on meanwhile."""

STATEMENT_TIMEOUT_S = 10
CONNECT_TIMEOUT_S = 3
PREPARE_AFTER = 2
ATTEMPTS = 4
ATTEMPTS_WITHIN_S = 4.0
"""A restarted server is back within this. Every statement of ours may be done twice: a lost answer does no harm."""
_SESSION = (
    "-c TimeZone=UTC -c raceday.stamps=own -c jit=off "
    f"-c statement_timeout={STATEMENT_TIMEOUT_S * 1000} -c idle_in_transaction_session_timeout=10000"
)


@dataclass(frozen=True, slots=True)
class PoolLimits:
    """How many connections there are at most and at least, and how long they idle and are waited for, in seconds."""

    largest: int = 10
    smallest: int = 2
    idle_s: float = 30.0
    wait_s: float = 2.0


@dataclass(frozen=True, slots=True)
class PoolUse:
    """The pool at this moment: connections in use, idle ones, requests that wait, and the most there may be."""

    active: int
    idle: int
    waiting: int
    largest: int


class Statements:
    """Runs statements on one connection, within whatever transaction is under way."""

    def __init__(self, connection: AsyncConnection[tuple[Any, ...]]) -> None:
        self._connection = connection

    async def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[StoredRow]:
        """Return all rows of a query by column name."""
        async with self._connection.cursor(row_factory=dict_row) as cursor:
            await cursor.execute(sql.encode(), parameters)
            return list(await cursor.fetchall())

    async def row(self, sql: str, parameters: Sequence[object] = ()) -> StoredRow | None:
        """Return the first row of a query, or None."""
        found = await self.rows(sql, parameters)
        return found[0] if found else None

    async def tuples(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Return the rows of a query as plain tuples."""
        async with self._connection.cursor() as cursor:
            await cursor.execute(sql.encode(), parameters)
            return await cursor.fetchall()

    async def execute(self, sql: str, parameters: Sequence[object] = ()) -> int:
        """Run one statement and return how many rows it changed."""
        async with self._connection.cursor() as cursor:
            await cursor.execute(sql.encode(), parameters)
            return cursor.rowcount


class PostgresDatabase:
    """A database behind a pool. `calls` counts statements and transactions, a session's for the whole as well."""

    def __init__(self, pool: Pool, limits: PoolLimits, stand_still: StandStill, whole: PostgresDatabase | None) -> None:
        self._pool = pool
        self._limits = limits
        self._stand_still = stand_still
        self._whole = whole
        self.calls = 0

    @classmethod
    async def open(
        cls, database_url: str, limits: PoolLimits | None = None, stand_still: StandStill = nullcontext
    ) -> PostgresDatabase:
        """Open the pool with its first connections.

        Raises `StoreUnavailable` when the database cannot be reached.
        """
        limits = limits or PoolLimits()
        pool: Pool = AsyncConnectionPool(
            database_url,
            kwargs={"autocommit": True, "options": _SESSION, "connect_timeout": CONNECT_TIMEOUT_S},
            min_size=limits.smallest,
            max_size=limits.largest,
            max_idle=limits.idle_s,
            timeout=limits.wait_s,
            reconnect_timeout=ATTEMPTS_WITHIN_S,
            configure=_configure,
            name="raceday",
            open=False,
        )
        try:
            with stand_still():
                await pool.open(wait=True, timeout=CONNECT_TIMEOUT_S * 2)
        except (PoolTimeout, psycopg.OperationalError) as cause:
            await pool.close()
            raise StoreUnavailable(f"the database cannot be reached: {cause}") from cause
        return cls(pool, limits, stand_still, None)

    def session(self) -> PostgresDatabase:
        """Return the same pool with its own count of calls."""
        return PostgresDatabase(self._pool, self._limits, self._stand_still, self._whole or self)

    async def close(self) -> None:
        """Close all connections; doing it twice is allowed."""
        with self._stand_still():
            await self._pool.close()

    @property
    def use(self) -> PoolUse:
        """How busy the pool is."""
        stats = self._pool.get_stats()
        size, idle = stats.get("pool_size", 0), stats.get("pool_available", 0)
        return PoolUse(size - idle, idle, stats.get("requests_waiting", 0), self._limits.largest)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Statements]:
        """Run several statements on one connection, all or none of them written."""
        self._count_call()
        with self._stand_still():
            async with self._connected() as connection, connection.transaction():
                yield Statements(connection)

    async def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[StoredRow]:
        """Return all rows of one statement by column name."""
        return await self._alone(lambda statements: statements.rows(sql, parameters))

    async def row(self, sql: str, parameters: Sequence[object] = ()) -> StoredRow | None:
        """Return the first row of one statement, or None."""
        return await self._alone(lambda statements: statements.row(sql, parameters))

    async def tuples(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Return the rows of one statement as plain tuples."""
        return await self._alone(lambda statements: statements.tuples(sql, parameters))

    async def execute(self, sql: str, parameters: Sequence[object] = ()) -> int:
        """Run one statement, a transaction of its own, and return how many rows it changed."""
        return await self._alone(lambda statements: statements.execute(sql, parameters))

    async def _alone(self, statement: Callable[[Statements], Awaitable[T]]) -> T:
        """Run one statement, again on a fresh connection when the one it had turns out to be dead."""
        self._count_call()
        with self._stand_still(), _in_our_words():
            async for attempt in stamina.retry_context(
                _worth_another_try, attempts=ATTEMPTS, timeout=ATTEMPTS_WITHIN_S
            ):
                with attempt:
                    async with self._pool.connection() as connection:
                        return await statement(Statements(connection))
        raise AssertionError("the last attempt returns or raises")

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[AsyncConnection[tuple[Any, ...]]]:
        """Lend a connection that answers: what begins on it cannot be begun anew by us."""
        with _in_our_words():
            async with self._pool.connection() as connection:
                yield connection

    def _count_call(self) -> None:
        self.calls += 1
        if self._whole is not None:
            self._whole.calls += 1


async def _configure(connection: AsyncConnection[tuple[Any, ...]]) -> None:
    connection.adapters.register_loader("timestamptz", InstantLoader)
    set_json_loads(orjson.loads, connection)
    connection.prepare_threshold = PREPARE_AFTER


def _worth_another_try(error: Exception) -> bool:
    """Whether a statement failed for want of a connection that works, so that another one may do."""
    if isinstance(error, PoolTimeout | PoolClosed):
        return False
    return isinstance(error, psycopg.OperationalError | psycopg.InterfaceError) and not isinstance(
        error, psycopg.errors.QueryCanceled
    )


@contextmanager
def _in_our_words() -> Iterator[None]:
    try:
        yield
    except PoolTimeout as cause:
        raise StoreUnavailable(
            f"no database connection came free ({cause}): either the database does not answer, or more is asked of it "
            "at once than the pool has connections"
        ) from cause
    except (psycopg.OperationalError, psycopg.InterfaceError) as cause:
        raise StoreUnavailable(f"the database does not answer: {str(cause).strip()}") from cause
