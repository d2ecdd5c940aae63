"""The state that waits in the claim after somebody else wrote a part of it: read once, then kept again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from contract.appwrite_steps import BEFORE_STAGING, meddle
from contract.appwrite_store import StandInStore, appwrite_rows, open_appwrite_store
from contract.store_examples import event, poll, race, result, runner
from contract.store_steps import LATER, SOON, TTL_S, claimed, imported, polled, state_of
from raceday.domain.odds import Odds
from raceday.domain.race_poll import RaceEvent
from raceday.domain.status import RaceStatus
from raceday.errors import StoreConflict
from raceday.store.appwrite import operations
from raceday.store.appwrite.snapshot import OUTDATED
from raceday.store.appwrite.snapshot import state_of as snapshot_of
from raceday.store.appwrite.states import read_states
from raceday.store.tables import POLL_CLAIMS

run = asyncio.run
RACE_ID = race().race_id
READING_CALLS = 5
"""What it takes to read a state from the tables."""


@pytest.fixture
def store() -> StandInStore:
    made = open_appwrite_store()
    run(imported(made))
    run(polled(made.beside(), said(SOON)))
    return made


def said(at: datetime, shortened: float = 0.0, **changes: Any) -> RaceEvent:
    of = race()
    entrants = tuple(
        runner(number, of, odds=Odds(3.0 + number - shortened, 1.2 + number / 10, 3.1 + number, 1.3 + number / 10))
        for number in (1, 2, 3)
    )
    return event(of, at, 3, **{"entrants": entrants, **changes})


def nameless(at: datetime) -> RaceEvent:
    whole = said(at, shortened=0.5)
    return replace(whole, entrants=tuple(replace(one, name=None, runner_number=None) for one in whole.entrants))


async def outdate(store: StandInStore) -> None:
    """Write as whoever writes a part of a race's state does."""
    await store._rows.commit([operations.update(POLL_CLAIMS, {"$id": RACE_ID, "state": OUTDATED})])


async def a_poll(store: StandInStore, what: RaceEvent) -> None:
    """Poll as the poller of one race does."""
    [target] = await store.poll_targets([RACE_ID])
    [claim] = await store.claim_races([target], "run-2", what.generated_at, TTL_S)
    states = await store.race_states([RACE_ID])
    await store.save_poll(poll(what, states[RACE_ID]), claim)


async def a_group(store: StandInStore, what: RaceEvent) -> None:
    """Poll as the poller of a group does."""
    [target] = await store.poll_targets([RACE_ID])
    [claim] = await store.claim_races([target], "run-2", what.generated_at, TTL_S)
    states = await store.race_states([RACE_ID])
    assert await store.save_polls([(poll(what, states[RACE_ID]), claim)]) == {}


def calls_of(store: StandInStore, work: Callable[[StandInStore, RaceEvent], Awaitable[None]], what: RaceEvent) -> int:
    store.log.calls.clear()
    run(work(store.beside(), what))
    return len(store.log.calls)


def claim_row(store: StandInStore) -> dict[str, Any]:
    [row] = appwrite_rows(store, "poll-claims")
    return row


def is_in_step(store: StandInStore) -> bool:
    """Whether the claim has a state, and the one that the tables have."""
    [read] = run(read_states(store._rows, [RACE_ID])).values()
    kept = snapshot_of(claim_row(store))
    return kept is not None and kept == replace(read, entrants={known: read.entrants[known] for known in kept.entrants})


def minutes(count: int) -> datetime:
    return SOON + timedelta(minutes=count)


@pytest.mark.parametrize("work", [a_poll, a_group])
def test_the_tables_are_read_for_one_poll_and_not_for_those_after_it(store: StandInStore, work: Any) -> None:
    usual = calls_of(store, work, said(minutes(1), 0.1))
    run(outdate(store))
    assert calls_of(store, work, said(minutes(2), 0.2)) == usual + READING_CALLS
    assert is_in_step(store)
    assert calls_of(store, work, said(minutes(3), 0.3)) == usual <= 6
    assert is_in_step(store)


@pytest.mark.parametrize("work", [a_poll, a_group])
def test_a_poll_without_news_keeps_the_state_that_it_read_as_well(store: StandInStore, work: Any) -> None:
    again = [replace(said(SOON), generated_at=SOON + timedelta(seconds=each)) for each in (10, 20, 30)]
    usual = calls_of(store, work, again[0])
    run(outdate(store))
    assert calls_of(store, work, again[1]) == usual + READING_CALLS
    assert is_in_step(store)
    assert calls_of(store, work, again[2]) == usual


def test_a_start_put_back_before_the_first_poll_costs_one_reading() -> None:
    store = open_appwrite_store()
    run(imported(store))
    put_back = race(advertised_start=race().advertised_start + timedelta(minutes=5))
    run(store.save_races([put_back], SOON))
    assert calls_of(store, a_poll, said(minutes(1))) == 6 + READING_CALLS
    assert calls_of(store, a_poll, said(minutes(2), 0.2)) == 6
    assert is_in_step(store)


def test_a_state_that_others_wrote_a_part_of_after_it_was_read_is_not_kept(store: StandInStore) -> None:
    run(outdate(store))
    mine = store.beside()
    claim = run(claimed(mine, RACE_ID, LATER))
    made = poll(said(LATER, 0.5), run(state_of(mine, RACE_ID)))
    run(store.beside().save_races([replace(race(), status=RaceStatus.ABANDONED)], LATER))
    run(mine.save_poll(made, claim))
    assert snapshot_of(claim_row(store)) is None
    run(a_poll(store.beside(), said(minutes(2), 0.6)))
    assert is_in_step(store)


def test_a_state_that_was_read_for_an_older_claim_is_not_kept(store: StandInStore) -> None:
    run(outdate(store))
    mine = store.beside()
    lost = run(claimed(mine, RACE_ID, LATER))
    run(state_of(mine, RACE_ID))
    run(a_later_run(store, lost.expires_at))
    run(outdate(store))
    [target] = run(store.beside().poll_targets([RACE_ID]))
    [claim] = run(mine.claim_races([target], "run-1", minutes(3), TTL_S))
    [read] = run(read_states(store._rows, [RACE_ID])).values()
    run(mine.save_poll(poll(said(minutes(3), 0.9), read), claim))
    assert snapshot_of(claim_row(store)) is None


async def a_later_run(store: StandInStore, at: datetime) -> None:
    await a_poll(store.beside(), said(at, 0.4))


@pytest.mark.parametrize("before", [("POST", "/transactions"), BEFORE_STAGING, ("PATCH", "")])
def test_a_nameless_runner_keeps_its_name_when_the_state_goes_in_mid_poll(
    store: StandInStore, monkeypatch: pytest.MonkeyPatch, before: tuple[str, str]
) -> None:
    mine = store.beside()
    claim = run(claimed(mine, RACE_ID, LATER))
    made = poll(nameless(LATER), run(state_of(mine, RACE_ID)))
    meddle(monkeypatch, mine, before, lambda: outdate(store))
    run(mine.save_poll(made, claim))
    named = {(row["name"], row["runnerNumber"]) for row in appwrite_rows(store, "entrants")}
    assert named == {("Runner 1", 1), ("Runner 2", 2), ("Runner 3", 3)}


def test_a_nameless_runner_of_which_only_the_amounts_moved_keeps_its_name(store: StandInStore) -> None:
    run(a_poll(store.beside(), nameless(minutes(1))))
    mine = store.beside()
    claim = run(claimed(mine, RACE_ID, minutes(8)))
    made = poll(nameless(minutes(8)), run(state_of(mine, RACE_ID)))
    assert made.buckets, "the amounts of another time bucket"
    run(outdate(store))
    run(mine.save_poll(made, claim))
    assert {row["name"] for row in appwrite_rows(store, "entrants")} == {"Runner 1", "Runner 2", "Runner 3"}


def test_a_result_tells_of_all_runners_when_the_state_goes_in_mid_poll(store: StandInStore) -> None:
    mine = store.beside()
    claim = run(claimed(mine, RACE_ID, LATER))
    over = replace(race(), status=RaceStatus.FINAL)
    whole = said(LATER)
    short = replace(whole, race=over, entrants=whole.entrants[:2], result=result(over, LATER))
    made = poll(short, run(state_of(mine, RACE_ID)))
    run(outdate(store))
    run(mine.save_poll(made, claim))
    [row] = appwrite_rows(store, "race-results")
    assert all(f"Runner {number}" in row["fixedOddsData"] for number in (1, 2, 3))


def test_a_lost_claim_is_still_refused_after_the_tables_were_read(store: StandInStore) -> None:
    run(outdate(store))
    mine = store.beside()
    claim = run(claimed(mine, RACE_ID, LATER))
    made = poll(said(LATER, 0.5), run(state_of(mine, RACE_ID)))
    run(a_later_run(store, claim.expires_at))
    with pytest.raises(StoreConflict):
        run(mine.save_poll(made, claim))
    assert is_in_step(store)
