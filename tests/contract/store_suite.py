"""What every store must do, whatever it is made of. An adapter's test subclasses `StoreSuite`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from contract.store_examples import (
    DAY,
    IMPORTED,
    START,
    event,
    meeting,
    poll,
    pools,
    race,
    result,
    runner,
    scratched,
    uid,
)

from raceday.domain.cadence import PollTarget
from raceday.domain.derive import result_print
from raceday.domain.entrant import PricePoint
from raceday.domain.money_flow import HoldShare
from raceday.domain.odds import Odds
from raceday.domain.race_poll import RaceEvent, RacePoll, RaceState
from raceday.domain.racing_day import DailyStage, StageProgress
from raceday.domain.result import KnownResult, ResultStatus
from raceday.domain.status import RaceStatus
from raceday.errors import StoreConflict
from raceday.store.ports import PollClaim, PollFailure, PollWindow, RaceStore, RunEntry

run = asyncio.run
SOON = START - timedelta(minutes=20)
LATER = SOON + timedelta(seconds=30)
TTL_S = 60.0
ALL_DAY = PollWindow(START - timedelta(days=1), START + timedelta(days=1))


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


class StoreSuite:
    """Plain tests over `store`; subclasses say how to make one and how to read its raw rows."""

    def make_store(self, folder: Path) -> RaceStore:
        """Return an empty store."""
        raise NotImplementedError

    def rows(self, store: RaceStore, table: str) -> list[dict[str, object]]:
        """Return all rows of a table by the catalogue's names, booleans as booleans, ordered by `$id`."""
        raise NotImplementedError

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

    # The programme

    def test_meetings_come_back_as_they_were_saved_and_in_order_of_name(self, store: RaceStore) -> None:
        said = [meeting(2), meeting(1), meeting(3, meeting_date=DAY + timedelta(days=1))]
        run(store.save_meetings(said, IMPORTED))
        assert run(store.meetings_on(DAY)) == [said[1], said[0]]
        assert run(store.meetings_on(DAY + timedelta(days=1))) == [said[2]]
        assert run(store.meetings_on(DAY - timedelta(days=1))) == []

    def test_saving_meetings_twice_leaves_the_same_rows(self, store: RaceStore) -> None:
        run(store.save_meetings([meeting()], IMPORTED))
        once = self.rows(store, "meetings")
        run(store.save_meetings([meeting()], IMPORTED))
        assert self.rows(store, "meetings") == once

    def test_what_a_meeting_does_not_say_is_kept_and_what_it_says_is_taken(self, store: RaceStore) -> None:
        run(store.save_meetings([meeting()], IMPORTED))
        silent = meeting(track_condition="Soft6", weather=None, rail_position=None, quaddie=(), video_channels=())
        run(store.save_meetings([silent], IMPORTED + timedelta(hours=1)))
        assert run(store.meetings_on(DAY)) == [meeting(track_condition="Soft6")]

    def test_a_meeting_date_is_the_new_zealand_date_at_midnight_utc(self, store: RaceStore) -> None:
        run(store.save_meetings([meeting()], IMPORTED))
        [row] = self.rows(store, "meetings")
        assert row["date"] == "2026-11-22T00:00:00.000+00:00"
        assert row["$id"] == row["meetingId"] == uid("meeting", 1)

    def test_races_are_listed_by_start_for_the_date_of_their_meeting(self, store: RaceStore) -> None:
        run(store.save_meetings([meeting(1), meeting(2, meeting_date=DAY + timedelta(days=1))], IMPORTED))
        run(store.save_races([race(2), race(1)], IMPORTED))
        run(store.save_races([race(1, 2)], IMPORTED))
        assert [summary.race_number for summary in run(store.races_on(DAY))] == [1, 2]
        [first, _] = run(store.races_on(DAY))
        assert (first.race_id, first.meeting_id, first.name) == (race(1).race_id, uid("meeting", 1), "Maiden 1")
        assert (first.advertised_start, first.status) == (START, RaceStatus.OPEN)
        assert (first.entrants_imported, first.entrants_attempts) == (False, 0)

    def test_one_race_by_id_or_none(self, store: RaceStore) -> None:
        run(imported(store))
        found = run(store.race(race().race_id))
        assert found is not None
        assert found.race_number == 1
        assert run(store.race(uid("nowhere"))) is None

    def test_every_imported_race_has_a_pools_row_of_zeros_that_is_not_a_state(self, store: RaceStore) -> None:
        run(imported(store))
        [row] = self.rows(store, "race-pools")
        assert (row["$id"], row["winPoolTotal"], row["totalRacePool"]) == (race().race_id, 0, 0)
        assert (row["currency"], row["hasData"]) == ("$", False)
        assert run(state_of(store, race().race_id)).pools is None

    def test_importing_races_again_leaves_the_same_rows_and_keeps_filled_pools(self, store: RaceStore) -> None:
        run(imported(store))
        once = self.everything(store)
        run(store.save_races([race()], IMPORTED))
        assert self.everything(store) == once
        run(polled(store, event(race(), SOON)))
        run(store.save_races([race()], LATER))
        assert run(state_of(store, race().race_id)).pools == pools()

    def test_what_a_race_does_not_say_is_kept(self, store: RaceStore) -> None:
        run(imported(store))
        silent = replace(race(), name="Renamed", status=None, distance_m=None, comment=None, video_channels=())
        run(store.save_races([silent], LATER))
        [row] = self.rows(store, "races")
        assert (row["name"], row["distance"], row["comment"]) == ("Renamed", 1400, "Open and even.")
        assert (row["status"], row["videoChannels"]) == ("Open", '["TRACKSIDE1"]')

    def test_a_race_without_status_starts_open(self, store: RaceStore) -> None:
        run(imported(store, race(status=None)))
        assert run(target_of(store, race().race_id)).status is RaceStatus.OPEN

    @pytest.mark.parametrize("terminal", [RaceStatus.FINAL, RaceStatus.ABANDONED])
    def test_an_import_never_moves_a_terminal_status_back(self, store: RaceStore, terminal: RaceStatus) -> None:
        run(imported(store))
        run(polled(store, event(race(status=terminal), SOON)))
        run(store.save_races([race()], LATER))
        assert run(target_of(store, race().race_id)).status is terminal

    def test_an_import_leaves_the_status_of_a_polled_race_alone(self, store: RaceStore) -> None:
        run(imported(store))
        run(polled(store, event(race(status=RaceStatus.INTERIM), SOON)))
        for said in (RaceStatus.OPEN, RaceStatus.FINAL):
            run(store.save_races([race(status=said)], LATER))
            assert run(target_of(store, race().race_id)).status is RaceStatus.INTERIM

    def test_an_import_abandons_a_race_even_when_it_was_polled(self, store: RaceStore) -> None:
        run(imported(store))
        run(polled(store, event(race(), SOON)))
        run(store.save_races([race(status=RaceStatus.ABANDONED)], LATER))
        assert run(target_of(store, race().race_id)).status is RaceStatus.ABANDONED
        [row] = self.rows(store, "races")
        assert row["abandonedAt"] == row["lastStatusChange"] == "2026-11-22T03:40:30.000+00:00"

    def test_an_import_moves_the_status_of_a_race_never_polled(self, store: RaceStore) -> None:
        run(imported(store))
        run(store.save_races([race(status=RaceStatus.CLOSED)], LATER))
        assert run(target_of(store, race().race_id)).status is RaceStatus.CLOSED

    def test_import_attempts_are_counted_and_survive_another_import(self, store: RaceStore) -> None:
        run(imported(store))
        run(store.note_import_attempt(race().race_id))
        run(store.note_import_attempt(race().race_id))
        run(store.save_races([race()], LATER))
        found = run(store.race(race().race_id))
        assert found is not None
        assert (found.entrants_attempts, found.entrants_imported) == (2, False)

    def test_a_poll_imports_the_runners(self, store: RaceStore) -> None:
        run(imported(store))
        run(polled(store, event(race(), SOON)))
        found = run(store.race(race().race_id))
        assert found is not None
        assert found.entrants_imported

    # What is to be polled

    def test_the_window_includes_its_begin_and_not_its_end_and_no_terminal_race(self, store: RaceStore) -> None:
        run(imported(store, race(1), race(2), race(3), race(4, status=RaceStatus.FINAL)))
        half_hour = timedelta(minutes=30)
        found = run(store.races_to_poll(PollWindow(START, START + 2 * half_hour)))
        assert [target.race_id for target in found] == [race(1).race_id, race(2).race_id]
        assert run(store.races_to_poll(PollWindow(START + 3 * half_hour, START + 4 * half_hour))) == []

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

    # Claims

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

    def test_a_failed_poll_does_not_count_as_polled(self, store: RaceStore) -> None:
        run(imported(store))
        run(store.release_claim(run(claimed(store, race().race_id, SOON)), LATER))
        assert run(target_of(store, race().race_id)).last_poll_at is None
        assert self.rows(store, "races")[0]["last_poll_time"] is None

    # Saving a poll

    def test_a_stale_holder_writes_nothing(self, store: RaceStore) -> None:
        run(imported(store))
        old = run(claimed(store, race().race_id, SOON, "run-1"))
        run(claimed(store, race().race_id, old.expires_at, "run-2"))
        made = poll(event(race(), SOON), run(state_of(store, race().race_id)))
        before = self.everything(store)
        with pytest.raises(StoreConflict):
            run(store.save_poll(made, old))
        assert self.everything(store) == before

    def test_a_claim_given_back_covers_no_poll(self, store: RaceStore) -> None:
        run(imported(store))
        claim = run(claimed(store, race().race_id, SOON))
        run(store.release_claim(claim, None))
        before = self.everything(store)
        with pytest.raises(StoreConflict):
            run(store.save_poll(poll(event(race(), SOON), run(state_of(store, race().race_id))), claim))
        assert self.everything(store) == before

    def test_a_claim_covers_its_own_race_only(self, store: RaceStore) -> None:
        run(imported(store, race(1), race(2)))
        claim = run(claimed(store, race(1).race_id, SOON))
        made = poll(event(race(2), SOON), run(state_of(store, race(2).race_id)))
        with pytest.raises(StoreConflict):
            run(store.save_poll(made, claim))

    def test_a_poll_older_than_the_last_one_is_refused(self, store: RaceStore) -> None:
        run(imported(store))
        run(polled(store, event(race(), LATER)))
        claim = run(claimed(store, race().race_id, LATER))
        older = poll(event(race(), SOON), RaceState(race().race_id, RaceStatus.OPEN, START))
        with pytest.raises(StoreConflict):
            run(store.save_poll(older, claim))
        assert run(target_of(store, race().race_id)).last_poll_at == LATER

    def test_a_poll_gives_its_claim_back_and_clears_the_putting_off(self, store: RaceStore) -> None:
        run(imported(store))
        run(store.release_claim(run(claimed(store, race().race_id, SOON)), LATER))
        run(polled(store, event(race(), LATER), owner="run-1"))
        target = run(target_of(store, race().race_id))
        assert (target.last_poll_at, target.not_before) == (LATER, None)
        assert len(run(store.claim_races([target], "run-2", LATER, TTL_S))) == 1

    def test_the_same_poll_twice_leaves_the_same_rows(self, store: RaceStore) -> None:
        run(imported(store))
        claim = run(claimed(store, race().race_id, SOON))
        made = poll(event(race(), SOON), run(state_of(store, race().race_id)))
        run(store.save_poll(made, claim))
        once = self.everything(store)
        run(store.save_poll(made, claim))
        assert self.everything(store) == once
        again = run(claimed(store, race().race_id, SOON))
        run(store.save_poll(made, again))
        assert [len(rows) for rows in self.everything(store).values()] == [len(rows) for rows in once.values()]

    def test_a_first_poll_fills_the_state(self, store: RaceStore) -> None:
        run(imported(store))
        said = event(race(), SOON)
        made = run(polled(store, said))
        state = run(state_of(store, race().race_id))
        assert (state.status, state.advertised_start) == (RaceStatus.OPEN, START)
        assert (state.fingerprint, state.generated_at) == (made.fingerprint, SOON)
        assert state.pools == said.pools
        assert state.result is None
        assert set(state.entrants) == {entrant.entrant_id for entrant in said.entrants}
        for entrant in said.entrants:
            known = state.entrants[entrant.entrant_id]
            assert known.odds == entrant.odds
            assert known.scratched is False
            assert known.fingerprint == made.entrant_fingerprints[entrant.entrant_id]
            [bucket] = known.buckets
            assert (bucket.bucket, bucket.win_cents, bucket.place_cents) == (20, 333_333, 166_667)

    def test_states_of_races_never_polled_are_empty_and_unknown_races_have_none(self, store: RaceStore) -> None:
        run(imported(store))
        states = run(store.race_states([race().race_id, uid("nowhere")]))
        assert states == {race().race_id: RaceState(race().race_id, RaceStatus.OPEN, START)}
        assert run(store.race_states([])) == {}

    def test_a_second_poll_of_the_same_response_changes_nothing_but_the_books(self, store: RaceStore) -> None:
        run(imported(store))
        run(polled(store, event(race(), SOON)))
        before = self.everything(store)
        claim = run(claimed(store, race().race_id, LATER))
        again = poll(event(race(), SOON), run(state_of(store, race().race_id)))
        again = replace(again, timing=replace(again.timing, polled_at=LATER))
        assert not again.changed
        run(store.save_poll(again, claim))
        after = self.everything(store)
        kept = ("entrants", "race-results", "odds-history", "money-flow-history", "race-pools")
        assert [after[table] for table in kept] == [before[table] for table in kept]
        assert after["races"][0]["last_poll_time"] == "2026-11-22T03:40:30.000+00:00"
        assert after["races"][0]["contentHash"] == before["races"][0]["contentHash"]
        assert [row["changed"] for row in sorted(after["race-polls"], key=lambda row: str(row["polledAt"]))] == [
            True,
            False,
        ]

    def test_every_poll_is_recorded_with_its_timing_and_quality(self, store: RaceStore) -> None:
        run(imported(store))
        made = run(polled(store, event(race(), SOON), due_at=SOON - timedelta(seconds=2)))
        [row] = self.rows(store, "race-polls")
        assert (row["raceId"], row["polledBy"], row["status"]) == (race().race_id, "run-1", "Open")
        assert (row["polledAt"], row["dueAt"]) == ("2026-11-22T03:40:00.000+00:00", "2026-11-22T03:39:58.000+00:00")
        assert (row["latenessS"], row["intervalS"], row["latencyMs"]) == (2.0, 30, 40)
        assert row["dataQualityScore"] == made.quality.score
        points = [value for name, value in row.items() if name.endswith("Points")]
        assert len(points) == 6
        assert round(sum(points)) == made.quality.score  # type: ignore[arg-type]

    def test_odds_move_and_vanish_and_every_move_leaves_a_tick(self, store: RaceStore) -> None:
        run(imported(store))
        run(polled(store, event(race(), SOON, runners=1)))
        first = len(self.rows(store, "odds-history"))
        assert first == 5  # four prices and the opening one from the feed's own history
        moved = runner(1, race(), odds=Odds(2.8, None, 3.1, 1.4))
        run(polled(store, replace(event(race(), LATER, runners=1), entrants=(moved,))))
        known = run(state_of(store, race().race_id)).entrants[moved.entrant_id]
        assert known.odds == Odds(2.8, None, 3.1, 1.4)
        assert len(self.rows(store, "odds-history")) == first + 1
        [row] = self.rows(store, "entrants")
        assert (row["fixedWinOdds"], row["fixedPlaceOdds"], row["poolWinOdds"]) == (2.8, None, 3.1)

    def test_what_a_runner_does_not_say_is_kept(self, store: RaceStore) -> None:
        run(imported(store))
        run(polled(store, event(race(), SOON, runners=1)))
        silent = replace(
            runner(1, race(), is_scratched=None, jockey=None, gear=None, favourite=None, opening=None, odds=None),
            price_history=(PricePoint(SOON, 9.0),),
            weight_total="57.0",
        )
        run(polled(store, replace(event(race(), LATER, runners=1), entrants=(silent,), holds=None)))
        [row] = self.rows(store, "entrants")
        assert (row["jockey"], row["gear"], row["favourite"]) == ("Jockey 1", "Blinkers", True)
        assert (row["weightTotal"], row["isScratched"], row["fixedWinOdds"]) == ("57.0", False, 3.0)
        assert (row["holdPercentage"], row["openingFixedWinOdds"]) == (100.0, 3.5)

    def test_a_scratching_is_kept_with_its_details_and_can_be_taken_back(self, store: RaceStore) -> None:
        run(imported(store))
        run(polled(store, event(race(), SOON, runners=2)))
        out = scratched(race(), 2, SOON)
        run(polled(store, replace(event(race(), LATER, runners=2), entrants=(runner(1, race()), out))))
        state = run(state_of(store, race().race_id))
        assert state.entrants[out.entrant_id].scratched
        assert state.entrants[out.entrant_id].odds == Odds()
        row = next(row for row in self.rows(store, "entrants") if row["$id"] == out.entrant_id)
        assert (row["isScratched"], row["isLateScratched"]) == (True, True)
        assert (row["scratchTime"], row["winDeduction"]) == (int(SOON.timestamp()), 0.12)
        run(polled(store, event(race(), LATER + timedelta(seconds=30), runners=2)))
        row = next(row for row in self.rows(store, "entrants") if row["$id"] == out.entrant_id)
        assert (row["isScratched"], row["isLateScratched"], row["scratchTime"]) == (False, False, None)

    def test_the_last_poll_of_a_bucket_wins_and_increments_add_up(self, store: RaceStore) -> None:
        run(imported(store))
        for minutes, win_cents in ((64, 100_000), (61.5, 105_000), (59, 110_000), (56.5, 118_000), (54, 124_000)):
            run(polled(store, event(race(), START - timedelta(minutes=minutes), runners=1, win_cents=win_cents)))
        rows = {row["timeInterval"]: row for row in self.rows(store, "money-flow-history")}
        assert {bucket: row["winPoolAmount"] for bucket, row in rows.items()} == {60: 105_000, 55: 118_000, 50: 124_000}
        assert {bucket: row["incrementalWinAmount"] for bucket, row in rows.items()} == {60: 105_000, 55: 13_000,
                                                                                         50: 6_000}  # fmt: skip
        assert {bucket: row["previousInterval"] for bucket, row in rows.items()} == {60: None, 55: 60, 50: 55}
        assert {bucket: row["isBaseline"] for bucket, row in rows.items()} == {60: True, 55: False, 50: False}
        assert all(row["type"] == "bucketed_aggregation" for row in rows.values())

    def test_a_start_put_back_repairs_the_increments_of_the_newer_bucket(self, store: RaceStore) -> None:
        run(imported(store))
        for minutes, win_cents in ((11, 100_000), (6, 150_000)):
            run(polled(store, event(race(), START - timedelta(minutes=minutes), runners=1, win_cents=win_cents)))
        put_back = race(advertised_start=START + timedelta(minutes=5))
        run(polled(store, event(put_back, START - timedelta(minutes=5), runners=1, win_cents=160_000)))
        rows = {row["timeInterval"]: row for row in self.rows(store, "money-flow-history")}
        assert {bucket: row["winPoolAmount"] for bucket, row in rows.items()} == {10: 160_000, 5: 150_000}
        assert rows[5]["incrementalWinAmount"] == -10_000
        assert rows[5]["previousInterval"] == 10
        assert run(target_of(store, race().race_id)).advertised_start == START + timedelta(minutes=5)

    def test_amounts_follow_the_pool_also_for_runners_that_did_not_change(self, store: RaceStore) -> None:
        run(imported(store))
        run(polled(store, event(race(), SOON, runners=2, win_cents=1_000_000)))
        run(polled(store, event(race(), LATER, runners=2, win_cents=3_000_000)))
        assert [row["winPoolAmount"] for row in self.rows(store, "entrants")] == [1_500_000, 1_500_000]

    def test_pools_come_back_with_multi_leg_pools_apart(self, store: RaceStore) -> None:
        run(imported(store))
        run(polled(store, event(race(), SOON)))
        assert run(state_of(store, race().race_id)).pools == pools()
        [row] = self.rows(store, "race-pools")
        assert row["totalRacePool"] == 1_000_000 + 500_000 + 30_000 + 40_000 + 50_000
        assert (row["multiLegPoolTotal"], row["hasData"]) == (1_145_220, True)

    def test_a_response_without_pools_keeps_them(self, store: RaceStore) -> None:
        run(imported(store))
        run(polled(store, event(race(), SOON)))
        run(polled(store, event(race(name="Renamed"), LATER, pools=None, holds=None)))
        assert run(state_of(store, race().race_id)).pools == pools()

    def test_a_status_change_is_noted_with_its_time(self, store: RaceStore) -> None:
        run(imported(store))
        run(polled(store, event(race(), SOON)))
        run(polled(store, event(race(status=RaceStatus.FINAL), LATER)))
        [row] = self.rows(store, "races")
        assert row["status"] == "Final"
        assert row["lastStatusChange"] == row["finalizedAt"] == "2026-11-22T03:40:30.000+00:00"
        assert row["abandonedAt"] is None
        assert run(store.races_to_poll(ALL_DAY)) == []

    # Results

    def test_a_result_is_stored_in_the_shapes_that_the_client_reads(self, store: RaceStore) -> None:
        run(imported(store))
        run(polled(store, event(race(), SOON)))
        ended = race(status=RaceStatus.FINAL)
        said = result(race(), LATER)
        run(polled(store, event(ended, LATER, result=said)))
        [row] = self.rows(store, "race-results")
        assert (row["$id"], row["resultsAvailable"], row["resultStatus"]) == (race().race_id, True, "final")
        assert row["resultTime"] == "2026-11-22T03:40:30.000+00:00"
        placings = json.loads(str(row["resultsData"]))
        assert [(place["position"], place["runner_number"]) for place in placings] == [(1, 2), (2, 1)]
        dividends = json.loads(str(row["dividendsData"]))
        assert [(paid["product_name"], paid["status"]) for paid in dividends] == [
            ("Pool Win", "Final"),
            ("Pool Quinella", "Final"),
        ]
        fixed = json.loads(str(row["fixedOddsData"]))
        assert fixed["2"] == {
            "fixed_win": 4.0,
            "fixed_place": 1.4,
            "runner_name": "Runner 2",
            "entrant_id": uid("runner", race().race_id, 2),
        }
        assert sorted(fixed) == ["1", "2", "3"]
        assert run(state_of(store, race().race_id)).result == KnownResult(ResultStatus.FINAL, 2, 4, result_print(said))

    def test_an_interim_result_gives_way_to_the_final_one_and_silence_to_neither(self, store: RaceStore) -> None:
        run(imported(store))
        interim = race(status=RaceStatus.INTERIM)
        run(polled(store, event(interim, SOON, result=result(race(), SOON, ResultStatus.INTERIM))))
        assert self.rows(store, "race-results")[0]["resultStatus"] == "interim"
        run(polled(store, event(race(status=RaceStatus.FINAL), LATER, result=result(race(), LATER))))
        run(polled(store, event(race(status=RaceStatus.FINAL, name="Said again"), LATER + timedelta(seconds=30))))
        [row] = self.rows(store, "race-results")
        assert (row["resultStatus"], row["placingCount"]) == ("final", 2)

    # The books

    def test_a_stage_is_none_until_it_is_started_and_stays_complete(self, store: RaceStore) -> None:
        begun = StageProgress(DAY, DailyStage.ENTRANTS, complete=False, started_at=IMPORTED, done=20, remaining=76)
        assert run(store.stage(DAY, DailyStage.ENTRANTS)) is None
        run(store.save_stage(begun))
        assert run(store.stage(DAY, DailyStage.ENTRANTS)) == begun
        done = replace(begun, complete=True, finished_at=LATER, done=96, remaining=0)
        run(store.save_stage(done))
        run(store.save_stage(begun))
        assert run(store.stage(DAY, DailyStage.ENTRANTS)) == done
        assert run(store.stage(DAY, DailyStage.RACES)) is None
        assert run(store.stage(date(2026, 11, 23), DailyStage.ENTRANTS)) is None

    def test_the_same_run_twice_leaves_one_row(self, store: RaceStore) -> None:
        entry = RunEntry("exec-1", "daily-races", "schedule", IMPORTED, 1500, 200, 12, 1, 0, 0, 13, 25, 48.5, "ok")
        run(store.log_run(entry))
        run(store.log_run(entry))
        run(store.log_run(replace(entry, execution_id="exec-2")))
        rows = self.rows(store, "function-runs")
        assert sorted(str(row["executionId"]) for row in rows) == ["exec-1", "exec-2"]
        assert (rows[0]["startedAt"], rows[0]["peakRssMb"]) == ("2026-11-21T17:00:00.000+00:00", 48.5)

    def test_failed_polls_are_logged_with_the_start_of_their_payload(self, store: RaceStore) -> None:
        failure = PollFailure(race().race_id, SOON, "enhanced-race-poller", "exec-1", "FeedContractError", "bad JSON",
                              latency_ms=120, payload=b"{\xff" + b"x" * 5000)  # fmt: skip
        run(store.log_poll(failure))
        run(store.log_poll(failure))
        [row] = self.rows(store, "poll_logs")
        assert (row["error"], row["message"], row["latencyMs"]) == ("FeedContractError", "bad JSON", 120)
        assert str(row["payload"]).startswith("{\ufffdxx")
        assert len(str(row["payload"])) == 2000

    def test_counts_of_what_is_stored(self, store: RaceStore) -> None:
        run(imported(store, race(1), race(2)))
        run(polled(store, event(race(1), SOON, runners=2)))
        run(polled(store, event(race(1, status=RaceStatus.FINAL), LATER, runners=2, result=result(race(1), LATER))))
        run(store.log_poll(PollFailure(race(2).race_id, SOON, "f", "e", "FeedUnavailable", "timed out")))
        counts = run(store.day_counts())
        assert (counts.meetings, counts.races, counts.entrants) == (1, 2, 2)
        assert counts.races_by_status == {"Open": 1, "Final": 1}
        assert (counts.polls, counts.failed_polls) == (2, 1)
        assert (counts.odds_ticks, counts.money_flow_buckets) == (10, 2)
        assert (counts.race_pools, counts.results) == (1, 1)

    def test_a_call_is_counted_for_each_operation(self, store: RaceStore) -> None:
        run(imported(store))
        before = store.calls
        run(store.races_to_poll(ALL_DAY))
        assert store.calls > before

    def test_texts_too_long_for_their_column_are_cut_and_cost_nothing_else(self, store: RaceStore) -> None:
        long = "x" * 5000
        run(imported(store, race(comment=long)))
        wordy = runner(1, race(), gear=long, silk_colours=long)
        holds = {wordy.entrant_id: HoldShare(100.0, 100.0)}
        run(polled(store, replace(event(race(comment=long), SOON, runners=1), entrants=(wordy,), holds=holds)))
        assert len(str(self.rows(store, "races")[0]["comment"])) == 2000
        assert len(str(self.rows(store, "entrants")[0]["gear"])) == 500
