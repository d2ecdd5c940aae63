"""Money flow on Appwrite when several runs write the same race at once, or an answer is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from contract.appwrite_store import appwrite_rows
from contract.store_examples import START, event, race, runner
from contract.store_steps import SOON, imported, polled
from contract.suite_flow import AFTER, NOW, told
from contract.timed_appwrite_store import RACE, TimedStore, amounts, increments, open_timed, write_runner
from raceday.domain.flow import MoneyFlow
from raceday.domain.flow_update import FlowRace, FlowStanding, update_flow
from raceday.domain.money_flow import Estimator
from raceday.errors import StoreConflict
from raceday.simulator.appwrite.faults import DROPPED, Fault
from raceday.store.appwrite.flow import FLOW_TRIES
from raceday.store.appwrite.operations import OPERATIONS_AT_ONCE
from raceday.store.rows.flow import update_bucket_row
from raceday.store.rows.values import Row, instant_text
from raceday.store.tables import MONEY_FLOW_HISTORY

run = asyncio.run


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


def test_an_older_update_does_not_undo_a_newer_one_that_came_in_between() -> None:
    async def scenario() -> None:
        store = open_timed()
        await imported(store)
        await store.save_flow(told(SOON, 1_000), Estimator.HOLD, NOW)
        rival, commit = store.beside(), store._rows.commit

        async def overtaken(operations: Any, verify: Callable[[], Awaitable[bool]] | None = None) -> bool:
            await rival.save_flow(told(SOON + timedelta(seconds=9), 9_000), Estimator.HOLD, NOW)
            return await commit(operations, verify)

        store._rows.commit = overtaken  # type: ignore[method-assign]
        assert not await store.save_flow(told(SOON + timedelta(seconds=5), 5_000), Estimator.HOLD, NOW)
        assert amounts(store) == {20: 9_000}

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
