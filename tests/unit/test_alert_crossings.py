"""Which moves of the price and of the money cross a configuration, and which of those are told."""

from __future__ import annotations

import pytest

from alert_builders import OTHER, RUNNER, before_start, column, threshold, tick, told, update
from raceday.domain.alerts.config import AlertConfig, AlertKind
from raceday.domain.alerts.defaults import default_ranges
from raceday.domain.odds import Odds, OddsKind

SHORTENING, DRIFTING = AlertKind.ODDS_SHORTENING, AlertKind.ODDS_DRIFTING
MONEY, TOTE = AlertKind.MONEY_SHARE_RISE, OddsKind.POOL_WIN
RANGES = default_ranges("ann")


def ranges_told(*args: object) -> dict[int | None, list[str]]:
    """What each of the six default ranges tells: the kind of each crossing."""
    crossed = {config.display_order: told(config, *args) for config in RANGES}  # type: ignore[arg-type]
    return {order: [crossing.kind.value for crossing in found] for order, found in crossed.items() if found}


def test_twelve_to_seven_is_41_67_percent_and_crosses_the_fifth_range():
    ticks = [tick(11, 12.0, 10), tick(4.5, 7.0, 5)]
    [crossing] = told(RANGES[4], ticks)
    assert crossing.amount == pytest.approx(41.67, abs=0.005)
    assert (crossing.before, crossing.after, crossing.bucket) == (12.0, 7.0, 5)
    assert ranges_told(ticks) == {5: ["odds_shortening"]}


@pytest.mark.parametrize(
    ("price", "order"),
    [(9.51, None), (9.5, 1), (9.01, 1), (9.0, 2), (8.5, 3), (8.0, 4), (7.5, 5), (5.01, 5), (5.0, 6), (1.0, 6)],
)
def test_a_range_includes_its_minimum_and_not_its_maximum(price: float, order: int | None):
    assert list(ranges_told([tick(11, 10.0, 10), tick(4.5, price, 5)])) == ([] if order is None else [order])


@pytest.mark.parametrize("before", [2.0, 3.0, 4.2, 7.0, 19.0])
def test_five_percent_is_five_percent_whatever_binary_fractions_make_of_it(before: float):
    assert len(told(threshold(SHORTENING, 5.0), [tick(4, before, 4), tick(1, before * 0.95, 1)])) == 1


def test_a_range_looks_back_to_the_last_price_before_the_bucket_began():
    ticks = [tick(12, 20.0, 10), tick(11, 10.0, 10), tick(4.9, 9.8, 5), tick(4.6, 9.4, 5)]
    [crossing] = told(RANGES[0], ticks)
    assert (crossing.before, crossing.after) == (10.0, 9.4)


def test_a_drifting_price_crosses_no_range():
    assert ranges_told([tick(11, 7.0, 10), tick(4.5, 12.0, 5)]) == {}


@pytest.mark.parametrize(
    ("kind", "after", "amount"),
    [
        (SHORTENING, 8.0, 20.0),
        (DRIFTING, 12.0, 20.0),
        (AlertKind.ODDS_CHANGE, 8.0, 20.0),
        (AlertKind.ODDS_CHANGE, 12.0, 20.0),
    ],
)
def test_thresholds_watch_their_direction(kind: AlertKind, after: float, amount: float):
    ticks = [tick(6, 10.0, 5), tick(4, after, 4)]
    [crossing] = told(threshold(kind, 20.0), ticks)
    assert crossing.amount == amount
    assert crossing.kind is (SHORTENING if after < 10 else DRIFTING)
    assert told(threshold(kind, 20.1), ticks) == []


def test_the_wrong_direction_crosses_nothing():
    assert told(threshold(SHORTENING, 20.0), [tick(6, 10.0, 5), tick(4, 12.0, 4)]) == []
    assert told(threshold(DRIFTING, 20.0), [tick(6, 10.0, 5), tick(4, 8.0, 4)]) == []


def test_a_window_holds_the_price_against_the_one_that_held_at_its_start():
    # 20 held until 9 minutes out, so it is what held five minutes before 5 minutes out; 4 minutes out it is gone.
    ticks = [tick(30, 20.0, 30), tick(9, 10.0, 5), tick(5, 9.9, 5), tick(4, 9.8, 4)]
    crossed = told(threshold(SHORTENING, 40.0, cooldown_s=0), ticks)
    assert [(crossing.at, crossing.before) for crossing in crossed] == [(before_start(9), 20.0)]
    long = told(threshold(SHORTENING, 40.0, window_s=3600, cooldown_s=0), ticks)
    assert [crossing.bucket for crossing in long] == [5, 4], "one a bucket"


def test_the_price_at_the_very_start_of_the_window_counts():
    ticks = [tick(20, 20.0, 20), tick(10, 10.0, 10), tick(5, 9.9, 5)]
    [crossing] = told(threshold(SHORTENING, 1.0, cooldown_s=0), [*ticks[1:]])
    assert crossing.before == 10.0, "exactly 300 s before"


def test_where_nothing_is_older_than_the_window_the_oldest_price_in_it_counts():
    [crossing] = told(threshold(SHORTENING, 10.0), [tick(3, 10.0, 3), tick(2, 9.5, 2), tick(1, 8.9, 1)])
    assert (crossing.before, crossing.after) == (10.0, 8.9)


def test_no_price_is_no_price():
    ticks = [tick(6, 10.0, 5), tick(5, 0.0, 5), tick(4, 9.9, 4)]
    assert told(threshold(SHORTENING, 5.0), ticks) == []
    assert told(threshold(AlertKind.ODDS_CHANGE, 5.0), [tick(5, 0.0, 5), tick(4, 9.9, 4)]) == []
    assert told(threshold(SHORTENING, 5.0), []) == []


def test_the_feeds_own_history_is_an_earlier_price_and_crosses_nothing_itself():
    history = [tick(300, 30.0, None), tick(200, 20.0, None)]
    assert told(threshold(SHORTENING, 5.0, window_s=86_400), history) == []
    [crossing] = told(threshold(SHORTENING, 5.0, window_s=3600), [*history, tick(61, 15.0, 60)])
    assert crossing.before == 20.0
    assert ranges_told([*history, tick(61, 15.0, 60)]) == {5: ["odds_shortening"]}


def test_the_tote_stands_in_until_there_is_a_fixed_price_and_the_two_are_never_compared():
    tote = [tick(20, 10.0, 20, TOTE), tick(10, 8.0, 10, TOTE)]
    [crossing] = told(threshold(SHORTENING, 10.0), tote)
    assert crossing.after == 8.0
    fixed = [tick(5, 4.0, 5), tick(4, 3.9, 4)]
    later_tote = [tick(3, 2.0, 3, TOTE)]
    assert told(threshold(SHORTENING, 10.0, cooldown_s=0), [*tote, *fixed, *later_tote]) == [crossing]


def test_within_the_cool_down_nothing_more_is_told_and_after_it_again():
    ticks = [tick(20, 20.0, 20), tick(10, 16.0, 10), tick(5.5, 12.0, 5), tick(5, 9.0, 5), tick(4, 7.0, 4)]
    every = threshold(SHORTENING, 20.0, cooldown_s=0)
    assert [crossing.at for crossing in told(every, ticks)] == [before_start(m) for m in (10, 5.5, 4)]
    five_minutes = told(threshold(SHORTENING, 20.0), ticks)
    assert [crossing.at for crossing in five_minutes] == [before_start(m) for m in (10, 5)]


def test_what_was_before_a_configuration_was_changed_is_not_its_business():
    ticks = [tick(20, 20.0, 20), tick(10, 16.0, 10), tick(4, 12.0, 4)]
    [crossing] = told(threshold(SHORTENING, 20.0, changed_at=before_start(10)), ticks)
    assert (crossing.at, crossing.before) == (before_start(4), 16.0)


def test_a_configuration_of_another_runner_is_left_alone():
    ticks = [tick(10, 20.0, 10), tick(4, 10.0, 4)]
    assert told(threshold(SHORTENING, 5.0, entrant_id=OTHER), ticks) == []
    assert len(told(threshold(SHORTENING, 5.0, entrant_id=RUNNER), ticks)) == 1


FIRST = column(10, 6, {RUNNER: 1000, OTHER: 9000})
RISEN = column(5, 5, {RUNNER: 3000, OTHER: 7000})
LAST = column(4, 4, {RUNNER: 0, OTHER: 10})


def test_a_rise_of_the_money_share_is_told_in_points_when_its_column_is_complete():
    assert told(threshold(MONEY, 20.0), buckets=[*FIRST, *RISEN]) == [], "the column still fills"
    [crossing] = told(threshold(MONEY, 20.0), buckets=[*FIRST, *RISEN, *LAST])
    assert (crossing.before, crossing.after, crossing.amount) == (10.0, 30.0, 20.0)
    assert (crossing.at, crossing.bucket) == (before_start(5), 5)
    assert told(threshold(MONEY, 20.1), buckets=[*FIRST, *RISEN, *LAST]) == []
    assert ranges_told((), [*FIRST, *RISEN, *LAST]) == {4: ["money_share_rise"]}


def test_a_fall_of_the_money_share_is_not_told():
    fallen = [*column(10, 6, {RUNNER: 9000, OTHER: 1000}), *column(5, 5, {RUNNER: 1000, OTHER: 9000}), *LAST]
    assert told(threshold(MONEY, 1.0), buckets=fallen) == []
    assert ranges_told((), fallen) == {}


def test_a_rise_of_15_126_points_is_in_the_third_range_as_the_ranges_say():
    buckets = [*column(10, 6, {RUNNER: 10_000, OTHER: 90_000}), *column(5, 5, {RUNNER: 25_126, OTHER: 74_874}), *LAST]
    assert ranges_told((), buckets) == {3: ["money_share_rise"]}


def test_negative_increments_count_as_nothing_and_a_column_without_money_compares_with_nothing():
    negative = [*column(10, 6, {RUNNER: -500, OTHER: 1000}), *column(5, 5, {RUNNER: 1000, OTHER: 1000}), *LAST]
    [crossing] = told(threshold(MONEY, 20.0), buckets=negative)
    assert (crossing.before, crossing.after) == (0.0, 50.0)
    nothing = [*column(10, 6, {RUNNER: 0, OTHER: 0}), *column(5, 5, {RUNNER: 1000, OTHER: 1000}), *LAST]
    assert told(threshold(MONEY, 1.0), buckets=nothing) == []


def test_a_runner_withdrawn_before_its_column_ended_has_no_part_in_it():
    gone = column(5, 5.25, {OTHER: 3000})
    third = "44444444-4444-4444-8444-444444444444"
    first = column(10, 6, {RUNNER: 4000, OTHER: 2000, third: 4000})
    buckets = [*first, *column(5, 5, {RUNNER: 3000, third: 3000}), *gone, *LAST]
    [crossing] = told(threshold(MONEY, 5.0), buckets=buckets)
    assert crossing.after == 50.0, "15 s older than the newest row of its column: the source had refreshed without it"
    still_there = [*first, *column(5, 5, {RUNNER: 3000, third: 3000}), *column(5, 5.24, {OTHER: 3000}), *LAST]
    assert told(threshold(MONEY, 5.0), buckets=still_there) == []


def test_money_within_a_window_is_held_against_the_column_at_its_start():
    columns = [*column(15, 12, {RUNNER: 0, OTHER: 100}), *column(10, 6, {RUNNER: 10, OTHER: 90})]
    columns += [*column(5, 5, {RUNNER: 20, OTHER: 80}), *LAST]
    assert told(threshold(MONEY, 15.0, window_s=60), buckets=columns) == []
    [crossing] = told(threshold(MONEY, 15.0, window_s=600), buckets=columns)
    assert (crossing.before, crossing.after) == (0.0, 20.0)


def test_price_and_money_of_one_bucket_are_one_crossing_and_the_earlier_is_told():
    ticks = [tick(11, 10.0, 10), tick(5.5, 8.0, 5)]
    config = AlertConfig("wide", "ann", AlertKind.PERCENTAGE_RANGE, 5.0, None, cooldown_s=0)
    [crossing] = told(config, ticks, [*FIRST, *RISEN, *LAST])
    assert (crossing.kind, crossing.at) == (SHORTENING, before_start(5.5))
    same_moment = [tick(11, 10.0, 10), tick(5, 8.0, 5)]
    [crossing] = told(config, same_moment, [*FIRST, *RISEN, *LAST])
    assert crossing.kind is SHORTENING


def test_a_start_put_back_compares_no_column_with_one_filled_later():
    run_one = [*column(5, 30, {RUNNER: 10, OTHER: 90}), *column(4, 29, {RUNNER: 10, OTHER: 90})]
    # The clock goes back to 10 and comes to 5 again: 4 is still the one of before.
    run_two = [*column(10, 11, {RUNNER: 10, OTHER: 90}), *column(5, 6, {RUNNER: 90, OTHER: 10})]
    after = column(3, 4, {RUNNER: 0, OTHER: 1})
    crossed = told(threshold(MONEY, 5.0, window_s=3600), buckets=[*run_one, *run_two, *after])
    assert [crossing.bucket for crossing in crossed] == [5]
    config = AlertConfig("range", "ann", AlertKind.PERCENTAGE_RANGE, 5.0)
    assert [crossing.bucket for crossing in told(config, (), [*run_one[2:], *run_two, *after])] == [5]


def test_a_scratching_is_told_once_with_its_own_time_and_needs_no_threshold():
    runner = update(scratched=True, scratched_at=before_start(30), minutes=20)
    scratching = AlertConfig("s", "ann", AlertKind.SCRATCHING)
    [crossing] = told(scratching, runner=runner)
    assert (crossing.at, crossing.slot, crossing.bucket) == (before_start(30), "scratched", None)
    assert told(scratching, runner=update()) == []
    [unstamped] = told(scratching, runner=update(scratched=True, minutes=20))
    assert unstamped.at == before_start(20)
    late = AlertConfig("s", "ann", AlertKind.SCRATCHING, changed_at=before_start(25))
    assert told(late, runner=runner) == []


def test_a_price_written_by_somebody_else_is_one_more_and_never_takes_the_place_of_a_polled_one():
    ticks = [tick(30, 10.0, 30), tick(20, 10.1, 20)]
    by_hand = update(Odds(fixed_win=8.0), minutes=10)
    [crossing] = told(threshold(SHORTENING, 10.0), ticks, runner=by_hand)
    assert (crossing.before, crossing.after, crossing.bucket) == (10.1, 8.0, None)
    assert crossing.slot.startswith("written ")
    [of_range] = told(RANGES[3], ticks, runner=by_hand)
    assert of_range.before == 10.1
    polled = [*ticks, tick(12, 7.0, 10)]
    told_of_polled = told(threshold(SHORTENING, 10.0), polled, runner=by_hand)
    assert [each.bucket for each in told_of_polled] == [10], "the polled crossing stands, the other is in its cool-down"


def test_a_late_event_of_a_price_that_was_polled_is_nobody_elses():
    ticks = [tick(30, 10.0, 30), tick(20, 8.0, 20), tick(10, 10.0, 10)]
    late = update(Odds(fixed_win=8.0), minutes=19.9)
    assert len(told(threshold(SHORTENING, 10.0, cooldown_s=0), ticks, runner=late)) == 1
    by_hand = update(Odds(fixed_win=8.0), minutes=5)
    assert len(told(threshold(SHORTENING, 10.0, cooldown_s=0), ticks, runner=by_hand)) == 2


def test_an_older_poller_that_keeps_no_ticks_is_held_against_the_money_flow_buckets():
    rows = [row._replace(fixed_win=10.0) for row in FIRST]
    written = update(Odds(fixed_win=8.0), minutes=4)
    [crossing] = told(threshold(SHORTENING, 10.0), (), rows, runner=written)
    assert (crossing.before, crossing.after) == (10.0, 8.0)
    assert told(threshold(SHORTENING, 10.0), runner=written) == [], "nothing to hold it against"
