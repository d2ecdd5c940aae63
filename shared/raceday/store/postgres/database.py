"""A PostgreSQL database: pooled connections, one statement or one transaction at a time, errors in our own words.

Every operation takes one connection and gives it back before the next one asks: no operation ever waits for a second
connection while it holds a first, so that the pool cannot starve itself.
"""

from __future__ import annotations

import select
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
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

Connection = AsyncConnection[tuple[Any, ...]]
Pool = AsyncConnectionPool[Connection]
Parameters = Sequence[object] | Mapping[str, object]
T = TypeVar("T")
StandStill = Callable[[], AbstractContextManager[object]]
"""Entered while an answer of the database is awaited: a virtual clock must not run on meanwhile."""

STATEMENT_TIMEOUT_S = 10
CONNECT_TIMEOUT_S = 3
PREPARE_AFTER = 2
# A machine that vanishes without a word is noticed within 11 s, and its connections are replaced.
_WATCHED = {"keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3, "tcp_user_timeout": 11_000}
ATTEMPTS = 4
ATTEMPTS_WITHIN_S = 4.0
"""A restarted server is back within this. Every statement of ours may be done twice: when an answer was lost, a count
of attempts is one too high, or a delivery that was taken waits until it may be taken again, and that is all."""
# Two or three days of history are all in memory: to read a page by an index costs hardly more than in a row, and with
# the usual 4 the planner would rather read a small table whole. Planning a statement over partitions takes longer than
# running it, and every connection would do it five times before it trusts a plan for all parameters.
_SESSION = (
    "-c TimeZone=UTC -c raceday.stamps=own -c jit=off -c random_page_cost=1.1 -c plan_cache_mode=force_generic_plan "
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
    """The pool at this moment: connections in use, idle ones, requests that wait, and the most there may be.

    `timed_out` counts the requests so far that waited in vain.
    """

    active: int
    idle: int
    waiting: int
    largest: int
    timed_out: int = 0


class Statements:
    """Runs statements on one connection, within whatever transaction is under way."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def rows(self, sql: str, parameters: Parameters = ()) -> list[StoredRow]:
        """Return all rows of a query by column name."""
        async with self._connection.cursor(row_factory=dict_row) as cursor:
            await cursor.execute(sql.encode(), parameters)
            return list(await cursor.fetchall())

    async def row(self, sql: str, parameters: Parameters = ()) -> StoredRow | None:
        """Return the first row of a query, or None."""
        found = await self.rows(sql, parameters)
        return found[0] if found else None

    async def tuples(self, sql: str, parameters: Parameters = ()) -> list[tuple[Any, ...]]:
        """Return the rows of a query as plain tuples."""
        async with self._connection.cursor() as cursor:
            await cursor.execute(sql.encode(), parameters)
            return await cursor.fetchall()

    async def execute(self, sql: str, parameters: Parameters = ()) -> int:
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
            kwargs={"autocommit": True, "options": _SESSION, "connect_timeout": CONNECT_TIMEOUT_S, **_WATCHED},
            min_size=limits.smallest,
            max_size=limits.largest,
            max_idle=limits.idle_s,
            timeout=limits.wait_s,
            reconnect_timeout=ATTEMPTS_WITHIN_S,
            configure=_configure,
            check=_refuse_hung_up,
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
        waiting, timed_out = stats.get("requests_waiting", 0), stats.get("requests_errors", 0)
        return PoolUse(size - idle, idle, waiting, self._limits.largest, timed_out)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Statements]:
        """Run several statements on one connection, all or none of them written."""
        self._count_call()
        with self._stand_still():
            try:
                async with self._pool.connection() as connection, connection.transaction():
                    yield Statements(connection)
            except _LOST as error:
                raise _in_our_words(error) from error

    async def rows(self, sql: str, parameters: Parameters = ()) -> list[StoredRow]:
        """Return all rows of one statement by column name."""
        return await self._alone(lambda statements: statements.rows(sql, parameters))

    async def row(self, sql: str, parameters: Parameters = ()) -> StoredRow | None:
        """Return the first row of one statement, or None."""
        return await self._alone(lambda statements: statements.row(sql, parameters))

    async def tuples(self, sql: str, parameters: Parameters = ()) -> list[tuple[Any, ...]]:
        """Return the rows of one statement as plain tuples."""
        return await self._alone(lambda statements: statements.tuples(sql, parameters))

    async def execute(self, sql: str, parameters: Parameters = ()) -> int:
        """Run one statement, a transaction of its own, and return how many rows it changed."""
        return await self._alone(lambda statements: statements.execute(sql, parameters))

    async def _alone(self, statement: Callable[[Statements], Awaitable[T]]) -> T:
        """Run one statement, again on other connections when the one it had dies under it."""
        self._count_call()
        with self._stand_still():
            try:
                return await self._once(statement)
            except _LOST as error:
                if not _worth_another_try(error):
                    raise _in_our_words(error) from error
            try:
                return await _AGAIN(self._once, statement)
            except _LOST as error:
                raise _in_our_words(error) from error

    async def _once(self, statement: Callable[[Statements], Awaitable[T]]) -> T:
        async with self._pool.connection() as connection:
            return await statement(Statements(connection))

    def _count_call(self) -> None:
        self.calls += 1
        if self._whole is not None:
            self._whole.calls += 1


async def _configure(connection: Connection) -> None:
    connection.adapters.register_loader("timestamptz", InstantLoader)
    set_json_loads(orjson.loads, connection)
    connection.prepare_threshold = PREPARE_AFTER


async def _refuse_hung_up(connection: Connection) -> None:
    """Let the pool lend no connection that the server closed while nobody used it.

    Asking the server would be a round trip for every statement; but one that closes says so, and an idle one is silent.
    """
    poller = select.poll()
    poller.register(connection.fileno(), select.POLLIN)
    if poller.poll(0):
        # Closed by us too: else the pool takes it back and lends it again, for the driver has not noticed yet.
        await connection.close()
        raise psycopg.OperationalError("the server hung up")


def _worth_another_try(error: Exception) -> bool:
    """Whether a statement failed for want of a connection that works, or in a circle of locks: another try may do.

    One that waited for a lock as long as it may is to give way: its caller tries again, after a pause.
    """
    return isinstance(error, _LOST) and not isinstance(error, _FINAL)


def _in_our_words(error: Exception) -> StoreUnavailable:
    if isinstance(error, PoolTimeout):
        return StoreUnavailable(
            f"no database connection came free ({error}): either the database does not answer, or more is asked of it "
            "at once than the pool has connections"
        )
    return StoreUnavailable(f"the database does not answer: {str(error).strip()}")


# An `InternalError`: a transaction that idled too long, a database that may only be read.
_LOST = (psycopg.OperationalError, psycopg.InterfaceError, psycopg.InternalError)
_FINAL = (
    PoolTimeout,
    PoolClosed,
    psycopg.InternalError,
    psycopg.errors.QueryCanceled,
    psycopg.errors.LockNotAvailable,
)
_AGAIN = stamina.AsyncRetryingCaller(attempts=ATTEMPTS, timeout=ATTEMPTS_WITHIN_S).on(_worth_another_try)
