"""The suite of money flow and pools by event on Appwrite, what its operations cost there, and writers at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from contract.appwrite_store import OPENED_AT, StandInStore, appwrite_rows, open_appwrite_store
from contract.store_examples import IMPORTED, START, event, poll, race, runner
from contract.store_steps import LATER, SOON, claimed, imported, polled, state_of
from contract.suite_flow import AFTER, NOW, FlowSuite, all_day, told
from raceday.domain.entrant_update import EntrantUpdate
from raceday.domain.flow import MoneyFlow
from raceday.domain.flow_update import FlowRace, FlowStanding, update_flow
from raceday.domain.money_flow import Estimator
from raceday.domain.race_poll import RacePoll
from raceday.errors import StoreConflict
from raceday.simulator.appwrite.faults import DROPPED, Fault
from raceday.store.appwrite.flow import FLOW_TRIES
from raceday.store.appwrite.operations import OPERATIONS_AT_ONCE
from raceday.store.appwrite.own_polls import SAME_COMMIT
from raceday.store.ports import PollClaim, RaceStore
from raceday.store.rows.flow import update_bucket_row
from raceday.store.rows.updates import entrant_update
from raceday.store.rows.values import Row, instant_text
from raceday.store.tables import ENTRANTS, MONEY_FLOW_HISTORY, POLL_CLAIMS

run = asyncio.run
RACE = race().race_id
COMMITS = timedelta(milliseconds=700)
"""How long after asking the feed a poll is committed here."""


class PolledClock:
    """The platform's clock; every poll is committed a moment after it was made."""

    def __init__(self) -> None:
        self.instant = OPENED_AT

    def now(self) -> datetime:
        return self.instant

    async def sleep(self, seconds: float) -> None:
        self.instant += timedelta(seconds=seconds)
        for _ in range(round(seconds * 1000)):
            await asyncio.sleep(0)


class TimedStore(StandInStore):
    """A store whose platform's clock goes with the polls."""

    clock: PolledClock

    async def save_poll(self, poll: RacePoll, claim: PollClaim) -> None:
        self.clock.instant = poll.timing.polled_at + COMMITS
        await super().save_poll(poll, claim)

    def beside(self) -> TimedStore:
        """The store as another run sees it."""
        return timed(super().beside(), self.clock)


def timed(plain: StandInStore, clock: PolledClock) -> TimedStore:
    store = TimedStore(plain._rest)
    store.project, store.log, store.faults, store.events = plain.project, plain.log, plain.faults, plain.events
    store.clock = clock
    return store


def open_timed() -> TimedStore:
    clock = PolledClock()
    return timed(open_appwrite_store(clock), clock)


async def write_runner(store: RaceStore, entrant_id: str, columns: dict[str, object]) -> None:
    """Write a runner as another program with a key does: one row, stamped as that program says."""
    assert isinstance(store, TimedStore)
    assert await store._rows.update(ENTRANTS, entrant_id, columns) is not None


class TestFlowAppwrite(FlowSuite):
    def make_store(self, folder: Path) -> RaceStore:
        return open_timed()

    def rows(self, store: RaceStore, table: str) -> list[dict[str, object]]:
        return appwrite_rows(store, table)

    def write_runner(self, store: RaceStore, entrant_id: str, columns: dict[str, object]) -> None:
        run(write_runner(store, entrant_id, columns))


async def calls_of(store: RaceStore, made: Awaitable[Any]) -> int:
    before = store.calls
    await made
    return store.calls - before


async def runners(store: RaceStore) -> list[EntrantUpdate]:
    return [entrant_update(row) for row in appwrite_rows(store, "entrants")]


def buckets(store: RaceStore, number: int = 1) -> dict[int, dict[str, Any]]:
    entrant_id = runner(number, race()).entrant_id
    rows = appwrite_rows(store, "money-flow-history")
    return {row["timeInterval"]: row for row in rows if row["entrantId"] == entrant_id}


def increments(store: RaceStore) -> dict[int, int]:
    return {bucket: row["incrementalWinAmount"] for bucket, row in buckets(store).items()}


def amounts(store: RaceStore) -> dict[int, int]:
    return {bucket: row["winPoolAmount"] for bucket, row in buckets(store).items()}


def claim_row(store: RaceStore) -> dict[str, Any]:
    [row] = appwrite_rows(store, "poll-claims")
    return row


# What it costs


def test_the_event_of_our_own_poll_costs_one_call() -> None:
    async def scenario() -> None:
        store = open_timed()
        await imported(store)
        await polled(store, event(race(), SOON))
        for update in await runners(store):
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


# Writers at once


def slow(store: TimedStore, seed: int = 1) -> TimedStore:
    """Let every call take a while, some longer, so that those of several runs fall between each other."""
    store.faults.latency_s, store.faults.slow_share, store.faults.slow_s = 0.002, 0.5, (0.001, 0.020)
    store.faults.seed = seed
    return store


@pytest.mark.parametrize("seed", range(6))
def test_all_updates_of_a_runner_at_once_leave_what_they_leave_one_by_one(seed: int) -> None:
    async def scenario() -> None:
        minutes = (75, 50, 43, 38, 33, 28, 11, 1)
        updates = [told(START - timedelta(minutes=each), 1_000 * (100 - each)) for each in minutes]
        one_by_one, together = open_timed(), open_timed()
        for store in (one_by_one, together):
            await imported(store)
        for update in updates:
            await one_by_one.save_flow(update, Estimator.HOLD, NOW)
        slow(together, seed)
        await asyncio.gather(*(together.beside().save_flow(each, Estimator.HOLD, NOW) for each in updates))
        assert increments(together) == increments(one_by_one)
        assert sum(increments(together).values()) == 99_000
        assert await together.repair_increments(RACE, NOW) == 0

    run(scenario())


@pytest.mark.parametrize("seed", range(6))
def test_of_updates_of_one_bucket_at_once_the_latest_stays(seed: int) -> None:
    async def scenario() -> None:
        store = slow(open_timed(), seed)
        await imported(store)
        updates = [told(SOON + timedelta(seconds=each), 1_000 * each) for each in range(1, 6)]
        await asyncio.gather(*(store.beside().save_flow(each, Estimator.HOLD, NOW) for each in updates))
        assert amounts(store) == {20: 5_000}

    run(scenario())


def test_twelve_events_of_a_race_do_not_collide() -> None:
    """An older poller writes every runner: as many events, eight at a time."""

    async def scenario() -> None:
        store = open_timed()
        await imported(store)
        await polled(store, event(race(), SOON))
        others = [slow(store).beside() for _ in range(3)]
        updates = [told(AFTER, number=number) for number in (1, 2, 3)]
        wrote = await asyncio.gather(
            *(other.save_flow(update, Estimator.HOLD, NOW) for other, update in zip(others, updates, strict=True))
        )
        assert wrote == [True, True, True]
        later = [told(AFTER + timedelta(seconds=1), number=number) for number in (1, 2, 3)]
        before = [other.calls for other in others]
        await asyncio.gather(
            *(other.save_flow(update, Estimator.HOLD, NOW) for other, update in zip(others, later, strict=True))
        )
        assert [other.calls - was for other, was in zip(others, before, strict=True)] == [9, 9, 9]

    run(scenario())


def test_aggregators_of_one_race_at_once_leave_one_total() -> None:
    async def scenario() -> None:
        store = open_timed()
        await imported(store)
        await polled(store, event(race(), SOON, win_cents=1_000_000))
        for number in (1, 2, 3):
            stamped = {"winPoolAmount": 900_000, "lastUpdated": instant_text(AFTER), "$updatedAt": instant_text(AFTER)}
            await write_runner(store, runner(number, race()).entrant_id, stamped)
        wrote = await asyncio.gather(*(store.beside().save_pool_totals(RACE, Estimator.HOLD, NOW) for _ in range(5)))
        assert sorted(wrote) == [False, False, False, False, True]
        [row] = appwrite_rows(store, "race-pools")
        assert row["lastUpdated"] == instant_text(AFTER)

    run(scenario())


def test_whoever_is_beaten_every_time_says_so() -> None:
    async def scenario() -> None:
        store = open_timed()
        await imported(store)
        await store.save_flow(told(SOON, 1_000), Estimator.HOLD, NOW)
        rival, seconds = store.beside(), iter(range(60, 600))
        commit = store._rows.commit

        async def beaten(operations: Any, verify: Callable[[], Awaitable[bool]] | None = None) -> bool:
            rows = await rival._rows.find(MONEY_FLOW_HISTORY)
            await rival._rows.update(MONEY_FLOW_HISTORY, rows[0]["$id"], {"winPoolAmount": next(seconds)})
            return await commit(operations, verify)

        store._rows.commit = beaten  # type: ignore[method-assign]
        with pytest.raises(StoreConflict, match=RACE):
            await store.save_flow(told(SOON + timedelta(seconds=9), 2_000), Estimator.HOLD, NOW)
        assert next(seconds) == 60 + FLOW_TRIES

    run(scenario())


def test_a_lost_answer_writes_nothing_twice() -> None:
    async def scenario() -> None:
        store = open_timed()
        await imported(store)
        store.faults.next_calls(Fault(DROPPED, after_effect=True), method="PATCH", part_of_path="/transactions/")
        assert await store.save_flow(told(SOON), Estimator.HOLD, NOW)
        assert amounts(store) == {20: 250_000}

    run(scenario())


def test_more_wrong_increments_than_a_transaction_holds_are_all_repaired() -> None:
    def bucket_row(number: int, minutes: int) -> Row:
        """A bucket as if it were the runner's only one."""
        update = told(START - timedelta(minutes=minutes), 1_000 * (100 - minutes), number)
        made = update_flow(update, FlowStanding((), FlowRace(START)), Estimator.HOLD)
        assert isinstance(made, MoneyFlow)
        return update_bucket_row(made.buckets[0])

    async def scenario() -> None:
        store = open_timed()
        await imported(store)
        rows = [bucket_row(number, minutes) for number in (1, 2, 3) for minutes in range(75, -45, -1)]
        await store._rows.upsert(MONEY_FLOW_HISTORY, rows)
        assert await store.repair_increments(RACE, NOW) > OPERATIONS_AT_ONCE
        assert await store.repair_increments(RACE, NOW) == 0
        assert sum(increments(store).values()) == max(amounts(store).values()) == 144_000

    run(scenario())
