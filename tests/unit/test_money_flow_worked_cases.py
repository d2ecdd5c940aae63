"""The worked cases of money flow E1 to E4, E6 and E7, with the numbers of the original, in corrected form."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from raceday.domain.entrant_update import EntrantUpdate
from raceday.domain.flow import MoneyFlow, RaceMoney, money_flow
from raceday.domain.flow_update import FlowRace, FlowStanding, KeptBucket, update_flow
from raceday.domain.money_flow import (
    BucketAmounts,
    Estimator,
    HoldShare,
    IncrementRepair,
    bucket_of,
    implied_shares_pct,
    minutes_to_start,
    share_of_pool_cents,
)
from raceday.domain.odds import Odds
from raceday.domain.pools import PoolTotals, TotePool, cents, pool_totals
from raceday.domain.quality import QualityInputs, consistent, poll_quality

START = datetime(2025, 8, 20, 2, 52, tzinfo=UTC)
RUNNER = "4"


def money(minutes: float, pools: PoolTotals, hold_pct: float) -> RaceMoney:
    at = START - timedelta(minutes=minutes)
    return RaceMoney("race", START, at, {RUNNER: Odds()}, {RUNNER: HoldShare(hold_pct, hold_pct)}, pools)


def test_e1_amounts_are_the_share_of_each_pool():
    pools = PoolTotals(win_cents=cents(50_000), place_cents=cents(30_000))

    (bucket,) = money_flow(money(64, pools, 15.5), {}).buckets

    assert (bucket.win_cents, bucket.place_cents, bucket.hold_pct) == (775_000, 465_000, 15.5)
    assert bucket.total_cents == 8_000_000


E2_POLLS = [  # minutes to start, win pool in dollars, hold in percent, bucket, amount in cents, increment in cents
    (64, 10_000, 10, 60, 100_000, 100_000),
    (61.5, 10_500, 10, 60, 105_000, 105_000),
    (59, 11_000, 10, 55, 110_000, 5_000),
    (56.5, 11_800, 10, 55, 118_000, 13_000),
    (54, 12_400, 10, 50, 124_000, 6_000),
    (51.5, 12_400, 10, 50, 124_000, 6_000),
    (47, 13_000, 9, 45, 117_000, -7_000),
    (12, 20_000, 9, 10, 180_000, 63_000),
]


def test_e2_several_polls_of_a_bucket_leave_its_last_value_and_increments_that_sum_to_the_last_amount():
    stored: dict[int, BucketAmounts] = {}
    increments: dict[int, int | None] = {}
    for minutes, dollars, hold_pct, bucket, amount, increment in E2_POLLS:
        pools = PoolTotals(win_cents=cents(dollars))
        (made,) = money_flow(money(minutes, pools, hold_pct), {RUNNER: list(stored.values())}).buckets
        assert (made.bucket, made.win_cents, made.win_increment_cents) == (bucket, amount, increment)
        stored[bucket] = made.amounts
        increments[bucket] = made.win_increment_cents

    assert increments == {60: 105_000, 55: 13_000, 50: 6_000, 45: -7_000, 10: 63_000}
    assert sum(increments.values()) == 180_000 == stored[10].win_cents


@pytest.mark.parametrize("order", [E2_POLLS, E2_POLLS[::-1], E2_POLLS[4:] + E2_POLLS[:4] + E2_POLLS])
def test_e2_from_updates_of_the_runner_in_any_order(order):
    kept: dict[int, KeptBucket] = {}
    for minutes, _, hold_pct, _, amount, _ in order:
        at = START - timedelta(minutes=minutes)
        update = EntrantUpdate(RUNNER, "race", "Four", 4, Odds(), at, hold=HoldShare(hold_pct, 0), win_cents=amount)
        made = update_flow(update, FlowStanding(tuple(kept.values()), FlowRace(START)), Estimator.HOLD)
        if isinstance(made, MoneyFlow):
            kept[made.buckets[0].bucket] = KeptBucket(made.buckets[0], at)
            for repair in made.repairs:
                kept[repair.bucket] = repaired(kept[repair.bucket], repair)

    assert {bucket: held.flow.win_increment_cents for bucket, held in kept.items()} == {
        60: 105_000, 55: 13_000, 50: 6_000, 45: -7_000, 10: 63_000,
    }  # fmt: skip


def repaired(held: KeptBucket, repair: IncrementRepair) -> KeptBucket:
    flow = replace(
        held.flow,
        win_increment_cents=repair.win_increment_cents,
        place_increment_cents=repair.place_increment_cents,
        previous_bucket=repair.previous_bucket,
        baseline=repair.baseline,
    )
    return replace(held, flow=flow)


def test_e3_whole_percent_holds_make_a_growing_pool_look_like_an_outflow():
    before = money_flow(money(64, PoolTotals(win_cents=cents(9_151.38)), 18), {}).buckets[0]
    after = money_flow(money(59, PoolTotals(win_cents=cents(9_300.00)), 17), {RUNNER: [before.amounts]}).buckets[0]

    assert (before.win_cents, after.win_cents, after.win_increment_cents) == (164_725, 158_100, -6_625)


def test_e4_a_runner_first_seen_half_an_hour_out_has_an_amount_and_no_increment():
    pools = PoolTotals(win_cents=cents(50_000), place_cents=cents(30_000))

    (bucket,) = money_flow(money(30, pools, 20), {}).buckets

    assert (bucket.win_cents, bucket.place_cents) == (1_000_000, 600_000)
    assert (bucket.win_increment_cents, bucket.place_increment_cents) == (0, 0)
    assert (bucket.previous_bucket, bucket.baseline) == (None, False), "so that a client can tell 0 from not known"


# Race B of the specification: Cambridge race 5, 20 August 2025, at its end. Runners 1 to 7.
RACE_B_POOLS = {"Win": 9182.21, "Place": 2637.62, "Quinella": 5489.69, "Trifecta": 7452.22, "FirstFour": 7614.33,
                "RunningDouble": 2587.00, "Treble": 11452.20, "Quadrella": 25806.17}  # fmt: skip
RACE_B_HOLDS = [11, 6, 24, 42, 6, 12, 3]
RACE_B_TOTE_ODDS = [7.6, 9.5, 2.3, 2.7, 22.8, 16.1, 18.5]


def race_b_pools() -> PoolTotals:
    return pool_totals(TotePool(product, cents(dollars)) for product, dollars in RACE_B_POOLS.items())


@pytest.mark.parametrize(
    ("estimator", "win_cents", "within_cents"),
    [(Estimator.HOLD, 385_653, 0), (Estimator.TOTE_IMPLIED, 282_925, 10)],
)
def test_e6_runner_4_by_its_hold_and_by_what_its_odds_imply(estimator, win_cents, within_cents):
    odds = {str(number): Odds(pool_win=price) for number, price in enumerate(RACE_B_TOTE_ODDS, 1)}
    holds = {str(number): HoldShare(hold, hold) for number, hold in enumerate(RACE_B_HOLDS, 1)}
    race_b = RaceMoney("race", START, START, odds, holds, race_b_pools())

    by_runner = {bucket.entrant_id: bucket for bucket in money_flow(race_b, {}, estimator).buckets}

    assert by_runner[RUNNER].hold_pct == 42
    assert by_runner[RUNNER].implied_pct == pytest.approx(30.8, abs=0.05)
    assert by_runner[RUNNER].win_cents == pytest.approx(win_cents, abs=within_cents)


def test_e6_implied_shares_of_the_whole_field():
    odds = {str(number): Odds(pool_win=price) for number, price in enumerate(RACE_B_TOTE_ODDS, 1)}

    shares = implied_shares_pct(odds)

    assert sum(shares.values()) == pytest.approx(100)
    assert [round(shares[n], 1) for n in "1234567"] == [10.9, 8.8, 36.2, 30.8, 3.6, 5.2, 4.5]
    assert share_of_pool_cents(cents(9_182.21), shares[RUNNER]) == pytest.approx(282_925, abs=10)


def test_e6_the_race_total_leaves_multi_leg_pools_apart():
    pools = race_b_pools()

    assert (pools.win_cents, pools.place_cents, pools.quinella_cents) == (918_221, 263_762, 548_969)
    assert (pools.trifecta_cents, pools.first4_cents, pools.exacta_cents) == (745_222, 761_433, 0)
    assert {pool.product: pool.total_cents for pool in pools.multi_leg} == {
        "RunningDouble": 258_700, "Treble": 1_145_220, "Quadrella": 2_580_617,
    }  # fmt: skip
    assert (pools.race_total_cents, pools.multi_leg_cents) == (3_237_607, 3_984_537)
    assert pools.race_total_cents + pools.multi_leg_cents == 7_222_144, "what the original called the race's total"


@pytest.mark.parametrize("hold_sum_pct", [sum(RACE_B_HOLDS), 105, 100 + 5.000000000000008, 95])
def test_e6_holds_that_sum_to_105_are_consistent(hold_sum_pct):
    measured = QualityInputs(
        live_runners=7,
        runners_with_price=7,
        hold_sum_pct=hold_sum_pct,
        hold_against_implied_pp=None,
        pools_present=5,
        shrunk_pools=0,
        payload_age_s=0,
        duplicates=0,
        tracker_expected=True,
    )

    assert sum(RACE_B_HOLDS) == 104
    assert consistent(measured)
    assert poll_quality(measured).score == 100


@pytest.mark.parametrize(
    ("exact", "rounded", "bucket"),
    [
        (65, 65, 60), (60, 60, 60), (59.6, 60, 60), (59.5, 60, 60), (59.4, 59, 55), (54.49, 54, 50),
        (5.5, 6, 5), (5.4, 5, 5), (4.51, 5, 5), (4.5, 5, 5), (1.49, 1, 1), (0.5, 1, 1), (0.49, 0, 0),
        (0, 0, 0), (-0.3, 0, 0), (-0.5, 0, 0), (-0.51, -1, -1), (-1.4, -1, -1), (-1.5, -1, -1),
        (-1.6, -2, -2), (-6.4, -6, -6), (-6.6, -7, -7),
    ],
)  # fmt: skip
def test_e7_time_to_start_is_rounded_half_up_and_falls_into_its_bucket(exact: float, rounded: int, bucket: int):
    assert minutes_to_start(START, START - timedelta(minutes=exact)) == rounded
    assert bucket_of(rounded) == bucket
