"""Which runners raise an event for alerts, and how shares of a bucket's money are counted."""

from __future__ import annotations

from datetime import timedelta

import pytest

from builders import FIRST, SECOND, START, entrant, event, fresh_state, state_after, timing
from raceday.domain.alerts.moves import alert_moves, win_price
from raceday.domain.derive import DeriveSettings, derive_poll
from raceday.domain.entrant import PricePoint
from raceday.domain.money_flow import BucketAmounts, HoldShare
from raceday.domain.money_shares import last_two_columns, share_changes_pp, shares_pct
from raceday.domain.odds import Odds
from raceday.domain.race_poll import KnownEntrant


def known(reference: float | None = 4.0, *, scratched: bool = False, buckets=()) -> dict[str, KnownEntrant]:
    return {FIRST: KnownEntrant(FIRST, Odds(4.0), scratched, "print", tuple(buckets), reference)}


@pytest.mark.parametrize(("price", "moves"), [(4.0, False), (3.81, False), (3.8, True), (4.19, False), (4.2, True)])
def test_a_runner_moves_when_its_win_price_is_five_percent_off(price, moves):
    found = alert_moves([entrant(odds=Odds(price))], known(), 5.0, opens_bucket=False)
    assert (FIRST in found.moved, found.references) == (moves, {FIRST: price} if moves else {})


def test_a_price_that_crawls_is_counted_from_the_last_event():
    state = fresh_state()
    moved = []
    for minutes, price in ((60, 4.0), (58, 3.92), (56, 3.84), (54, 3.76), (52, 3.7)):
        said = event(minutes=minutes, entrants=(entrant(odds=Odds(price)), entrant(SECOND, 2)))
        poll = derive_poll(said, state, timing(said.generated_at))
        state = state_after(poll, state)
        moved.append(FIRST in poll.moved)
    assert moved == [False, False, False, True, False]
    assert state.entrants[FIRST].alert_odds == 3.76


def test_the_first_price_is_a_reference_and_no_move():
    found = alert_moves([entrant(odds=Odds(4.0))], known(reference=None), 5.0, opens_bucket=False)
    assert (found.moved, found.references) == (frozenset(), {FIRST: 4.0})
    unknown = alert_moves([entrant(odds=Odds(4.0))], {}, 5.0, opens_bucket=False)
    assert (unknown.moved, unknown.references) == (frozenset(), {FIRST: 4.0})


def test_no_price_is_no_move_and_the_tote_stands_in_for_a_missing_fixed_price():
    assert alert_moves([entrant(odds=Odds())], known(), 5.0, opens_bucket=False).moved == frozenset()
    assert alert_moves([entrant(odds=Odds(pool_win=3.0))], known(), 5.0, opens_bucket=False).moved == {FIRST}
    assert win_price(Odds(None, 2.0, 3.0, 1.5)) == 3.0
    assert win_price(None) is None


def test_a_scratching_moves_once():
    withdrawn = entrant(odds=Odds(4.0), is_scratched=True)
    assert alert_moves([withdrawn], known(), 5.0, opens_bucket=False).moved == {FIRST}
    assert alert_moves([withdrawn], known(scratched=True), 5.0, opens_bucket=False).moved == frozenset()


def test_a_runner_whose_share_of_a_complete_bucket_rose_raises_an_event_with_the_first_poll_of_the_next():
    state = fresh_state()
    moved = {}
    # Column 55 takes 10,000 of 100,000 cents for the first runner, column 50 takes 30,000 of 40,000.
    for minutes, win, shares in ((60, 100_000, (50, 50)), (55, 200_000, (30, 70)), (50, 240_000, (37.5, 62.5)),
                                 (45, 240_000, (37.5, 62.5))):  # fmt: skip
        holds = dict(zip((FIRST, SECOND), (HoldShare(share, share) for share in shares), strict=True))
        pools = event().pools
        said = event(minutes=minutes, holds=holds, pools=type(pools)(win_cents=win, place_cents=40_000))
        poll = derive_poll(said, state, timing(said.generated_at))
        state = state_after(poll, state)
        moved[minutes] = poll.moved
    assert moved == {60: frozenset(), 55: frozenset(), 50: frozenset(), 45: {FIRST}}


def test_shares_count_what_came_in_and_nothing_else():
    assert shares_pct({"a": 300, "b": 100, "c": -50, "d": None}) == {"a": 75.0, "b": 25.0, "c": 0.0, "d": 0.0}
    assert shares_pct({"a": 0, "b": -1}) == {}
    assert share_changes_pp({"a": 300, "b": 100}, {"a": 100, "b": 100}) == {"a": 25.0, "b": -25.0}
    assert share_changes_pp({"a": 300}, {"a": 0}) == {}
    assert share_changes_pp({"a": 0}, {"a": 5}) == {}


def test_the_last_two_columns_are_increments_of_the_two_newest_buckets():
    buckets = {
        "a": (BucketAmounts(60, 100, 0), BucketAmounts(55, 150, 0), BucketAmounts(50, 170, 0)),
        "b": (BucketAmounts(60, 10, 0), BucketAmounts(50, 40, 0)),
        "c": (BucketAmounts(50, None, None),),
    }
    assert last_two_columns(buckets) == ({"a": 20, "b": 30}, {"a": 50})
    assert last_two_columns({"a": (BucketAmounts(60, 1, 1),)}) == ({}, {})


def test_a_poll_below_the_threshold_is_marked_and_kept():
    said = event(pools=None, holds={})
    poll = derive_poll(said, fresh_state(), timing(said.generated_at), DeriveSettings(quality_threshold=90))
    assert poll.degraded
    assert poll.entrants
    assert poll.quality.score < 90
    assert "completeness" in poll.quality.losses
    assert not derive_poll(said, fresh_state(), timing(said.generated_at), DeriveSettings(quality_threshold=0)).degraded


def test_a_tick_knows_its_bucket_and_a_point_of_the_feeds_own_history_has_none():
    before = PricePoint(START - timedelta(hours=3), 5.0)
    said = event(minutes=12, entrants=(entrant(price_history=(before,)), entrant(SECOND, 2)))
    poll = derive_poll(said, fresh_state(), timing(said.generated_at))
    assert {(tick.from_history, tick.bucket) for tick in poll.odds_ticks} == {(True, None), (False, 10)}
