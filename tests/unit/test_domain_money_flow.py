"""Money flow beside its worked cases: baselines, unknown shares, starts put back, pools listed twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from raceday.domain.flow import RaceMoney, money_flow
from raceday.domain.money_flow import (
    BucketAmounts,
    Estimator,
    HoldShare,
    increment_cents,
    interval_type,
)
from raceday.domain.odds import Odds
from raceday.domain.pools import PoolTotals, TotePool, pool_totals

START = datetime(2025, 8, 20, 2, 52, tzinfo=UTC)


def at_minutes(minutes: float) -> datetime:
    return START - timedelta(minutes=minutes)


def test_a_runner_first_seen_early_starts_from_its_whole_amount():
    assert increment_cents(500, None, has_previous=False, bucket=55) == 500
    assert increment_cents(500, None, has_previous=False, bucket=50) == 0


@pytest.mark.parametrize(
    ("minutes", "label"), [(31, "5m"), (30, "2m"), (6, "2m"), (5, "30s"), (1, "30s"), (0, "live"), (-3, "live")]
)
def test_interval_labels_are_those_the_client_draws(minutes: int, label: str):
    assert interval_type(minutes) == label


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


def test_a_pool_listed_twice_counts_once_and_an_unknown_one_is_kept_apart():
    totals = pool_totals([TotePool("Win", 500), TotePool("Win", 700), TotePool("Superfecta", 900)])

    assert totals.race_total_cents == 700
    assert [pool.product for pool in totals.unknown] == ["Superfecta"]
