"""The PostgreSQL schema: made by numbered migrations, taken back by them, and the catalogue's word for word."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from psycopg import errors

from postgres_server import TestServer
from raceday.errors import ConfigError, StoreUnavailable
from raceday.store.postgres import migrate
from raceday.store.postgres.migrate import migrate_down, migrate_up, newest_version, schema_version
from raceday.store.postgres.migrations import SQL_FOLDER
from raceday.store.postgres.names import PARTITIONED, SQL_TYPES, columns_of, key_column, sql_column
from raceday.store.tables import CATALOGUE, Table

BEYOND_THE_CATALOGUE = {
    # Between these instants lies a race's history: its queries touch the partitions of its days alone.
    "races": {"odds_from": SQL_TYPES["datetime"], "flow_from": SQL_TYPES["datetime"],
              "history_to": SQL_TYPES["datetime"]},
}  # fmt: skip
SERVERS_OWN_TABLES = {"schema_migrations", "server_leases"}


@pytest.fixture
def connection(postgres_url: str) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        yield connection


def columns_in(connection: psycopg.Connection[tuple[object, ...]], table: str) -> dict[str, tuple[object, ...]]:
    """Return type and whether it may be empty of each column."""
    rows = connection.execute(
        "SELECT column_name, data_type, is_nullable FROM information_schema.columns "
        "WHERE table_schema = 'public' AND table_name = %s",
        (table,),
    )
    return {str(name): (kind, nullable == "YES") for name, kind, nullable in rows}


def described(table: Table) -> dict[str, tuple[object, ...]]:
    """Return the columns that the catalogue asks for."""
    columns = {sql_column(table, column.name): (SQL_TYPES[column.kind], not column.required)
               for column in columns_of(table)}  # fmt: skip
    own = {name: (kind, True) for name, kind in BEYOND_THE_CATALOGUE.get(table.name, {}).items()}
    stamp = (SQL_TYPES["datetime"], False)
    return {key_column(table): ("text", False), "created_at": stamp, "updated_at": stamp, **columns, **own}


@pytest.mark.parametrize("table", CATALOGUE, ids=lambda table: table.name)
def test_a_migrated_database_has_the_columns_of_the_catalogue(
    connection: psycopg.Connection[tuple[object, ...]], table: Table
) -> None:
    assert columns_in(connection, table.sql_name) == described(table)


def test_there_are_the_tables_of_the_catalogue_and_the_servers_own(
    connection: psycopg.Connection[tuple[object, ...]],
) -> None:
    tables = {name for (name,) in connection.execute(
        "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace "
        "AND NOT relispartition"
    )}  # fmt: skip
    assert tables == {table.sql_name for table in CATALOGUE} | SERVERS_OWN_TABLES


@pytest.mark.parametrize("table", CATALOGUE, ids=lambda table: table.name)
def test_defaults_are_those_of_the_catalogue(connection: psycopg.Connection[tuple[object, ...]], table: Table) -> None:
    defaults = dict(connection.execute(
        "SELECT column_name, column_default FROM information_schema.columns "
        "WHERE table_schema = 'public' AND table_name = %s AND column_default IS NOT NULL", (table.sql_name,)
    ).fetchall())  # fmt: skip
    wanted = {sql_column(table, column.name) for column in columns_of(table) if column.default is not None}
    assert set(defaults) - {"created_at", "updated_at"} == wanted


def test_migrations_are_numbered_without_a_gap_and_each_can_be_taken_back() -> None:
    ups = sorted(path.name for path in SQL_FOLDER.glob("*.up.sql"))
    assert [int(name[:4]) for name in ups] == list(range(1, len(ups) + 1))
    assert {name.replace(".up.", ".down.") for name in ups} == {path.name for path in SQL_FOLDER.glob("*.down.sql")}


def everything_in(database_url: str) -> set[tuple[object, ...]]:
    """Return the name and definition of everything that a schema is made of."""
    with psycopg.connect(database_url) as connection:
        return set(connection.execute(
            "SELECT 'column', attrelid::regclass::text || '.' || attname, "
            "  format_type(atttypid, atttypmod) || attnotnull || coalesce(pg_get_expr(adbin, adrelid), '') "
            "FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid "
            "LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum "
            "WHERE relnamespace = 'public'::regnamespace AND attnum > 0 AND relkind IN ('r', 'p') "
            "UNION ALL SELECT 'constraint', conrelid::regclass::text || '.' || conname, pg_get_constraintdef(oid) "
            "FROM pg_constraint WHERE connamespace = 'public'::regnamespace "
            "UNION ALL SELECT 'index', indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' "
            "UNION ALL SELECT 'trigger', tgrelid::regclass::text || '.' || tgname, pg_get_triggerdef(oid) "
            "FROM pg_trigger WHERE NOT tgisinternal "
            "UNION ALL SELECT 'function', oid::regprocedure::text, prosrc || coalesce(pg_get_function_sqlbody(oid), '')"
            " FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
        ).fetchall())  # fmt: skip


def test_all_the_way_forward_back_and_forward_again(postgres_server: TestServer) -> None:
    url = postgres_server.new_database(template="template1")
    assert schema_version(url) is None
    migrate_up(url)
    made = everything_in(url)
    assert schema_version(url) == newest_version()
    migrate_down(url, "base")
    left = {name for kind, name, _ in everything_in(url) if not str(name).startswith("schema_migrations")}
    assert left == set()
    migrate_up(url)
    assert everything_in(url) == made


def test_every_single_step_can_be_taken_back_and_made_again(postgres_server: TestServer) -> None:
    url = postgres_server.new_database(template="template1")
    for number in range(1, int(newest_version()) + 1):
        migrate_up(url, f"{number:04}")
        made = everything_in(url)
        migrate_down(url, f"{number - 1:04}" if number > 1 else "base")
        migrate_up(url, f"{number:04}")
        assert everything_in(url) == made


@pytest.mark.parametrize("version", ["7777", "0000", "abc", "7", "0009", "-1"])
def test_a_version_that_is_not_there_is_refused_and_those_there_are_named(postgres_url: str, version: str) -> None:
    migrate_down(postgres_url, "0007")
    with pytest.raises(ConfigError, match=rf"at 0007 and cannot go back to {version}: choose one of base, 0001, .*07$"):
        migrate_down(postgres_url, version)
    assert schema_version(postgres_url) == "0007"


def test_nothing_is_taken_back_from_a_database_that_was_never_migrated(postgres_server: TestServer) -> None:
    url = postgres_server.new_database(template="template1")
    with pytest.raises(ConfigError, match="never migrated: there is nothing to take back"):
        migrate_down(url, "0001")
    assert everything_in(url) == set()


def test_migrating_twice_changes_nothing(postgres_url: str) -> None:
    made = everything_in(postgres_url)
    migrate_up(postgres_url)
    assert everything_in(postgres_url) == made


def test_a_database_of_a_newer_raceday_is_left_alone(postgres_url: str) -> None:
    with psycopg.connect(postgres_url) as connection:
        connection.execute("UPDATE schema_migrations SET version_num = '9999'")
    with pytest.raises(ConfigError, match=r"9999.*run the newer one"):
        migrate_up(postgres_url)
    assert schema_version(postgres_url) == "9999"


def test_a_database_that_does_not_answer_is_said_so() -> None:
    with pytest.raises(StoreUnavailable, match="does not answer"):
        migrate_up("postgresql://nobody@127.0.0.1:1/raceday")


def test_a_migration_waits_for_another_no_longer_than_it_may(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrate, "LOCK_TIMEOUT_S", 0.1)
    with psycopg.connect(postgres_url, autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(%s)", (migrate.MIGRATION_LOCK,))
        with pytest.raises(StoreUnavailable, match="lock timeout"):
            migrate_up(postgres_url)
    migrate_up(postgres_url)


def test_statuses_and_kinds_are_checked(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    meeting = "INSERT INTO meetings (meeting_id, meeting_name, country, race_type, category, status) VALUES "
    with pytest.raises(errors.CheckViolation):
        connection.execute(meeting + "('m', 'Trentham', 'NZ', 'Thoroughbred', 'X', 'active')")
    with pytest.raises(errors.CheckViolation):
        connection.execute(meeting + "('m', 'Trentham', 'NZ', 'Thoroughbred', 'T', 'lost')")
    connection.execute(meeting + "('m', 'Trentham', 'NZ', 'Thoroughbred', 'T', 'active')")
    race = "INSERT INTO races (race_id, meeting_id, name, race_number, start_time, status) VALUES "
    with pytest.raises(errors.CheckViolation):
        connection.execute(race + "('r', 'm', 'Maiden', 1, now(), 'open')")
    with pytest.raises(errors.ForeignKeyViolation):
        connection.execute(race + "('r', 'elsewhere', 'Maiden', 1, now(), 'Open')")


def test_an_update_is_stamped_for_a_writer_that_does_not_do_it_itself(
    connection: psycopg.Connection[tuple[object, ...]],
) -> None:
    long_ago = datetime(2026, 1, 1, tzinfo=UTC)
    connection.execute(
        "INSERT INTO meetings (meeting_id, meeting_name, country, race_type, status, updated_at) "
        "VALUES ('m', 'Trentham', 'NZ', 'Thoroughbred', 'active', %s)", (long_ago,)
    )  # fmt: skip

    def updated_at() -> datetime:
        [(at,)] = connection.execute("SELECT updated_at FROM meetings").fetchall()
        assert isinstance(at, datetime)
        return at

    connection.execute("UPDATE meetings SET weather = 'fine', updated_at = %s", (long_ago + timedelta(days=1),))
    assert updated_at() == long_ago + timedelta(days=1)
    connection.execute("UPDATE meetings SET weather = 'wet'")
    assert updated_at() > long_ago + timedelta(days=1)
    connection.execute("SET raceday.stamps = 'own'")
    connection.execute("UPDATE meetings SET weather = 'fine', updated_at = %s", (long_ago,))
    connection.execute("UPDATE meetings SET weather = 'wet'")
    assert updated_at() == long_ago


@pytest.mark.parametrize("table", [table for table in CATALOGUE if table.name not in {*PARTITIONED, "poll-claims"}],
                         ids=lambda table: table.name)  # fmt: skip
def test_the_upsert_of_a_table_writes_every_column(
    connection: psycopg.Connection[tuple[object, ...]], table: Table
) -> None:
    [(body,)] = connection.execute(
        "SELECT prosrc FROM pg_proc WHERE proname = %s", (f"upsert_{table.sql_name}",)
    ).fetchall()
    written = set(re.findall(r"excluded\.\"?(\w+)\"?", str(body)))
    assert written == set(columns_in(connection, table.sql_name)) - {key_column(table), "created_at"} - set(
        BEYOND_THE_CATALOGUE.get(table.name, {})
    )
