"""`scripts/status` on an Appwrite project: the figures of a database file that holds the same, and only by reading."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from appwrite_platform import Platform
from contract.appwrite_store import OPENED_AT, open_appwrite_store
from contract.store_examples import DAY, IMPORTED, START, event, meeting, race, result
from contract.store_steps import polled, state_of
from contract.suite_health import degraded, failure, run_entry
from raceday.cli.__main__ import app
from raceday.domain.closing import closing_of
from raceday.domain.racing_day import DailyStage, StageProgress
from raceday.domain.status import RaceStatus
from raceday.jobs.keep_history import HISTORY_MARK
from raceday.runtime.functions import FUNCTIONS
from raceday.simulator.appwrite.faults import DROPPED, Fault
from raceday.simulator.appwrite.project import Project
from raceday.store.ports import RaceStore
from raceday.store.sqlite.store import SqliteStore
from served_platform import Port, Served

LOOKED_AT = START + timedelta(hours=2)
READER = "standard_reader"
VARIABLES = ("RACEDAY_DB", "APPWRITE_ENDPOINT", "APPWRITE_PROJECT_ID", "APPWRITE_API_KEY")


async def a_day(store: RaceStore) -> None:
    """Three races: one to its end and closed, one with gaps and a degraded poll, one abandoned by the list."""
    races = [race(1), race(2), race(3)]
    await store.save_meetings([meeting()], IMPORTED)
    await store.save_races(races, IMPORTED)
    for of in races[:2]:
        for minutes in (62, 57, 31, 3, 1):
            at = of.advertised_start - timedelta(minutes=minutes)
            await polled(store, event(of, at, win_cents=100_000 * (70 - minutes)), due_at=at - timedelta(seconds=2))
    over = replace(races[0], status=RaceStatus.FINAL)
    at = START + timedelta(minutes=5)
    await polled(store, event(over, at, win_cents=9_000_000, result=result(races[0], at)))
    await degraded(store, races[1], races[1].advertised_start)
    assert (await state_of(store, races[1].race_id)).entrants
    await store.save_races([race(3, status=RaceStatus.ABANDONED)], START)
    history = await store.race_history(races[0].race_id)
    assert history is not None
    await store.save_closing(closing_of(history, at))
    for error in ("FeedThrottled", "FeedUnavailable", "FeedUnavailable"):
        await store.log_poll(failure(races[1], at + timedelta(seconds=len(error)), error))
    for number, function in enumerate(FUNCTIONS):
        for minutes in range(0, 60, 20):
            code = 500 if number == 3 and minutes == 40 else 200
            await store.log_run(run_entry(function, START + timedelta(minutes=minutes, seconds=number), code))
    for stage in DailyStage:
        await store.save_stage(StageProgress(DAY, stage, stage is not DailyStage.ENTRANTS, IMPORTED))
    await store.note_swept("money-flow-tracker", START, LOOKED_AT)
    await store.note_swept(HISTORY_MARK, START - timedelta(days=30), LOOKED_AT)


@pytest.fixture(scope="module")
def project() -> Project:
    """A project that holds the day, with a key that may read rows and nothing else."""
    store = open_appwrite_store()
    asyncio.run(a_day(store))
    store.project.keys.add(READER, ["rows.read"])
    return store.project


@pytest.fixture
def served(port: Port, project: Project) -> Served:
    platform = Platform(project=project)
    platform.clock.instant = OPENED_AT
    return port.serve(platform)


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("raceday.cli.status_place.DEFAULT_DATABASE", tmp_path / "demo.sqlite")
    monkeypatch.chdir(tmp_path)


def status(*arguments: object, **environment: str) -> Result:
    asked = ["status", "--at", LOOKED_AT.isoformat(), *map(str, arguments)]
    return CliRunner().invoke(app, asked, env={"COLUMNS": "100", **environment})


def variables(served: Served, key: str = READER) -> dict[str, str]:
    return served.environment | {"APPWRITE_API_KEY": key}


def test_the_figures_are_those_of_a_file_that_holds_the_same(served: Served, tmp_path: Path) -> None:
    file = tmp_path / "day.sqlite"
    store = SqliteStore.open(file)
    asyncio.run(a_day(store))
    asyncio.run(store.close())
    of_file, of_project = status("--db", file, "--json"), status("--appwrite", "--json", **variables(served))
    assert of_file.exit_code == of_project.exit_code == 1
    expected, seen = (json.loads(one.stdout.splitlines()[-1]) for one in (of_file, of_project))
    assert expected.pop("db") == str(file)
    assert seen.pop("db") == f"raceday at {served.endpoint}"
    assert seen == expected
    assert (seen["races"]["started"], seen["races"]["closed"], seen["throttling"]["polls"]) == (3, 1, 1)
    assert seen["functions"]["master-race-scheduler"]["runs"] == 3
    assert of_project.stderr.splitlines()[1:] == of_file.stderr.splitlines()[1:]


def test_looking_only_reads_and_shows_no_key(served: Served) -> None:
    looked = status("--appwrite", "--json", **variables(served))
    assert looked.exit_code == 1, looked.stderr
    assert {call.method for call in served.platform.log.calls} == {"GET"}
    assert READER not in looked.output


def test_a_day_is_looked_at_in_fewer_than_thirty_calls(served: Served) -> None:
    status("--appwrite", **variables(served))
    assert len(served.platform.log.calls) < 30


def test_the_environment_alone_is_enough_and_a_file_goes_before_it(served: Served, tmp_path: Path) -> None:
    assert f"raceday at {served.endpoint}" in status(**variables(served)).stderr
    looked = status(**variables(served), RACEDAY_DB=str(tmp_path / "none.sqlite"))
    assert "none.sqlite does not exist" in looked.stderr
    assert status("--db", "other.sqlite", **variables(served)).stderr.count("other.sqlite does not exist") == 1


def test_options_go_before_the_environment(served: Served, tmp_path: Path) -> None:
    key_file = tmp_path / "key"
    key_file.write_text(f"{READER}\n")
    wrong = {"APPWRITE_ENDPOINT": "http://127.0.0.1:1/v1", "APPWRITE_PROJECT_ID": "other", "APPWRITE_API_KEY": "other"}
    looked = status("--endpoint", served.endpoint, "--project", "raceday", "--key-file", key_file, **wrong)
    assert (looked.exit_code, "raceday at" in looked.stderr) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "changed", "complaint"),
    [
        (
            ("--appwrite",),
            {"APPWRITE_API_KEY": "", "APPWRITE_PROJECT_ID": ""},
            "--project or APPWRITE_PROJECT_ID, --key",
        ),
        (
            ("--appwrite",),
            {"APPWRITE_API_KEY": "wrong"},
            "the API key is not one of this project: make a new one in the console and give it",
        ),
        (("--appwrite",), {"APPWRITE_PROJECT_ID": "other"}, "no such project: check APPWRITE_PROJECT_ID or --project"),
        (("--appwrite",), {"APPWRITE_API_KEY": "standard_writer"}, "the API key lacks rows.read"),
        (
            ("--appwrite",),
            {"APPWRITE_ENDPOINT": "http://127.0.0.1:1/v1"},
            "http://127.0.0.1:1/v1 cannot be reached: is the address right, and the server up?",
        ),
        (("--appwrite", "--db", "day.sqlite"), {}, "status looks at one of them"),
        ((), dict.fromkeys(VARIABLES, ""), "nothing to look at: give --db"),
    ],
)
def test_what_cannot_be_looked_at_is_said_with_what_to_do(
    served: Served,
    arguments: tuple[str, ...],
    changed: dict[str, str],
    complaint: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("raceday.store.appwrite.rest._LONGEST_PAUSE_S", 0.0)
    monkeypatch.setattr("raceday.deployment.sdk.READ_ATTEMPTS", 1)
    served.platform.project.keys.add("standard_writer", ["rows.write"])
    looked = status(*arguments, "--json", **(variables(served) | changed))
    assert (looked.exit_code, looked.stdout) == (2, "")
    assert complaint in looked.stderr


def test_a_project_without_tables_is_to_be_set_up(port: Port) -> None:
    looked = status("--appwrite", **variables(port.serve(Platform()), "standard_0123"))
    assert looked.exit_code == 2
    assert "run scripts/setup" in looked.stderr


def test_a_platform_that_does_not_answer_is_no_verdict(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("raceday.store.appwrite.rest._LONGEST_PAUSE_S", 0.0)
    monkeypatch.setattr("raceday.deployment.sdk.READ_ATTEMPTS", 1)
    served.platform.faults.next_calls(Fault(DROPPED), count=100)
    looked = status("--appwrite", "--json", **variables(served))
    assert (looked.exit_code, looked.stdout) == (2, "")
    assert f"{served.endpoint} cannot be reached" in looked.stderr


def test_a_platform_that_fails_is_told_in_the_words_of_the_look(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("raceday.store.appwrite.rest._LONGEST_PAUSE_S", 0.0)
    monkeypatch.setattr("raceday.deployment.sdk.READ_ATTEMPTS", 1)
    served.platform.faults.next_calls(Fault(500), count=100)
    looked = status("--appwrite", "--json", **variables(served))
    assert (looked.exit_code, looked.stdout) == (2, "")
    assert "tables/races/rows" in looked.stderr


def test_a_project_that_was_only_set_up_has_nothing_overdue(port: Port) -> None:
    empty = Platform(project=open_appwrite_store().project)
    looked = status("--appwrite", "--json", **variables(port.serve(empty), "standard_0123"))
    assert looked.exit_code == 1
    problems = {problem["about"]: problem["seen"] for problem in json.loads(looked.stdout)["problems"]}
    assert problems["imports"] == "nothing was imported yet"
    assert set(problems) == {"imports", "master-race-scheduler"}
    assert "no polls; in poll_logs: nothing" in looked.stderr
    assert "not complete" not in looked.stderr
    assert "95 %" not in looked.stderr
