"""What every store must do for the functions that derive money flow and pools from row events."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from contract.store_examples import IMPORTED, START, event, meeting, pools, race, runner
from contract.store_steps import SOON, StoreTests, imported, polled, run
from raceday.domain.entrant_update import EntrantUpdate
from raceday.domain.flow_update import FlowRace, NotDue, covers, update_flow
from raceday.domain.money_flow import Estimator, HoldShare
from raceday.domain.odds import Odds
from raceday.domain.race import Race
from raceday.domain.status import RaceStatus
from raceday.store.flow_ports import SweepWindow
from raceday.store.ports import RaceStore
from raceday.store.rows.updates import entrant_update
from raceday.store.rows.values import instant_text

AFTER = START - timedelta(minutes=18)
NOW = START - timedelta(minutes=15)
FUNCTION = "money-flow-tracker"


def told(at: datetime, win_cents: int | None = 250_000, number: int = 1, of: Race | None = None) -> EntrantUpdate:
    """Return a runner as another program left it."""
    first = runner(number, of or race())
    return EntrantUpdate(
        entrant_id=first.entrant_id,
        race_id=first.race_id,
        name="Runner",
        runner_number=number,
        odds=Odds(3.0, 1.3, 3.1, 1.4),
        written_at=at,
        hold=HoldShare(25.0, 20.0),
        implied_pct=24.0,
        win_cents=win_cents,
        place_cents=win_cents // 2 if win_cents is not None else None,
    )


def all_day(written_from: datetime) -> SweepWindow:
    return SweepWindow(START - timedelta(hours=1), START + timedelta(hours=1), written_from)


class FlowSuite(StoreTests):
    """Buckets and pools from updates, and the sweeps' view of who wrote what."""

    @abstractmethod
    def write_runner(self, store: RaceStore, entrant_id: str, columns: dict[str, object]) -> None:
        """Write columns of a runner's row as another program would, past the store's operations."""

    def overwrite(self, store: RaceStore, number: int, at: datetime, **columns: object) -> None:
        """Write some columns of a runner of the first race, stamped with the time of the write."""
        stamps = {"lastUpdated": instant_text(at), "$updatedAt": instant_text(at)}
        self.write_runner(store, runner(number, race()).entrant_id, columns | stamps)

    def buckets_of(self, store: RaceStore, update: EntrantUpdate) -> dict[int, dict[str, Any]]:
        rows: list[dict[str, Any]] = self.rows(store, "money-flow-history")
        return {row["timeInterval"]: row for row in rows if row["entrantId"] == update.entrant_id}

    def test_an_update_is_written_once(self, store: RaceStore) -> None:
        run(imported(store))
        assert run(store.save_flow(told(SOON), Estimator.HOLD, NOW))
        once = self.everything(store)
        assert not run(store.save_flow(told(SOON), Estimator.HOLD, NOW))
        assert self.everything(store) == once
        [row] = self.rows(store, "money-flow-history")
        assert (row["timeInterval"], row["timeToStart"], row["winPoolAmount"]) == (20, 20, 250_000)
        assert (row["holdPercentage"], row["betPercentage"], row["impliedPercentage"]) == (25.0, 20.0, 24.0)
        assert (row["pollingTimestamp"], row["dataQualityScore"]) == (instant_text(SOON), None)

    def test_what_was_written_stands_in_the_next_standing(self, store: RaceStore) -> None:
        run(imported(store))
        empty = run(store.flow_standing(told(SOON)))
        assert (empty.buckets, empty.race, empty.polled) == ((), FlowRace(START), False)
        run(store.save_flow(told(SOON), Estimator.HOLD, NOW))
        standing = run(store.flow_standing(told(SOON)))
        assert covers(standing.buckets, told(SOON))
        made = update_flow(told(SOON), empty, Estimator.HOLD)
        assert not isinstance(made, NotDue)
        assert [kept.flow for kept in standing.buckets] == list(made.buckets)

    def test_a_late_update_fills_its_bucket_and_repairs_the_newer_one(self, store: RaceStore) -> None:
        run(imported(store))
        for update in (told(SOON, 300_000), told(START - timedelta(minutes=58), 200_000)):
            assert run(store.save_flow(update, Estimator.HOLD, NOW))
        rows = self.buckets_of(store, told(SOON))
        assert {bucket: row["incrementalWinAmount"] for bucket, row in rows.items()} == {55: 200_000, 20: 100_000}
        assert {bucket: row["incrementalAmount"] for bucket, row in rows.items()} == {55: 300_000, 20: 150_000}
        assert {bucket: row["isBaseline"] for bucket, row in rows.items()} == {55: True, 20: False}
        assert {bucket: row["previousInterval"] for bucket, row in rows.items()} == {55: None, 20: 55}

    def test_runners_do_not_mix(self, store: RaceStore) -> None:
        run(imported(store))
        run(store.save_flow(told(START - timedelta(minutes=58), 900_000, number=2), Estimator.HOLD, NOW))
        assert run(store.flow_standing(told(SOON))).buckets == ()
        run(store.save_flow(told(SOON), Estimator.HOLD, NOW))
        assert self.buckets_of(store, told(SOON))[20]["previousInterval"] is None

    def test_the_runners_of_a_poll_are_derived_already(self, store: RaceStore) -> None:
        run(imported(store))
        run(polled(store, event(race(), SOON)))
        before = self.everything(store)
        for row in self.rows(store, "entrants"):
            update = entrant_update(row)
            assert update.written_at == SOON
            assert run(store.flow_standing(update)).polled
            pools_then = run(store.pool_standing(update))
            assert pools_then is not None
            assert pools_then.runners == ()
            assert not run(store.save_flow(update, Estimator.HOLD, NOW))
        assert not run(store.save_pool_totals(race().race_id, Estimator.HOLD, NOW))
        assert self.everything(store) == before

    def test_a_later_update_replaces_what_a_poll_wrote_and_what_the_poll_measured(self, store: RaceStore) -> None:
        run(imported(store))
        run(polled(store, event(race(), SOON)))
        assert run(store.save_flow(told(SOON + timedelta(seconds=30)), Estimator.HOLD, NOW))
        row = self.buckets_of(store, told(SOON))[20]
        assert (row["winPoolAmount"], row["dataQualityScore"], row["isStale"]) == (250_000, None, None)
        assert row["totalPoolAmount"] is None

    def test_an_unknown_race_and_an_abandoned_one_get_no_bucket(self, store: RaceStore) -> None:
        stranger = told(SOON, of=race(9))
        assert run(store.flow_standing(stranger)).race is None
        assert not run(store.save_flow(stranger, Estimator.HOLD, NOW))
        run(imported(store))
        run(polled(store, event(race(status=RaceStatus.ABANDONED), SOON)))
        assert run(store.flow_standing(told(AFTER))).race == FlowRace(START, abandoned=True, abandoned_at=SOON)
        assert not run(store.save_flow(told(AFTER), Estimator.HOLD, NOW))

    def test_pools_are_unknown_without_their_row_and_zeros_after_the_import(self, store: RaceStore) -> None:
        assert run(store.pool_standing(told(SOON))) is None
        assert not run(store.save_pool_totals(race().race_id, Estimator.HOLD, NOW))
        run(imported(store))
        standing = run(store.pool_standing(told(SOON)))
        assert standing is not None
        assert (standing.pools.has_data, standing.pools.totals.race_total_cents, standing.runners) == (False, 0, ())

    def test_win_and_place_follow_what_others_write_and_the_rest_stays(self, store: RaceStore) -> None:
        run(imported(store))
        run(polled(store, event(race(), SOON, win_cents=1_000_000)))
        held = {row["$id"]: row["holdPercentage"] for row in self.rows(store, "entrants")}
        for number in (1, 2, 3):
            share = held[runner(number, race()).entrant_id]
            amounts = {"winPoolAmount": round(15_000 * share), "placePoolAmount": round(9_000 * share)}
            self.overwrite(store, number, AFTER, **amounts)
        assert run(store.save_pool_totals(race().race_id, Estimator.HOLD, NOW))
        [row] = self.rows(store, "race-pools")
        stored = pools()
        assert (row["winPoolTotal"], row["placePoolTotal"]) == (1_500_000, 900_000)
        assert (row["quinellaPoolTotal"], row["trifectaPoolTotal"], row["first4PoolTotal"]) == (30_000, 40_000, 50_000)
        assert row["totalRacePool"] == 1_500_000 + 900_000 + 120_000
        assert (row["multiLegPoolTotal"], row["hasData"]) == (stored.multi_leg_cents, True)
        assert row["lastUpdated"] == instant_text(AFTER)
        once = self.everything(store)
        assert not run(store.save_pool_totals(race().race_id, Estimator.HOLD, NOW))
        assert self.everything(store) == once

    def test_a_sweep_sees_the_runners_that_others_wrote(self, store: RaceStore) -> None:
        run(imported(store))
        run(polled(store, event(race(), SOON)))
        assert run(store.runners_written_by_others(all_day(IMPORTED))) == []
        self.overwrite(store, 2, AFTER, winPoolAmount=7)
        [update] = run(store.runners_written_by_others(all_day(AFTER)))
        assert (update.runner_number, update.win_cents, update.written_at) == (2, 7, AFTER)
        assert run(store.runners_written_by_others(all_day(AFTER + timedelta(seconds=1)))) == []
        elsewhere = replace(all_day(AFTER), starts_from=START + timedelta(minutes=1))
        assert run(store.runners_written_by_others(elsewhere)) == []
        run(polled(store, event(race(), NOW, win_cents=2_000_000)))
        assert run(store.runners_written_by_others(all_day(IMPORTED))) == []

    def test_a_correction_that_nobody_stamped_is_seen_as_well(self, store: RaceStore) -> None:
        run(imported(store))
        run(polled(store, event(race(), SOON)))
        corrected = {"winPoolAmount": 7, "$updatedAt": instant_text(AFTER)}
        self.write_runner(store, runner(2, race()).entrant_id, corrected)
        [update] = run(store.runners_written_by_others(all_day(AFTER)))
        assert update.written_at == AFTER

    def test_those_who_wait_longest_come_first(self, store: RaceStore) -> None:
        run(imported(store))
        run(polled(store, event(race(), SOON)))
        for number, minutes in ((1, 2), (2, 1), (3, 3)):
            self.overwrite(store, number, SOON + timedelta(minutes=minutes), winPoolAmount=7)
        waiting = run(store.runners_written_by_others(all_day(IMPORTED)))
        assert [update.runner_number for update in waiting] == [2, 1, 3]

    def test_a_race_s_flow_holds_every_runner_and_our_own_polls(self, store: RaceStore) -> None:
        assert run(store.race_flow(race().race_id, IMPORTED)) is None
        run(imported(store))
        run(polled(store, event(race(), SOON)))
        run(store.save_flow(told(AFTER), Estimator.HOLD, NOW))
        flow = run(store.race_flow(race().race_id, IMPORTED))
        assert flow is not None
        assert (flow.race, flow.polls) == (FlowRace(START), {SOON})
        assert {len(kept) for kept in flow.buckets.values()} == {1, 2}
        assert flow.standing(told(AFTER)).buckets == run(store.flow_standing(told(AFTER))).buckets
        later = run(store.race_flow(race().race_id, AFTER))
        assert later is not None
        assert later.polls == frozenset()

    def test_increments_that_add_up_need_no_repair(self, store: RaceStore) -> None:
        run(imported(store))
        for minutes, win_cents in ((20, 1_000_000), (14, 1_200_000)):
            run(polled(store, event(race(), START - timedelta(minutes=minutes), win_cents=win_cents)))
        before = self.everything(store)
        assert run(store.repair_increments(race().race_id, NOW)) == 0
        assert self.everything(store) == before

    def test_the_mark_of_a_sweep_is_kept_for_each_function(self, store: RaceStore) -> None:
        assert run(store.swept_to(FUNCTION)) is None
        run(store.note_swept(FUNCTION, SOON, NOW))
        run(store.note_swept("race-pools-aggregator", AFTER, NOW))
        run(store.note_swept(FUNCTION, AFTER, NOW))
        run(store.note_swept(FUNCTION, SOON, NOW))
        assert run(store.swept_to(FUNCTION)) == SOON
        assert len(self.rows(store, "sweeps")) == 2


async def flow_operations(store: RaceStore) -> None:
    """Call every operation of `FlowStore` on a day that is stored, so that each of its statements runs."""
    of = race(1, 1)
    await store.save_meetings([meeting()], IMPORTED)
    written = told(START - timedelta(minutes=59), 100_000, of=of)
    await store.flow_standing(written)
    assert await store.save_flow(written, Estimator.HOLD, NOW)
    assert await store.pool_standing(written) is not None
    await store.save_pool_totals(of.race_id, Estimator.HOLD, NOW)
    await store.runners_written_by_others(all_day(IMPORTED))
    assert await store.race_flow(of.race_id, IMPORTED) is not None
    await store.repair_increments(of.race_id, NOW)
    await store.note_swept(FUNCTION, NOW, NOW)
    assert await store.swept_to(FUNCTION) == NOW
