"""One poll on Appwrite: what it costs in calls, what it tells listeners, and what is left when a call goes wrong."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from contract.appwrite_polling import (
    RACE_ID,
    WRITTEN,
    a_poll,
    all_at_once,
    calls_of,
    field_of,
    run,
    ten_races,
    undisturbed,
)
from contract.appwrite_store import StandInStore, appwrite_rows, open_appwrite_store
from contract.store_examples import START, event, poll, pools, race, result, runner, uid
from contract.store_steps import LATER, SOON, TTL_S, claimed, imported, state_of, target_of
from raceday.domain.entrant import PricePoint
from raceday.domain.status import RaceStatus
from raceday.store.appwrite import operations
from raceday.store.appwrite.rows import AppwriteRows
from raceday.store.appwrite.states import read_states
from raceday.store.tables import CATALOGUE, POLL_CLAIMS, RACES


@pytest.mark.parametrize("size", [1, 8, 24])
def test_a_changed_poll_costs_six_calls_whatever_the_field(size: int) -> None:
    store = open_appwrite_store()
    run(imported(store))
    assert calls_of(store, lambda mine: a_poll(mine, field_of(size, SOON))) == 6
    assert calls_of(store, lambda mine: a_poll(mine, field_of(size, LATER, shortened=0.9))) == 6
    final = replace(race(), status=RaceStatus.FINAL)
    ended = replace(
        field_of(size, START + timedelta(minutes=5)), race=final, result=result(race(), SOON), pools=pools(9_900)
    )
    assert calls_of(store, lambda mine: a_poll(mine, ended)) == 6
    assert len(appwrite_rows(store, "race-results")) == 1


def test_the_row_of_a_race_is_updated_and_never_upserted(monkeypatch: pytest.MonkeyPatch) -> None:
    """An upsert of some columns writes all the others as the platform has them in its cache."""
    store = open_appwrite_store()
    run(imported(store))
    staged: list[operations.Operation] = []
    commit = AppwriteRows.commit

    async def watched(rows: AppwriteRows, wanted: Any, verify: Any = None) -> bool:
        staged.extend(wanted)
        return await commit(rows, wanted, verify)

    monkeypatch.setattr(AppwriteRows, "commit", watched)
    run(a_poll(store.beside(), field_of(3, SOON)))  # type: ignore[arg-type]
    run(a_poll(store.beside(), field_of(3, LATER, shortened=0.9)))  # type: ignore[arg-type]
    assert [one.action for one in staged if one.table is RACES] == ["bulkUpdate", "update"]


def test_a_poll_without_news_costs_three_calls() -> None:
    store = open_appwrite_store()
    run(imported(store))
    run(a_poll(store, field_of(12, SOON)))
    again = replace(field_of(12, SOON), generated_at=SOON + timedelta(seconds=30))
    assert calls_of(store, lambda mine: a_poll(mine, again)) == 3
    assert [row["changed"] for row in appwrite_rows(store, "race-polls")].count(False) == 1
    assert run(target_of(store, RACE_ID)).last_poll_at == again.generated_at


def test_within_one_run_a_race_is_not_read_again() -> None:
    store = open_appwrite_store()
    run(imported(store))
    run(a_poll(store, field_of(12, SOON)))

    async def three_looks(mine: StandInStore) -> None:
        [target] = await mine.poll_targets([RACE_ID])
        for looks in range(3):
            at = SOON + timedelta(seconds=5 * (looks + 1))
            [claim] = await mine.claim_races([target], "run-2", at, TTL_S)
            states = await mine.race_states([RACE_ID])
            made = poll(replace(field_of(12, SOON), generated_at=at), states[RACE_ID])
            await mine.save_poll(made, claim)
            target = replace(target, last_poll_at=at)

    assert calls_of(store, three_looks) == 1 + 3 * 2


def test_ten_races_together_cost_about_a_call_a_race() -> None:
    store = open_appwrite_store()
    said = run(ten_races(store))
    assert calls_of(store, lambda mine: all_at_once(mine, said)) == 9
    assert len(appwrite_rows(store, "entrants")) == 120
    moved = [replace(one, generated_at=LATER, pools=pools(77_000)) for one in said]
    assert calls_of(store, lambda mine: all_at_once(mine, moved)) == 9
    assert [row["winPoolTotal"] for row in appwrite_rows(store, "race-pools")] == [pools(77_000).win_cents] * 10


def test_polls_are_silent_but_for_one_event_of_the_race_when_runners_moved() -> None:
    store = open_appwrite_store()
    run(imported(store))
    run(a_poll(store, field_of(12, SOON)))
    store.events.clear()
    run(a_poll(store, field_of(12, LATER)))
    assert [(told.table_id, told.action) for told in store.events if told.table_id != "poll-claims"] == []
    run(a_poll(store, field_of(12, LATER + timedelta(minutes=1), shortened=1.5)))
    told = [(told.table_id, told.row_id, told.action) for told in store.events if told.table_id != "poll-claims"]
    assert told == [("races", RACE_ID, "update")]


def test_the_state_that_comes_with_the_claim_is_the_one_in_the_tables() -> None:
    store = open_appwrite_store()
    run(imported(store))
    final = replace(race(), status=RaceStatus.FINAL)
    for said in (
        field_of(12, SOON),
        field_of(12, LATER, shortened=0.5),
        replace(field_of(11, START + timedelta(minutes=1)), race=final, result=result(race(), SOON)),
    ):
        run(a_poll(store.beside(), said))
        [kept] = run(store.beside().race_states([RACE_ID])).values()
        [read] = run(read_states(store._rows, [RACE_ID])).values()
        assert kept == replace(read, entrants={known: read.entrants[known] for known in kept.entrants})
        assert kept.entrants.keys() == read.entrants.keys()


def test_a_state_of_which_others_wrote_a_part_is_read_from_the_tables() -> None:
    store = open_appwrite_store()
    run(imported(store))
    run(a_poll(store, field_of(2, SOON)))
    bucket = appwrite_rows(store, "money-flow-history")[0]
    changed = {**bucket, "winPoolAmount": 4_242}
    written = {name: changed[name] for name in changed if not name.startswith("$") or name == "$id"}
    table = next(table for table in CATALOGUE if table.name == "money-flow-history")
    emptied = operations.update(POLL_CLAIMS, {"$id": RACE_ID, "state": None})
    run(store._rows.commit([*operations.bulk_upsert(table, [written]), emptied]))
    known = run(state_of(store.beside(), RACE_ID)).entrants[bucket["entrantId"]]
    assert [amounts.win_cents for amounts in known.buckets] == [4_242]


def test_what_others_write_while_a_poll_is_under_way_is_in_the_next_state() -> None:
    store = open_appwrite_store()
    run(imported(store))
    run(a_poll(store, field_of(2, SOON)))
    mine = store.beside()
    claim = run(claimed(mine, RACE_ID, LATER))
    made = poll(field_of(2, LATER, shortened=0.5), run(state_of(mine, RACE_ID)))
    run(store._rows.commit([operations.update(POLL_CLAIMS, {"$id": RACE_ID, "state": None})]))
    run(mine.save_poll(made, claim))
    [claim_row] = appwrite_rows(store, "poll-claims")
    assert (claim_row["state"], claim_row["owner"]) == (None, None)
    assert run(state_of(store.beside(), RACE_ID)).fingerprint == made.fingerprint


def test_a_runner_without_a_name_keeps_its_stored_one_also_when_there_is_no_state() -> None:
    store = open_appwrite_store()
    run(imported(store))
    run(a_poll(store, field_of(2, SOON)))
    run(store._rows.commit([operations.update(POLL_CLAIMS, {"$id": RACE_ID, "state": None})]))
    nameless = tuple(replace(one, name=None, runner_number=None) for one in field_of(2, LATER, 0.5).entrants)
    run(a_poll(store, replace(field_of(2, LATER), entrants=nameless)))
    named = {(row["name"], row["runnerNumber"]) for row in appwrite_rows(store, "entrants")}
    assert named == {("Runner 1", 1), ("Runner 2", 2)}


def test_polls_without_news_are_written_with_the_next_news_and_are_read_meanwhile() -> None:
    store = open_appwrite_store()
    run(imported(store))
    run(a_poll(store, field_of(3, SOON)))
    for seconds in (30, 60, 90):
        run(a_poll(store, replace(field_of(3, SOON), generated_at=SOON + timedelta(seconds=seconds))))
    assert len(run(store.poll_marks())) == 4
    run(a_poll(store, field_of(3, SOON + timedelta(minutes=2), shortened=0.5)))
    [claim_row] = appwrite_rows(store, "poll-claims")
    assert claim_row["pendingRows"] is None
    assert len(run(store.poll_marks())) == len(appwrite_rows(store, "race-polls")) == 5


def test_when_much_waits_it_is_written_though_there_is_no_news() -> None:
    store = open_appwrite_store()
    run(imported(store))
    run(a_poll(store, field_of(1, SOON)))
    many = 200
    for number in range(1, many):
        run(a_poll(store, replace(field_of(1, SOON), generated_at=SOON + timedelta(seconds=number))))
    tables = store.project.databases["raceday-db"].tables
    assert len(tables["race-polls"].rows) > 1
    assert len(run(store.poll_marks())) == many


def test_thousands_of_points_of_price_history_are_written_whole() -> None:
    store = open_appwrite_store()
    run(imported(store))
    of = race()
    history = tuple(PricePoint(SOON - timedelta(seconds=number + 1), 2.0 + number / 1000) for number in range(1200))
    runners = tuple(runner(number, of, price_history=history) for number in range(1, 10))
    said = event(of, SOON, 9, entrants=runners)
    run(a_poll(store, said))
    assert len(appwrite_rows(store, "odds-history")) > 9 * 1200


def test_a_race_of_another_importer_gets_its_schedule_when_it_is_asked_for() -> None:
    store = open_appwrite_store()
    run(imported(store))
    run(store._rows.delete(POLL_CLAIMS, RACE_ID))
    run(a_poll(store, field_of(2, SOON)))
    assert run(target_of(store, RACE_ID)).last_poll_at == SOON
    assert run(store.poll_targets([uid("nowhere")])) == []


def test_what_is_unique_in_a_table_is_the_rows_id_so_that_no_upsert_meets_another_row() -> None:
    store = undisturbed()
    unique = {(table.name, index.columns) for table in CATALOGUE for index in table.indexes if index.kind == "unique"}
    by_id = {("meetings", "meetingId"), ("races", "raceId"), ("race-results", "raceId"), ("race-pools", "raceId")}
    assert unique == {(table, (column,)) for table, column in by_id} | {("jockey-silks", ("silkId",))}
    for table, column in by_id - {("race-results", "raceId")}:
        [row] = appwrite_rows(store, table)
        assert row["$id"] == row[column]


def test_no_row_that_a_poll_writes_could_be_taken_for_empty() -> None:
    store = undisturbed()
    for table in WRITTEN:
        for row in appwrite_rows(store, table):
            assert any(value for name, value in row.items() if not name.startswith("$")), (table, row)
