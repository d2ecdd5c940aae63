"""What must hold of alerts for every course of a race, and for every way in which its events arrive."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from alert_builders import COOLDOWN_S, OTHER, RUNNER, before_start, column, threshold, tick, told, update
from alert_steps import EVERYBODY, handled, swept
from contract.store_examples import START, event, race, runner, scratched
from contract.store_steps import imported, polled
from raceday.domain.alerts.config import AlertConfig, AlertKind
from raceday.domain.alerts.crossings import AlertHistory, Crossing, RunnerAlerts, by_rule
from raceday.domain.alerts.defaults import default_ranges
from raceday.domain.alerts.money import BucketMoney
from raceday.domain.money_flow import HoldShare, bucket_of
from raceday.domain.odds import Odds, OddsTick
from raceday.store.events import RowEvent
from raceday.store.sqlite import SqliteStore

CONFIGS = [
    *default_ranges("ann"),
    AlertConfig("wide", "ann", AlertKind.PERCENTAGE_RANGE, 0.0, None, cooldown_s=0),
    threshold(AlertKind.ODDS_SHORTENING, 10.0),
    threshold(AlertKind.ODDS_DRIFTING, 10.0, window_s=60),
    threshold(AlertKind.ODDS_CHANGE, 5.0, window_s=3600, cooldown_s=0),
    threshold(AlertKind.MONEY_SHARE_RISE, 5.0, window_s=900),
]
prices = st.sampled_from([None, 2.0, 2.1, 2.5, 3.0, 4.0, 5.0, 8.0, 8.5, 12.0])
increments = st.sampled_from([-500, 0, 0, 100, 500, 900, 2000])
half_minutes = st.lists(st.integers(-6, 140), min_size=2, max_size=30, unique=True)


@dataclass(frozen=True)
class Poll:
    """What one poll stores: the runner's price when it moved, and what came in so far in the bucket."""

    minutes: float
    price: float | None
    mine: int
    others: int


polls = half_minutes.flatmap(
    lambda times: st.tuples(
        *(st.builds(Poll, st.just(at / 2), prices, increments, increments) for at in sorted(times, reverse=True))
    )
)


def stored(course: Sequence[Poll]) -> tuple[list[OddsTick], list[BucketMoney]]:
    """What a store holds after some polls: every move of the price, and of each bucket what its last poll said."""
    ticks: list[OddsTick] = []
    rows: dict[int, list[BucketMoney]] = {}
    for poll in course:
        bucket = bucket_of(round(poll.minutes))
        if poll.price is not None and (not ticks or ticks[-1].odds != poll.price):
            ticks.append(tick(poll.minutes, poll.price, bucket))
        rows[bucket] = column(bucket, poll.minutes, {RUNNER: poll.mine, OTHER: poll.others})
    return ticks, [row for held in rows.values() for row in held]


def crossings(course: Sequence[Poll]) -> set[tuple[str, Crossing]]:
    """Everything that is told after some polls."""
    ticks, buckets = stored(course)
    alerts = RunnerAlerts(update(), AlertHistory({RUNNER: ticks}, buckets))
    found = (each for rule, configs in by_rule(CONFIGS).items() for each in alerts.told(rule, configs, COOLDOWN_S))
    return {(config.config_id, crossing) for config, crossing in found}


@given(polls)
def test_who_looks_earlier_finds_nothing_that_a_later_look_would_not(course: tuple[Poll, ...]):
    """So it does not matter which events are lost, doubled or late, as long as somebody looks at the end."""
    at_the_end = crossings(course)
    for polled_so_far in range(len(course)):
        assert crossings(course[:polled_so_far]) <= at_the_end


@given(polls, st.sampled_from(CONFIGS))
def test_a_bucket_tells_once_and_the_cool_down_holds(course: tuple[Poll, ...], config: AlertConfig):
    ticks, buckets = stored(course)
    found = told(config, ticks, buckets)
    assert len({crossing.slot for crossing in found}) == len(found)
    cooldown = timedelta(seconds=COOLDOWN_S if config.cooldown_s is None else config.cooldown_s)
    assert all(later.at - earlier.at >= cooldown for earlier, later in pairwise(found))


@given(polls, st.floats(1, 100), st.integers(1, 7200))
def test_a_higher_threshold_never_tells_more_and_what_is_told_crosses_it(
    course: tuple[Poll, ...], at_least: float, window_s: int
):
    ticks, buckets = stored(course)
    for kind in (AlertKind.ODDS_SHORTENING, AlertKind.ODDS_DRIFTING, AlertKind.MONEY_SHARE_RISE):
        found = told(threshold(kind, at_least, window_s, cooldown_s=0), ticks, buckets)
        lower = told(threshold(kind, at_least / 2, window_s, cooldown_s=0), ticks, buckets)
        assert {crossing.slot for crossing in found} <= {crossing.slot for crossing in lower}
        for crossing in found:
            assert crossing.kind is kind
            assert crossing.amount >= at_least
            if kind is AlertKind.ODDS_SHORTENING:
                assert abs((crossing.before - crossing.after) / crossing.before * 100 - crossing.amount) < 1e-5


@given(polls)
def test_every_change_of_five_percent_or_more_is_in_exactly_one_of_the_six_ranges(course: tuple[Poll, ...]):
    ticks, buckets = stored(course)
    everything = AlertConfig("all", "ann", AlertKind.PERCENTAGE_RANGE, 5.0, None, cooldown_s=0)
    slots = {crossing.slot for crossing in told(everything, ticks, buckets)}
    alone = [AlertConfig("a", "ann", c.kind, c.at_least, c.below, cooldown_s=0) for c in default_ranges("ann")]
    by_range = [told(config, ticks, buckets) for config in alone]
    assert {crossing.slot for found in by_range for crossing in found} == slots
    changes = [(crossing.at, crossing.kind, crossing.slot) for found in by_range for crossing in found]
    assert len(set(changes)) == len(changes)


RACE_ROW = race()
LADDER = [66, 58, 52, 47, 31, 21, 16, 11, 6, 5.5, 5, 4.5, 4, 3.5, 3, 2.5, 2, 1.5, 1, 0.5, 0]


def course_of_a_race(chance: random.Random) -> list[tuple[list[float], list[float]]]:
    """Four runners' prices and shares of the money at each poll."""
    return [(chance.sample([2.0, 2.2, 3.0, 4.0], 4), chance.sample([10.0, 20.0, 30.0, 40.0], 4)) for _ in LADDER]


async def run_a_race(
    course: Sequence[tuple[Sequence[float], Sequence[float]]], chance: random.Random | None
) -> list[dict[str, object]]:
    """Poll a race of four runners to its start, one scratched on the way, and return the notifications after a sweep.

    With `chance` a fifth of the events is lost, others come twice or after later ones; without, each comes at once.
    """
    events: list[RowEvent] = []
    store = SqliteStore.open(":memory:", events.append)
    await imported(store)
    await store.save_alert_config({"$id": "s", "userId": "ann", "alertType": "scratching"}, before_start(600))
    drop = {"$id": "t", "userId": "ann", "alertType": "odds drop", "threshold": 3.0, "timeWindowSeconds": 600}
    await store.save_alert_config(drop, before_start(600))
    waiting: list[RowEvent] = []
    now = START
    for number, (minutes, (odds, holds)) in enumerate(zip(LADDER, course, strict=True)):
        now = START - timedelta(minutes=minutes)
        entrants = [runner(horse + 1, RACE_ROW, odds=Odds(fixed_win=odds[horse])) for horse in range(4)]
        if number > 12:
            entrants[3] = scratched(RACE_ROW, 4, START - timedelta(minutes=LADDER[12]))
        shares = {entrant.entrant_id: HoldShare(hold, hold) for entrant, hold in zip(entrants, holds, strict=True)}
        said = event(RACE_ROW, now, win_cents=100_000 * (number + 1), entrants=tuple(entrants), holds=shares)
        await polled(store, said)
        waiting += events if chance is None else _some(chance, events)
        events.clear()
        if chance is not None:
            chance.shuffle(waiting)
        coming = len(waiting) if chance is None else chance.randint(0, len(waiting))
        for late in waiting[:coming]:
            await handled(store, late, now)
        del waiting[:coming]
    await swept(store, now, EVERYBODY)
    rows = store._db.rows('SELECT * FROM notifications ORDER BY "$id"')
    await store.close()
    return [{name: value for name, value in row.items() if name not in {"$createdAt", "$updatedAt"}} for row in rows]


def _some(chance: random.Random, events: list[RowEvent]) -> list[RowEvent]:
    """Lose a fifth of the events and double some of the others."""
    kept = [each for each in events if chance.random() >= 0.2]
    return kept + [each for each in kept if chance.random() < 0.3]


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32))
def test_lost_doubled_and_shuffled_events_leave_the_same_notifications_after_a_sweep(seed: int):
    course = course_of_a_race(random.Random(seed))
    undisturbed = asyncio.run(run_a_race(course, None))
    disturbed = asyncio.run(run_a_race(course, random.Random(seed)))
    assert disturbed == undisturbed
    assert len({row["$id"] for row in undisturbed}) == len(undisturbed) > 10
    assert "scratching" in {row["type"] for row in undisturbed}
