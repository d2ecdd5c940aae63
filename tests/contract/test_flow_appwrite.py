"""The suite of money flow and pools by event on Appwrite, what its operations cost there, and whose write it was."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from contract.appwrite_store import StandInStore, appwrite_rows
from contract.store_examples import IMPORTED, event, poll, race, runner
from contract.store_steps import LATER, SOON, claimed, imported, polled, state_of
from contract.suite_flow import AFTER, NOW, FlowSuite, all_day, told
from contract.timed_appwrite_store import RACE, buckets, calls_of, claim_row, open_timed, runners, write_runner
from raceday.domain.money_flow import Estimator
from raceday.store.appwrite.own_polls import SAME_COMMIT
from raceday.store.ports import RaceStore
from raceday.store.rows.values import instant_text
from raceday.store.tables import ENTRANTS, POLL_CLAIMS

run = asyncio.run


class TestFlowAppwrite(FlowSuite):
    def make_store(self, folder: Path) -> RaceStore:
        return open_timed()

    def rows(self, store: RaceStore, table: str) -> list[dict[str, object]]:
        return appwrite_rows(store, table)

    def write_runner(self, store: RaceStore, entrant_id: str, columns: dict[str, object]) -> None:
        run(write_runner(store, entrant_id, columns))


# What it costs


def test_the_event_of_our_own_poll_costs_one_call() -> None:
    async def scenario() -> None:
        store = open_timed()
        await imported(store)
        await polled(store, event(race(), SOON))
        for update in runners(store):
            assert await calls_of(store, store.flow_standing(update)) == 1
            assert await calls_of(store, store.pool_standing(update)) == 2

    run(scenario())


def test_another_writer_s_event_costs_as_much_as_its_operations_say() -> None:
    async def scenario() -> None:
        store = open_timed()
        await imported(store)
        assert await calls_of(store, store.flow_standing(told(SOON))) == 3
        assert await calls_of(store, store.save_flow(told(SOON), Estimator.HOLD, NOW)) == 8
        assert await calls_of(store, store.save_flow(told(SOON), Estimator.HOLD, NOW)) == 3
        replacing = told(SOON + timedelta(seconds=1))
        assert await calls_of(store, store.save_flow(replacing, Estimator.HOLD, NOW)) == 9
        assert await calls_of(store, store.race_flow(RACE, IMPORTED)) == 4
        assert await calls_of(store, store.repair_increments(RACE, NOW)) == 1
        await polled(store, event(race(), SOON))
        assert await calls_of(store, store.runners_written_by_others(all_day(IMPORTED))) == 3
        await write_runner(
            store, runner(1, race()).entrant_id, {"winPoolAmount": 7, "lastUpdated": instant_text(AFTER)}
        )
        assert await calls_of(store, store.pool_standing(told(AFTER))) == 4
        assert await calls_of(store, store.save_pool_totals(RACE, Estimator.HOLD, NOW)) == 8

    run(scenario())


def test_what_is_written_starts_no_function() -> None:
    async def scenario() -> None:
        store = open_timed()
        await imported(store)
        await polled(store, event(race(), SOON))
        store.events.clear()
        await store.save_flow(told(AFTER), Estimator.HOLD, NOW)
        assert {event.table_id for event in store.events} & {"entrants", "races"} == set()

    run(scenario())


# Whose write it was


@pytest.mark.parametrize("seconds", [1, 20, 59])
def test_a_correction_under_a_poll_s_stamp_is_told_from_the_poll(seconds: int) -> None:
    async def scenario() -> None:
        store = open_timed()
        await imported(store)
        await polled(store, event(race(), SOON))
        store.clock.instant += SAME_COMMIT + timedelta(seconds=seconds)
        await write_runner(store, runner(2, race()).entrant_id, {"winPoolAmount": 7})
        [update] = await store.runners_written_by_others(all_day(SOON))
        assert (update.runner_number, update.win_cents) == (2, 7)
        assert timedelta(0) <= update.written_at - store.clock.instant < timedelta(milliseconds=10)
        standing = await store.pool_standing(told(AFTER))
        assert standing is not None
        foreign = [each.runner_number for each in standing.runners if each.written_at not in standing.polls]
        assert foreign == [2]

    run(scenario())


def test_a_poll_that_took_minutes_is_still_ours() -> None:
    async def scenario() -> None:
        store = open_timed()
        await imported(store)
        claim = await claimed(store, RACE, SOON)
        made = poll(event(race(), SOON), await state_of(store, RACE))
        store.clock.instant = SOON + timedelta(minutes=3)
        await StandInStore.save_poll(store, made, claim)
        assert await store.runners_written_by_others(all_day(IMPORTED)) == []
        standing = await store.pool_standing(told(AFTER))
        assert standing is not None
        assert {each.written_at for each in standing.runners} == {SOON} == standing.polls

    run(scenario())


def test_a_writer_between_two_polls_of_ours_is_seen_though_it_is_near_their_commits() -> None:
    async def scenario() -> None:
        store = open_timed()
        await imported(store)
        await polled(store, event(race(), SOON))
        stamped = SOON + timedelta(milliseconds=200)
        await write_runner(store, runner(3, race()).entrant_id, {"lastUpdated": instant_text(stamped)})
        [update] = await store.runners_written_by_others(all_day(SOON))
        assert (update.runner_number, update.written_at) == (3, stamped)

    run(scenario())


def test_polls_without_news_that_still_wait_belong_to_a_race_s_flow() -> None:
    async def scenario() -> None:
        store = open_timed()
        await imported(store)
        said = event(race(), SOON)
        await polled(store, said)
        await polled(store, replace(said, generated_at=LATER))
        flow = await store.race_flow(RACE, IMPORTED)
        assert flow is not None
        assert flow.polls == {SOON, LATER}
        assert claim_row(store)["pendingRows"] is not None

    run(scenario())


def test_an_id_in_other_letters_is_another_id() -> None:
    async def scenario() -> None:
        store = open_timed()
        await imported(store)
        await polled(store, event(race(), SOON))
        assert RACE.upper() != RACE
        shouted = replace(told(AFTER), race_id=RACE.upper())
        assert (await store.flow_standing(shouted)).race is None
        assert await store.pool_standing(shouted) is None
        assert await store.race_flow(RACE.upper(), IMPORTED) is None
        assert not (await store.flow_standing(replace(told(SOON), race_id=RACE.upper()))).polled
        assert await store.silk_runners(RACE.upper()) == []
        entrant_id = runner(1, race()).entrant_id
        assert await store.silk_runners_by_id([entrant_id.upper()]) == {}
        assert (await store.flow_standing(replace(told(AFTER), entrant_id=entrant_id.upper()))).buckets == ()

    run(scenario())


# The next poll


def test_the_next_poll_reads_what_another_writer_s_event_left() -> None:
    async def scenario() -> None:
        store = open_timed()
        await imported(store)
        await polled(store, event(race(), SOON))
        assert claim_row(store)["state"]
        known = await state_of(store.beside(), RACE)
        await store.save_flow(told(AFTER), Estimator.HOLD, NOW)
        after = await state_of(store.beside(), RACE)
        entrant_id = runner(1, race()).entrant_id
        assert len(after.entrants[entrant_id].buckets) == len(known.entrants[entrant_id].buckets) + 1

    run(scenario())


def test_a_race_that_was_never_polled_is_read_from_its_tables_once_others_wrote_its_flow() -> None:
    async def scenario() -> None:
        store = open_timed()
        await imported(store)
        row = {"$id": runner(1, race()).entrant_id, "entrantId": runner(1, race()).entrant_id, "raceId": RACE}
        await store._rows.create(ENTRANTS, {**row, "name": "Told by others", "runnerNumber": 1})
        await store.save_flow(told(SOON), Estimator.HOLD, NOW)
        [known] = (await state_of(store.beside(), RACE)).entrants.values()
        assert [amounts.win_cents for amounts in known.buckets] == [250_000]

    run(scenario())


def test_the_totals_of_others_reach_the_next_poll() -> None:
    async def scenario() -> None:
        store = open_timed()
        await imported(store)
        await polled(store, event(race(), SOON, win_cents=1_000_000))
        for number in (1, 2, 3):
            stamped = {"winPoolAmount": 900_000, "lastUpdated": instant_text(AFTER), "$updatedAt": instant_text(AFTER)}
            await write_runner(store, runner(number, race()).entrant_id, stamped)
        assert await store.save_pool_totals(RACE, Estimator.HOLD, NOW)
        pools = (await state_of(store.beside(), RACE)).pools
        [row] = appwrite_rows(store, "race-pools")
        assert pools is not None
        assert pools.win_cents == row["winPoolTotal"] != 1_000_000

    run(scenario())


def test_a_poll_that_was_under_way_is_written_and_the_flow_of_others_stays() -> None:
    async def scenario() -> None:
        store = open_timed()
        await imported(store)
        await polled(store, event(race(), SOON))
        claim = await claimed(store, RACE, NOW)
        made = poll(event(race(), NOW, win_cents=3_000_000), await state_of(store, RACE))
        await store.beside().save_flow(told(AFTER), Estimator.HOLD, NOW)
        await store.save_poll(made, claim)
        assert buckets(store)[15]["dataQualityScore"] is not None
        assert {20, 15} <= set(buckets(store))
        assert claim_row(store)["lastPollAt"] == instant_text(NOW)
        assert (await state_of(store.beside(), RACE)).entrants

    run(scenario())


def test_a_race_of_another_importer_has_no_claim_and_gets_its_buckets() -> None:
    async def scenario() -> None:
        store = open_timed()
        await imported(store)
        await store._rows.delete(POLL_CLAIMS, RACE)
        assert await store.save_flow(told(SOON), Estimator.HOLD, NOW)
        assert list(buckets(store)) == [20]
        assert appwrite_rows(store, "poll-claims") == []

    run(scenario())
