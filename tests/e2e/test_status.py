"""`status` as a person or a monitor runs it: what it says, its exit code, and that it only looks."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from e2e.test_whole_day import to_the_end
from race_day import RaceDay, run_day
from raceday.cli.__main__ import app
from raceday.cli.demo_database import fresh_database
from raceday.jobs.close_races import close_race
from raceday.jobs.schedule_polls import SWEEPERS
from raceday.runtime.functions import FUNCTIONS


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database of a small day, imported by hand and followed by the host from an hour before its first race."""
    folder = tmp_path_factory.mktemp("day")
    database = fresh_database(folder / "day.sqlite")

    async def scenario(day: RaceDay) -> None:
        await day.import_card()
        await day.until(day.start_of(day.races()[0]) - timedelta(minutes=70))
        await to_the_end(day)
        for race_id in day.races():
            await close_race(day.bundle.store, race_id, day.clock.now())

    run_day(scenario, folder, meetings=1, races=3)
    return database


@pytest.fixture
def demo(finished: Path, tmp_path: Path) -> Path:
    """A copy that a test may spoil."""
    return Path(shutil.copy(finished, tmp_path / "demo.sqlite"))


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RACEDAY_DB", "RACEDAY_QUALITY_THRESHOLD", "RACEDAY_RETENTION_DAYS", "RACEDAY_SWEEP_MINUTES"):
        monkeypatch.delenv(name, raising=False)


def status(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["status", *map(str, arguments)], env={"COLUMNS": "100"})


def figures(result: Result) -> dict:
    return json.loads(result.stdout.splitlines()[-1])


def execute(database: Path, *statements: str) -> None:
    with closing(sqlite3.connect(database)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def one(database: Path, sql: str) -> str:
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute(sql).fetchone()[0]


def test_a_day_that_went_well(demo: Path):
    result = status("--db", demo, "--json")
    assert result.exit_code == 0, result.stderr
    assert "All is well." in result.stderr
    assert "as of Sun 22 Nov 2026" in result.stderr
    assert "a demo or replay made it" in result.stderr
    answer = figures(result)
    assert (answer["ok"], answer["problems"], answer["db"]) == (True, [], str(demo))
    assert list(answer["functions"]) == list(FUNCTIONS)
    scheduler = answer["functions"]["master-race-scheduler"]
    assert scheduler["runs"] > 100
    assert (scheduler["failed"], scheduler["success_pct"], scheduler["target_pct"]) == (0, 100.0, 99.9)
    assert scheduler["last_run_at"] <= answer["at"]
    assert answer["functions"]["single-race-poller"]["runs"] == 0
    assert answer["races"] == {"started": 3, "over": 3, "closed": 3, "unfinished": 0, "oldest_unfinished": None}
    assert answer["coverage"]["pct"] == 100.0
    assert [race["expected"] for race in answer["coverage"]["races"]] == [17, 17, 17]
    assert answer["quality"]["p50"] > 90
    assert {stage["complete"] for stage in answer["stages"].values()} == {True}
    assert answer["throttling"] == {"polls": 0, "last_at": None, "runs": {}}
    assert list(answer["sweeps"]) == list(SWEEPERS)
    for sweep in answer["sweeps"].values():
        behind = datetime.fromisoformat(answer["at"]) - datetime.fromisoformat(sweep["swept_to"])
        assert behind < timedelta(minutes=15)


def test_looking_changes_nothing(demo: Path):
    before = demo.read_bytes()
    assert status("--db", demo).exit_code == 0
    assert demo.read_bytes() == before


def test_a_day_that_did_not(demo: Path):
    """One race never ended, one lost most of its buckets, the scheduler fell silent half an hour ago."""
    [stuck, gappy] = [
        one(demo, f'SELECT "$id" FROM races ORDER BY startTime LIMIT 1 OFFSET {offset}') for offset in (0, 1)
    ]
    last = one(demo, "SELECT max(startedAt) FROM function_runs WHERE function = 'master-race-scheduler'")
    silent_since = (datetime.fromisoformat(last) - timedelta(minutes=30)).isoformat(timespec="milliseconds")
    execute(
        demo,
        f"UPDATE races SET status = 'Interim' WHERE \"$id\" = '{stuck}'",
        f"DELETE FROM money_flow_history WHERE raceId = '{gappy}' AND timeInterval > 4",
        f"DELETE FROM function_runs WHERE function = 'master-race-scheduler' AND startedAt > '{silent_since}'",
        f"UPDATE function_runs SET startedAt = '{last}' WHERE function = 'daily-meetings'",
    )
    result = status("--db", demo, "--json", "--all")
    assert result.exit_code == 1
    answer = figures(result)
    assert answer["ok"] is False
    problems = {problem["about"]: problem for problem in answer["problems"]}
    assert next(iter(problems)) == "master-race-scheduler"
    assert "coverage" in problems
    assert len(problems) == 3
    assert any(stuck in problem["advice"] for problem in answer["problems"])
    worst = answer["coverage"]["races"][0]
    assert (worst["race_id"], worst["expected"], worst["present"]) == (gappy, 17, 5)
    assert worst["missing"] == [60, 55, 50, 45, 40, 35, 30, 25, 20, 15, 10, 5]
    assert answer["races"]["oldest_unfinished"]["race_id"] == stuck
    for problem in answer["problems"]:
        assert problem["about"] in result.stderr
    assert "5 of 17" in result.stderr
    assert "All is well" not in result.stderr


def test_sweeps_that_died_and_imports_that_failed_are_seen(demo: Path, monkeypatch: pytest.MonkeyPatch):
    """The scheduler runs and races go on, but nothing looks for what lost events left out any more."""
    last = one(demo, "SELECT max(startTime) FROM races")
    long_ago = (datetime.fromisoformat(last) - timedelta(hours=2)).isoformat(timespec="milliseconds")
    execute(
        demo,
        f"UPDATE races SET status = 'Interim' WHERE startTime = '{last}'",
        f"UPDATE sweeps SET sweptTo = '{long_ago}'",
        "UPDATE function_runs SET statusCode = 500 WHERE function = 'daily-races'",
    )
    result = status("--db", demo, "--json")
    assert result.exit_code == 1
    assert [problem["about"] for problem in figures(result)["problems"]] == ["daily-races", *SWEEPERS]
    for function in SWEEPERS:
        assert figures(result)["sweeps"][function]["swept_to"] < last
    assert "ended with 500" in result.stderr
    assert "what lost events left out stays out" in result.stderr

    monkeypatch.setenv("RACEDAY_SWEEP_MINUTES", "0")
    result = status("--db", demo, "--json")
    assert [problem["about"] for problem in figures(result)["problems"]] == ["daily-races"]
    assert "sweeps are switched off" in result.stderr


def test_another_instant_may_be_asked_for(demo: Path):
    start = datetime.fromisoformat(one(demo, "SELECT min(startTime) FROM races"))
    answer = figures(status("--db", demo, "--json", "--at", (start - timedelta(minutes=20)).isoformat()))
    assert answer["at"] == (start - timedelta(minutes=20)).isoformat()
    expected = [race["expected"] for race in sorted(answer["coverage"]["races"], key=lambda race: race["start"])]
    assert expected[0] == 8, "60 to 25 minutes to its start are over"
    assert expected == sorted(expected, reverse=True)
    assert (answer["coverage"]["pct"], answer["races"]["started"]) == (100.0, 0)
    assert "a demo or replay" not in status("--db", demo, "--at", start.isoformat()).stderr


def test_a_live_database_is_looked_at_as_of_now(demo: Path, monkeypatch: pytest.MonkeyPatch):
    execute(demo, "PRAGMA application_id = 0", "DELETE FROM function_runs", "DELETE FROM daily_stages")
    monkeypatch.setenv("RACEDAY_DB", str(demo))
    monkeypatch.setenv("RACEDAY_RETENTION_DAYS", "7")
    result = status("--json")
    answer = figures(result)
    assert abs(datetime.now(UTC) - datetime.fromisoformat(answer["at"])) < timedelta(minutes=5)
    assert "a demo or replay" not in result.stderr
    assert (answer["db"], answer["retention"]["days"]) == (str(demo), 7)
    assert answer["functions"]["master-race-scheduler"]["last_run_at"] is None
    assert (result.exit_code, answer["problems"][0]["about"]) == (1, "master-race-scheduler")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--db", "nothing.sqlite"), "does not exist, and looking makes no database"),
        (("--db", "notes.txt"), "is not a SQLite database"),
        (("--db", "other.sqlite"), "holds none of RaceDay's tables"),
        (("--db", "older.sqlite"), "was made by an older RaceDay: it lacks race-closings"),
        (("--db", "demo.sqlite", "--at", "noon"), "--at noon is not an instant"),
        (("--db", "demo.sqlite", "--at", "2026-11-22T04:00:00"), "names no zone"),
    ],
)
def test_what_cannot_be_looked_at_is_said_with_what_to_do(
    demo: Path, arguments: tuple[str, ...], complaint: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(demo.parent)
    Path("notes.txt").write_text("These are notes and not a database, long enough to have a header. " * 20)
    execute(Path("other.sqlite"), "CREATE TABLE diary (entry TEXT)")
    shutil.copy(demo, "older.sqlite")
    execute(Path("older.sqlite"), "DROP TABLE race_closings")
    files = sorted(path.name for path in demo.parent.iterdir())
    result = status(*arguments, "--json")
    assert (result.exit_code, result.stdout) == (2, "")
    assert complaint in result.stderr
    made = {path.name for path in demo.parent.iterdir()} - set(files)
    assert "nothing.sqlite" not in made


def test_a_setting_that_is_wrong_is_named(demo: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("RACEDAY_RETENTION_DAYS", "soon")
    result = status("--db", demo)
    assert result.exit_code == 2
    assert "RACEDAY_RETENTION_DAYS" in result.stderr
