"""Money flow and pools by event: what must hold for any updates, in any order, any number of times."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from builders import FIRST, SECOND, START, race
from flow_updates import at_minutes, increments_of, kept_after, update
from raceday.domain.flow_update import FlowRace, miscounted
from raceday.domain.money_flow import Estimator, HoldShare, share_of_pool_cents
from raceday.domain.odds import Odds
from raceday.domain.pools_update import LEAST_SHARE_PCT, pool_cents
from raceday.store.rows.flow import update_bucket_row
from raceday.store.sqlite import SqliteStore

prices = st.none() | st.floats(1.01, 301).map(lambda odds: round(odds, 2))
amounts = st.none() | st.integers(0, 50_000)
updates = st.builds(
    lambda minutes, entrant_id, win_cents, hold_pct, odds, scratched: update(
        minutes, win_cents, entrant_id=entrant_id, hold=hold_pct, odds=odds, scratched=scratched
    ),
    minutes=st.integers(-6, 75),
    entrant_id=st.sampled_from([FIRST, SECOND]),
    win_cents=amounts,
    hold_pct=st.none() | st.builds(HoldShare, st.integers(0, 100), st.integers(0, 100)),
    odds=st.builds(Odds, prices, prices, prices, prices),
    scratched=st.sampled_from([False, False, False, True]),
)
days = st.lists(updates, min_size=1, max_size=12)


@st.composite
def redelivered(draw, told=days):
    """A day's updates in the order written, and as they are delivered: shuffled, some more than once."""
    day = draw(told)
    again = draw(st.lists(st.sampled_from(day), max_size=5))
    return day, draw(st.permutations([*day, *again]))


@given(redelivered(), st.sampled_from([None, at_minutes(20)]))
def test_any_order_and_any_repetition_of_updates_ends_in_the_same_buckets(deliveries, abandoned_at):
    day, delivered = deliveries
    called_off = FlowRace(START, abandoned=abandoned_at is not None, abandoned_at=abandoned_at)

    assert _buckets(kept_after(delivered, called_off)) == _buckets(kept_after(day, called_off))


def _buckets(kept):
    return {entrant_id: dict(sorted(mine.items())) for entrant_id, mine in kept.items() if mine}


@given(redelivered())
def test_increments_sum_to_the_last_amount_from_the_baseline_on(deliveries):
    _, delivered = deliveries
    for mine in kept_after([update(80), *delivered]).values():
        known = {bucket: held.flow for bucket, held in mine.items() if held.flow.win_cents is not None}
        if known and max(known) >= 55:
            counted = increments_of(mine)
            assert sum(counted[bucket] for bucket in known) == known[min(known)].win_cents
        assert miscounted([held.flow for held in mine.values()]) == []


@settings(max_examples=25)
@given(redelivered())
def test_the_store_ends_in_the_same_rows_too(deliveries):
    day, delivered = deliveries

    assert asyncio.run(_stored(delivered)) == asyncio.run(_stored(day)) == _rows_expected(day)


async def _stored(told):
    """The rows of the buckets after the updates, each written by an operation of its own."""
    store = SqliteStore.open(":memory:")
    await store.save_races([race()], START - timedelta(hours=9))
    for number, single in enumerate(told):
        await store.save_flow(single, Estimator.HOLD, START + timedelta(seconds=number))
    rows = store._db.rows('SELECT * FROM money_flow_history ORDER BY "$id"')
    await store.close()
    return [{name: row[name] for name in row if name not in {"$createdAt", "$updatedAt"}} for row in rows]


def _rows_expected(day):
    rows = [update_bucket_row(held.flow) for mine in kept_after(day).values() for held in mine.values()]
    constants = {"isConsolidated": 0, "rawPollingData": None}
    return sorted(({**row, **constants} for row in rows), key=lambda row: row["$id"])


@given(
    st.integers(1, 10**9),
    st.lists(st.integers(0, 60), min_size=1, max_size=24).filter(lambda holds: sum(holds) >= LEAST_SHARE_PCT),
)
def test_a_pool_is_recovered_from_whole_percent_shares_within_half_a_cent_a_runner(win_cents, holds):
    runners = [(share_of_pool_cents(win_cents, hold), float(hold)) for hold in holds]

    bound_cents = len(holds) / 2 / (sum(holds) / 100) + 0.5
    assert abs(pool_cents(runners) - win_cents) <= bound_cents + 1e-6


@given(st.integers(1, 10**9), st.lists(st.floats(0.1, 60), min_size=1, max_size=24))
def test_a_pool_is_recovered_from_any_shares(win_cents, shares):
    runners = [(share_of_pool_cents(win_cents, share), share) for share in shares]

    if sum(shares) >= LEAST_SHARE_PCT:
        assert abs(pool_cents(runners) - win_cents) <= len(shares) / 2 / (sum(shares) / 100) + 0.5 + 1e-3
