"""Claims on Appwrite where another run is at the same races, or made the same rows."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from contract.appwrite_steps import BEFORE_STAGING, meddle
from contract.appwrite_store import StandInStore, appwrite_rows, open_appwrite_store
from contract.store_examples import event, poll, race, runner, uid
from contract.store_steps import LATER, SOON, TTL_S, claimed, imported, polled, state_of, target_of
from raceday.domain.entrant import PricePoint
from raceday.errors import StoreConflict
from raceday.store.appwrite.claims import TOGETHER_FROM
from raceday.store.tables import POLL_CLAIMS

run = asyncio.run
RACE_ID = race().race_id


@pytest.fixture
def store() -> StandInStore:
    made = open_appwrite_store()
    run(imported(made, race(1), race(2)))
    return made


def claim_of(store: StandInStore, race_id: str) -> dict[str, Any]:
    return next(row for row in appwrite_rows(store, "poll-claims") if row["$id"] == race_id)


@pytest.mark.parametrize("before", [("POST", "/transactions"), BEFORE_STAGING, ("PATCH", "")])
def test_a_schedule_that_two_runs_make_at_once_is_made_once(
    store: StandInStore, monkeypatch: pytest.MonkeyPatch, before: tuple[str, str]
) -> None:
    run(store._rows.delete(POLL_CLAIMS, RACE_ID))
    late, other = store.beside(), store.beside()
    won = []

    async def claims_first() -> None:
        won.append(await claimed(other, RACE_ID, SOON, "run-2"))

    meddle(monkeypatch, late, before, claims_first)
    [target] = run(late.poll_targets([RACE_ID]))
    assert run(late.claim_races([target], "run-1", SOON, TTL_S)) == []
    made = poll(event(race(), SOON), run(state_of(other, RACE_ID)))
    run(other.save_poll(made, won[0]))
    assert (claim_of(store, RACE_ID)["token"], claim_of(store, RACE_ID)["owner"]) == (1, None)


def test_a_schedule_that_is_made_late_does_not_undo_a_poll(
    store: StandInStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(store._rows.delete(POLL_CLAIMS, RACE_ID))
    late = store.beside()
    meddle(monkeypatch, late, BEFORE_STAGING, lambda: polled(store.beside(), event(race(), SOON)))
    run(late.poll_targets([RACE_ID, race(2).race_id]))
    row = claim_of(store, RACE_ID)
    assert (row["token"], row["lastPollAt"] is None) == (1, False)
    assert run(target_of(late, RACE_ID)).last_poll_at == SOON


def test_an_id_in_other_letters_is_another_race(store: StandInStore) -> None:
    claim = run(claimed(store, RACE_ID, SOON))
    assert run(store.beside().poll_targets([RACE_ID.upper(), uid("nowhere")])) == []
    run(store.save_poll(poll(event(race(), SOON), run(state_of(store, RACE_ID))), claim))


def test_a_group_is_won_also_where_a_race_was_seen_in_other_hands() -> None:
    store = open_appwrite_store()
    races = [race(number) for number in range(1, TOGETHER_FROM + 1)]
    run(imported(store, *races))
    held = run(claimed(store.beside(), RACE_ID, SOON, "run-2"))
    mine = store.beside()
    targets = run(mine.poll_targets([of.race_id for of in races]))
    run(store.beside().release_claim(held, None))
    won = run(mine.claim_races(targets, "run-1", SOON + timedelta(seconds=1), TTL_S))
    assert {claim.race_id for claim in won} == {of.race_id for of in races}


def test_a_claim_that_this_run_gave_back_and_another_won_is_not_taken_for_its_own(store: StandInStore) -> None:
    mine = store.beside()
    old = run(claimed(mine, RACE_ID, SOON))
    run(mine.release_claim(old, None))
    run(polled(store.beside(), event(race(), LATER), owner="run-2"))
    [target] = run(store.beside().poll_targets([RACE_ID]))
    at = LATER + timedelta(minutes=1)
    [claim] = run(mine.claim_races([target], "run-1", at, TTL_S))
    state = run(state_of(mine, RACE_ID))
    assert state.generated_at == LATER
    run(mine.save_poll(poll(event(race(), at), state), claim))
    assert len(appwrite_rows(store, "race-polls")) == 2


def test_of_a_lost_claim_not_even_the_odds_that_need_transactions_of_their_own_are_written() -> None:
    store = open_appwrite_store()
    run(imported(store))
    mine = store.beside()
    claim = run(claimed(mine, RACE_ID, SOON))
    history = tuple(PricePoint(SOON - timedelta(seconds=number + 1), 2.0 + number / 1000) for number in range(1200))
    runners = tuple(runner(number, race(), price_history=history) for number in range(1, 10))
    made = poll(event(race(), SOON, 9, entrants=runners), run(state_of(mine, RACE_ID)))
    run(claimed(store.beside(), RACE_ID, claim.expires_at, "run-2"))
    with pytest.raises(StoreConflict, match="taken over"):
        run(mine.save_poll(made, claim))
    assert appwrite_rows(store, "odds-history") == []
