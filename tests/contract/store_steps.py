"""The steps that the store's tests take, and what an adapter's test must offer them."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from contract.store_examples import (
    IMPORTED,
    START,
    meeting,
    poll,
    race,
)
from raceday.domain.cadence import PollTarget
from raceday.domain.race_poll import RaceEvent, RacePoll, RaceState
from raceday.store.ports import RaceStore
from raceday.store.values import PollClaim, PollWindow

run = asyncio.run
SOON = START - timedelta(minutes=20)
LATER = SOON + timedelta(seconds=30)
TTL_S = 60.0
ALL_DAY = PollWindow(START - timedelta(days=1), START + timedelta(days=1), START + timedelta(days=1))
"""Every race of the day that is not over, and none only for its result."""


async def imported(store: RaceStore, *races_said: object) -> None:
    """Store one meeting and its races (by default one race)."""
    await store.save_meetings([meeting()], IMPORTED)
    await store.save_races(list(races_said) or [race()], IMPORTED)  # type: ignore[arg-type]


async def target_of(store: RaceStore, race_id: str) -> PollTarget:
    """Return the poll target of one stored race."""
    [target] = await store.poll_targets([race_id])
    return target


async def claimed(store: RaceStore, race_id: str, at: datetime, owner: str = "run-1") -> PollClaim:
    """Claim one race, which must be free."""
    [claim] = await store.claim_races([await target_of(store, race_id)], owner, at, TTL_S)
    return claim


async def state_of(store: RaceStore, race_id: str) -> RaceState:
    """Return the stored state of one race."""
    return (await store.race_states([race_id]))[race_id]


async def polled(store: RaceStore, said: RaceEvent, due_at: datetime | None = None, owner: str = "run-1") -> RacePoll:
    """Claim, derive and save one poll, as a poller does; return what was saved."""
    claim = await claimed(store, said.race.race_id, said.generated_at, owner)
    made = poll(said, await state_of(store, said.race.race_id), due_at)
    await store.save_poll(made, claim)
    return made


Rows = list[dict[str, object]]


def unstamped(rows: Rows) -> Rows:
    """Rows without the time of their last write: a platform stamps it itself, also where nothing else changes."""
    return [{name: value for name, value in row.items() if name != "$updatedAt"} for row in rows]


class StoreTests(ABC):
    """Has a `store`; an adapter's test says how to make one and how to read its raw rows."""

    @abstractmethod
    def make_store(self, folder: Path) -> RaceStore:
        """Return an empty store."""

    @abstractmethod
    def rows(self, store: RaceStore, table: str) -> list[dict[str, object]]:
        """Return all rows of a table by the catalogue's names, booleans as booleans, ordered by `$id`."""

    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[RaceStore]:
        made = self.make_store(tmp_path)
        yield made
        run(made.close())

    def everything(self, store: RaceStore) -> dict[str, list[dict[str, object]]]:
        """Return all rows of the tables that a poll writes."""
        tables = ("races", "entrants", "race-results", "odds-history", "money-flow-history", "race-pools",
                  "race-polls", "poll-claims")  # fmt: skip
        return {table: self.rows(store, table) for table in tables}
