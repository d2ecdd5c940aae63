"""`scripts/setup` against the stand-in on loopback: complete, repeatable, additive, and plain about what is wrong."""

from __future__ import annotations

import warnings
from dataclasses import replace

import pytest
import typer
from typer.testing import CliRunner

from raceday.cli import setup as command
from raceday.deployment import schema_apply
from raceday.deployment.credentials import Credentials
from raceday.deployment.limits import row_bytes
from raceday.deployment.platform_schema import platform_schema
from raceday.deployment.schema_apply import apply_plan, look
from raceday.deployment.sdk import connect
from raceday.simulator.appwrite.faults import Fault
from raceday.store.tables import CATALOGUE, Index, Table
from raceday.store.tables.buckets import BUCKETS
from raceday.store.tables.shapes import PUBLIC, boolean, decimal, instant, integer, text
from served_platform import served

RACES = Table(
    "races",
    (
        text("name", 100, required=True),
        text("state", 20_000, default="none"),
        integer("distance", default=0),
        decimal("odds"),
        boolean("open", default=True),
        instant("startTime"),
    ),
    (Index("idx_start", ("open", "startTime")), Index("idx_name", ("name",), "unique")),
    PUBLIC,
)
OTHERS = Table("others", (text("userId", 50, required=True),), (Index("idx_user", ("userId",)),), row_security=True)
SMALL = platform_schema("raceday-db", (RACES, OTHERS), BUCKETS)
COLUMNS = "/tablesdb/raceday-db/tables/races/columns"
app = typer.Typer()
app.command()(command.setup)


@pytest.fixture
def small(monkeypatch):
    """The command works on two tables instead of the whole catalogue."""
    monkeypatch.setattr(command, "platform_schema", lambda _database_id: SMALL)


@pytest.fixture
def server(monkeypatch):
    """A stand-in whose clock goes on while set-up waits."""
    with served() as server:
        monkeypatch.setattr(schema_apply, "sleep", server.platform.clock.move)
        yield server


def setup(server, *arguments, **environment):
    """Run the command as a person does."""
    result = CliRunner().invoke(app, list(arguments), env={**server.environment, **environment})
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def writes(server):
    return [call for call in server.platform.log.calls if call.method != "GET"]


def live(server, table_id="races"):
    return server.platform.project.databases["raceday-db"].tables[table_id]


def begun(server, **changed):
    """A platform that has the small schema already, but for what changes of its first table."""
    platform = connected(server)
    schema = replace(SMALL, tables=(replace(SMALL.tables[0], **changed), *SMALL.tables[1:]))
    assert apply_plan(platform, schema, look(platform, schema)).is_complete
    server.platform.log.calls.clear()


def connected(server):
    told = server.environment
    return connect(Credentials(server.endpoint, told["APPWRITE_PROJECT_ID"], told["APPWRITE_API_KEY"]))


def columns(*keys, **changed):
    """The first table's columns with these keys, changed where told."""
    wanted = [column for column in SMALL.tables[0].columns if not keys or column.key in keys]
    return tuple(replace(column, **changed.get(column.key, {})) for column in wanted)


def test_the_whole_catalogue_from_nothing_and_nothing_the_second_time(server):
    with warnings.catch_warnings(record=True) as warned:
        first = setup(server)
    assert (first.exit_code, warned) == (0, [])
    assert "make table race-closings" in first.stderr
    assert "The schema is complete: database raceday-db with 19 tables" in first.stderr
    assert first.stdout == ""
    made = server.platform.project.databases["raceday-db"].tables
    assert list(made) == [table.name for table in CATALOGUE]
    wanted = platform_schema("raceday-db")
    for table in wanted.tables:
        body = made[table.table_id].body(server.platform.clock.now())
        assert {key: body[key] for key in ("rowSecurity", "$permissions", "enabled")} == {
            "rowSecurity": table.row_security,
            "$permissions": list(table.permissions),
            "enabled": True,
        }
        assert body["bytesUsed"] == row_bytes(table.columns)
        shown = [{**column, "status": "available"} for column in body["columns"]]
        for column, entry in zip(shown, table.columns, strict=True):
            assert {key: column[key] for key in entry.entry()} == entry.entry()
        assert [index["status"] for index in body["indexes"]] == ["available"] * len(table.indexes)
        for index, entry in zip(body["indexes"], table.indexes, strict=True):
            assert {key: index[key] for key in entry.entry()} == entry.entry()
    bucket = server.platform.project.buckets["silk-icons"]
    assert (bucket.permissions, bucket.extensions, bucket.maximum_size) == (['read("any")'], ["svg"], 100_000)

    server.platform.log.calls.clear()
    second = setup(server)
    assert (second.exit_code, writes(server)) == (0, [])
    assert "Nothing to do: database raceday-db with 19 tables" in second.stderr


def test_a_half_made_schema_is_completed(server, small):
    begun(server, columns=columns("name", "odds"), indexes=())
    result = setup(server)
    assert result.exit_code == 0, result.stderr
    assert [call.path.rsplit("/", 1)[-1] for call in writes(server)] == [
        "string", "integer", "boolean", "datetime", "indexes", "indexes",
    ]  # fmt: skip
    assert "column races.state" in result.stderr
    assert "index races.idx_start" in result.stderr
    assert look(connected(server), SMALL).is_complete


def test_a_column_that_differs_is_told_and_left_and_the_rest_goes_on(server, small):
    begun(server, columns=columns("name", "startTime", "open", name={"required": False}), indexes=())
    result = setup(server)
    assert result.exit_code == 1
    assert "column races.name required false, should be true" in result.stderr
    assert "set it to required in the console, or leave it" in result.stderr
    assert "Left to you: 1" in result.stderr
    assert not live(server).columns["name"].required
    assert set(live(server).columns) == {column.key for column in columns()}
    assert set(live(server).indexes) == {"idx_start", "idx_name"}


def test_a_dry_run_changes_nothing(server, small):
    result = setup(server, "--dry-run")
    assert (result.exit_code, writes(server)) == (0, [])
    assert "make table races" in " ".join(result.stderr.split())
    assert "Nothing was changed" in result.stderr
    assert server.platform.project.databases == {}


def test_a_dry_run_tells_differences(server, small):
    begun(server, columns=columns(name={"size": 200}))
    result = setup(server, "--dry-run")
    assert (result.exit_code, writes(server)) == (1, [])
    assert "size 200, should be 100" in result.stderr


def test_a_column_that_cannot_be_made_is_told_with_its_reason(server, small):
    server.platform.project.column_failures["startTime"] = "the disk is full"
    result = setup(server)
    assert result.exit_code == 1
    assert "column races.startTime failed: the disk is full" in result.stderr
    assert "delete it in the console" in result.stderr
    assert "index races.idx_start waits for startTime" in result.stderr
    assert set(live(server).indexes) == {"idx_name"}

    del live(server).columns["startTime"]
    assert setup(server).exit_code == 0


def test_a_unique_index_over_rows_that_are_not_is_told(server, small):
    begun(server, indexes=SMALL.tables[0].indexes[:1])
    for row_id in ("a", "b"):
        reply = server.platform.call(
            "POST", "/tablesdb/raceday-db/tables/races/rows", {"rowId": row_id, "data": {"name": "x"}}
        )
        assert reply.status == 201
    result = setup(server)
    assert result.exit_code == 1
    assert "index races.idx_name failed: " in result.stderr


def test_what_loses_nothing_is_widened_and_permissions_are_put_right(server, small):
    narrow = columns(name={"size": 40}, distance={"default": 7}, odds={"lowest": 0, "highest": 5})
    begun(server, columns=narrow, permissions=('create("any")',), row_security=True)
    result = setup(server)
    assert result.exit_code == 0, result.stderr
    table = live(server)
    assert (table.permissions, table.row_security) == (['read("any")'], False)
    assert (table.columns["name"].size, table.columns["distance"].default) == (100, 0)
    assert (table.columns["odds"].lowest, table.columns["odds"].highest) == (-(2**53) + 1, 2**53 - 1)
    assert setup(server).stderr.startswith("Nothing to do")


def test_a_column_that_is_too_short_and_not_required_is_widened_all_the_same(server, small):
    begun(server, columns=columns(name={"size": 40, "required": False}))
    result = setup(server)
    assert result.exit_code == 1
    assert "column races.name required false, should be true" in result.stderr
    assert (live(server).columns["name"].size, live(server).columns["name"].required) == (100, False)


def test_a_disabled_table_is_put_right_but_not_enabled(server, small):
    begun(server, permissions=())
    live(server).enabled = False
    result = setup(server)
    assert result.exit_code == 1
    assert "table races disabled: clients see nothing of it" in result.stderr
    assert (live(server).permissions, live(server).enabled) == (['read("any")'], False)


def test_a_refused_step_stops_no_other_and_the_next_run_takes_it(server, small):
    server.platform.faults.next_calls(Fault(500), method="POST", part_of_path="/columns/datetime")
    result = setup(server)
    assert result.exit_code == 1
    assert "column races.startTime refused: " in result.stderr
    assert "Not done: column races.startTime, index races.idx_start. Run scripts/setup again." in result.stderr
    assert len(live(server).columns) == 5
    assert setup(server).exit_code == 0


def test_what_is_never_made_is_not_awaited_for_ever(server, small, monkeypatch):
    monkeypatch.setattr(schema_apply, "PATIENCE_S", 0.1)
    with monkeypatch.context() as stopped:
        stopped.setattr(schema_apply, "sleep", lambda _seconds: None)  # nothing is made while the clock stands still
        result = setup(server)
    assert result.exit_code == 1
    assert "Not made in time" in result.stderr
    assert "worker for databases" in result.stderr
    assert setup(server).exit_code == 0


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        ({"APPWRITE_API_KEY": "standard_of-another"}, "the API key is not one of this project"),
        ({"APPWRITE_PROJECT_ID": "nope"}, "the platform has no such project"),
        ({"APPWRITE_ENDPOINT": "http://127.0.0.1:9/v1"}, "cannot be reached"),
        ({"APPWRITE_ENDPOINT": ""}, "--endpoint or APPWRITE_ENDPOINT"),
    ],
)
def test_who_is_not_let_in_is_told_why_in_one_line(server, small, monkeypatch, environment, told):
    monkeypatch.setattr("raceday.deployment.sdk.READ_ATTEMPTS", 1)
    result = setup(server, **environment)
    assert result.exit_code == 2
    assert told in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_missing_scope_is_named(server, small):
    scopes = {"databases.read", "databases.write", "tables.read", "buckets.read"}
    server.platform.project.keys.add("standard_reader", scopes)
    result = setup(server, APPWRITE_API_KEY="standard_reader")
    assert result.exit_code == 2
    assert "the API key lacks tables.write" in result.stderr
