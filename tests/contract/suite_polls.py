"""What every store must do with a poll: all of it, once, under a claim that stands."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from contract.store_examples import (
    START,
    event,
    poll,
    pools,
    race,
    result,
    runner,
    scratched,
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
from raceday.domain.derive import result_print
from raceday.domain.money_flow import HoldShare
from raceday.domain.odds import Odds, OddsKind
from raceday.domain.pools import TotePool, pool_totals
from raceday.domain.race_poll import RaceState
from raceday.domain.result import KnownResult, ResultStatus
from raceday.domain.status import RaceStatus
from raceday.errors import StoreConflict
from raceday.store.ports import RaceStore

_MOMENTS = frozenset({"$updatedAt", "lastUpdated", "importedAt", "contentHash", "apiGeneratedTime", "last_poll_time"})


def _lasting(row: dict[str, object]) -> dict[str, object]:
    """A row without what every changed response writes: when it was written and its fingerprint."""
    return {name: value for name, value in row.items() if name not in _MOMENTS}


class PollSuite(StoreTests):
    """Saving polls and results, and reading the state back."""

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
        assert run(target_of(store, race().race_id)).last_poll_at == LATER
        assert after["races"][0]["contentHash"] == before["races"][0]["contentHash"]
        assert [row["changed"] for row in sorted(after["race-polls"], key=lambda row: str(row["polledAt"]))] == [
            True,
            False,
        ]

    def test_a_response_older_than_the_last_one_changes_no_live_row(self, store: RaceStore) -> None:
        run(imported(store))
        run(polled(store, event(race(), LATER)))
        before = self.everything(store)
        at = LATER + timedelta(seconds=30)
        claim = run(claimed(store, race().race_id, at))
        outdated = poll(event(race(name="Old name"), SOON, win_cents=5), run(state_of(store, race().race_id)))
        run(store.save_poll(replace(outdated, timing=replace(outdated.timing, polled_at=at)), claim))
        [now], [then] = self.rows(store, "races"), before["races"]
        assert {name for name in now if now[name] != then[name]} <= {"last_poll_time", "$updatedAt"}
        assert run(target_of(store, race().race_id)).last_poll_at == at
        assert self.rows(store, "race-pools") == before["race-pools"]

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
        assert first == 4
        moved = runner(1, race(), odds=Odds(2.8, None, 3.1, 1.4))
        run(polled(store, replace(event(race(), LATER, runners=1), entrants=(moved,))))
        known = run(state_of(store, race().race_id)).entrants[moved.entrant_id]
        assert known.odds == Odds(2.8, None, 3.1, 1.4)
        assert len(self.rows(store, "odds-history")) == first + 1
        [row] = self.rows(store, "entrants")
        assert (row["fixedWinOdds"], row["fixedPlaceOdds"], row["poolWinOdds"]) == (2.8, None, 3.1)

    def test_a_tick_says_whose_price_it_was_and_whether_the_opening_one(self, store: RaceStore) -> None:
        run(imported(store))
        claim = run(claimed(store, race().race_id, SOON))
        made = poll(event(race(), SOON, runners=1), run(state_of(store, race().race_id)))
        opening = replace(made.odds_ticks[0], odds=5.5, at=SOON - timedelta(hours=9), opening=True)
        run(store.save_poll(replace(made, odds_ticks=(opening, *made.odds_ticks)), claim))
        rows = sorted(self.rows(store, "odds-history"), key=lambda row: str(row["eventTimestamp"]))
        assert len(rows) == 5
        assert {name: rows[0][name] for name in ("odds", "type", "isOpening", "eventTimestamp")} == {
            "odds": 5.5,
            "type": "fixed_win",
            "isOpening": True,
            "eventTimestamp": "2026-11-21T18:40:00.000+00:00",
        }
        assert {(row["raceId"], row["entrantId"]) for row in rows} == {(race().race_id, runner(1, race()).entrant_id)}
        assert [row["isOpening"] for row in rows[1:]] == [False] * 4

    def test_what_a_runner_does_not_say_is_kept(self, store: RaceStore) -> None:
        run(imported(store))
        run(polled(store, event(race(), SOON, runners=1)))
        silent = replace(
            runner(1, race(), is_scratched=None, jockey=None, gear=None, favourite=None, opening=None, odds=None),
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

    def test_a_baseline_that_gets_an_older_bucket_is_one_no_more(self, store: RaceStore) -> None:
        run(imported(store))
        run(polled(store, event(race(), START - timedelta(minutes=56), runners=1, win_cents=100_000)))
        put_back = race(advertised_start=START + timedelta(minutes=10))
        run(polled(store, event(put_back, START - timedelta(minutes=54), runners=1, win_cents=120_000)))
        rows = {row["timeInterval"]: row for row in self.rows(store, "money-flow-history")}
        assert {bucket: row["isBaseline"] for bucket, row in rows.items()} == {60: True, 55: False}
        increments = {bucket: row["incrementalWinAmount"] for bucket, row in rows.items()}
        assert increments == {60: 120_000, 55: -20_000}

    def test_shares_of_a_runner_are_the_newest(self, store: RaceStore) -> None:
        run(imported(store))
        run(polled(store, event(race(), SOON, runners=1)))
        holds = {runner(1, race()).entrant_id: HoldShare(42.0, 17.0)}
        run(polled(store, event(race(), LATER, runners=1, holds=holds)))
        [row], [bucket] = self.rows(store, "entrants"), self.rows(store, "money-flow-history")
        assert (row["holdPercentage"], row["betPercentage"]) == (42.0, 17.0)
        assert (bucket["holdPercentage"], bucket["betPercentage"]) == (42.0, 17.0)

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

    def test_a_response_that_leaves_out_names_numbers_prices_and_pools_erases_none(self, store: RaceStore) -> None:
        run(imported(store))
        whole = event(race(), SOON)
        run(polled(store, whole))
        tables = ("races", "entrants", "race-pools")
        before = {name: [_lasting(row) for row in self.rows(store, name)] for name in tables}
        thin_runners = tuple(
            replace(entrant, name=None, runner_number=None, odds=Odds(), odds_unsaid=tuple(OddsKind))
            for entrant in whole.entrants
        )
        thin = replace(
            whole,
            race=replace(whole.race, name=None, race_number=None),
            entrants=thin_runners,
            pools=pool_totals([TotePool("Win", whole.pools.win_cents)]) if whole.pools else None,
            generated_at=LATER,
        )
        run(polled(store, thin))
        assert {name: [_lasting(row) for row in self.rows(store, name)] for name in tables} == before
        [row] = [row for row in self.rows(store, "races") if row["$id"] == race().race_id]
        assert row["apiGeneratedTime"] == "2026-11-22T03:40:30.000+00:00", "the thin response was written"

    def test_a_runner_first_seen_without_name_and_number_is_stored_with_neither(self, store: RaceStore) -> None:
        run(imported(store))
        nameless = replace(runner(9, race()), name=None, runner_number=None)
        run(polled(store, event(race(), SOON, entrants=(nameless,))))
        [row] = [row for row in self.rows(store, "entrants") if row["$id"] == nameless.entrant_id]
        assert (row["name"], row["runnerNumber"]) == ("", 0)
        run(polled(store, event(race(), LATER, entrants=(runner(9, race()),))))
        [row] = [row for row in self.rows(store, "entrants") if row["$id"] == nameless.entrant_id]
        assert (row["name"], row["runnerNumber"]) == ("Runner 9", 9)

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
        assert run(state_of(store, race().race_id)).result == KnownResult(ResultStatus.FINAL, 2, 2, result_print(said))

    def test_an_interim_result_gives_way_to_the_final_one_and_silence_to_neither(self, store: RaceStore) -> None:
        run(imported(store))
        interim = race(status=RaceStatus.INTERIM)
        run(polled(store, event(interim, SOON, result=result(race(), SOON, ResultStatus.INTERIM))))
        assert self.rows(store, "race-results")[0]["resultStatus"] == "interim"
        run(polled(store, event(race(status=RaceStatus.FINAL), LATER, result=result(race(), LATER))))
        run(polled(store, event(race(status=RaceStatus.FINAL, name="Said again"), LATER + timedelta(seconds=30))))
        [row] = self.rows(store, "race-results")
        assert (row["resultStatus"], row["placingCount"]) == ("final", 2)
