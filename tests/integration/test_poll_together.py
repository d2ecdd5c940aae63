"""Several races polled as one group: claimed together, written together, and none of them costs another its poll."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

import pytest

from contract.store_examples import START, event, meeting, race
from contract.store_steps import IMPORTED
from raceday.clock import Clock
from raceday.domain.cadence import ENHANCED, PollTarget
from raceday.domain.meeting import Meeting
from raceday.domain.race import Race
from raceday.domain.race_poll import RaceEvent, RacePoll
from raceday.errors import FeedUnavailable, StoreConflict, StoreUnavailable
from raceday.host.virtual_time import run_virtual
from raceday.jobs.poll_races import PollPlan, PollTally
from raceday.jobs.poll_together import poll_together
from raceday.jobs.ports import Deadline, JobPorts
from raceday.jobs.report import RunReport
from raceday.runtime.log import JsonLog
from raceday.runtime.wiring import open_executions
from raceday.store.sqlite import SqliteStore
from raceday.store.values import PollClaim

RACES = [race(number, advertised_start=START) for number in range(1, 13)]
NOW = START - timedelta(minutes=30)


@dataclass
class AnsweringFeed:
    """Answers each race after so many seconds, or fails."""

    clock: Clock
    takes_s: dict[int, float] = field(default_factory=dict)
    fails: set[int] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    calls: int = 0

    async def event(self, race_id: str, *, with_price_history: bool) -> RaceEvent:
        of = next(one for one in RACES if one.race_id == race_id)
        self.asked.append(race_id)
        await self.clock.sleep(self.takes_s.get(of.race_number, 0.1))
        if of.race_number in self.fails:
            raise FeedUnavailable("no answer")
        return event(of, self.clock.now())

    async def meeting(self, meeting_id: str) -> tuple[Meeting, Sequence[Race]]:
        return meeting(), RACES

    async def meetings(self, date_from: date, date_to: date) -> Sequence[tuple[Meeting, Sequence[Race]]]:
        return [(meeting(), RACES)]


class WatchedStore(SqliteStore):
    """Notes what is claimed and written in one go."""

    claimed: list[int]
    written: list[tuple[datetime, list[int]]]
    clock: Clock
    refuses_to_write = False

    async def claim_races(
        self, targets: Sequence[PollTarget], owner: str, at: datetime, ttl_s: float
    ) -> list[PollClaim]:
        self.claimed.append(len(targets))
        return await super().claim_races(targets, owner, at, ttl_s)

    async def save_polls(self, polls: Sequence[tuple[RacePoll, PollClaim]]) -> dict[str, StoreConflict]:
        if self.refuses_to_write:
            raise StoreUnavailable("the disk is full")
        self.written.append((self.clock.now(), sorted(poll.race.race_number for poll, _ in polls)))
        return await super().save_polls(polls)


@dataclass
class Group:
    clock: Clock
    feed: AnsweringFeed
    store: WatchedStore
    ports: JobPorts

    async def targets(self) -> list[PollTarget]:
        return await self.store.poll_targets([one.race_id for one in RACES])

    async def poll(self, *, force: bool = True, for_s: float = 60.0) -> PollTally:
        plan = PollPlan(ENHANCED, self.clock.now() + timedelta(seconds=for_s), rounds=1, force=force)
        return await poll_together(self.ports, await self.targets(), plan)


def together(scenario: Callable[[Group], Awaitable[None]]) -> None:
    async def whole(clock: Clock) -> None:
        store = WatchedStore.open(":memory:")
        assert isinstance(store, SqliteStore)
        watched = WatchedStore(store._db)
        watched.claimed, watched.written, watched.clock = [], [], clock
        await watched.save_meetings([meeting()], IMPORTED)
        await watched.save_races(RACES, IMPORTED)
        feed = AnsweringFeed(clock)
        lines: list[object] = []
        ports = JobPorts(
            function="batch-race-poller",
            owner="run-1",
            feed=feed,
            store=watched,
            clock=clock,
            executions=open_executions(None),
            log=JsonLog(lines.append, lines.append, "ERROR"),
            deadline=Deadline.after(clock, 170),
            report=RunReport(),
        )
        await scenario(Group(clock, feed, watched, ports))

    run_virtual(whole, NOW)


def test_a_dozen_races_are_two_groups() -> None:
    async def scenario(group: Group) -> None:
        tally = await group.poll()
        assert len(tally.polls) == 12
        assert group.store.claimed == [10, 2]
        assert [len(numbers) for _, numbers in group.store.written] == [10, 2]
        assert len(set(group.feed.asked)) == len(group.feed.asked) == 12

    together(scenario)


def test_what_the_feed_does_not_answer_fails_alone() -> None:
    async def scenario(group: Group) -> None:
        group.feed.fails = {2, 12}
        tally = await group.poll()
        assert sorted(poll.race.race_number for poll in tally.polls) == [1, *range(3, 12)]
        assert tally.report.failed == 2
        assert (await group.store.day_counts()).failed_polls == 2
        freed = {target.race_id: target for target in await group.targets()}
        assert freed[RACES[1].race_id].not_before is not None
        assert freed[RACES[1].race_id].last_poll_at is None

    together(scenario)


def test_a_slow_answer_does_not_hold_the_others_up() -> None:
    async def scenario(group: Group) -> None:
        group.feed.takes_s = {3: 9.0}
        await group.poll()
        (first_at, first), *_, (last_at, last) = group.store.written[:2]
        assert (first_at - NOW).total_seconds() < 3
        assert 3 not in first
        assert last == [3]
        assert (last_at - NOW).total_seconds() == pytest.approx(9, abs=1)

    together(scenario)


def test_races_that_fall_due_later_are_waited_for() -> None:
    async def scenario(group: Group) -> None:
        await group.poll()
        await group.clock.sleep(145)
        polled_at = {target.race_id: target.last_poll_at for target in await group.targets()}
        tally = await group.poll(force=False)
        assert len(tally.polls) == 12
        assert max(poll.timing.lateness_s for poll in tally.polls) < 2
        for poll in tally.polls:
            before = polled_at[poll.race.race_id]
            assert before is not None
            assert (poll.timing.polled_at - before).total_seconds() >= 150

    together(scenario)


def test_nobody_is_polled_before_its_second_and_whoever_is_late_says_so() -> None:
    async def scenario(group: Group) -> None:
        for one in RACES:
            [target] = await group.store.poll_targets([one.race_id])
            plan = PollPlan(ENHANCED, group.clock.now() + timedelta(seconds=60), rounds=1, force=True)
            await poll_together(group.ports, [target], plan)
            await group.clock.sleep(0.2)
        before = {target.race_id: target.last_poll_at for target in await group.targets()}
        await group.clock.sleep(140)
        on_time = await group.poll(force=False)
        assert len(on_time.polls) == 12
        for poll in on_time.polls:
            assert poll.timing.polled_at - (before[poll.race.race_id] or NOW) >= timedelta(seconds=150)
        await group.clock.sleep(200)
        group.ports = replace(group.ports, deadline=Deadline.after(group.clock, 170))
        late = await group.poll(force=False)
        assert [poll.timing.lateness_s > 40 for poll in late.polls] == [True] * 12

    together(scenario)


def test_a_race_that_another_run_polls_is_left_to_it() -> None:
    async def scenario(group: Group) -> None:
        [other] = await group.store.poll_targets([RACES[0].race_id])
        await group.store.claim_races([other], "run-2", NOW, 60)
        tally = await group.poll()
        assert tally.claimed_elsewhere == {RACES[0].race_id}
        assert len(tally.polls) == 11
        assert RACES[0].race_id not in group.feed.asked

    together(scenario)


def test_a_store_that_does_not_write_loses_no_claim_and_counts_no_poll() -> None:
    async def scenario(group: Group) -> None:
        group.store.refuses_to_write = True
        tally = await group.poll()
        assert (tally.report.processed, tally.report.failed) == (0, 12)
        group.store.refuses_to_write = False
        await group.clock.sleep(15)
        assert len((await group.poll()).polls) == 12

    together(scenario)


def test_what_is_cut_off_is_free_at_once() -> None:
    async def scenario(group: Group) -> None:
        group.feed.takes_s = dict.fromkeys(range(1, 13), 5.0)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await group.poll()
        won = await group.store.claim_races(await group.targets(), "run-2", group.clock.now(), 60)
        assert len(won) == 12

    together(scenario)


def test_a_run_without_time_leaves_the_rest_and_says_so() -> None:
    async def scenario(group: Group) -> None:
        group.feed.takes_s = dict.fromkeys(range(1, 13), 4.0)
        tally = await group.poll(for_s=5.0)
        assert len(tally.polls) == 10
        assert tally.report.remaining == 2
        assert len(tally.not_come_to) == 2

    together(scenario)
