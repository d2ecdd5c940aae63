"""Several runs at one race, their calls to the platform in any order, some of them lost, some runs killed.

Whatever the order: no interval is polled twice, what the tables hold is what the polls that were written leave one
after the other, and the state that waits in the claim is the one in the tables.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import httpx
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.appwrite_store import StandInStore, appwrite_rows, open_appwrite_store
from contract.store_examples import event, poll, race, runner
from contract.store_steps import SOON, imported
from raceday.domain.entrant_update import EntrantUpdate
from raceday.domain.money_flow import Estimator
from raceday.domain.odds import Odds
from raceday.domain.race_poll import RaceEvent
from raceday.domain.status import RaceStatus
from raceday.errors import StoreConflict, StoreUnavailable
from raceday.store.appwrite.snapshot import state_of as snapshot_of
from raceday.store.appwrite.states import read_states

RACE_ID = race().race_id
TTL_S = 20.0
HISTORY = ("races", "entrants", "odds-history", "money-flow-history", "race-pools", "race-polls")
UNSTEADY = {"$updatedAt", "$createdAt", "$sequence", "polledBy", "claimToken"}
ANSWERED, LOST, UNHEARD, KILLED = "answered", "lost before its effect", "lost after its effect", "killed"


def said(at: datetime) -> RaceEvent:
    """What the feed says at an instant: every other half minute brings nothing new."""
    half_minutes = int((at - SOON).total_seconds()) // 30
    moved = (half_minutes // 2) * 0.1
    of = race()
    entrants = tuple(runner(number, of, odds=Odds(9.0 + number - moved, 1.5, 4.0 + number, 1.4)) for number in (1, 2))
    return event(of, at, 2, 1_000_000 + 50_000 * (half_minutes // 2), entrants=entrants)


@dataclass
class Gate(httpx.AsyncBaseTransport):
    """Holds every request of one run until it is let through; a run may make several at once."""

    inner: httpx.AsyncBaseTransport
    waiting: list[asyncio.Future[str]] = field(default_factory=list)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        held: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.waiting.append(held)
        try:
            fate = await held
        finally:
            self.waiting.remove(held)
        if fate == LOST:
            raise httpx.ReadError("connection dropped")
        answer = await self.inner.handle_async_request(request)
        if fate == UNHEARD:
            raise httpx.ReadError("connection dropped")
        return answer

    def holds(self) -> bool:
        """Whether something waits here and nothing is under way."""
        return bool(self.waiting) and not any(held.done() for held in self.waiting)


@dataclass
class Runs:
    """The runs of one case over one project, and the polls that their jobs believe were written."""

    store: StandInStore
    gates: list[Gate] = field(default_factory=list)
    tasks: list[asyncio.Task[None]] = field(default_factory=list)
    written: dict[datetime, datetime | None] = field(default_factory=dict)
    doubtful: set[datetime] = field(default_factory=set)

    def begin(self, work: Callable[[StandInStore], Coroutine[Any, Any, None]]) -> None:
        """Begin a run of its own and hold it at its first call."""
        mine = self.store.beside()
        gate = Gate(mine._rest._connections)
        mine._rest._connections = gate
        self.gates.append(gate)
        self.tasks.append(asyncio.get_running_loop().create_task(work(mine)))

    async def poll(self, mine: StandInStore, owner: str, at: datetime) -> None:
        """Poll as `poll_race` does: what fails gives the claim back."""
        target = claim = None
        try:
            [target] = await mine.poll_targets([RACE_ID])
            claims = await mine.claim_races([target], owner, at, TTL_S)
            if not claims:
                return
            claim = claims[0]
            states = await mine.race_states([RACE_ID])
            await mine.save_poll(poll(said(at), states[RACE_ID]), claim)
            self.written[at] = target.last_poll_at
        except StoreConflict:
            return
        except (StoreUnavailable, asyncio.CancelledError):
            self.doubtful.add(at)
            if claim is not None:
                try:
                    await mine.release_claim(claim, None)
                except (StoreUnavailable, StoreConflict, asyncio.CancelledError):
                    return

    async def to_the_end(self, order: list[tuple[int, str]]) -> None:
        """Let calls through in an order, then whatever is left one by one."""
        steps = iter(order)
        while await self._settled():
            held = [number for number, task in enumerate(self.tasks) if not task.done()]
            choice, fate = next(steps, (0, ANSWERED))
            number = held[choice % len(held)]
            if fate == KILLED:
                self.tasks[number].cancel()
            else:
                self.gates[number].waiting[0].set_result(fate)
        for task in self.tasks:
            await task

    async def _settled(self) -> bool:
        """Wait until every run is held at its gate or over; say whether any is held."""
        while True:
            for _ in range(5):
                await asyncio.sleep(0)
            pairs = list(zip(self.tasks, self.gates, strict=True))
            if all(task.done() or gate.holds() for task, gate in pairs):
                return not all(task.done() for task in self.tasks)
            await asyncio.sleep(0.0002)


def contents(store: StandInStore) -> dict[str, list[dict[str, Any]]]:
    return {
        table: [{name: row[name] for name in row if name not in UNSTEADY} for row in appwrite_rows(store, table)]
        for table in HISTORY
    }


async def one_by_one(instants: list[datetime]) -> StandInStore:
    """The store that polls leave which nobody disturbed."""
    store = open_appwrite_store()
    await imported(store)
    runs = Runs(store)
    for at in instants:
        await runs.poll(store.beside(), f"run-{at:%H%M%S}", at)
    assert sorted(runs.written) == instants
    return store


def polled_at(store: StandInStore) -> list[datetime]:
    return sorted(datetime.fromisoformat(row["polledAt"]) for row in appwrite_rows(store, "race-polls"))


async def state_is_in_step(store: StandInStore) -> bool:
    [claim] = appwrite_rows(store, "poll-claims")
    kept = snapshot_of(claim)
    if kept is None or claim["lastPollAt"] is None:
        return True
    [read] = (await read_states(store._rows, [RACE_ID])).values()
    entrants = {known: _in_order(read.entrants[known]) for known in kept.entrants}
    return replace(kept, entrants={known: _in_order(each) for known, each in kept.entrants.items()}) == replace(
        read, entrants=entrants
    )


def _in_order(known: Any) -> Any:
    return replace(known, buckets=tuple(sorted(known.buckets, key=lambda amounts: amounts.bucket)))


FATES = st.sampled_from([ANSWERED] * 12 + [LOST, UNHEARD, UNHEARD, KILLED])
ORDERS = st.lists(st.tuples(st.integers(0, 5), FATES), max_size=60)
AT_ONCE = st.lists(st.integers(0, 1), min_size=2, max_size=3)
"""Runs that poll at the same instant or half a second later, so that all of them choose the same interval."""


@settings(max_examples=25, deadline=None)
@given(rounds=st.lists(st.tuples(AT_ONCE, ORDERS), min_size=1, max_size=3))
def test_runs_at_the_same_race_poll_each_interval_once(rounds: list[tuple[list[int], list[tuple[int, str]]]]) -> None:
    async def scenario() -> None:
        store = open_appwrite_store()
        await imported(store)
        possible: set[datetime] = set()
        for number, (late, order) in enumerate(rounds):
            before = polled_at(store)
            runs = Runs(store)
            for each, half_seconds in enumerate(late):
                at = SOON + timedelta(seconds=30 * number + 0.5 * half_seconds, milliseconds=each)
                runs.begin(partial(runs.poll, owner=f"run-{number}-{each}", at=at))
            await runs.to_the_end(order)
            new = [at for at in polled_at(store) if at not in before]
            possible |= runs.written.keys() | runs.doubtful
            assert set(runs.written) <= set(new) <= possible, "what was said to be written is, and nothing else"
            chosen = list(runs.written.values())
            assert len(chosen) == len(set(chosen)), "nobody polled on the ground of the same last poll"
            assert await state_is_in_step(store)
        assert contents(store) == contents(await one_by_one(polled_at(store)))

    asyncio.run(scenario())


def flow_update(at: datetime, win_cents: int) -> EntrantUpdate:
    """Return a runner as another program left it."""
    of = runner(1, race())
    return EntrantUpdate(
        entrant_id=of.entrant_id,
        race_id=RACE_ID,
        name="Runner 1",
        runner_number=1,
        odds=Odds(3.0, 1.3, 3.1, 1.4),
        written_at=at,
        hold=None,
        implied_pct=None,
        win_cents=win_cents,
        place_cents=win_cents // 2,
    )


async def write(runs: Runs, mine: StandInStore, kind: str, owner: str, at: datetime) -> None:
    """Do one thing of those that others do while a race is polled; what fails is the next run's."""
    try:
        if kind == "poll":
            await runs.poll(mine, owner, at)
        elif kind == "money flow":
            await mine.save_flow(flow_update(at + timedelta(seconds=7), 300_000), Estimator.HOLD, at)
        elif kind == "pools":
            await mine.save_pool_totals(RACE_ID, Estimator.HOLD, at)
        else:
            status = RaceStatus.ABANDONED if kind == "list calls it off" else RaceStatus.OPEN
            await mine.save_races([race(status=status)], at)
    except (StoreConflict, StoreUnavailable, asyncio.CancelledError):
        return


Rounds = list[tuple[list[str], list[tuple[int, str]]]]
LISTS = ("poll", "list", "list calls it off")
EVENTS = ("poll", "money flow", "pools", "list calls it off")


def rounds_of(*kinds: str) -> st.SearchStrategy[Rounds]:
    return st.lists(st.tuples(st.lists(st.sampled_from(kinds), min_size=2, max_size=4), ORDERS), min_size=1, max_size=3)


async def one_round(store: StandInStore, number: int, kinds: list[str], order: list[tuple[int, str]]) -> None:
    runs = Runs(store)
    for each, kind in enumerate(kinds):
        at = SOON + timedelta(seconds=300 * number, milliseconds=each)
        runs.begin(partial(write, runs, kind=kind, owner=f"run-{number}-{each}", at=at))
    await runs.to_the_end(order)


@settings(max_examples=20, deadline=None)
@given(rounds=rounds_of(*LISTS))
def test_a_list_that_comes_between_leaves_no_state_behind_the_tables(rounds: Rounds) -> None:
    async def scenario() -> None:
        store = open_appwrite_store()
        await imported(store)
        for number, (kinds, order) in enumerate(rounds):
            await one_round(store, number, kinds, order)
            assert await state_is_in_step(store)

    asyncio.run(scenario())


@settings(max_examples=20, deadline=None)
@given(rounds=rounds_of(*EVENTS))
def test_after_row_events_that_come_between_the_next_event_and_poll_bring_the_state_in_step(rounds: Rounds) -> None:
    """A poll that has just read the tables may miss what an event writes that very moment."""

    async def scenario() -> None:
        store = await one_by_one([SOON - timedelta(minutes=10)])
        for number, (kinds, order) in enumerate(rounds):
            await one_round(store, number, kinds, order)
        later = SOON + timedelta(seconds=300 * len(rounds))
        runs = Runs(store)
        await write(runs, store.beside(), "money flow", "event", later)
        await write(runs, store.beside(), "poll", "last", later + timedelta(seconds=TTL_S))
        assert later + timedelta(seconds=TTL_S) in runs.written
        assert await state_is_in_step(store)

    asyncio.run(scenario())
