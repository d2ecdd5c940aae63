"""Which bucket an update of a runner makes, whatever came before it, and what the runners say of the pools."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import pytest

from builders import FIRST, SECOND, START
from flow_updates import at_minutes, increments_of, kept_after, update
from raceday.domain.flow import MoneyFlow
from raceday.domain.flow_update import FlowRace, FlowStanding, KeptBucket, NotDue, covers, miscounted, update_flow
from raceday.domain.money_flow import Estimator, HoldShare
from raceday.domain.odds import Odds
from raceday.domain.pools import PoolTotals
from raceday.domain.pools_update import PoolStanding, StoredPools, pool_cents, pools_due
from raceday.store.rows.flow import update_bucket_row

RACE = FlowRace(START)


def due(told, *kept, race=RACE, polled=False):
    return update_flow(told, FlowStanding(kept, race, polled), Estimator.HOLD)


def made_of(told, **more) -> KeptBucket:
    """The bucket of an update that found no other."""
    flow = due(told)
    assert isinstance(flow, MoneyFlow)
    return KeptBucket(replace(flow.buckets[0], **more), told.written_at)


def test_an_update_makes_a_bucket_of_all_that_its_row_says():
    told = update(58.2, 12_345)

    (flow,) = due(told).buckets

    assert (flow.bucket, flow.minutes_to_start, flow.interval_type) == (55, 58, "5m")
    assert (flow.win_cents, flow.place_cents, flow.total_cents) == (12_345, 6_172, None)
    assert (flow.win_increment_cents, flow.place_increment_cents, flow.baseline) == (12_345, 6_172, True)
    assert (flow.hold_pct, flow.bet_pct, flow.implied_pct, flow.odds) == (10.0, 9.0, 11.5, told.odds)


def test_what_only_a_poll_measures_is_empty_in_the_row():
    row = update_bucket_row(due(update(58)).buckets[0])

    measured = ("dataQualityScore", "pollingLatencyMs", "mathematicallyConsistent", "isStale", "totalPoolAmount")
    assert {row[name] for name in measured} == {None}
    assert (row["eventTimestamp"], row["pollingTimestamp"]) == ("2026-11-22T02:02:00.000+00:00",) * 2


@pytest.mark.parametrize(
    ("estimator", "win_cents", "hold_pct", "percentage"),
    [
        (Estimator.HOLD, 12_345, 10.0, 10.0),
        (Estimator.TOTE_IMPLIED, 12_345, 10.0, 11.5),
        (Estimator.HOLD, 0, 0.0, 0.0),
        (Estimator.HOLD, 0, 10.0, None),
        (Estimator.HOLD, None, 10.0, None),
    ],
)
def test_a_runner_has_a_share_of_a_pool_with_money_in_it(estimator, win_cents, hold_pct, percentage):
    told = update(58, win_cents, hold=HoldShare(hold_pct, 0))
    flow = update_flow(told, FlowStanding((), RACE), estimator)

    assert update_bucket_row(flow.buckets[0])["winPoolPercentage"] == percentage


def test_the_same_update_again_is_covered_by_its_bucket_alone():
    told = update(58)

    assert covers((made_of(told),), told)
    assert due(told, made_of(told), race=None) is NotDue.DERIVED


def test_a_poll_covers_its_own_runners_whatever_their_rows_kept_of_earlier_ones():
    told = update(58)
    measured = replace(made_of(update(58, None, hold=None)), measured=True)

    assert covers((measured,), told)
    assert not covers((replace(measured, seen_at=at_minutes(58.1)),), told)


def test_the_write_of_a_poll_that_left_its_bucket_alone_makes_none_either():
    assert due(update(57), made_of(update(58)), polled=True) is NotDue.DERIVED


def test_a_late_update_of_a_bucket_that_is_there_changes_nothing():
    assert due(update(58, 999), made_of(update(57))) is NotDue.DERIVED


def test_a_late_update_of_a_missing_older_bucket_is_derived_and_the_newer_one_counted_again():
    newer = made_of(update(50, 15_000))
    assert newer.flow.win_increment_cents == 0, "first seen in bucket 50, so what came before is not known"

    flow = due(update(59, 10_000), newer)

    assert [(made.bucket, made.win_increment_cents, made.baseline) for made in flow.buckets] == [(55, 10_000, True)]
    assert [(r.bucket, r.win_increment_cents, r.previous_bucket, r.baseline) for r in flow.repairs] == [
        (50, 5_000, 55, False)
    ]


def test_a_baseline_ends_when_an_older_bucket_comes_in_late():
    kept = kept_after([update(57, 12_000), update(64, 10_000)])[FIRST]

    assert increments_of(kept) == {60: 10_000, 55: 2_000}
    assert (kept[60].flow.baseline, kept[55].flow.baseline) == (True, False)


def test_a_known_amount_stays_when_later_updates_of_the_bucket_have_none():
    with_amount, without = update(59), update(56, None)

    for order in permutations([with_amount, without]):
        assert kept_after(order)[FIRST][55].flow.win_cents == 10_000


def test_two_writes_of_one_moment_end_the_same_in_either_order():
    odds_first = update(59, 10_000, odds=Odds(4.0))
    amounts_then = update(59, 11_000, odds=Odds(4.0))

    ends = [kept_after(order)[FIRST][55].flow.win_cents for order in permutations([odds_first, amounts_then])]

    assert ends == [11_000, 11_000]


def test_shares_without_amounts_are_not_turned_into_money():
    (flow,) = due(update(58, None)).buckets

    assert (flow.hold_pct, flow.win_cents, flow.win_increment_cents) == (10.0, None, None)


@pytest.mark.parametrize(
    ("told", "race", "why"),
    [
        (update(58), None, NotDue.UNKNOWN_RACE),
        (update(58, scratched=True), RACE, NotDue.OUT_OF_PLAY),
        (update(58), FlowRace(START, abandoned=True), NotDue.OUT_OF_PLAY),
        (update(58), FlowRace(START, abandoned=True, abandoned_at=at_minutes(58)), NotDue.OUT_OF_PLAY),
    ],
)
def test_no_bucket_without_a_race_to_bet_on(told, race, why):
    assert due(told, race=race) is why


def test_what_was_bet_before_an_abandonment_counts_however_late_its_event_comes():
    called_off = FlowRace(START, abandoned=True, abandoned_at=at_minutes(20))

    assert isinstance(due(update(58), race=called_off), MoneyFlow)


def test_increments_that_do_not_add_up_are_found():
    first, second = made_of(update(58, 10_000)).flow, made_of(update(52, 12_000)).flow

    assert [(r.bucket, r.win_increment_cents, r.previous_bucket) for r in miscounted([first, second])] == [
        (50, 2_000, 55)
    ]
    assert miscounted([first]) == []


@pytest.mark.parametrize(
    ("runners", "pool"),
    [
        ([(385_653, 42.0), (220_373, 24.0)], 918_221),  # race B's runners 4 and 3
        ([(775_000, 15.5), (None, 20.0), (1_000, None)], 5_000_000),
        ([(10_000, None), (5_000, None)], 15_000),
        ([(10_000, 0.25), (5_000, 0.25)], 15_000),
        ([(0, 0.0), (0, 0.0)], 0),
        ([(None, 50.0)], None),
        ([], None),
        ([(2**52, 1.0)], None),
    ],
)
def test_a_pool_is_what_amounts_and_shares_say_together(runners, pool):
    assert pool_cents(runners) == pool


POLLED = PoolTotals(win_cents=100_003, place_cents=40_001, quinella_cents=30_000, trifecta_cents=20_000)


def standing(*runners, pools=POLLED, minutes: float = 30, has_data: bool = True, polls=(30,)) -> PoolStanding:
    return PoolStanding(
        StoredPools(pools, at_minutes(minutes), has_data), runners, frozenset(at_minutes(made) for made in polls)
    )


def runner(minutes: float, win_cents: int, hold_pct: float = 50, entrant_id: str = FIRST, **more):
    return update(minutes, win_cents, hold=HoldShare(hold_pct, 0), entrant_id=entrant_id, **more)


def test_the_exact_totals_of_a_poll_stay_when_only_polls_wrote_the_runners():
    assert pools_due(standing(runner(30, 50_002), runner(30, 50_002, entrant_id=SECOND)), Estimator.HOLD) is None


def test_an_older_write_of_somebody_else_does_not_replace_the_totals_of_a_poll():
    assert pools_due(standing(runner(31, 70_000), runner(30, 50_002)), Estimator.HOLD) is None


def test_a_write_by_somebody_else_brings_new_totals_of_win_and_place_alone():
    due_pools = pools_due(standing(runner(29, 60_000), runner(29.5, 60_000, entrant_id=SECOND)), Estimator.HOLD)

    assert due_pools is not None
    assert due_pools.totals == replace(POLLED, win_cents=120_000, place_cents=60_000)
    assert due_pools.totals.race_total_cents == 230_000
    assert due_pools.updated_at == at_minutes(29)
    assert pools_due(standing(runner(29, 60_000), pools=due_pools.totals, minutes=29), Estimator.HOLD) is None


def test_runners_of_one_write_count_as_they_come_in():
    first, second = runner(29, 60_000), runner(29, 70_000, entrant_id=SECOND)
    begun = pools_due(standing(first, runner(30, 50_000, entrant_id=SECOND)), Estimator.HOLD)
    assert begun is not None

    done = pools_due(standing(first, second, pools=begun.totals, minutes=29), Estimator.HOLD)

    assert done is not None
    assert (begun.totals.win_cents, done.totals.win_cents) == (110_000, 130_000)


def test_a_write_that_is_stamped_earlier_than_the_last_one_seen_still_counts():
    seen, behind = runner(28, 60_000), runner(29, 70_000, entrant_id=SECOND)

    due_pools = pools_due(standing(seen, behind, pools=PoolTotals(win_cents=110_000), minutes=28), Estimator.HOLD)

    assert due_pools is not None
    assert (due_pools.totals.win_cents, due_pools.updated_at) == (130_000, at_minutes(28))


def test_a_scratched_runner_takes_its_money_out_of_the_pool():
    gone = runner(29, 50_000, entrant_id=SECOND, scratched=True)

    due_pools = pools_due(standing(runner(30, 50_000, 100), gone), Estimator.HOLD)

    assert due_pools is not None
    assert due_pools.totals.win_cents == 50_000


def test_runners_without_amounts_leave_the_zeros_of_the_import():
    said = standing(update(29, None), pools=PoolTotals(), has_data=False)

    assert pools_due(said, Estimator.HOLD) is None


def test_the_first_amounts_fill_the_zeros_of_the_import():
    due_pools = pools_due(standing(runner(31, 50_000), pools=PoolTotals(), has_data=False), Estimator.HOLD)

    assert due_pools == StoredPools(PoolTotals(win_cents=100_000, place_cents=50_000), at_minutes(31), has_data=True)


def test_the_implied_estimator_uses_implied_shares():
    said = standing(runner(29, 11_500, implied_pct=11.5))

    due_pools = pools_due(said, Estimator.TOTE_IMPLIED)

    assert due_pools is not None
    assert due_pools.totals.win_cents == 100_000
    assert due_pools.updated_at == START - timedelta(minutes=29)
