"""What must hold for every sequence of numbers, not only for the worked cases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from raceday.domain.cadence import POLICIES, SOURCE_REFRESH_S, PollTarget, next_due, spread_offset_s
from raceday.domain.flow import RaceMoney, money_flow
from raceday.domain.money_flow import BucketAmounts, HoldShare, bucket_of
from raceday.domain.odds import Odds
from raceday.domain.pools import PoolTotals, cents
from raceday.domain.quality import QualityInputs, poll_quality
from raceday.domain.racing_day import NZ, nz_midnight, racing_date
from raceday.domain.status import RaceStatus

START = datetime(2026, 3, 7, 3, 0, tzinfo=UTC)
policies = st.sampled_from(list(POLICIES.values()))
live_statuses = st.sampled_from([RaceStatus.OPEN, RaceStatus.CLOSED, RaceStatus.INTERIM])
seconds = st.integers(-6 * 3600, 16 * 3600)


@given(
    st.lists(
        st.tuples(st.integers(-20, 90), st.integers(0, 5_000_000), st.integers(0, 100), st.booleans()),
        min_size=1,
        max_size=40,
    )
)
def test_increments_of_a_runners_buckets_sum_to_its_last_amount(polls):
    """Whatever the order of polls (a start may be put back), gaps, or missing trackers."""
    stored: dict[int, BucketAmounts] = {}
    increments: dict[int, int] = {}
    for minutes, win_cents, hold_pct, with_tracker in [(75, 1_000, 10, True), *polls]:
        money = RaceMoney(
            "race",
            START,
            START - timedelta(minutes=minutes),
            {"a": Odds()},
            {"a": HoldShare(hold_pct, 0)} if with_tracker else None,
            PoolTotals(win_cents=win_cents),
        )
        flow = money_flow(money, {"a": list(stored.values())})
        for bucket in flow.buckets:
            stored[bucket.bucket] = BucketAmounts(bucket.bucket, bucket.win_cents, bucket.place_cents)
            increments[bucket.bucket] = bucket.win_increment_cents
        for repair in flow.repairs:
            increments[repair.bucket] = repair.win_increment_cents

    known = {bucket: amounts.win_cents for bucket, amounts in stored.items() if amounts.win_cents is not None}
    assert sum(increments[bucket] for bucket in known) == known[min(known)]


@given(st.integers(-10_000, 10_000))
def test_every_minute_has_exactly_one_bucket_and_buckets_keep_the_order_of_time(minutes):
    assert bucket_of(minutes) <= max(minutes, 0) or minutes < 0
    assert bucket_of(minutes) <= bucket_of(minutes + 1)


@given(policies, live_statuses, seconds, st.integers(15, 4000), st.uuids())
def test_a_race_is_never_due_sooner_than_the_source_refreshes(policy, status, to_start_s, ago_s, race_id):
    now = START - timedelta(seconds=to_start_s)
    last = now - timedelta(seconds=ago_s)
    due = next_due(policy, PollTarget(str(race_id), "m", START, status, last), now)

    assert due is not None
    assert due >= last + timedelta(seconds=SOURCE_REFRESH_S)


@given(policies, live_statuses, st.integers(-6 * 3600, 5 * 60), st.uuids())
def test_near_the_start_a_race_is_due_exactly_one_interval_after_its_last_poll(policy, status, to_start_s, race_id):
    last = START - timedelta(seconds=to_start_s)
    due = next_due(policy, PollTarget(str(race_id), "m", START, status, last), last)

    interval_s = policy.interval_s((START - due).total_seconds(), status)
    gap_s = (due - last).total_seconds()
    assert gap_s >= min(interval_s, policy.interval_s(to_start_s, status))
    assert gap_s <= max(interval_s, policy.interval_s(to_start_s, status))


@given(policies, st.sampled_from([RaceStatus.FINAL, RaceStatus.ABANDONED]), seconds)
def test_a_race_that_is_over_is_never_polled(policy, status, to_start_s):
    now = START - timedelta(seconds=to_start_s)
    assert policy.interval_s(to_start_s, status) is None
    assert next_due(policy, PollTarget("r", "m", START, status, now - timedelta(hours=2)), now) is None


@given(policies, seconds, live_statuses, st.uuids(), st.booleans())
def test_following_the_cadence_leaves_no_gap_longer_than_two_intervals(policy, to_start_s, status, race_id, never):
    now = START - timedelta(seconds=to_start_s)
    last = None if never else now - timedelta(seconds=60)
    due = next_due(policy, PollTarget(str(race_id), "m", START, status, last), now)

    first_s = policy.polls_from_s()
    slowest_s = 1800 if policy.name == "enhanced" else 300
    begins = max(now, START - timedelta(seconds=first_s)) if first_s != float("inf") else now
    assert due <= begins + timedelta(seconds=2 * slowest_s)


@given(st.uuids(), st.sampled_from([600, 1800]))
def test_far_out_polls_have_their_own_place_within_the_interval(race_id, interval_s):
    assert 0 <= spread_offset_s(str(race_id), interval_s) < interval_s


@given(st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)))
def test_an_instant_lies_within_its_racing_day(instant):
    day = racing_date(instant)
    assert nz_midnight(day) <= instant < nz_midnight(day + timedelta(days=1))
    assert instant.astimezone(NZ).date() == day


@given(st.integers(0, 10**11))
def test_dollars_with_two_decimals_become_the_same_cents_again(amount_cents):
    assert cents(float(f"{amount_cents // 100}.{amount_cents % 100:02d}")) == amount_cents


@given(
    st.builds(
        QualityInputs,
        live_runners=st.integers(0, 24),
        runners_with_price=st.integers(0, 24),
        hold_sum_pct=st.none() | st.floats(0, 300),
        hold_against_implied_pp=st.none() | st.floats(0, 100),
        pools_present=st.integers(0, 9),
        shrunk_pools=st.integers(0, 6),
        payload_age_s=st.floats(0, 1e5),
        duplicates=st.integers(0, 5),
        tracker_expected=st.booleans(),
    ).filter(lambda measured: measured.runners_with_price <= measured.live_runners)
)
def test_a_quality_score_lies_between_0_and_100(measured):
    assert 0 <= poll_quality(measured).score <= 100
