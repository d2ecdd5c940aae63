"""One poll on Appwrite: what it costs in calls, what it tells listeners, and what is left when a call goes wrong."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from contract.appwrite_store import StandInStore, appwrite_rows, open_appwrite_store
from contract.store_examples import START, event, meeting, poll, pools, race, result, runner, uid
from contract.store_steps import IMPORTED, LATER, SOON, TTL_S, claimed, imported, state_of, target_of
from raceday.domain.entrant import PricePoint
from raceday.domain.odds import Odds
from raceday.domain.race_poll import RaceEvent
from raceday.domain.status import RaceStatus
from raceday.errors import StoreConflict, StoreUnavailable
from raceday.simulator.appwrite.faults import DROPPED, Fault
from raceday.store.appwrite import operations
from raceday.store.appwrite.rows import AppwriteRows
from raceday.store.appwrite.states import read_states
from raceday.store.tables import CATALOGUE, POLL_CLAIMS, RACES

run = asyncio.run
RACE_ID = race().race_id
WRITTEN = ("races", "entrants", "race-results", "odds-history", "money-flow-history", "race-pools", "race-polls")
UNSTEADY = {"$updatedAt", "$createdAt", "$sequence", "polledBy"}


def field_of(size: int, at: datetime, shortened: float = 0.0, **changes: Any) -> RaceEvent:
    of = race()
    entrants = tuple(
        runner(number, of, odds=Odds(3.0 + number - shortened, 1.2 + number / 10, 3.1 + number, 1.3 + number / 10))
        for number in range(1, size + 1)
    )
    return event(of, at, size, **{"entrants": entrants, **changes})


async def a_poll(store: StandInStore, said: RaceEvent, owner: str = "run-1") -> None:
    """Poll as a poller does: choose, claim, state, save."""
    [target] = await store.poll_targets([said.race.race_id])
    [claim] = await store.claim_races([target], owner, said.generated_at, TTL_S)
    states = await store.race_states([said.race.race_id])
    await store.save_poll(poll(said, states[said.race.race_id]), claim)


def contents(store: StandInStore) -> dict[str, list[dict[str, Any]]]:
    return {
        table: [{name: row[name] for name in row if name not in UNSTEADY} for row in appwrite_rows(store, table)]
        for table in WRITTEN
    }


def calls_of(store: StandInStore, work: Callable[[StandInStore], Awaitable[object]]) -> int:
    """How many requests went over the wire for some work of a new run."""
    store.log.calls.clear()
    run(work(store.beside()))  # type: ignore[arg-type]
    return len(store.log.calls)


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


async def ten_races(store: StandInStore) -> list[RaceEvent]:
    races = [race(number) for number in range(1, 11)]
    await store.save_meetings([meeting()], IMPORTED)
    await store.save_races(races, IMPORTED)
    return [event(of, SOON, 12) for of in races]


async def all_at_once(store: StandInStore, said: list[RaceEvent]) -> dict[str, StoreConflict]:
    targets = await store.poll_targets([one.race.race_id for one in said])
    claims = {claim.race_id: claim for claim in await store.claim_races(targets, "batch", said[0].generated_at, TTL_S)}
    states = await store.race_states(list(claims))
    return await store.save_polls([(poll(one, states[one.race.race_id]), claims[one.race.race_id]) for one in said])


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


def test_a_claim_that_was_taken_over_while_the_poll_was_staged_writes_nothing() -> None:
    store = open_appwrite_store()
    run(imported(store))
    mine = store.beside()
    claim = run(claimed(mine, RACE_ID, SOON))
    made = poll(field_of(2, SOON), run(state_of(mine, RACE_ID)))
    before = contents(store)

    async def taken_over(path: str) -> None:
        if path.endswith("/operations"):
            await store.beside().claim_races([await target_of(store, RACE_ID)], "run-2", claim.expires_at, TTL_S)

    before_each_call(mine, taken_over)
    with pytest.raises(StoreConflict, match="taken over"):
        run(mine.save_poll(made, claim))
    assert contents(store) == before


def test_a_claim_taken_over_between_the_check_and_the_commit_writes_nothing() -> None:
    store = open_appwrite_store()
    run(imported(store))
    mine = store.beside()
    claim = run(claimed(mine, RACE_ID, SOON))
    made = poll(field_of(2, SOON), run(state_of(mine, RACE_ID)))
    before = contents(store)
    paths: list[str] = []

    async def taken_over(path: str) -> None:
        if paths and paths[-1].endswith("/rows") and "transactions/" in path:
            await store.beside().claim_races([await target_of(store, RACE_ID)], "run-2", claim.expires_at, TTL_S)
        paths.append(path)

    before_each_call(mine, taken_over)
    with pytest.raises(StoreConflict, match="taken over"):
        run(mine.save_poll(made, claim))
    assert contents(store) == before


def test_one_lost_claim_does_not_cost_the_others_of_a_batch() -> None:
    store = open_appwrite_store()
    said = run(ten_races(store))
    mine = store.beside()
    lost = said[3].race.race_id

    async def batch() -> dict[str, StoreConflict]:
        targets = await mine.poll_targets([one.race.race_id for one in said])
        claims = {claim.race_id: claim for claim in await mine.claim_races(targets, "batch", SOON, TTL_S)}
        states = await mine.race_states(list(claims))
        other = store.beside()
        await other.claim_races([await target_of(other, lost)], "run-2", claims[lost].expires_at, TTL_S)
        return await mine.save_polls([(poll(one, states[one.race.race_id]), claims[one.race.race_id]) for one in said])

    assert run(batch()).keys() == {lost}
    assert Counter(row["raceId"] for row in appwrite_rows(store, "race-polls")).keys() == {
        one.race.race_id for one in said if one.race.race_id != lost
    }


def test_two_batches_at_once_poll_each_race_once() -> None:
    store = open_appwrite_store()
    said = run(ten_races(store))

    async def both() -> list[list[Any]]:
        async def claims(owner: str) -> list[Any]:
            mine = store.beside()
            targets = await mine.poll_targets([one.race.race_id for one in said])
            return await mine.claim_races(targets, owner, SOON, TTL_S)

        return list(await asyncio.gather(*(claims(f"run-{number}") for number in range(4))))

    won = [claim.race_id for claims in run(both()) for claim in claims]
    assert sorted(won) == sorted(one.race.race_id for one in said)


def before_each_call(store: StandInStore, act: Callable[[str], Awaitable[None]]) -> None:
    """Let something happen before each request of this run."""

    class Before(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            await act(request.url.path)
            return await inner.handle_async_request(request)

    inner = store._rest._connections
    store._rest._connections = Before()


DAY = [
    lambda: field_of(3, SOON),
    lambda: replace(field_of(3, SOON), generated_at=SOON + timedelta(seconds=30)),
    lambda: field_of(3, SOON + timedelta(minutes=5), shortened=1.0),
]


def undisturbed() -> StandInStore:
    store = open_appwrite_store()
    run(imported(store))
    for said in DAY:
        run(a_poll(store.beside(), said()))
    return store


@pytest.mark.parametrize("fault", [Fault(DROPPED), Fault(DROPPED, after_effect=True), Fault(429), Fault(500, True)])
def test_any_call_may_fail_once_and_nothing_is_lost_or_doubled(fault: Fault) -> None:
    whole = undisturbed()
    calls = len([call for call in whole.log.calls if call.path]) + 6
    for failing in range(calls):
        store = open_appwrite_store()
        run(imported(store))
        store.log.calls.clear()
        made = 0

        async def spoil(_path: str) -> None:
            nonlocal made
            if made == failing:  # noqa: B023 (used up within the round)
                store.faults.next_calls(fault)  # noqa: B023
            made += 1

        for said in DAY:
            mine = store.beside()
            before_each_call(mine, spoil)
            run(a_poll(mine, said()))
        assert contents(store) == contents(whole), f"call {failing}"


def test_a_run_killed_at_any_call_is_made_good_by_the_next() -> None:
    whole = undisturbed()
    for killed in range(30):
        store = open_appwrite_store()
        run(imported(store))
        made = 0

        async def kill(_path: str) -> None:
            nonlocal made
            made += 1
            if made == killed + 1:  # noqa: B023 (used up within the round)
                raise asyncio.CancelledError

        for said in DAY:
            mine = store.beside()
            before_each_call(mine, kill)
            try:
                run(a_poll(mine, said()))
            except asyncio.CancelledError:
                run(after_expiry(store, said()))
        assert contents(store) == contents(whole), f"call {killed}"


async def after_expiry(store: StandInStore, said: RaceEvent) -> None:
    """Poll as the next run does, which is refused where the killed one had come to the end."""
    mine = store.beside()
    [target] = await mine.poll_targets([said.race.race_id])
    if target.last_poll_at == said.generated_at:
        return
    [claim] = await mine.claim_races([target], "run-2", said.generated_at + timedelta(seconds=TTL_S), TTL_S)
    states = await mine.race_states([said.race.race_id])
    await mine.save_poll(poll(said, states[said.race.race_id]), claim)


def test_a_platform_that_stays_away_is_an_error_and_the_race_is_free_again_by_itself() -> None:
    store = open_appwrite_store()
    run(imported(store))
    mine = store.beside()
    claim = run(claimed(mine, RACE_ID, SOON))
    made = poll(field_of(2, SOON), run(state_of(mine, RACE_ID)))
    store.faults.next_calls(Fault(503, has_content_type=False), count=60)
    with pytest.raises(StoreUnavailable):
        run(mine.save_poll(made, claim))
    store.faults._next.clear()
    run(after_expiry(store, field_of(2, SOON)))
    assert len(appwrite_rows(store, "race-polls")) == 1


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
