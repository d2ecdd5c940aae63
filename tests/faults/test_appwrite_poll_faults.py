"""One poll on Appwrite when a claim is lost, a call fails, or the run is killed: nothing lost, nothing doubled."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from contract.appwrite_polling import (
    DAY,
    RACE_ID,
    a_poll,
    before_each_call,
    contents,
    field_of,
    run,
    ten_races,
    undisturbed,
)
from contract.appwrite_store import StandInStore, appwrite_rows, open_appwrite_store
from contract.store_examples import poll
from contract.store_steps import SOON, TTL_S, claimed, imported, state_of, target_of
from raceday.domain.race_poll import RaceEvent
from raceday.errors import StoreConflict, StoreUnavailable
from raceday.simulator.appwrite.faults import DROPPED, Fault


def test_a_claim_that_was_taken_over_while_the_poll_was_staged_writes_nothing() -> None:
    store = open_appwrite_store()
    run(imported(store))
    mine = store.beside()
    claim = run(claimed(mine, RACE_ID, SOON))
    made = poll(field_of(2, SOON), run(state_of(mine, RACE_ID)))
    before = contents(store)

    async def taken_over(path: str) -> None:
        if path.endswith("/operations"):
            await store.beside().claim_races([await target_of(store, RACE_ID)], "run-2", claim.expires_at, TTL_S)

    before_each_call(mine, taken_over)
    with pytest.raises(StoreConflict, match="taken over"):
        run(mine.save_poll(made, claim))
    assert contents(store) == before


def test_a_claim_taken_over_between_the_check_and_the_commit_writes_nothing() -> None:
    store = open_appwrite_store()
    run(imported(store))
    mine = store.beside()
    claim = run(claimed(mine, RACE_ID, SOON))
    made = poll(field_of(2, SOON), run(state_of(mine, RACE_ID)))
    before = contents(store)
    paths: list[str] = []

    async def taken_over(path: str) -> None:
        if paths and paths[-1].endswith("/rows") and "transactions/" in path:
            await store.beside().claim_races([await target_of(store, RACE_ID)], "run-2", claim.expires_at, TTL_S)
        paths.append(path)

    before_each_call(mine, taken_over)
    with pytest.raises(StoreConflict, match="taken over"):
        run(mine.save_poll(made, claim))
    assert contents(store) == before


def test_one_lost_claim_does_not_cost_the_others_of_a_batch() -> None:
    store = open_appwrite_store()
    said = run(ten_races(store))
    mine = store.beside()
    lost = said[3].race.race_id

    async def batch() -> dict[str, StoreConflict]:
        targets = await mine.poll_targets([one.race.race_id for one in said])
        claims = {claim.race_id: claim for claim in await mine.claim_races(targets, "batch", SOON, TTL_S)}
        states = await mine.race_states(list(claims))
        other = store.beside()
        await other.claim_races([await target_of(other, lost)], "run-2", claims[lost].expires_at, TTL_S)
        return await mine.save_polls([(poll(one, states[one.race.race_id]), claims[one.race.race_id]) for one in said])

    assert run(batch()).keys() == {lost}
    assert Counter(row["raceId"] for row in appwrite_rows(store, "race-polls")).keys() == {
        one.race.race_id for one in said if one.race.race_id != lost
    }


def test_two_batches_at_once_poll_each_race_once() -> None:
    store = open_appwrite_store()
    said = run(ten_races(store))

    async def both() -> list[list[Any]]:
        async def claims(owner: str) -> list[Any]:
            mine = store.beside()
            targets = await mine.poll_targets([one.race.race_id for one in said])
            return await mine.claim_races(targets, owner, SOON, TTL_S)

        return list(await asyncio.gather(*(claims(f"run-{number}") for number in range(4))))

    won = [claim.race_id for claims in run(both()) for claim in claims]
    assert sorted(won) == sorted(one.race.race_id for one in said)


@pytest.mark.parametrize("fault", [Fault(DROPPED), Fault(DROPPED, after_effect=True), Fault(429), Fault(500, True)])
def test_any_call_may_fail_once_and_nothing_is_lost_or_doubled(fault: Fault) -> None:
    whole = undisturbed()
    calls = len([call for call in whole.log.calls if call.path]) + 6
    for failing in range(calls):
        store = open_appwrite_store()
        run(imported(store))
        store.log.calls.clear()
        made = 0

        async def spoil(_path: str) -> None:
            nonlocal made
            if made == failing:  # noqa: B023 (used up within the round)
                store.faults.next_calls(fault)  # noqa: B023
            made += 1

        for said in DAY:
            mine = store.beside()
            before_each_call(mine, spoil)
            run(a_poll(mine, said()))
        assert contents(store) == contents(whole), f"call {failing}"


def test_a_run_killed_at_any_call_is_made_good_by_the_next() -> None:
    whole = undisturbed()
    for killed in range(30):
        store = open_appwrite_store()
        run(imported(store))
        made = 0

        async def kill(_path: str) -> None:
            nonlocal made
            made += 1
            if made == killed + 1:  # noqa: B023 (used up within the round)
                raise asyncio.CancelledError

        for said in DAY:
            mine = store.beside()
            before_each_call(mine, kill)
            try:
                run(a_poll(mine, said()))
            except asyncio.CancelledError:
                run(after_expiry(store, said()))
        assert contents(store) == contents(whole), f"call {killed}"


async def after_expiry(store: StandInStore, said: RaceEvent) -> None:
    """Poll as the next run does, which is refused where the killed one had come to the end."""
    mine = store.beside()
    [target] = await mine.poll_targets([said.race.race_id])
    if target.last_poll_at == said.generated_at:
        return
    [claim] = await mine.claim_races([target], "run-2", said.generated_at + timedelta(seconds=TTL_S), TTL_S)
    states = await mine.race_states([said.race.race_id])
    await mine.save_poll(poll(said, states[said.race.race_id]), claim)


def test_a_platform_that_stays_away_is_an_error_and_the_race_is_free_again_by_itself() -> None:
    store = open_appwrite_store()
    run(imported(store))
    mine = store.beside()
    claim = run(claimed(mine, RACE_ID, SOON))
    made = poll(field_of(2, SOON), run(state_of(mine, RACE_ID)))
    store.faults.next_calls(Fault(503, has_content_type=False), count=60)
    with pytest.raises(StoreUnavailable):
        run(mine.save_poll(made, claim))
    store.faults._next.clear()
    run(after_expiry(store, field_of(2, SOON)))
    assert len(appwrite_rows(store, "race-polls")) == 1
