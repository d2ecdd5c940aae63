"""The commands as a person types them: their last line, their errors, their exit codes."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from race_day import small_programme
from raceday.cli.demo import DemoPlan, run_demo
from raceday.cli.demo_database import fresh_database
from raceday.simulator.event_options import EventOptions
from raceday.simulator.faults import PROFILES
from raceday.simulator.feed import SimulatedFeed
from raceday.simulator.programme import plan_day

ROOT = Path(__file__).parents[2]
DAY = date(2026, 11, 22)


def raceday(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a process of its own, with nothing of our environment."""
    environment = {name: held for name, held in os.environ.items() if not name.startswith(("RACEDAY", "NZTAB"))}
    return subprocess.run(
        [sys.executable, "-m", "raceday.cli", *arguments],
        capture_output=True,
        text=True,
        env={**environment, "PYTHONPATH": str(ROOT / "shared")},
        timeout=1800,
        check=False,
    )


def query(database: Path | str, sql: str) -> list[tuple]:
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute(sql).fetchall()


def last_line(result: subprocess.CompletedProcess[str]) -> dict:
    return json.loads(result.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def captures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of responses as somebody might have saved them: any depth, any names, and some rubbish."""
    folder = tmp_path_factory.mktemp("captures")
    at = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)
    programme = plan_day(DAY)
    feed = SimulatedFeed(programme, lambda: at)
    meeting = next(meeting for meeting in programme.meetings if meeting.is_imported)
    (folder / "lists").mkdir()
    (folder / "lists" / "day.json").write_bytes(feed.meetings(DAY.isoformat(), DAY.isoformat()))
    for hour in (1, 3):
        at = at.replace(hour=hour)
        deep = folder / f"at-{hour}" / "events"
        deep.mkdir(parents=True)
        for race in meeting.races[:3]:
            (deep / f"{race.number}.txt").write_bytes(feed.event(race.race_id, EventOptions(money_tracker=True)) or b"")
    (folder / "notes.txt").write_text("not a response")
    return folder


def test_a_folder_of_captures_is_replayed(captures: Path, tmp_path: Path):
    result = raceday("replay", str(captures), "--db", str(tmp_path / "replay.sqlite"), "--json")

    assert result.returncode == 0, result.stderr
    figures = last_line(result)
    assert figures["responses"] == 7
    assert (figures["events"], figures["events_mapped"], figures["events_failed"]) == (6, 6, 0)
    assert figures["failures"] == []
    assert [left_out["file"] for left_out in figures["left_out"]] == ["notes.txt"]
    assert {"meetings", "entrants", "odds_ticks", "money_flow_buckets", "race_pools", "results", "drift", "db"} <= set(
        figures
    )
    assert query(figures["db"], "SELECT count(DISTINCT raceId) FROM race_polls") == [(3,)]


def test_a_broken_capture_is_named_and_the_others_are_replayed(captures: Path, tmp_path: Path):
    whole = (captures / "at-1" / "events" / "1.txt").read_bytes()
    (tmp_path / "captures").mkdir()
    (tmp_path / "captures" / "whole.json").write_bytes(whole)
    (tmp_path / "captures" / "cut.json").write_bytes(whole[: len(whole) // 2])
    result = raceday("replay", str(tmp_path / "captures"), "--db", str(tmp_path / "replay.sqlite"), "--json")

    assert result.returncode == 1
    figures = last_line(result)
    assert (figures["responses"], figures["events"]) == (2, 2)
    assert (figures["events_mapped"], figures["events_failed"]) == (1, 1)
    assert [(failure["file"], "JSON" in failure["reason"]) for failure in figures["failures"]] == [("cut.json", True)]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("replay", "/nowhere/at/all"), "/nowhere/at/all is not a folder"),
        (("replay", "."), "no meeting and no event was found"),
        (("demo", "--cadence", "brisk"), "enhanced, classic, high-frequency"),
        (("demo", "--faults", "rude"), "rough"),
        (("demo", "--date", "tomorrow"), "YYYY-MM-DD"),
    ],
)
def test_a_wrong_argument_says_what_to_give_instead(arguments: tuple[str, ...], complaint: str, tmp_path: Path):
    (tmp_path / "empty").mkdir()
    arguments = tuple(str(tmp_path / "empty") if argument == "." else argument for argument in arguments)
    earlier = fresh_database(tmp_path / "earlier.sqlite")
    query(earlier, "CREATE TABLE races (name TEXT)")
    result = raceday(*arguments, "--db", str(earlier), "--json")

    assert result.returncode == 2
    assert complaint in result.stderr
    assert "Traceback" not in result.stderr
    assert query(earlier, "SELECT count(*) FROM races") == [(0,)], "yesterday is still there"


def test_a_database_that_is_not_a_demos_is_left_alone(tmp_path: Path):
    precious = tmp_path / "precious.sqlite"
    query(precious, "CREATE TABLE diary (entry TEXT)")
    before = precious.read_bytes()
    result = raceday("demo", "--db", str(precious))

    assert result.returncode == 2
    assert "was made by neither demo nor replay" in result.stderr
    assert precious.read_bytes() == before


def test_the_bench_measures_each_stage():
    result = raceday("bench", "poll", "--races", "1", "--json")

    assert result.returncode == 0, result.stderr
    simulated = last_line(result)["simulated"]
    stages = ("parse_ms", "map_ms", "derive_ms", "save_ms")
    assert all(simulated[stage] > 0 for stage in stages)
    assert simulated["total_ms"] >= max(simulated[stage] for stage in stages)
    assert simulated["polls_per_s"] > 0


def test_the_demo_prints_its_contract(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """On one meeting instead of twelve: the whole day is what `scripts/demo` is for."""
    monkeypatch.setattr("raceday.cli.demo.plan_day", lambda day, seed, saturday: small_programme(1, 2))
    outcome = run_demo(DemoPlan(DAY, 1, False, tmp_path / "demo.sqlite", "enhanced", PROFILES["none"]))

    figures = outcome.as_json()
    assert list(figures)[:27] == [
        "date", "meetings", "races", "entrants", "terminal_races", "polls", "failed_polls", "double_polls",
        "late_polls", "lateness_p95_s", "odds_ticks", "money_flow_buckets", "race_pools", "results", "feed_calls",
        "store_transactions", "executions", "failed_executions", "wall_s", "virtual_s", "polls_per_s", "peak_rss_mb",
        "notifications", "silks", "coverage_pct", "quality_p5", "quality_p50",
    ]  # fmt: skip
    assert figures["terminal_races"] == figures["races"] == 2
    assert figures["polls"] > 60
    assert (figures["failed_polls"], figures["double_polls"], figures["late_polls"]) == (0, 0, 0)
    assert figures["notifications"] > 10
    assert figures["silks"] > 10
    assert figures["coverage_pct"] == 100.0
    assert 80 <= figures["quality_p5"] <= figures["quality_p50"] <= 100


def test_a_demo_on_a_feed_that_is_down_says_that_it_failed(tmp_path: Path):
    result = raceday("demo", "--faults", "down", "--db", str(tmp_path / "down.sqlite"), "--json")

    assert result.returncode == 1
    assert "Failed: 96 of 96 races did not come to their end" in result.stderr
    figures = last_line(result)
    assert (figures["meetings"], figures["polls"]) == (0, 0)
    assert figures["failed_executions"] > 100


def test_the_whole_default_day(tmp_path: Path):
    """Every race to its end, none polled twice or late, and every runner's increments summing to its last amount."""
    result = raceday("demo", "--date", "2026-11-22", "--db", str(tmp_path / "day.sqlite"), "--json")

    assert result.returncode == 0, result.stderr
    figures = last_line(result)
    assert (figures["meetings"], figures["races"], figures["terminal_races"]) == (12, 96, 96)
    assert figures["entrants"] > 900
    assert figures["polls"] > 6000
    assert (figures["failed_polls"], figures["double_polls"], figures["late_polls"]) == (0, 0, 0)
    assert figures["peak_rss_mb"] < 300
    sums = query(
        figures["db"],
        """
        SELECT m.entrantId, sum(m.incrementalWinAmount), last.winPoolAmount
        FROM money_flow_history m
        JOIN (SELECT entrantId, winPoolAmount, min(timeInterval) FROM money_flow_history
              WHERE winPoolAmount IS NOT NULL GROUP BY entrantId) last ON last.entrantId = m.entrantId
        WHERE m.winPoolAmount IS NOT NULL GROUP BY m.entrantId
        """,
    )
    assert len(sums) > 800
    assert [entrant_id for entrant_id, total, last in sums if total != last] == []
