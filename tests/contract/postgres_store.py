"""A PostgreSQL store for tests that run every operation in an event loop of its own.

A pool belongs to one loop, so this store keeps one running in a thread, and every operation goes there.
"""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Callable, Coroutine
from typing import Any, cast

import psycopg
from psycopg.rows import dict_row

from raceday.store.ports import RaceStore
from raceday.store.postgres.instants import InstantLoader
from raceday.store.postgres.names import key_column, selected, table_named
from raceday.store.postgres.store import PostgresStore


class OneLoopStore:
    """Passes every operation of a `PostgresStore` on to the loop that its pool belongs to."""

    def __init__(self, database_url: str) -> None:
        self.database_url = database_url
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()
        self.inner = self.wait_for(PostgresStore.open(database_url))

    def wait_for(self, operation: Coroutine[Any, Any, Any]) -> Any:
        """Run something in the store's loop and return its result."""
        return asyncio.run_coroutine_threadsafe(operation, self.loop).result()

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self.inner, name)
        return self._in_its_loop(attribute) if inspect.iscoroutinefunction(attribute) else attribute

    def session(self) -> OneLoopStore:
        """Return a view with its own count of calls, over the same loop."""
        view = object.__new__(OneLoopStore)
        view.database_url, view.loop, view.inner = self.database_url, self.loop, self.inner.session()
        return view

    async def close(self) -> None:
        """Close the store and end its loop."""
        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(self.inner.close(), self.loop))
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()

    def _in_its_loop(self, operation: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[..., Any]:
        async def there(*args: object, **named: object) -> Any:
            return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(operation(*args, **named), self.loop))

        return there


def postgres_store(database_url: str) -> RaceStore:
    """Return a store on a migrated database."""
    return cast(RaceStore, OneLoopStore(database_url))


def postgres_rows(store: RaceStore, name: str) -> list[dict[str, object]]:
    """Return the rows of a table as the suite wants them."""
    assert isinstance(store, OneLoopStore)
    table = table_named(name)
    with psycopg.connect(store.database_url, row_factory=dict_row, options="-c TimeZone=UTC") as connection:
        connection.adapters.register_loader("timestamptz", InstantLoader)
        statement = f'SELECT {selected(table)} FROM {table.sql_name} ORDER BY {key_column(table)} COLLATE "C"'
        rows = connection.execute(statement.encode()).fetchall()
    # The client's second name for a race's meeting is a column on Appwrite alone.
    return [row | {"meeting": row["meetingId"]} for row in rows] if name == "races" else rows
