"""Every captured event is stored, and what is read back is what the event said."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest

from contract.store_examples import timing
from contract.store_steps import TTL_S
from raceday.domain.derive import derive_poll
from raceday.domain.race_poll import RaceEvent, RaceState
from raceday.nztab.responses import parse_event
from raceday.store.sqlite import SqliteStore
from raceday.store.tables import CATALOGUE

pytestmark = pytest.mark.corpus
RECEIVED = datetime(2030, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def events(corpus: Path) -> list[RaceEvent]:
    """The captured events, oldest response first."""
    bodies = (file.read_bytes() for file in sorted(corpus.rglob("*.json")))
    mapped = [parse_event(body, RECEIVED) for body in bodies if b'"runners"' in body and b'"race"' in body]
    return sorted(mapped, key=lambda event: event.generated_at)


async def save(store: SqliteStore, event: RaceEvent) -> RaceState:
    """Import the race, poll it with this response, and return the state that was read back."""
    race_id = event.race.race_id
    await store.save_races([event.race], event.generated_at)
    [claim] = await store.claim_races(await store.poll_targets([race_id]), "run-1", event.generated_at, TTL_S)
    before = (await store.race_states([race_id]))[race_id]
    await store.save_poll(derive_poll(event, before, timing(event.generated_at)), claim)
    return (await store.race_states([race_id]))[race_id]


def test_every_event_is_stored_and_the_same_event_again_is_nothing_new(events: list[RaceEvent]) -> None:
    assert len(events) >= 300
    store = SqliteStore.open(":memory:")
    for event in events:
        state = asyncio.run(save(store, event))
        again = derive_poll(event, state, timing(event.generated_at))
        assert not again.changed, event.race.race_id
        assert {known.entrant_id for known in state.entrants.values()} >= {
            entrant.entrant_id for entrant in event.entrants
        }
        for entrant in event.entrants:
            known = state.entrants[entrant.entrant_id]
            assert known.scratched == bool(entrant.is_scratched)
            if entrant.odds is not None:
                assert (known.odds.fixed_win, known.odds.fixed_place) == (
                    entrant.odds.fixed_win,
                    entrant.odds.fixed_place,
                )
        if event.pools is not None:
            assert state.pools == event.pools
    asyncio.run(store.close())


def test_no_text_of_a_captured_event_is_cut(events: list[RaceEvent]) -> None:
    store = SqliteStore.open(":memory:")
    for event in events:
        asyncio.run(save(store, event))
    for table in CATALOGUE:
        for column in table.columns:
            if column.kind == "text":
                [(longest,)] = store._db.tuples(f'SELECT max(length("{column.name}")) FROM {table.sql_name}')
                assert longest is None or longest < column.size or column.size <= 50, (table.name, column.name)
    asyncio.run(store.close())
