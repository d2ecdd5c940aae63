"""What one poll's write takes by itself: every row of twelve runners changed, and nothing changed.

Changed means the race, its pools, twelve runners, two prices and a bucket of each: what the figures of other systems
that this one is held against were measured with.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from raceday.domain.derive import derive_poll
from raceday.domain.odds import Odds
from raceday.domain.race_poll import PollTiming, RaceEvent
from raceday.nztab.responses import parse_event
from raceday.server.benchmark.responses import TimedRace
from raceday.store.postgres.store import PostgresStore

RUNNERS = 12
POLLS = 100
WARM_UP = 10
EVERY = timedelta(seconds=15)


async def measure_writes(store: PostgresStore, races: list[TimedRace]) -> dict[str, float | int]:
    """Return medians and 95th percentiles of `save_poll` in milliseconds, for a race that is stored."""
    timed = next(timed for timed in races if timed.runners == RUNNERS)
    at, body, _ = timed.moments[0]
    said = replace(parse_event(body, at), foreign_tracker_ids=0)
    changed_ms, rows = await _write_again_and_again(store, lambda number, at: _moved(said, number, at), at)
    last = _moved(said, POLLS - 1, at)
    unchanged_ms, _ = await _write_again_and_again(
        store, lambda _number, at: replace(last, generated_at=at), at + POLLS * EVERY
    )
    return {
        "runners": RUNNERS,
        "rows_changed": rows,
        "changed_ms": round(statistics.median(changed_ms), 2),
        "changed_p95_ms": round(statistics.quantiles(changed_ms, n=20)[-1], 2),
        "unchanged_ms": round(statistics.median(unchanged_ms), 2),
        "unchanged_p95_ms": round(statistics.quantiles(unchanged_ms, n=20)[-1], 2),
    }


async def _write_again_and_again(
    store: PostgresStore, response: Callable[[int, datetime], RaceEvent], begin: datetime
) -> tuple[list[float], int]:
    """Poll one race 15 s after 15 s; return what each write took, and how many rows of race and history the last one
    had.
    """
    took_ms: list[float] = []
    rows = 0
    for number in range(POLLS):
        at = begin + (number + 1) * EVERY
        said = response(number, at)
        race_id = said.race.race_id
        (target,) = await store.poll_targets([race_id])
        (claim,) = await store.claim_races([target], "bench", at, 60)
        state = (await store.race_states([race_id]))[race_id]
        made = derive_poll(said, state, PollTiming(at, at, 15, latency_ms=0))
        began = time.perf_counter()
        await store.save_poll(made, claim)
        if number >= WARM_UP:
            took_ms.append((time.perf_counter() - began) * 1000)
        rows = len(made.entrants) + len(made.odds_ticks) + len(made.buckets) + (2 if made.changed else 0)
    return took_ms, rows


def _moved(said: RaceEvent, number: int, at: datetime) -> RaceEvent:
    """Return a response in which a price of both kinds of every runner has moved and the pools have grown.

    The start stays as far away, so that the minute's bucket is written again each time.
    """
    step = number / 10
    runners = tuple(
        replace(runner, odds=Odds(fixed_win=2 + place + step, pool_win=2.2 + place + step))
        for place, runner in enumerate(said.entrants)
    )
    pools = said.pools
    grown = replace(pools, win_cents=(pools.win_cents or 0) + 1000 * number) if pools is not None else None
    race = replace(said.race, advertised_start=at + timedelta(minutes=4, seconds=30))
    return replace(said, race=race, entrants=runners, pools=grown, generated_at=at)
