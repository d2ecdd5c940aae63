"""What the operator looks at, on Appwrite: few calls, what waits in the claims counts, and dropping is bounded."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from contract.appwrite_steps import calls_of, meddle, polled_without_news
from contract.appwrite_store import StandInStore, appwrite_rows, open_appwrite_store
from contract.store_examples import IMPORTED, START, event, meeting, pools, race, result
from contract.store_steps import LATER, SOON, imported, polled, run, state_of
from contract.suite_health import AFTER, TWO_DAYS, ended, failure, run_entry
from raceday.domain.closing import closing_of
from raceday.domain.race import Race
from raceday.domain.status import RaceStatus
from raceday.store.appwrite.operations import OPERATIONS_AT_ONCE
from raceday.store.appwrite.snapshot import OUTDATED

SECOND = timedelta(seconds=1)
HISTORY = ("odds-history", "money-flow-history", "race-polls")


@pytest.fixture
def store() -> StandInStore:
    return open_appwrite_store()


def table_size(store: StandInStore, name: str) -> int:
    """How many rows are in a table itself."""
    return len(store.project.databases["raceday-db"].tables[name].rows)


def claim_row(store: StandInStore, of: Race) -> dict[str, object]:
    return next(row for row in appwrite_rows(store, "poll-claims") if row["$id"] == of.race_id)


async def with_waiting_polls(store: StandInStore, of: Race, polls: int) -> None:
    """Poll a race once with news, then without; every one of these is degraded."""
    await polled(store, event(of, SOON))
    for number in range(1, polls + 1):
        await polled_without_news(store, of, SOON, SOON + number * SECOND, degraded=True)


def test_degraded_polls_that_wait_are_seen_as_points_and_in_the_logs(store: StandInStore) -> None:
    run(imported(store, race(1), race(2)))
    run(with_waiting_polls(store, race(1), 2))
    run(store.log_poll(failure(race(2), SOON + SECOND)))
    assert (table_size(store, "race-polls"), table_size(store, "poll_logs")) == (1, 1)
    assert len(run(store.degraded_polls(SOON, LATER))) == 2
    assert len(run(store.degraded_polls(SOON + 2 * SECOND, LATER))) == 1
    run(polled(store, event(race(1), LATER, win_cents=2_000_000)))
    assert table_size(store, "race-polls") == 4
    assert len(run(store.degraded_polls(SOON, LATER))) == 2
    assert [(tally.kind, tally.polls) for tally in run(store.poll_failures(SOON, SOON + SECOND))] == [
        ("DegradedPoll", 1), ("FeedUnavailable", 1),
    ]  # fmt: skip


def test_a_snapshot_is_made_from_waiting_polls_too(store: StandInStore) -> None:
    run(imported(store))
    run(with_waiting_polls(store, race(), 3))
    run(store.log_poll(failure(race(), LATER)))
    history = run(store.race_history(race().race_id))
    assert history is not None
    assert (len(history.polls), history.degraded_polls, history.failed_polls) == (4, 3, 1)


def test_a_result_amended_while_the_snapshot_is_made_makes_it_anew(
    store: StandInStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(imported(store))
    run(ended(store, race()))
    over, said = race(status=RaceStatus.FINAL), result(race(), AFTER + SECOND)
    amended = replace(said, placings=tuple(reversed(said.placings)), protest_lodged=True)
    poller = store.beside()

    async def amend() -> None:
        await polled(poller, event(over, AFTER + SECOND, result=amended))

    meddle(monkeypatch, store, ("GET", "/entrants/rows"), amend)
    history = run(store.race_history(race().race_id))
    assert history is not None
    run(store.save_closing(closing_of(history, AFTER)))
    assert run(store.races_to_close(*TWO_DAYS, AFTER)) == [race().race_id]


def test_a_snapshot_costs_ten_calls_and_one(store: StandInStore) -> None:
    run(imported(store))
    run(ended(store, race()))
    store.log.calls.clear()
    history = run(store.race_history(race().race_id))
    assert history is not None
    assert len(calls_of(store)) == 10
    run(store.save_closing(closing_of(history, AFTER)))
    assert calls_of(store) == ["PUT race-closings/rows"]


def test_looking_for_races_to_close_costs_three_calls_and_one_while_none_is_over(store: StandInStore) -> None:
    run(store.save_meetings([meeting(1)], IMPORTED))
    run(store.save_races([race(number) for number in range(1, 11)], IMPORTED))
    store.log.calls.clear()
    assert run(store.races_to_close(*TWO_DAYS, AFTER)) == []
    assert calls_of(store) == ["GET races/rows"]
    for number in range(1, 11):
        run(ended(store, race(number)))
    store.log.calls.clear()
    assert len(run(store.races_to_close(*TWO_DAYS, AFTER))) == 10
    assert calls_of(store) == ["GET races/rows", "GET race-results/rows", "GET race-closings/rows"]


def test_the_races_and_buckets_of_a_day_come_in_four_calls(store: StandInStore) -> None:
    said = [race(number) for number in range(1, 11)]
    run(imported(store, *said))
    for of in said:
        run(polled(store, event(of, SOON)))
    store.log.calls.clear()
    followed = run(store.followed_races(*TWO_DAYS))
    assert [one.race_id for one in followed] == [of.race_id for of in said]
    assert len(run(store.buckets_present([one.race_id for one in followed]))) == 10
    assert len(calls_of(store)) == 4
    assert run(store.followed_races(AFTER, AFTER + SECOND)) == []
    assert run(store.buckets_present([])) == {}
    assert calls_of(store) == ["GET races/rows"]


def test_the_runs_of_all_functions_come_in_one_call_and_one_for_each_that_is_silent(store: StandInStore) -> None:
    functions = [f"function-{number}" for number in range(12)]
    for number, function in enumerate(functions[:10]):
        run(store.log_run(run_entry(function, SOON + number * SECOND)))
        run(store.log_run(run_entry(function, LATER + number * SECOND, 500)))
    run(store.log_run(run_entry(functions[10], SOON - timedelta(days=3))))
    run(store.log_run(run_entry(functions[0].upper(), LATER + SECOND, 500)))
    store.log.calls.clear()
    found = run(store.function_runs(functions, SOON, AFTER))
    assert calls_of(store) == ["GET function-runs/rows"] * 3
    assert [(runs.runs, runs.failed) for runs in found.values()] == [(2, 1)] * 10 + [(0, 0)] * 2
    assert [runs.last is not None for runs in found.values()] == [True] * 11 + [False]
    newest = found[functions[3]].last
    assert newest is not None
    assert newest.started_at == LATER + 3 * SECOND


def test_a_snapshot_of_another_spelling_of_an_id_is_none(store: StandInStore) -> None:
    run(imported(store))
    assert run(store.race_history(race().race_id.upper())) is None


def test_dropping_history_takes_what_waits_and_the_state_with_it_and_raises_no_event(store: StandInStore) -> None:
    run(imported(store, race(1), race(2)))
    for of in (race(1), race(2)):
        run(with_waiting_polls(store, of, 2))
    kept = claim_row(store, race(2))
    store.events.clear()
    dropped = run(store.drop_history(race(1).race_id, 1000))
    assert dropped == {"odds-history": 12, "money-flow-history": 3, "race-polls": 3, "poll_logs": 2}
    row = claim_row(store, race(1))
    assert (row["state"], row["pendingRows"], row["token"]) == (OUTDATED, None, 3)
    assert claim_row(store, race(2)) == kept
    assert {notice.table_id for notice in store.events} <= {"poll-claims"}
    store.log.calls.clear()
    assert run(store.drop_history(race(1).race_id, 1000)) == {}
    assert calls_of(store) == [f"GET {table}/rows" for table in (*HISTORY, "poll-claims")]
    state = run(state_of(store.beside(), race(1).race_id))
    assert (state.pools, [runner.buckets for runner in state.entrants.values()]) == (pools(), [(), (), ()])


@pytest.mark.parametrize("limit", [1, 3, 5])
def test_what_waits_is_within_the_limit_too(store: StandInStore, limit: int) -> None:
    run(imported(store))
    run(with_waiting_polls(store, race(), 5))
    steps = []
    while step := run(store.drop_history(race().race_id, limit)):
        steps.append(step)
    assert all(rows <= limit for step in steps for rows in step.values())
    assert sum(step.get("race-polls", 0) for step in steps) == 6
    assert sum(step.get("poll_logs", 0) for step in steps) == 5
    assert [len(appwrite_rows(store, table)) for table in (*HISTORY, "poll_logs")] == [0, 0, 0, 0]


def fill(store: StandInStore, name: str, rows: int, **columns: object) -> None:
    """Put rows into a table, past the API."""
    table = store.project.databases["raceday-db"].tables[name]
    for number in range(rows):
        sequence = table.rows.next_sequence()
        table.rows.put({
            "$id": f"row-{name}-{number}", "$sequence": sequence, "$createdAt": "", "$updatedAt": "",
            "$permissions": [], "$databaseId": table.database_id, "$tableId": name, **columns,
        })  # fmt: skip


def test_the_largest_step_of_history_is_one_transaction(store: StandInStore) -> None:
    run(imported(store))
    for name in HISTORY:
        fill(store, name, 2001, raceId=race().race_id)
    store.log.calls.clear()
    assert run(store.drop_history(race().race_id, 2000)) == dict.fromkeys(HISTORY, 2000)
    asked = calls_of(store)
    assert len(asked) == 6 + 1 + 3
    assert run(store.drop_history(race().race_id, 2000)) == dict.fromkeys(HISTORY, 1)
    assert [table_size(store, name) for name in HISTORY] == [0, 0, 0]


def test_a_step_larger_than_a_transaction_takes_several(store: StandInStore) -> None:
    run(imported(store))
    rows = 80 * OPERATIONS_AT_ONCE + 1
    fill(store, "odds-history", rows, raceId=race().race_id)
    assert run(store.drop_history(race().race_id, rows)) == {"odds-history": rows}
    assert table_size(store, "odds-history") == 0


def test_the_largest_step_of_logs_is_one_transaction_and_takes_the_oldest_first(store: StandInStore) -> None:
    old = "2026-01-01T00:00:00.000+00:00"
    columns = {"poll_logs": "occurredAt", "function-runs": "startedAt", "notifications": "crossedAt",
               "alert-backlog": "occurredAt"}  # fmt: skip
    for number in range(3):
        run(store.log_run(run_entry("f", SOON + number * SECOND)))
    for name, column in columns.items():
        fill(store, name, 2000, **{column: old})
    assert run(store.drop_logs(START, 2000)) == dict.fromkeys(columns, 2000)
    assert len(store.log.of("PATCH", "/transactions/")) == 1
    assert run(store.drop_logs(START, 2000)) == {"function-runs": 3}
