"""Small makers of domain values for tests: one race, two runners, unless said otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from raceday.domain.derive import result_print
from raceday.domain.entrant import Entrant
from raceday.domain.money_flow import BucketAmounts, HoldShare
from raceday.domain.odds import Odds
from raceday.domain.pools import PoolTotals
from raceday.domain.race import Race
from raceday.domain.race_poll import KnownEntrant, PollTiming, RaceEvent, RacePoll, RaceState
from raceday.domain.racing_day import nz_clock, racing_date
from raceday.domain.result import KnownResult, RaceResult, settled_dividends
from raceday.domain.status import RaceStatus

START = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
RACE = "0f57e087-00d9-4c61-9549-835abe2ae2ed"
MEETING = "e9f2039d-d489-4a7d-aae1-d66225f1a5f4"
FIRST = "61181b8c-a540-43a8-900c-83ebe680e218"
POOLS = PoolTotals(win_cents=100_000, place_cents=40_000)
SECOND = "5b375ed8-6249-4969-84bc-8bd1aa9e547b"


def race(status: RaceStatus | None = RaceStatus.OPEN, start: datetime = START, race_id: str = RACE, **more) -> Race:
    return Race(
        race_id=race_id,
        meeting_id=more.pop("meeting_id", MEETING),
        race_number=more.pop("race_number", 1),
        name=more.pop("name", "Maiden Mile"),
        advertised_start=start,
        status=status,
        race_date_nz=racing_date(start),
        start_time_nz=nz_clock(start),
        **more,
    )


def entrant(entrant_id: str = FIRST, number: int = 1, odds: Odds | None = None, **more) -> Entrant:
    return Entrant(
        entrant_id=entrant_id,
        race_id=more.pop("race_id", RACE),
        name=more.pop("name", f"Runner {number}"),
        runner_number=number,
        odds=odds if odds is not None else Odds(4.0, 1.8, 4.2, 1.9),
        is_scratched=more.pop("is_scratched", False),
        **more,
    )


def both_runners() -> tuple[Entrant, ...]:
    return entrant(FIRST, 1), entrant(SECOND, 2)


def event(
    *,
    minutes: float = 60,
    status: RaceStatus | None = RaceStatus.OPEN,
    entrants: tuple[Entrant, ...] | None = None,
    pools: PoolTotals | None = POOLS,
    holds: Mapping[str, HoldShare] | None = None,
    result: RaceResult | None = None,
    start: datetime = START,
    race_id: str = RACE,
) -> RaceEvent:
    """One response, generated so many minutes before the start."""
    runners = entrants if entrants is not None else both_runners()
    shares = holds if holds is not None else {runner.entrant_id: HoldShare(50.0, 50.0) for runner in runners}
    return RaceEvent(
        race=race(status, start, race_id),
        entrants=runners,
        pools=pools,
        holds=shares or None,
        result=result,
        generated_at=start - timedelta(minutes=minutes),
    )


def timing(at: datetime, due_at: datetime | None = None, interval_s: int | None = 150) -> PollTiming:
    return PollTiming(at, due_at if due_at is not None else at, interval_s, latency_ms=40)


def fresh_state(race_id: str = RACE, status: RaceStatus = RaceStatus.OPEN) -> RaceState:
    return RaceState(race_id, status, START)


def state_after(poll: RacePoll, before: RaceState) -> RaceState:
    """The state that a store has to hold after a poll, worked out without a store."""
    known = dict(before.entrants)
    for runner in poll.entrants:
        held = known.get(runner.entrant_id)
        known[runner.entrant_id] = KnownEntrant(
            runner.entrant_id,
            runner.odds or Odds(),
            bool(runner.is_scratched),
            poll.entrant_fingerprints[runner.entrant_id],
            held.buckets if held else (),
            poll.alert_odds.get(runner.entrant_id, held.alert_odds if held else None),
        )
    for bucket in poll.buckets:
        held = known[bucket.entrant_id]
        others = [amounts for amounts in held.buckets if amounts.bucket != bucket.bucket]
        buckets = (*others, BucketAmounts(bucket.bucket, bucket.win_cents, bucket.place_cents))
        known[bucket.entrant_id] = replace(held, buckets=buckets)
    result = before.result
    if poll.result is not None:
        dividends = settled_dividends(poll.result.dividends)
        result = KnownResult(poll.result.status, len(poll.result.placings), len(dividends), result_print(poll.result))
    return RaceState(
        before.race_id,
        poll.status,
        poll.race.advertised_start,
        poll.fingerprint,
        known,
        poll.pools or before.pools,
        result,
        poll.generated_at if poll.changed else before.generated_at,
    )
