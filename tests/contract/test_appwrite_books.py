"""RaceDay's own books on Appwrite: one call each, what waits in the claims counts, and totals go beyond 5,000."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from contract.appwrite_steps import calls_of, meddle, polled_without_news
from contract.appwrite_store import OPENED_AT, StandInStore, appwrite_rows, open_appwrite_store
from contract.store_examples import DAY, IMPORTED, event, race
from contract.store_steps import LATER, SOON, imported, polled, run
from raceday.domain.racing_day import DailyStage, StageProgress
from raceday.simulator.appwrite.faults import DROPPED, Fault
from raceday.simulator.appwrite.instants import stamp
from raceday.store.values import PollFailure, RunEntry

ENTRY = RunEntry("exec-1", "daily-races", "schedule", IMPORTED, 1500, 200, 12, 1, 0, 0, 13, 25, 48.5, "ok")
FAILURE = PollFailure(race().race_id, SOON, "enhanced-race-poller", "exec-1", "FeedUnavailable", "timed out")
BEGUN = StageProgress(DAY, DailyStage.ENTRANTS, complete=False, started_at=IMPORTED, done=20, processed=20, remaining=7)
DONE = replace(BEGUN, complete=True, finished_at=LATER, done=27, remaining=0)

Write = Callable[[StandInStore], Coroutine[Any, Any, None]]


def log_run(store: StandInStore) -> Coroutine[Any, Any, None]:
    return store.log_run(ENTRY)


def log_poll(store: StandInStore) -> Coroutine[Any, Any, None]:
    return store.log_poll(FAILURE)


def note_swept(store: StandInStore) -> Coroutine[Any, Any, None]:
    return store.note_swept("keep-history", SOON, LATER)


def save_stage(store: StandInStore) -> Coroutine[Any, Any, None]:
    return store.save_stage(DONE)


@pytest.fixture
def store() -> StandInStore:
    return open_appwrite_store()


@pytest.mark.parametrize(
    ("write", "table"),
    [(log_run, "function-runs"), (log_poll, "poll_logs"), (note_swept, "sweeps"), (save_stage, "daily-stages")],
)
def test_a_book_is_written_in_one_call_and_once_when_its_answer_is_lost(
    store: StandInStore, write: Write, table: str
) -> None:
    run(write(store))
    assert store.calls == 1
    once = appwrite_rows(store, table)
    assert len(once) == 1
    other = open_appwrite_store()
    other.faults.next_calls(Fault(DROPPED, after_effect=True))
    run(write(other))
    assert other.calls == 2
    assert [row["$id"] for row in appwrite_rows(other, table)] == [row["$id"] for row in once]


@pytest.mark.parametrize(("begun", "before"), [(False, ("POST", "/rows")), (True, ("PATCH", ""))])
def test_a_stage_that_another_run_completes_meanwhile_stays_complete(
    store: StandInStore, monkeypatch: pytest.MonkeyPatch, begun: bool, before: tuple[str, str]
) -> None:
    if begun:
        run(store.save_stage(BEGUN))
    other = store.beside()
    meddle(monkeypatch, store, before, lambda: other.save_stage(DONE))
    run(store.save_stage(replace(BEGUN, done=21)))
    assert run(store.stage(DAY, DailyStage.ENTRANTS)) == DONE


def test_polls_that_wait_in_the_claims_are_polls_all_the_same(store: StandInStore) -> None:
    run(imported(store, race(1), race(2)))
    run(polled(store, event(race(1), SOON)))
    for seconds in (30, 60):
        run(polled_without_news(store, race(1), SOON, SOON + timedelta(seconds=seconds)))
    run(polled(store, event(race(2), LATER)))
    written = store.project.databases["raceday-db"].tables["race-polls"].rows
    assert len(written) == 2, "polls without news wait"
    assert run(store.day_counts()).polls == 4
    times = sorted(mark.polled_at for mark in run(store.poll_marks()))
    assert times == [SOON, LATER, LATER, SOON + timedelta(seconds=60)]
    assert len(run(store.poll_marks(LATER))) == 3
    run(polled(store, event(race(1), SOON + timedelta(seconds=90), win_cents=2_000_000)))
    assert len(written) == 5
    assert run(store.day_counts()).polls == len(run(store.poll_marks())) == 5


def test_a_poll_that_is_written_between_the_reads_is_seen_once(
    store: StandInStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(imported(store, race()))
    run(polled(store, event(race(), SOON)))
    run(polled_without_news(store, race(), SOON, LATER))
    news = event(race(), LATER + timedelta(seconds=30), win_cents=2_000_000)
    poller = store.beside()
    meddle(monkeypatch, store, ("GET", "/race-polls/rows"), lambda: polled(poller, news))
    assert len(run(store.poll_marks())) == 3


def test_counts_do_not_stop_where_the_platform_stops_counting(store: StandInStore) -> None:
    table = store.project.databases["raceday-db"].tables["poll_logs"]
    at = stamp(OPENED_AT)
    for number in range(5_003):
        table.rows.put({
            "$id": f"log-{number}", "$sequence": str(number), "$createdAt": at, "$updatedAt": at, "$permissions": [],
            "$databaseId": table.database_id, "$tableId": table.table_id, "error": "FeedUnavailable",
            "occurredAt": stamp(SOON + timedelta(seconds=number)),
        })  # fmt: skip
    run(store.log_poll(replace(FAILURE, error="DegradedPoll")))
    assert run(store.day_counts()).failed_polls == 5_003
    [tally] = [one for one in run(store.poll_failures(SOON, LATER + timedelta(days=1))) if one.polls > 1]
    assert (tally.polls, tally.last_at) == (5_003, SOON + timedelta(seconds=5_002))


def test_the_counts_of_a_day_are_a_call_for_each_table_and_one_for_what_waits(store: StandInStore) -> None:
    run(imported(store, race(1), race(2)))
    store.log.calls.clear()
    run(store.day_counts())
    calls = calls_of(store)
    assert len(calls) == len(set(calls)) == 12
