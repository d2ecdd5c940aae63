"""What every store must do so that each race is polled once per interval."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from contract.store_examples import (
    START,
    event,
    poll,
    race,
    result,
    uid,
)
from contract.store_steps import (
    ALL_DAY,
    LATER,
    SOON,
    TTL_S,
    StoreTests,
    claimed,
    imported,
    polled,
    run,
    state_of,
    target_of,
)
from raceday.domain.cadence import PollTarget
from raceday.domain.status import RaceStatus
from raceday.errors import StoreConflict
from raceday.store.ports import RaceStore
from raceday.store.values import PollClaim, PollWindow


class ClaimSuite(StoreTests):
    """Which races are to be polled, and who may."""

    def test_the_window_includes_its_begin_and_not_its_end_and_no_terminal_race(self, store: RaceStore) -> None:
        run(imported(store, race(1), race(2), race(3), race(4, status=RaceStatus.FINAL)))
        half_hour = timedelta(minutes=30)
        found = run(store.races_to_poll(PollWindow(START, START + 2 * half_hour, START + 2 * half_hour)))
        assert [target.race_id for target in found] == [race(1).race_id, race(2).race_id]
        ended = PollWindow(START + 3 * half_hour, START + 4 * half_hour, START + 4 * half_hour)
        assert run(store.races_to_poll(ended)) == []

    def test_a_race_that_ended_without_its_result_is_still_looked_at_for_a_while(self, store: RaceStore) -> None:
        run(imported(store, race(1, status=RaceStatus.FINAL), race(2, status=RaceStatus.FINAL)))
        half_hour = timedelta(minutes=30)
        window = PollWindow(START - half_hour, START + 2 * half_hour, START + half_hour)
        [target] = run(store.races_to_poll(window))
        assert (target.race_id, target.result_pending) == (race(2).race_id, True)
        said = result(race(2), START + half_hour)
        run(polled(store, event(race(2, status=RaceStatus.FINAL), START + half_hour, result=said)))
        assert run(store.races_to_poll(window)) == []

    def test_targets_tell_when_a_race_was_polled_and_when_it_may_be_tried_again(self, store: RaceStore) -> None:
        run(imported(store, race(1), race(2)))
        run(polled(store, event(race(1), SOON)))
        run(store.release_claim(run(claimed(store, race(2).race_id, SOON)), LATER))
        first, second = run(store.races_to_poll(ALL_DAY))
        assert first == PollTarget(race(1).race_id, uid("meeting", 1), START, RaceStatus.OPEN, SOON, None)
        assert (second.last_poll_at, second.not_before) == (None, LATER)

    def test_poll_targets_include_terminal_races_and_leave_out_unknown_ones(self, store: RaceStore) -> None:
        run(imported(store, race(1, status=RaceStatus.ABANDONED), race(2)))
        asked = [uid("nowhere"), race(2).race_id, race(1).race_id]
        assert [target.race_id for target in run(store.poll_targets(asked))] == asked[1:]
        assert run(store.poll_targets([])) == []

    def test_of_many_who_claim_at_once_one_wins(self, store: RaceStore) -> None:
        run(imported(store))

        async def scramble() -> list[list[PollClaim]]:
            target = await target_of(store, race().race_id)
            return await asyncio.gather(
                *(store.claim_races([target], f"run-{number}", SOON, TTL_S) for number in range(20))
            )

        winners = [claim for claims in run(scramble()) for claim in claims]
        assert len(winners) == 1
        assert winners[0].expires_at == SOON + timedelta(seconds=TTL_S)

    def test_races_are_claimed_each_on_its_own(self, store: RaceStore) -> None:
        run(imported(store, race(1), race(2)))
        run(claimed(store, race(1).race_id, SOON, "run-1"))
        targets = run(store.races_to_poll(ALL_DAY))
        won = run(store.claim_races(targets, "run-2", SOON, TTL_S))
        assert [claim.race_id for claim in won] == [race(2).race_id]

    def test_a_claim_can_be_taken_over_once_it_has_expired_and_not_before(self, store: RaceStore) -> None:
        run(imported(store))
        old = run(claimed(store, race().race_id, SOON, "run-1"))
        target = run(target_of(store, race().race_id))
        just_before = old.expires_at - timedelta(milliseconds=1)
        assert run(store.claim_races([target], "run-2", just_before, TTL_S)) == []
        [new] = run(store.claim_races([target], "run-2", old.expires_at, TTL_S))
        assert new.token > old.token

    def test_an_owner_may_claim_again_and_its_older_claim_is_void(self, store: RaceStore) -> None:
        run(imported(store))
        old = run(claimed(store, race().race_id, SOON))
        new = run(claimed(store, race().race_id, SOON))
        made = poll(event(race(), SOON), run(state_of(store, race().race_id)))
        with pytest.raises(StoreConflict):
            run(store.save_poll(made, old))
        run(store.save_poll(made, new))

    def test_a_race_that_was_polled_meanwhile_is_not_won(self, store: RaceStore) -> None:
        run(imported(store))
        seen_before = run(target_of(store, race().race_id))
        run(polled(store, event(race(), SOON)))
        assert run(store.claim_races([seen_before], "run-2", LATER, TTL_S)) == []

    def test_a_race_that_was_put_off_meanwhile_is_not_won(self, store: RaceStore) -> None:
        run(imported(store))
        seen_before = run(target_of(store, race().race_id))
        run(store.release_claim(run(claimed(store, race().race_id, SOON)), LATER))
        assert run(store.claim_races([seen_before], "run-2", SOON, TTL_S)) == []
        assert len(run(store.claim_races([run(target_of(store, race().race_id))], "run-2", LATER, TTL_S))) == 1

    def test_a_race_that_is_not_stored_is_not_won(self, store: RaceStore) -> None:
        unknown = PollTarget(uid("nowhere"), uid("meeting", 1), START, RaceStatus.OPEN)
        assert run(store.claim_races([unknown], "run-1", SOON, TTL_S)) == []

    def test_a_released_claim_frees_the_race_at_once(self, store: RaceStore) -> None:
        run(imported(store))
        old = run(claimed(store, race().race_id, SOON, "run-1"))
        run(store.release_claim(old, None))
        new = run(claimed(store, race().race_id, SOON, "run-2"))
        assert new.token > old.token

    def test_releasing_a_claim_that_was_taken_over_leaves_the_new_one(self, store: RaceStore) -> None:
        run(imported(store))
        old = run(claimed(store, race().race_id, SOON, "run-1"))
        new = run(claimed(store, race().race_id, old.expires_at, "run-2"))
        run(store.release_claim(old, LATER))
        assert run(target_of(store, race().race_id)).not_before is None
        run(store.save_poll(poll(event(race(), new.claimed_at), run(state_of(store, race().race_id))), new))

    def test_releasing_a_claim_that_its_owner_renewed_leaves_the_new_one(self, store: RaceStore) -> None:
        run(imported(store))
        old = run(claimed(store, race().race_id, SOON))
        run(claimed(store, race().race_id, SOON))
        run(store.release_claim(old, LATER))
        target = run(target_of(store, race().race_id))
        assert target.not_before is None
        assert run(store.claim_races([target], "run-2", SOON, TTL_S)) == []

    def test_a_failed_poll_does_not_count_as_polled(self, store: RaceStore) -> None:
        run(imported(store))
        run(store.release_claim(run(claimed(store, race().race_id, SOON)), LATER))
        assert run(target_of(store, race().race_id)).last_poll_at is None
        assert self.rows(store, "races")[0]["last_poll_time"] is None
