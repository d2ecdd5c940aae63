"""The worked cases of money flow: amounts, buckets, increments, the two estimators."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from raceday.domain.flow import RaceMoney, money_flow
from raceday.domain.money_flow import (
    BucketAmounts,
    Estimator,
    HoldShare,
    bucket_of,
    implied_shares_pct,
    increment_cents,
    interval_type,
    minutes_to_start,
    share_of_pool_cents,
)
from raceday.domain.odds import Odds
from raceday.domain.pools import PoolTotals, TotePool, cents, pool_totals

START = datetime(2025, 8, 20, 2, 52, tzinfo=UTC)


def at_minutes(minutes: float) -> datetime:
    return START - timedelta(minutes=minutes)


def test_amounts_of_a_runner_are_its_share_of_the_pools():
    pools = PoolTotals(win_cents=cents(50_000), place_cents=cents(30_000))
    money = RaceMoney("race", START, at_minutes(64), {"a": Odds()}, {"a": HoldShare(15.5, 12)}, pools)

    (bucket,) = money_flow(money, {}).buckets

    assert (bucket.win_cents, bucket.place_cents, bucket.total_cents) == (775_000, 465_000, 8_000_000)


def test_several_polls_in_a_bucket_leave_its_last_value_and_increments_that_sum_to_the_last_amount():
    polls = [  # minutes to start, win pool in dollars, hold in percent, expected increment in cents
        (64, 10_000, 10, 100_000),
        (61.5, 10_500, 10, 105_000),
        (59, 11_000, 10, 5_000),
        (56.5, 11_800, 10, 13_000),
        (54, 12_400, 10, 6_000),
        (51.5, 12_400, 10, 6_000),
        (47, 13_000, 9, -7_000),
        (12, 20_000, 9, 63_000),
    ]
    stored: dict[int, BucketAmounts] = {}
    increments: dict[int, int] = {}
    for minutes, dollars, hold, expected in polls:
        pools = PoolTotals(win_cents=cents(dollars))
        money = RaceMoney("race", START, at_minutes(minutes), {"a": Odds()}, {"a": HoldShare(hold, hold)}, pools)
        (bucket,) = money_flow(money, {"a": list(stored.values())}).buckets
        assert bucket.win_increment_cents == expected
        stored[bucket.bucket] = BucketAmounts(bucket.bucket, bucket.win_cents, bucket.place_cents)
        increments[bucket.bucket] = expected

    assert sum(increments.values()) == 180_000 == stored[10].win_cents


def test_whole_percent_holds_make_a_growing_pool_look_like_an_outflow():
    assert share_of_pool_cents(cents(9_151.38), 18) == 164_725
    assert share_of_pool_cents(cents(9_300.00), 17) - 164_725 == -6_625


def test_a_runner_first_seen_late_has_unknown_history_and_no_increment():
    money = RaceMoney(
        "race", START, at_minutes(30), {"a": Odds()}, {"a": HoldShare(20, 20)}, PoolTotals(win_cents=100_000)
    )

    (bucket,) = money_flow(money, {}).buckets

    assert (bucket.win_cents, bucket.win_increment_cents, bucket.baseline) == (20_000, 0, False)


def test_a_runner_first_seen_early_starts_from_its_whole_amount():
    assert increment_cents(500, None, has_previous=False, bucket=55) == 500
    assert increment_cents(500, None, has_previous=False, bucket=50) == 0


@pytest.mark.parametrize(
    ("exact", "rounded", "bucket"),
    [
        (65, 65, 60), (60, 60, 60), (59.6, 60, 60), (59.5, 60, 60), (59.4, 59, 55), (54.49, 54, 50),
        (5.5, 6, 5), (5.4, 5, 5), (4.51, 5, 5), (4.5, 5, 5), (1.49, 1, 1), (0.5, 1, 1), (0.49, 0, 0),
        (0, 0, 0), (-0.3, 0, 0), (-0.5, 0, 0), (-0.51, -1, -1), (-1.4, -1, -1), (-1.5, -1, -1),
        (-1.6, -2, -2), (-6.4, -6, -6), (-6.6, -7, -7),
    ],
)  # fmt: skip
def test_time_to_start_is_rounded_half_up_and_falls_into_its_bucket(exact: float, rounded: int, bucket: int):
    assert minutes_to_start(START, at_minutes(exact)) == rounded
    assert bucket_of(rounded) == bucket


@pytest.mark.parametrize(
    ("minutes", "label"), [(31, "5m"), (30, "2m"), (6, "2m"), (5, "30s"), (1, "30s"), (0, "live"), (-3, "live")]
)
def test_interval_labels_are_those_the_client_draws(minutes: int, label: str):
    assert interval_type(minutes) == label


def test_implied_shares_follow_the_tote_odds_of_a_real_race():
    # Cambridge race 5, 20 August 2025: tote win odds of runners 1 to 7 at the end.
    odds = {str(n): Odds(pool_win=o) for n, o in enumerate([7.6, 9.5, 2.3, 2.7, 22.8, 16.1, 18.5], 1)}

    shares = implied_shares_pct(odds)

    assert sum(shares.values()) == pytest.approx(100)
    assert [round(shares[n], 1) for n in "1234567"] == [10.9, 8.8, 36.2, 30.8, 3.6, 5.2, 4.5]
    assert share_of_pool_cents(cents(9_182.21), shares["4"]) == pytest.approx(282_925, abs=10)


def test_the_implied_estimator_needs_no_money_tracker():
    pools = PoolTotals(win_cents=100_000)
    odds = {"a": Odds(pool_win=2.0), "b": Odds(pool_win=4.0)}
    money = RaceMoney("race", START, at_minutes(60), odds, None, pools)

    amounts = [bucket.win_cents for bucket in money_flow(money, {}, Estimator.TOTE_IMPLIED).buckets]

    assert amounts == [66_667, 33_333]


def test_unknown_shares_leave_amounts_unknown_and_never_overwrite_known_ones():
    money = RaceMoney("race", START, at_minutes(40), {"a": Odds(fixed_win=3.0)}, None, PoolTotals(win_cents=100_000))

    (unknown,) = money_flow(money, {}).buckets
    kept = money_flow(money, {"a": [BucketAmounts(40, 5_000, 100)]}).buckets

    assert (unknown.win_cents, unknown.win_increment_cents) == (None, None)
    assert kept == ()


def test_a_start_put_back_writes_an_older_bucket_again_and_repairs_the_newer_one():
    stored = {"a": [BucketAmounts(60, 1_000, 0), BucketAmounts(15, 2_000, 0), BucketAmounts(10, 2_500, 0)]}
    money = RaceMoney(
        "race", START, at_minutes(15), {"a": Odds()}, {"a": HoldShare(30, 0)}, PoolTotals(win_cents=10_000)
    )

    flow = money_flow(money, stored)

    assert [(b.bucket, b.win_increment_cents) for b in flow.buckets] == [(15, 2_000)]
    assert [(r.bucket, r.win_increment_cents, r.previous_bucket) for r in flow.repairs] == [(10, -500, 15)]


def test_multi_leg_pools_never_count_into_the_race():
    # Cambridge race 5, 20 August 2025, in dollars.
    listed = {"Win": 9182.21, "Place": 2637.62, "Quinella": 5489.69, "Trifecta": 7452.22, "FirstFour": 7614.33,
              "RunningDouble": 2587, "Treble": 11452.2, "Quadrella": 25806.17}  # fmt: skip

    totals = pool_totals(TotePool(product, cents(dollars)) for product, dollars in listed.items())

    assert totals.race_total_cents == 3_237_607
    assert totals.multi_leg_cents == 3_984_537
    assert (totals.win_cents, totals.first4_cents) == (918_221, 761_433)


def test_a_pool_listed_twice_counts_once_and_an_unknown_one_is_kept_apart():
    totals = pool_totals([TotePool("Win", 500), TotePool("Win", 700), TotePool("Superfecta", 900)])

    assert totals.race_total_cents == 700
    assert [pool.product for pool in totals.unknown] == ["Superfecta"]
