"""Polls on Appwrite as a poller makes them, and what is left of them, for tests."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import httpx

from contract.appwrite_store import StandInStore, appwrite_rows, open_appwrite_store
from contract.store_examples import event, meeting, poll, race, runner
from contract.store_steps import IMPORTED, SOON, TTL_S, imported
from raceday.domain.odds import Odds
from raceday.domain.race_poll import RaceEvent
from raceday.errors import StoreConflict

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
