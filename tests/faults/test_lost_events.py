"""Row events lost, doubled, late and shuffled: after the sweeps the rows are those of a run without any loss."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from builders import FIRST, RACE, SECOND, START, race
from legacy_writer import LegacyWriter, Round
from raceday.domain.money_flow import Estimator
from raceday.errors import StoreUnavailable
from raceday.jobs.aggregate_pools import aggregate_pools
from raceday.jobs.ports import Deadline, JobPorts
from raceday.jobs.report import RunReport
from raceday.jobs.sweep_flow import sweep_money_flow, sweep_pools
from raceday.jobs.track_money_flow import track_money_flow
from raceday.store.events import RowEvent
from raceday.store.rows.updates import entrant_update
from raceday.store.rows.values import instant_text
from raceday.store.sqlite import SqliteStore

THIRD = "0c9f31a4-52b7-4e0e-b2f4-6c4a53a2e1d7"
IMPORTED = START - timedelta(hours=9)
MINUTES = (70, 62, 56, 48, 41, 34, 26, 19, 12, 5)
"""A round every six minutes or more: the sweep of every five minutes comes between any two."""
NONE = timedelta()


class SetClock:
    """A clock that stands where it is put."""

    def __init__(self, now: datetime) -> None:
        self.time = now

    def now(self) -> datetime:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


class NoLog:
    """A log that nobody reads."""

    def debug(self, action: str, **fields: object) -> None: ...

    def info(self, action: str, **fields: object) -> None: ...

    def warning(self, action: str, **fields: object) -> None: ...

    def error(self, action: str, **fields: object) -> None: ...


@dataclass
class FlowDay:
    """A store with one race, its other writer, and the two functions."""

    store: SqliteStore = field(default_factory=lambda: SqliteStore.open(":memory:"))
    clock: SetClock = field(default_factory=lambda: SetClock(IMPORTED))

    def __post_init__(self) -> None:
        self.writer = LegacyWriter(self.store._db._connection, RACE, [FIRST, SECOND, THIRD])

    async def prepare(self) -> None:
        await self.store.save_races([race()], IMPORTED)
        self.writer.insert_runners(IMPORTED)

    def ports(self, function: str, deadline_s: float = 55) -> JobPorts:
        nothing: Any = None
        return JobPorts(
            function,
            "run-1",
            nothing,
            self.store,
            self.clock,
            nothing,
            NoLog(),
            Deadline.after(self.clock, deadline_s),
            RunReport(),
        )

    async def deliver(self, event: RowEvent) -> None:
        update = entrant_update({"$id": event.row_id, **event.row})
        await track_money_flow(self.ports("money-flow-tracker"), update, Estimator.HOLD)
        await aggregate_pools(self.ports("race-pools-aggregator"), update, Estimator.HOLD)

    async def sweep(self, deadline_s: float = 55) -> list[RunReport]:
        return [
            await sweep_money_flow(self.ports("money-flow-tracker", deadline_s), Estimator.HOLD),
            await sweep_pools(self.ports("race-pools-aggregator", deadline_s), Estimator.HOLD),
        ]

    def ends(self) -> dict[str, list[dict[str, Any]]]:
        """All that the functions wrote, without when they did."""
        return {
            table: [
                {name: row[name] for name in row if name not in {"$createdAt", "$updatedAt"}}
                for row in self.store._db.rows(f'SELECT * FROM {table} ORDER BY "$id"')
            ]
            for table in ("money_flow_history", "race_pools")
        }


NOW, LOST, TWICE, LATE = "now", "lost", "twice", "late"
rounds = st.lists(
    st.tuples(st.integers(0, 900_000), st.lists(st.integers(0, 60), min_size=3, max_size=3)), min_size=1, max_size=5
)
fates = st.lists(st.sampled_from([NOW, NOW, LOST, TWICE, LATE]), min_size=15, max_size=15)


async def a_day(seen: list[Round], fate_of: list[str], *, swept: bool) -> dict[str, list[dict[str, Any]]]:
    """Write round after round, deliver each event as its fate says, and sweep between the rounds."""
    of = FlowDay()
    await of.prepare()
    late: list[RowEvent] = []
    fate = iter(fate_of)
    for told in seen:
        of.clock.time = told.at
        due, late = late[::-1], []
        for event in of.writer.write_round(told):
            kind = next(fate)
            due += {NOW: [event], LOST: [], TWICE: [event, event], LATE: []}[kind]
            late += [event] if kind == LATE else []
        for event in due:
            await of.deliver(event)
        if swept:
            of.clock.time = told.at + timedelta(minutes=5)
            await of.sweep()
    for event in late:
        await of.deliver(event)
    ends = of.ends()
    await of.store.close()
    return ends


@settings(max_examples=25, deadline=None)
@given(rounds, fates)
def test_whatever_happens_to_events_the_rows_end_as_without_loss(pools_and_holds, fate_of):
    seen = [
        Round(START - timedelta(minutes=minutes), win_cents, holds)
        for minutes, (win_cents, holds) in zip(MINUTES, pools_and_holds, strict=False)
    ]

    whole = asyncio.run(a_day(seen, [NOW] * 15, swept=False))

    assert asyncio.run(a_day(seen, fate_of, swept=True)) == whole
    assert asyncio.run(a_day(seen, [LOST] * 15, swept=True)) == whole
    assert len(whole["money_flow_history"]) >= 3


def seen_at(minutes: float, win_cents: int = 100_000) -> Round:
    return Round(START - timedelta(minutes=minutes), win_cents, [50, 30, 20])


def test_a_state_that_was_overwritten_before_the_sweep_leaves_a_gap_and_no_wrong_sum():
    async def scenario() -> list[dict[str, Any]]:
        of = FlowDay()
        await of.prepare()
        for minutes, win_cents in ((70, 100_000), (56, 200_000), (49, 300_000)):
            of.clock.time = START - timedelta(minutes=minutes)
            of.writer.write_round(seen_at(minutes, win_cents))
            if minutes != 56:
                await of.sweep()
        return [row for row in of.ends()["money_flow_history"] if row["entrantId"] == FIRST]

    rows = {row["timeInterval"]: row["incrementalWinAmount"] for row in asyncio.run(scenario())}

    assert rows == {60: 50_000, 45: 100_000}


def test_a_sweep_without_time_says_what_remains_and_the_next_one_does_it():
    async def scenario() -> None:
        of = FlowDay()
        await of.prepare()
        of.writer.write_round(seen_at(58))
        of.clock.time = START - timedelta(minutes=30)

        flow, pools = await of.sweep(deadline_s=1)
        assert (flow.remaining, pools.remaining, of.ends()["money_flow_history"]) == (1, 1, [])
        assert flow.details["sweptTo"] == "2026-11-22T02:02:00.000+00:00", "not over what was left"

        flow, pools = await of.sweep()
        assert (flow.details["derived"], pools.details["derived"]) == (3, 1)
        assert flow.details["sweptTo"] == "2026-11-22T02:30:00.000+00:00"

        flow, pools = await of.sweep()
        assert (flow.processed, flow.skipped, pools.processed) == (0, 0, 0), "nothing was written since"

    asyncio.run(scenario())


def test_a_write_that_becomes_visible_after_the_sweep_is_found_by_the_next_one():
    async def scenario() -> None:
        of = FlowDay()
        await of.prepare()
        of.clock.time = START - timedelta(minutes=57)
        await of.sweep()
        of.writer.write_round(seen_at(58))
        of.clock.time = START - timedelta(minutes=52)

        flow, pools = await of.sweep()

        assert (flow.details["derived"], pools.details["derived"]) == (3, 1)

    asyncio.run(scenario())


def test_a_race_that_fails_is_swept_again_and_costs_no_other_race_its_sweep(monkeypatch):
    other = race(race_id="7b6a7a53-3c1c-4f0e-9f3b-3f0c8f0b2f11")
    horses = ["11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222",
              "33333333-3333-4333-8333-333333333333"]  # fmt: skip

    async def scenario() -> None:
        of = FlowDay()
        await of.prepare()
        await of.store.save_races([other], IMPORTED)
        second = LegacyWriter(of.store._db._connection, other.race_id, horses)
        second.insert_runners(IMPORTED)
        of.writer.write_round(seen_at(58))
        second.write_round(seen_at(52))
        of.clock.time = START - timedelta(minutes=50)
        race_flow = of.store.race_flow

        async def broken(race_id: str, since: datetime):
            if race_id == RACE:
                raise StoreUnavailable("the disk is full")
            return await race_flow(race_id, since)

        monkeypatch.setattr(of.store, "race_flow", broken)
        report = await sweep_money_flow(of.ports("money-flow-tracker"), Estimator.HOLD)
        assert (report.processed, report.failed, report.details["derived"]) == (1, 1, 3)
        assert report.details["sweptTo"] == "2026-11-22T02:02:00.000+00:00"

        monkeypatch.undo()
        report = await sweep_money_flow(of.ports("money-flow-tracker"), Estimator.HOLD)
        assert (report.failed, report.details["derived"], report.details["alreadyDerived"]) == (0, 3, 3)

    asyncio.run(scenario())


def test_a_sweep_repairs_increments_that_do_not_add_up():
    async def scenario() -> None:
        of = FlowDay()
        await of.prepare()
        for minutes, win_cents in ((70, 100_000), (56, 200_000)):
            for event in of.writer.write_round(seen_at(minutes, win_cents)):
                await of.deliver(event)
        whole = of.ends()
        of.store._db.write(
            'UPDATE money_flow_history SET "incrementalWinAmount" = 7, "incrementalAmount" = 7, "isBaseline" = 1 '
            'WHERE "timeInterval" = ?',
            (55,),
        )
        of.clock.time = START - timedelta(minutes=50)

        flow, _ = await of.sweep()

        assert (flow.details["derived"], flow.details["repaired"]) == (0, 3)
        assert of.ends() == whole

    asyncio.run(scenario())


def test_a_stamp_in_the_future_freezes_neither_pools_nor_money_flow():
    """A writer that takes New Zealand's clock for UTC is thirteen hours ahead; the time of the write counts then."""

    async def ends(ahead: timedelta) -> tuple[int, dict[int, int]]:
        of = FlowDay()
        await of.prepare()
        for minutes, win_cents, wrong_by in ((26, 100_000, NONE), (19, 200_000, ahead), (12, 900_000, NONE)):
            of.clock.time = START - timedelta(minutes=minutes)
            for event in of.writer.write_round(seen_at(minutes, win_cents)):
                of.store._db.write(
                    'UPDATE entrants SET "lastUpdated" = ? WHERE "$id" = ?',
                    (instant_text(of.clock.time + wrong_by), event.row_id),
                )
                await of.deliver(of.writer.event(event.row_id))
        [pools] = of.ends()["race_pools"]
        rows = [row for row in of.ends()["money_flow_history"] if row["entrantId"] == FIRST]
        await of.store.close()
        return pools["winPoolTotal"], {row["timeInterval"]: row["incrementalWinAmount"] for row in rows}

    right = asyncio.run(ends(NONE))

    assert right == (900_000, {25: 0, 15: 50_000, 10: 350_000})
    assert asyncio.run(ends(timedelta(hours=13))) == right
