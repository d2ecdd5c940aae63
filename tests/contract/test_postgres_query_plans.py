"""No statement on PostgreSQL reads a table whole (the counts excepted), and history is read by its days alone.

Proved with the plans that the database itself tells of, statements within its functions and foreign keys included,
both as they are made for the parameters at hand and as they are kept for all parameters.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from psycopg.conninfo import conninfo_to_dict

from contract.postgres_plans import Scans, days_read, load, sequential, telling_store
from contract.store_examples import START, meeting, race, runner
from contract.suite_flow import flow_operations
from contract.test_sqlite_query_plans import a_day, every_operation
from postgres_server import TestServer
from raceday.server.api.queries import QUERIES, ExampleDay

THE_DAY = "2026_11_22"
EARLIER = {"2026_11_20", "2026_11_21"}
FROM_AN_INSTANT_ON = ("WHERE polled_at >= $1",)
"""Statements that ask for all history from an instant on: a sweep's."""
OF_ALL_DAYS = {"latest meetings"}
"""A plan for all parameters cannot know that no code of racing is asked for, and expects to look for long."""
EXAMPLE = ExampleDay(
    meeting_id=meeting(1).meeting_id,
    race_id=race(1, 1).race_id,
    entrant_ids=tuple(runner(number, race(1, 1)).entrant_id for number in range(1, 9)),
    now=START,
)


@dataclass(frozen=True)
class Readings:
    """What the store's operations and the API's queries read, and two statements that are not as they should be."""

    operations: Scans
    queries: Scans
    without_index: Scans
    without_span: Scans
    empty: frozenset[str]


@pytest.fixture(scope="module")
def loaded(postgres_server: TestServer) -> tuple[str, frozenset[str]]:
    """The name of a loaded database, and its empty partitions."""
    url = postgres_server.new_database()
    empty = load(url)
    return str(conninfo_to_dict(url)["dbname"]), empty


@pytest.fixture(scope="module", params=["force_custom_plan", "force_generic_plan"])
def readings(
    request: pytest.FixtureRequest, postgres_server: TestServer, loaded: tuple[str, frozenset[str]]
) -> Iterator[Readings]:
    name, empty = loaded
    with telling_store(postgres_server.new_database(name), request.param) as (store, told):

        def read(statement: str, parameters: tuple[object, ...] = ()) -> Scans:
            store.wait_for(store.database.tuples(statement, parameters))
            return told.take()

        asyncio.run(a_day(store))  # type: ignore[arg-type]
        told.take()
        queries = {query.name: read(query.sql, query.example(EXAMPLE)) for query in QUERIES}
        asyncio.run(every_operation(store))  # type: ignore[arg-type]
        asyncio.run(flow_operations(store))  # type: ignore[arg-type]
        yield Readings(
            operations=told.take(),
            queries={name: {scan for read in scans.values() for scan in read} for name, scans in queries.items()},
            without_index=read("SELECT * FROM entrants WHERE jockey = 'Jockey 1'"),
            without_span=read("SELECT * FROM race_polls WHERE race_id = %s", (EXAMPLE.race_id,)),
            empty=empty,
        )


def test_no_operation_of_the_store_reads_a_table_whole(readings: Readings) -> None:
    assert len(readings.operations) > 90
    assert sequential(readings.operations, readings.empty) == {}


def test_the_store_reads_history_of_the_race_s_day_alone(readings: Readings) -> None:
    days = days_read(readings.operations)
    with_an_end = {
        statement: read for statement, read in days.items() if not any(said in statement for said in FROM_AN_INSTANT_ON)
    }
    assert len(with_an_end) > 10
    assert {statement: read for statement, read in with_an_end.items() if read != {THE_DAY}} == {}
    assert {statement: read for statement, read in days.items() if read & EARLIER} == {}


def test_no_query_of_the_api_reads_a_table_whole(readings: Readings) -> None:
    assert len(readings.queries) == len(QUERIES)
    assert all(readings.queries.values()), "each read something"
    assert {
        name: read for name, read in sequential(readings.queries, readings.empty).items() if name not in OF_ALL_DAYS
    } == {}


def test_the_api_reads_history_of_the_race_s_day_alone(readings: Readings) -> None:
    days = days_read(readings.queries)
    assert {"entrants of a race", "money-flow timeline"} <= days.keys()
    assert {name: read for name, read in days.items() if read != {THE_DAY}} == {}


def test_a_query_without_index_and_one_without_a_span_would_be_seen(readings: Readings) -> None:
    [tables] = sequential(readings.without_index, readings.empty).values()
    assert tables == {"entrants"}
    [days] = days_read(readings.without_span).values()
    assert days > EARLIER
