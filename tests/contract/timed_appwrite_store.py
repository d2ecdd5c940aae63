"""The store on the stand-in Appwrite with a clock that goes with the polls, and what its rows of one runner say."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from datetime import datetime, timedelta
from typing import Any

from contract.appwrite_store import OPENED_AT, StandInStore, appwrite_rows, open_appwrite_store
from contract.store_examples import race, runner
from raceday.domain.entrant_update import EntrantUpdate
from raceday.domain.race_poll import RacePoll
from raceday.store.ports import RaceStore
from raceday.store.rows.updates import entrant_update
from raceday.store.tables import ENTRANTS
from raceday.store.values import PollClaim

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


async def calls_of(store: RaceStore, made: Awaitable[Any]) -> int:
    before = store.calls
    await made
    return store.calls - before


def runners(store: RaceStore) -> list[EntrantUpdate]:
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
