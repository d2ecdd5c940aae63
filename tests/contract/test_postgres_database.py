"""What goes wrong between the server and PostgreSQL: done again where that helps, and always said in our own words."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TypeVar

import psycopg
import pytest

from contract.store_examples import DAY, IMPORTED, meeting
from contract.store_steps import SOON
from raceday.errors import StoreUnavailable
from raceday.store.postgres.database import PoolLimits, PostgresDatabase
from raceday.store.postgres.names import json_text
from raceday.store.postgres.store import PostgresStore

T = TypeVar("T")


def on_database(url: str, work: Callable[[PostgresDatabase], Awaitable[T]]) -> T:
    async def opened() -> T:
        database = await PostgresDatabase.open(url, PoolLimits(largest=2, smallest=1))
        try:
            return await work(database)
        finally:
            await database.close()

    return asyncio.run(opened())


def prepared(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def name_of(url: str) -> str:
    return str(psycopg.conninfo.conninfo_to_dict(url)["dbname"])


def test_a_statement_that_meets_another_in_a_circle_of_locks_is_done_again(postgres_url: str) -> None:
    prepared(
        postgres_url,
        f'ALTER DATABASE "{name_of(postgres_url)}" SET deadlock_timeout = 100',
        "INSERT INTO sweeps (name, swept_to) VALUES ('one', now()), ('two', now())",
        """CREATE FUNCTION both_ways() RETURNS integer LANGUAGE plpgsql AS $$ BEGIN
            PERFORM FROM sweeps WHERE name = 'one' FOR UPDATE; PERFORM pg_sleep(0.2);
            PERFORM FROM sweeps WHERE name = 'two' FOR UPDATE; RETURN 7; END $$""",
    )

    async def work(database: PostgresDatabase) -> object:
        other = await psycopg.AsyncConnection.connect(postgres_url, options="-c deadlock_timeout=60s")
        await other.execute("SELECT FROM sweeps WHERE name = 'two' FOR UPDATE")
        ours = asyncio.create_task(database.tuples("SELECT both_ways()"))
        await asyncio.sleep(0.1)
        await other.execute("SELECT FROM sweeps WHERE name = 'one' FOR UPDATE")
        await other.close()
        return await ours

    assert on_database(postgres_url, work) == [(7,)]


def test_a_statement_that_waited_for_its_lock_as_long_as_it_may_gives_way(postgres_url: str) -> None:
    prepared(
        postgres_url,
        "CREATE SEQUENCE tries",
        """CREATE FUNCTION locked() RETURNS void LANGUAGE plpgsql SET lock_timeout = '100ms' AS $$ BEGIN
            PERFORM nextval('tries'); LOCK TABLE sweeps IN ACCESS EXCLUSIVE MODE; END $$""",
    )

    async def work(database: PostgresDatabase) -> object:
        other = await psycopg.AsyncConnection.connect(postgres_url)
        await other.execute("LOCK TABLE sweeps IN SHARE MODE")
        with pytest.raises(StoreUnavailable, match="lock timeout"):
            await database.tuples("SELECT locked()")
        await other.close()
        return await database.tuples("SELECT last_value FROM tries")

    assert on_database(postgres_url, work) == [(1,)]


def test_a_transaction_that_idled_too_long_is_said_so_and_the_next_one_works(postgres_url: str) -> None:
    async def idles(database: PostgresDatabase) -> None:
        async with database.transaction() as tx:
            await tx.execute("SET LOCAL idle_in_transaction_session_timeout = 100")
            await asyncio.sleep(0.3)
            await tx.execute("SELECT 1")

    async def work(database: PostgresDatabase) -> object:
        with pytest.raises(StoreUnavailable, match="idle-in-transaction"):
            await idles(database)
        return await database.tuples("SELECT 1")

    assert on_database(postgres_url, work) == [(1,)]


def test_a_database_that_may_only_be_read_is_said_so(postgres_url: str) -> None:
    prepared(postgres_url, f'ALTER DATABASE "{name_of(postgres_url)}" SET default_transaction_read_only = on')

    async def work(database: PostgresDatabase) -> None:
        with pytest.raises(StoreUnavailable, match="read-only"):
            await PostgresStore(database).note_swept("one", SOON, SOON)

    on_database(postgres_url, work)


def test_a_connection_notices_when_the_databases_machine_is_gone(postgres_url: str) -> None:
    async def work(database: PostgresDatabase) -> dict[str, str]:
        async with database._pool.connection() as connection:
            return connection.info.get_parameters()

    watched = on_database(postgres_url, work)
    idle_s, every_s, times = (int(watched[f"keepalives_{name}"]) for name in ("idle", "interval", "count"))
    assert idle_s + every_s * times <= 15
    assert 0 < int(watched["tcp_user_timeout"]) <= 15_000


def test_a_character_that_postgresql_cannot_keep_costs_no_row(postgres_url: str) -> None:
    named = replace(meeting(), name="Ote\0peka")

    async def work(database: PostgresDatabase) -> list[str]:
        store = PostgresStore(database)
        await store.save_meetings([named], IMPORTED)
        return [stored.meeting.name for stored in await store.meetings_on(DAY)]

    assert on_database(postgres_url, work) == ["Otepeka"]


def test_only_that_character_is_left_out() -> None:
    assert json_text({"a": ["x\0y", 1, None, {"b": "\0"}]}) == '{"a":["xy",1,null,{"b":""}]}'
    backslash = {"a": "\\u0000"}
    assert json_text(backslash) == '{"a":"\\\\u0000"}'
