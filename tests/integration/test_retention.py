"""Closings and retention over a real store: what is taken down before it goes, what goes, and what stays."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest

from contract.store_examples import DAY, START, event, meeting, race, result
from contract.store_steps import imported, polled
from raceday.domain.closing import RaceHistory
from raceday.domain.race import Race
from raceday.domain.racing_day import nz_midnight
from raceday.domain.result import ResultStatus
from raceday.domain.status import RaceStatus
from raceday.errors import StoreUnavailable
from raceday.jobs import keep_history as retention
from raceday.jobs.close_races import close_races
from raceday.jobs.keep_history import HistoryDropped, keep_history
from raceday.jobs.ports import Deadline, JobPorts
from raceday.jobs.report import RunReport
from raceday.store.sqlite import SqliteStore
from raceday.store.tables import CATALOGUE
from raceday.store.values import PollFailure, RunEntry

run = asyncio.run
MINUTE = timedelta(minutes=1)
AFTER = START + timedelta(hours=6)
HISTORY = ("odds-history", "money-flow-history", "race-polls")


@dataclass
class StillClock:
    """A clock that stands where it is put; `step_s` passes at every look."""

    at: datetime
    step_s: float = 0.0

    def now(self) -> datetime:
        seen = self.at
        self.at += timedelta(seconds=self.step_s)
        return seen

    async def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


class Lines:
    """A log that is read by nobody but the test."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, dict[str, object]]] = []

    def info(self, action: str, **fields: object) -> None:
        self.lines.append((action, fields))

    debug = warning = error = info


def ports(store: SqliteStore, at: datetime, *, seconds: float = 60.0, step_s: float = 0.0) -> JobPorts:
    """What a job works with, as far as closings and retention need it."""
    clock = StillClock(at, step_s)
    deadline = Deadline(at + timedelta(seconds=seconds), clock)
    return JobPorts("daily-meetings", "run-1", None, store, clock, None, Lines(), deadline, RunReport())  # type: ignore[arg-type]


async def run_race(store: SqliteStore, of: Race) -> None:
    """Poll a race three times on its way and once at its end."""
    for minutes in (62, 33, 2):
        await polled(store, event(of, of.advertised_start - minutes * MINUTE, win_cents=1_000_000 - minutes))
    over, at = replace(of, status=RaceStatus.FINAL), of.advertised_start + 8 * MINUTE
    await polled(store, event(over, at, win_cents=2_000_000, result=result(of, at)))


def races_of_three_days() -> list[Race]:
    """Two races on each of three days."""
    day = timedelta(days=1)
    return [
        race(number, advertised_start=race(number).advertised_start + days * day, race_id=f"{days}-{number}")
        for days in range(3)
        for number in (1, 2)
    ]


def stored(store: SqliteStore) -> dict[str, list[Mapping[str, object]]]:
    return {table.name: store._db.rows(f'SELECT * FROM {table.sql_name} ORDER BY "$id"') for table in CATALOGUE}


@pytest.fixture
def store():
    made = SqliteStore.open(":memory:")
    yield made
    run(made.close())


@pytest.fixture
def three_days(store: SqliteStore) -> SqliteStore:
    """Six races that ran, and a log entry and a run for each."""
    races = races_of_three_days()
    run(imported(store, *races))
    for of in races:
        run(run_race(store, of))
        at = of.advertised_start
        run(store.log_poll(PollFailure(of.race_id, at, "f", "e", "FeedUnavailable", "timed out")))
        run(store.log_run(RunEntry(f"run-{of.race_id}", "f", "http", at, 1, 200, 1, 0, 0, 0, 1, 1, 40.0)))
    return store


def test_every_race_that_is_over_is_closed_once(three_days: SqliteStore):
    at = START + timedelta(days=1, hours=12)
    assert run(close_races(ports(three_days, at))) == 6
    closings = stored(three_days)["race-closings"]
    first = closings[0]
    assert (first["status"], first["polls"], first["failedPolls"]) == ("Final", 4, 1)
    assert first["coveragePct"] == round(100 * 3 / 17, 1)
    assert [runner["position"] for runner in json.loads(first["runners"])] == [2, 1, None]
    assert run(close_races(ports(three_days, at + 5 * MINUTE))) == 0
    assert stored(three_days)["race-closings"] == closings


def test_an_amended_result_closes_the_race_anew(three_days: SqliteStore):
    at = START + timedelta(hours=9)
    run(close_races(ports(three_days, at)))
    of = races_of_three_days()[0]
    protest = replace(result(of, AFTER), protest_lodged=True, placings=tuple(reversed(result(of, AFTER).placings)))
    run(polled(three_days, event(replace(of, status=RaceStatus.FINAL), AFTER, result=protest)))
    assert run(close_races(ports(three_days, at + MINUTE))) == 1
    assert run(close_races(ports(three_days, at + 2 * MINUTE))) == 0


def test_a_race_without_a_final_result_is_closed_after_an_hour(store: SqliteStore):
    run(imported(store, race(1), race(2)))
    at = START + 10 * MINUTE
    over = replace(race(1), status=RaceStatus.FINAL)
    run(polled(store, event(over, at, result=result(race(1), at, ResultStatus.INTERIM))))
    assert run(close_races(ports(store, at + 59 * MINUTE))) == 0
    assert run(close_races(ports(store, at + 60 * MINUTE))) == 1


def test_a_race_that_breaks_stops_none_of_the_others(three_days: SqliteStore, monkeypatch: pytest.MonkeyPatch):
    whole = SqliteStore.race_history

    async def broken(self: SqliteStore, race_id: str) -> RaceHistory | None:
        if race_id == "0-1":
            raise ValueError("a race that nobody foresaw")
        return await whole(self, race_id)

    monkeypatch.setattr(SqliteStore, "race_history", broken)
    at = START + timedelta(days=1, hours=12)
    given = ports(three_days, at)
    assert run(close_races(given)) == 5
    assert [failure.subject for failure in given.report.failures] == ["0-1"]
    monkeypatch.undo()
    assert run(close_races(ports(three_days, at))) == 1, "the next sweep makes good"


def test_closing_stops_before_the_deadline_and_goes_on_next_time(three_days: SqliteStore):
    at = START + timedelta(days=1, hours=12)
    first = run(close_races(ports(three_days, at, seconds=3.0, step_s=0.5)))
    assert 0 < first < 6
    assert first + run(close_races(ports(three_days, at))) == 6


def test_only_days_beyond_the_retention_lose_their_history(three_days: SqliteStore):
    before = stored(three_days)
    now = nz_midnight(DAY) + timedelta(days=11, hours=6)  # ten days after the second of the three days
    dropped = run(keep_history(ports(three_days, now), 10))
    after = stored(three_days)

    assert {row["raceId"] for name in HISTORY for row in after[name]} == {"1-1", "1-2", "2-1", "2-2"}
    for name in HISTORY:
        assert after[name] == [row for row in before[name] if row["raceId"] in {"1-1", "1-2", "2-1", "2-2"}]
    kept = set(before) - set(HISTORY) - {"poll_logs", "function-runs", "race-closings", "sweeps"}
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}
    assert (len(after["poll_logs"]), len(after["function-runs"])) == (4, 4)
    assert {row["raceId"] for row in after["race-closings"]} == {"0-1", "0-2"}, "made first, as none was there"
    assert all(row["polls"] == 4 for row in after["race-closings"]), "made while everything was still there"
    assert (dropped.races, dropped.closed, dropped.races_remaining, dropped.logs_remaining) == (2, 2, 0, False)
    assert dropped.rows == {
        **{name: len(before[name]) - len(after[name]) for name in HISTORY}, "poll_logs": 2, "function-runs": 2,
    }  # fmt: skip
    assert dropped.dropped_to == nz_midnight(DAY) + timedelta(days=1)


def test_dropping_again_drops_nothing_and_changes_nothing(three_days: SqliteStore):
    now = START + timedelta(days=40)
    run(keep_history(ports(three_days, now), 30))
    once = stored(three_days)
    assert all(once[name] == [] for name in HISTORY)
    again = run(keep_history(ports(three_days, now + timedelta(minutes=1)), 30))
    assert (again.races, again.closed, again.rows) == (0, 0, {})
    assert stored(three_days) == once
    assert run(close_races(ports(three_days, now))) == 0, "a closing is never made from a history that is gone"


MEASURED = ("polls", "failedPolls", "degradedPolls", "coveragePct", "qualityP5", "qualityP50", "latenessP95S")


def test_a_result_amended_after_the_history_went_changes_the_result_alone(three_days: SqliteStore):
    """With a retention of one day the sweeps still look at races whose history is gone."""
    run(close_races(ports(three_days, START + timedelta(hours=2))))
    before = stored(three_days)["race-closings"]
    now = nz_midnight(DAY) + timedelta(days=2)
    assert run(keep_history(ports(three_days, now), 1)).races == 2

    of = races_of_three_days()[0]
    amended = tuple(reversed(result(of, AFTER).placings))
    at = now + MINUTE
    protest = replace(result(of, at), protest_lodged=True, placings=amended)
    over = replace(of, status=RaceStatus.FINAL)
    run(polled(three_days, event(over, at, win_cents=2_000_000, result=protest)))
    assert run(close_races(ports(three_days, now + 2 * MINUTE))) > 0

    after = stored(three_days)["race-closings"]
    assert {name: after[0][name] for name in MEASURED} == {name: before[0][name] for name in MEASURED}
    assert after[0]["polls"] == 4
    assert after[0]["resultHash"] != before[0]["resultHash"]
    assert after[0]["totalRacePool"] == before[0]["totalRacePool"]
    assert run(close_races(ports(three_days, now + 3 * MINUTE))) == 0


def test_an_existing_closing_is_kept_as_it_is(three_days: SqliteStore):
    run(close_races(ports(three_days, START + timedelta(hours=12))))
    closed = stored(three_days)["race-closings"]
    run(keep_history(ports(three_days, START + timedelta(days=40)), 30))
    after = {row["raceId"]: row for row in stored(three_days)["race-closings"]}
    assert len(after) == 6
    assert [after[row["raceId"]] for row in closed] == closed


def test_a_race_that_never_ended_is_closed_as_it_was_left(store: SqliteStore):
    run(imported(store, race(1)))
    run(polled(store, event(replace(race(1), status=RaceStatus.INTERIM), START + 5 * MINUTE)))
    run(keep_history(ports(store, START + timedelta(days=40)), 30))
    after = stored(store)
    assert [(row["status"], row["polls"]) for row in after["race-closings"]] == [("Interim", 1)]
    assert after["race-polls"] == []


def in_many_runs(store: SqliteStore, now: datetime) -> list[HistoryDropped]:
    """Drop in runs that have time for a step or two each."""
    runs = []
    while not runs or runs[-1].races_remaining or runs[-1].logs_remaining:
        runs.append(run(keep_history(ports(store, now, seconds=2.5, step_s=0.2), 30)))
        assert len(runs) < 50
    return runs


def test_a_run_that_ends_early_says_what_remains_and_the_next_goes_on(
    three_days: SqliteStore, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(retention, "ROWS_A_STEP", 10)
    before = stored(three_days)
    runs = in_many_runs(three_days, START + timedelta(days=40))
    assert len(runs) > 3
    remaining = [made.races_remaining for made in runs]
    assert remaining == sorted(remaining, reverse=True)
    assert remaining[0] == 6
    total = sum((made.rows for made in runs), start=HistoryDropped().rows)
    assert total == {name: len(before[name]) for name in (*HISTORY, "poll_logs", "function-runs")}
    after = stored(three_days)
    assert all(after[name] == [] for name in HISTORY)
    assert [row["polls"] for row in after["race-closings"]] == [4] * 6, "none was made of half a history"


def test_no_transaction_drops_more_than_a_step(three_days: SqliteStore, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(retention, "ROWS_A_STEP", 4)
    steps = []
    whole = SqliteStore.drop_history

    async def watched(self: SqliteStore, race_id: str, limit: int):
        rows = await whole(self, race_id, limit)
        steps.append(rows)
        return rows

    monkeypatch.setattr(SqliteStore, "drop_history", watched)
    run(keep_history(ports(three_days, START + timedelta(days=40)), 30))
    assert max(max(rows.values(), default=0) for rows in steps) == 4
    assert len(steps) > 6 * 3


def test_a_store_that_fails_ends_the_dropping_and_nothing_else(
    three_days: SqliteStore, monkeypatch: pytest.MonkeyPatch
):
    async def locked(self: SqliteStore, race_id: str, limit: int):
        raise StoreUnavailable("database is locked")

    monkeypatch.setattr(SqliteStore, "drop_history", locked)
    given = ports(three_days, START + timedelta(days=40))
    dropped = run(keep_history(given, 30))
    assert (dropped.races, dropped.rows, dropped.dropped_to) == (0, {}, None)
    assert [failure.error for failure in given.report.failures] == ["StoreUnavailable"]
    assert run(three_days.swept_to("keep-history")) is None
    monkeypatch.undo()
    assert run(keep_history(ports(three_days, START + timedelta(days=40)), 30)).races == 6


def test_a_store_without_anything_old_is_left_alone(store: SqliteStore):
    assert run(keep_history(ports(store, START), 30)).as_json() == {
        "droppedTo": None, "races": 0, "closed": 0, "rows": {}, "racesRemaining": 0, "logsRemaining": False,
    }  # fmt: skip
    run(store.save_meetings([meeting()], START))
    run(store.save_races([race(1)], START))
    run(run_race(store, race(1)))
    before = stored(store)
    dropped = run(keep_history(ports(store, START + timedelta(days=20)), 30))
    assert (dropped.races, dropped.rows) == (0, {})
    assert stored(store) == before
