"""Backups: dumped and compared within one snapshot, restored beside, swapped in; and what may go wrong."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from archive_steps import ODDS, rows_of, with_history
from postgres_server import TestServer
from raceday.errors import ConfigError
from raceday.server.operations import backup as backup_steps
from raceday.server.operations import partitions, postgres_tools, scratch_database
from raceday.server.operations import restore as restore_steps
from raceday.server.operations.backup import Backup, back_up
from raceday.server.operations.connections import connected
from raceday.server.operations.errors import BackupFailed, RestoreRefused
from raceday.server.operations.postgres_tools import PostgresTools, connection_variables, find_tools
from raceday.server.operations.restore import contents_of, restore_backup
from raceday.server.operations.scratch_database import database_name
from raceday.server.operations.table_prints import TablePrint, differences, table_prints
from raceday.store.postgres.migrate import schema_version

NOW = datetime(2026, 12, 25, 12, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)


@pytest.fixture(scope="module")
def source(postgres_server: TestServer, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Backup]:
    """A database with a day of history, half of it detached, and its backup."""
    url = postgres_server.new_database()
    with connected(url) as connection:
        with_history(connection)
        partitions.detach(connection, [ODDS])
    return url, back_up(url, tmp_path_factory.mktemp("backups"), NOW, print)


@pytest.fixture
def url(source: tuple[str, Backup], postgres_server: TestServer) -> str:
    """A database that holds what the backup holds."""
    return postgres_server.new_database(database_name(source[0]))


@pytest.fixture
def made(source: tuple[str, Backup], tmp_path: Path) -> Backup:
    """The backup, in a folder of the test's own."""
    path = source[1].path
    for file in (path, path.with_suffix(".json")):
        shutil.copy2(file, tmp_path)
    return Backup(tmp_path / path.name, source[1].contents)


def files_of(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def databases(server: TestServer, containing: str) -> list[str]:
    with psycopg.connect(server.postgres.url()) as connection:
        rows = connection.execute("SELECT datname FROM pg_database WHERE datname LIKE %s", (f"%{containing}%",))
        return sorted(name for (name,) in rows.fetchall())


def prints_of(url: str) -> dict[str, TablePrint]:
    with connected(url) as connection:
        return table_prints(connection)


def test_a_backup_is_compared_and_named_by_its_utc_time(made: Backup, postgres_server: TestServer) -> None:
    assert files_of(made.path.parent) == ["raceday-20261225T120000Z.dump", "raceday-20261225T120000Z.json"]
    assert made.path.stat().st_mode & 0o777 == 0o600
    assert made.contents.tables[f"detached.{ODDS}"].rows == 200
    assert made.contents.tables["public.entrants"].rows == 1
    assert made.contents.schema_version >= "0008"
    assert contents_of(made.path) == made.contents
    assert databases(postgres_server, "_verify_") == []


def test_what_is_restored_elsewhere_is_the_same_in_every_table(
    made: Backup, url: str, postgres_server: TestServer
) -> None:
    there = postgres_server.postgres.url("raceday_elsewhere")
    restored = restore_backup(there, made.path, LATER, print)
    assert (restored.compared, restored.replaced) == (True, "")
    assert prints_of(there) == prints_of(url)
    assert schema_version(there) == schema_version(url)
    with connected(there) as connection:
        # What is restored goes on working: partitions, functions, keys.
        assert partitions.create_partitions(connection, NOW.date(), 1) == 6
        with pytest.raises(psycopg.errors.ForeignKeyViolation):
            connection.execute("UPDATE money_flow_history SET entrant_id = 'nobody'")
    assert databases(postgres_server, "_restoring_") == []
    postgres_server.execute("DROP DATABASE raceday_elsewhere")


def test_rows_written_while_the_dump_runs_are_in_neither_side(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = PostgresTools.run

    def with_a_writer(self: PostgresTools, program: str, *arguments: Any) -> str:
        with psycopg.connect(url) as writer:
            writer.execute("UPDATE entrants SET name = name || %s", (f" {program}",))
        return run(self, program, *arguments)

    monkeypatch.setattr(PostgresTools, "run", with_a_writer)
    made = back_up(url, tmp_path, NOW, print)
    assert made.contents.tables["public.entrants"] != prints_of(url)["public.entrants"]


def test_a_database_that_holds_rows_is_not_replaced_unasked(made: Backup, url: str) -> None:
    before = prints_of(url)
    with pytest.raises(RestoreRefused, match="holds rows: name an empty database, or say --replace"):
        restore_backup(url, made.path, LATER, print)
    assert prints_of(url) == before


def test_a_database_that_is_replaced_lies_under_another_name(
    made: Backup, url: str, postgres_server: TestServer
) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("UPDATE entrants SET name = 'changed since'")
    changed = prints_of(url)
    restored = restore_backup(url, made.path, LATER, print, replace=True)
    assert prints_of(url) == made.contents.tables
    assert restored.replaced == f"{restored.database}_before_20261225T130000Z"
    assert prints_of(postgres_server.postgres.url(restored.replaced)) == changed


def test_a_migrated_database_without_rows_is_filled(made: Backup, postgres_server: TestServer) -> None:
    there = postgres_server.new_database()
    restored = restore_backup(there, made.path, LATER, print)
    assert restored.replaced == ""
    assert prints_of(there) == made.contents.tables


def test_a_database_in_use_is_left_alone(made: Backup, url: str, postgres_server: TestServer) -> None:
    with (
        psycopg.connect(url, application_name="a server"),
        pytest.raises(RestoreRefused, match=r"in use \(1 connections, the first of a server, process \d+\): stop"),
    ):
        restore_backup(url, made.path, LATER, print, replace=True)
    assert databases(postgres_server, "_restoring_") == []


def test_a_database_that_comes_into_use_at_the_last_moment_keeps_its_name(
    made: Backup, url: str, postgres_server: TestServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = prints_of(url)
    rename = restore_steps._rename

    def after_the_first(server: Any, name: str, new_name: str) -> None:
        if "_restoring_" in name:
            raise psycopg.errors.ObjectInUse("somebody was faster")
        rename(server, name, new_name)

    monkeypatch.setattr(restore_steps, "_rename", after_the_first)
    with pytest.raises(RestoreRefused, match="came into use meanwhile"):
        restore_backup(url, made.path, LATER, print, replace=True)
    assert prints_of(url) == before
    assert databases(postgres_server, "_restoring_") == []


def _cut_off(body: bytes) -> bytes:
    return body[: len(body) // 2]


def _changed(body: bytes) -> bytes:
    return body[:-100] + bytes([body[-100] ^ 1]) + body[-99:]


@pytest.mark.parametrize(("damage", "word"), [(_cut_off, "bytes"), (_changed, "hash")])
def test_a_damaged_backup_is_not_restored(made: Backup, url: str, damage: Callable[[bytes], bytes], word: str) -> None:
    made.path.write_bytes(damage(made.path.read_bytes()))
    before = prints_of(url)
    with pytest.raises(BackupFailed, match=word):
        restore_backup(url, made.path, LATER, print, replace=True)
    assert prints_of(url) == before


def test_a_dump_from_elsewhere_is_restored_with_a_word_about_it(made: Backup, postgres_server: TestServer) -> None:
    made.path.with_suffix(".json").unlink()
    there = postgres_server.new_database()
    assert not restore_backup(there, made.path, LATER, print).compared
    assert prints_of(there) == made.contents.tables
    made.path.write_bytes(_cut_off(made.path.read_bytes()))
    with pytest.raises(BackupFailed, match="pg_restore failed"):
        restore_backup(there, made.path, LATER, print, replace=True)
    made.path.write_text("no dump at all")
    with pytest.raises(BackupFailed, match="pg_restore failed"):
        restore_backup(there, made.path, LATER, print, replace=True)
    assert prints_of(there) == made.contents.tables
    assert databases(postgres_server, "_restoring_") == []


def test_contents_that_say_something_else_stop_the_restore(made: Backup, postgres_server: TestServer) -> None:
    beside = made.path.with_suffix(".json")
    contents = json.loads(beside.read_text())
    contents["tables"]["public.races"]["rows"] += 1
    beside.write_text(json.dumps(contents))
    there = postgres_server.new_database()
    with pytest.raises(RestoreRefused, match=r"public.races: 2 rows, then 1"):
        restore_backup(there, made.path, LATER, print)
    beside.write_text("{}")
    with pytest.raises(BackupFailed, match="does not describe a backup"):
        restore_backup(there, made.path, LATER, print)
    assert databases(postgres_server, "_restoring_") == []


def test_a_backup_that_fails_leaves_nothing_behind(
    url: str, tmp_path: Path, postgres_server: TestServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fills_half(*arguments: Any) -> None:
        scratch_database.fill_database(*arguments)
        with psycopg.connect(scratch_database.url_of(url, arguments[3])) as scratch:
            scratch.execute("DELETE FROM money_flow_history WHERE id = 'flow-1'")
            scratch.execute("UPDATE entrants SET name = 'another'")

    monkeypatch.setattr(backup_steps, "fill_database", fills_half)
    with pytest.raises(BackupFailed, match=r"public.entrants: the same count, other rows; .*50 rows, then 49"):
        back_up(url, tmp_path, NOW, print)
    assert files_of(tmp_path) == []
    assert databases(postgres_server, "_verify_") == []


def test_older_backups_go_when_a_newer_one_is_verified(url: str, tmp_path: Path) -> None:
    (tmp_path / "raceday-notes.dump").write_text("not ours")
    first = back_up(url, tmp_path, NOW, print)
    second = back_up(url, tmp_path, LATER, print, keep=2)
    assert second.removed == ()
    third = back_up(url, tmp_path, LATER + timedelta(hours=1), print, keep=2)
    assert third.removed == (first.path,)
    assert files_of(tmp_path) == sorted(
        [name for kept in (second, third) for name in (kept.path.name, kept.path.with_suffix(".json").name)]
        + ["raceday-notes.dump"]
    )


def test_a_folder_that_takes_nothing_is_named(url: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="takes no backup"):
        back_up(url, tmp_path / "file", NOW, print)
    with pytest.raises(ConfigError, match="is no file: name a backup"):
        restore_backup(url, tmp_path / "missing.dump", NOW, print)


@pytest.fixture
def small_user(url: str, postgres_server: TestServer) -> Iterator[str]:
    """The URL of the database for a user who may read it and create nothing."""
    postgres_server.execute("CREATE ROLE small LOGIN PASSWORD 'canary-3f9a'")
    try:
        yield url.replace("postgres:@", "small:canary-3f9a@")
    finally:
        postgres_server.execute("DROP ROLE small")


def test_a_user_who_may_not_create_a_database_is_told_so(small_user: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="ALTER ROLE … CREATEDB"):
        back_up(small_user, tmp_path, NOW, print)
    assert files_of(tmp_path) == []


def test_no_password_is_on_a_command_line_or_in_what_is_said(
    small_user: str, postgres_server: TestServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    postgres_server.execute("ALTER ROLE small CREATEDB")
    lines: list[list[str]] = []
    run = subprocess.run

    def watched(command: list[str], **options: Any) -> Any:
        lines.append(command)
        return run(command, **options)

    monkeypatch.setattr(postgres_tools.subprocess, "run", watched)
    said: list[str] = []
    with pytest.raises(BackupFailed) as failed:
        back_up(small_user, tmp_path, NOW, said.append)
    assert "permission denied" in str(failed.value)
    assert any("--format=custom" in line for line in lines)
    assert "canary-3f9a" not in f"{lines} {said} {failed.value}"


def test_libpq_is_told_by_its_own_variables() -> None:
    told = connection_variables(
        "postgresql://me:se%20cret@db.example.org:6543/raceday?sslmode=require&application_name=x"
    )
    assert told == {
        "PGUSER": "me",
        "PGPASSWORD": "se cret",
        "PGHOST": "db.example.org",
        "PGPORT": "6543",
        "PGDATABASE": "raceday",
        "PGSSLMODE": "require",
        "PGAPPNAME": "x",
    }


def _fake_tools(folder: Path, version: str) -> Path:
    folder.mkdir()
    for program in ("pg_dump", "pg_restore"):
        (folder / program).write_text(f"#!/bin/sh\necho '{program} (PostgreSQL) {version}'\n")
        (folder / program).chmod(0o755)
    return folder


def test_the_tools_are_those_of_the_servers_version_or_newer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_tools(18).folder.name == "bin"
    monkeypatch.setattr(postgres_tools, "find_spec", lambda name: None)
    monkeypatch.setenv("PATH", f"{_fake_tools(tmp_path / '15', '15.18 (Debian)')}{os.pathsep}{os.environ['PATH']}")
    assert find_tools(14).major == 15
    with pytest.raises(ConfigError, match=r"PostgreSQL 18, and no pg_dump here is as new \(found: 15 in"):
        find_tools(18)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match="found: none at all"):
        find_tools(18)


def test_a_connection_string_that_is_none_is_refused_without_being_repeated(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        back_up("postgres//me:canary-3f9a@host", tmp_path, NOW, print)
    assert "canary" not in str(refused.value)


def test_differences_say_which_table_and_how() -> None:
    one = {"a": TablePrint(1, "7"), "b": TablePrint(2, "8"), "c": TablePrint(3, "9")}
    other = {"a": TablePrint(1, "7"), "b": TablePrint(2, "0"), "d": TablePrint(0, "0")}
    assert differences(one, one) == []
    assert differences(one, other) == [
        "b: the same count, other rows",
        "c is only in the original",
        "d is only in the copy",
    ]


def test_prints_do_not_depend_on_the_order_of_rows(postgres_url: str) -> None:
    with connected(postgres_url) as connection:
        with_history(connection)
        before = table_prints(connection)[f"public.{ODDS}"]
        connection.execute(f"CREATE TABLE sorted AS SELECT * FROM {ODDS} ORDER BY id DESC")
        assert table_prints(connection)["public.sorted"] == before
        connection.execute("UPDATE sorted SET race_id = '' WHERE id = 'tick-3'")
        assert table_prints(connection)["public.sorted"] != before
        assert rows_of(connection, "sorted") != rows_of(connection, str(ODDS))
