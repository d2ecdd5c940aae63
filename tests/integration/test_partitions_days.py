"""Partitions of the history: made ahead, emptied out of DEFAULT, detached when old."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import date, timedelta

import psycopg
import pytest

from archive_steps import DAY, FLOW, ODDS, POLLS, one_price, rows_of, tables_in, with_history
from raceday.errors import ConfigError, StoreUnavailable
from raceday.server.operations import partitions
from raceday.server.operations.connections import Connection, connected
from raceday.server.operations.partition_names import PartitionName, named_by, parse_name
from raceday.store.postgres.migrate import migrate_down, migrate_up, schema_version

TODAY = date(2026, 11, 24)


@pytest.fixture
def connection(postgres_url: str) -> Iterator[Connection]:
    with connected(postgres_url) as opened:
        yield opened


def test_create_makes_today_and_the_days_ahead_once(connection: Connection) -> None:
    # The template has 20 to 25 November.
    assert partitions.create_partitions(connection, TODAY, 3) == 2 * 3
    assert partitions.create_partitions(connection, TODAY, 3) == 0
    assert partitions.attached_names(connection)[-1] == PartitionName(TODAY + timedelta(days=3), "race_polls")


def test_create_gives_what_default_caught_its_own_days(connection: Connection) -> None:
    one_price(connection, "stray", "2026-10-01T01:00:00Z")
    partitions.create_partitions(connection, TODAY, 1)
    assert rows_of(connection, "odds_history_default") == []
    assert len(rows_of(connection, "odds_history_2026_10_01")) == 1


def test_list_says_bounds_rows_and_state(connection: Connection) -> None:
    with_history(connection)
    partitions.detach(connection, [FLOW])
    found = {partition.table: partition for partition in partitions.list_partitions(connection)}
    assert found[str(ODDS)].attached
    assert found[str(ODDS)].rows == 200
    assert found[str(ODDS)].bounds == "FOR VALUES FROM ('2026-11-20 11:00:00+00') TO ('2026-11-21 11:00:00+00')"
    assert found[str(ODDS)].size_bytes > 8192
    assert not found[str(FLOW)].attached
    assert found[str(FLOW)].rows == 50
    assert found["odds_history_default"].name is None
    assert found["odds_history_default"].attached


def test_days_before_the_retention_leave_their_tables_and_keep_their_rows(connection: Connection) -> None:
    with_history(connection)
    kept = rows_of(connection, str(ODDS))
    detached = partitions.detach_before(connection, DAY + timedelta(days=1))
    assert {str(name) for name in detached} >= {str(ODDS), str(FLOW), str(POLLS)}
    assert max(name.day for name in detached) == DAY
    assert rows_of(connection, "odds_history") == []
    assert rows_of(connection, str(ODDS), partitions.DETACHED) == kept
    assert partitions.attached_names(connection)[0].day == DAY + timedelta(days=1)
    assert partitions.detach_before(connection, DAY + timedelta(days=1)) == []


def test_a_day_that_comes_late_is_detached_a_second_time_beside_the_first(connection: Connection) -> None:
    with_history(connection)
    assert partitions.detach(connection, [ODDS]) == [ODDS]
    one_price(connection, "late", "2026-11-21T01:00:00Z")
    # The database's own function for pg_cron: it finds what lies in DEFAULT, too.
    partitions.detach(connection, [PartitionName(DAY, "money_flow_history")])
    row = connection.execute("SELECT detach_history_partitions(%s)", (DAY + timedelta(days=1),)).fetchone()
    assert row is not None
    assert row[0] == 5, "three tables of the 20th, the polls of the 21st, and the odds that came late"
    again = PartitionName(DAY, "odds_history", 2)
    assert again in partitions.detached_names(connection)
    assert len(rows_of(connection, str(ODDS), partitions.DETACHED)) == 200
    assert len(rows_of(connection, str(again), partitions.DETACHED)) == 1
    # The day can be made a third time: nothing of the detached ones is in its way.
    partitions.make_partition(connection, "odds_history", DAY)
    assert partitions.detach(connection, [ODDS]) == [ODDS]
    assert PartitionName(DAY, "odds_history", 3) in partitions.detached_names(connection)


def test_detaching_waits_for_a_reader_and_gives_up_without_harm(
    connection: Connection, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partitions, "_ATTEMPTS", 1)
    connection.execute("ALTER FUNCTION detach_history_partition(text, date) SET lock_timeout = '100ms'")
    with psycopg.connect(postgres_url) as reader:
        reader.execute("SELECT count(*) FROM odds_history")
        with pytest.raises(StoreUnavailable, match="in use"):
            partitions.detach(connection, [ODDS])
    assert ODDS in partitions.attached_names(connection)


def test_detaching_comes_through_when_the_reader_leaves(connection: Connection, postgres_url: str) -> None:
    connection.execute("ALTER FUNCTION detach_history_partition(text, date) SET lock_timeout = '100ms'")
    with psycopg.connect(postgres_url) as reader:
        reader.execute("SELECT count(*) FROM odds_history")
        leaving = threading.Timer(0.5, reader.rollback)
        leaving.start()
        assert partitions.detach(connection, [ODDS]) == [ODDS]
        leaving.join()


def test_readers_of_runners_are_not_held_up_while_a_day_is_detached(connection: Connection, postgres_url: str) -> None:
    with connection.transaction():
        connection.execute("SELECT detach_history_partition('odds_history', %s)", (DAY,))
        with psycopg.connect(postgres_url, options="-c lock_timeout=200") as reader:
            assert reader.execute("SELECT count(*) FROM entrants").fetchone() == (0,)


def test_the_schema_is_not_taken_back_while_detached_days_lie_there(connection: Connection, postgres_url: str) -> None:
    partitions.detach(connection, [ODDS])
    with pytest.raises((psycopg.Error, ConfigError), match="depend"):
        migrate_down(postgres_url, "0007")
    connection.execute(f"DROP TABLE detached.{ODDS}")
    migrate_down(postgres_url, "0007")
    assert schema_version(postgres_url) == "0007"
    assert "history_partitions" not in tables_in(connection, "public")
    migrate_up(postgres_url)
    assert partitions.detach(connection, [FLOW]) == [FLOW]


def test_a_database_without_our_schema_is_named_as_such(postgres_server) -> None:
    with (
        pytest.raises(ConfigError, match="no schema of RaceDay"),
        connected(postgres_server.new_database("template1")) as empty,
    ):
        partitions.attached_names(empty)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("odds_history_2026_11_21", ODDS),
        ("race_polls_2026_11_21_12", PartitionName(DAY, "race_polls", 12)),
        ("odds_history_2026_11_21_1", None),
        ("odds_history_2026_13_01", None),
        ("odds_history_default", None),
        ('odds_history_2026_11_21"; DROP TABLE races', None),
        ("entrants_2026_11_21", None),
    ],
)
def test_partitions_are_known_by_their_names(text: str, name: PartitionName | None) -> None:
    assert parse_name(text) == name
    assert name is None or str(name) == text


def test_a_day_means_all_its_partitions_and_nonsense_is_refused() -> None:
    again = PartitionName(DAY, "odds_history", 2)
    names = [ODDS, FLOW, again, PartitionName(TODAY, "odds_history")]
    assert named_by("2026-11-21", names) == [ODDS, FLOW, again]
    assert named_by("odds_history_2026_11_21", names) == [ODDS]
    with pytest.raises(ConfigError, match="neither a day nor a partition"):
        named_by("yesterday", names)
    with pytest.raises(ConfigError, match="there is no partition 2026-11-19"):
        named_by("2026-11-19", names)
    for text in ("2026-11-21", str(ODDS)):
        with pytest.raises(ConfigError, match=f"{text} is attached: detach it first"):
            named_by(text, [PartitionName(TODAY, "odds_history")], [ODDS, FLOW])
