"""Runners of the feed as entrants of the domain."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from pydantic_core import to_json

from raceday.domain.entrant import Entrant, PricePoint, Scratching
from raceday.domain.odds import Odds, OddsKind, price
from raceday.domain.race import Race
from raceday.nztab.drift import DriftCounter
from raceday.nztab.schema_event import (
    EXPECTED_OF_RUNNER,
    FeedOdds,
    FeedPriceHistory,
    FeedPricePoint,
    FeedRunner,
)
from raceday.nztab.timestamps import from_unix, utc

LATE_SCRATCHING_BEFORE_START = timedelta(minutes=60)
"""A runner withdrawn later than this is a late scratching, whether the feed flags it or not."""


def entrants_of(
    runners: Iterable[FeedRunner], race: Race, drift: DriftCounter, *, with_price_history: bool
) -> tuple[tuple[Entrant, ...], int]:
    """Return the runners of a race, each id once (the first row wins), and how many rows were repeats.

    Without `with_price_history` the runners come without it: it costs half of the mapping and is needed once.
    """
    entrants: dict[str, Entrant] = {}
    repeats = 0
    for runner in runners:
        if runner.entrant_id in entrants:
            repeats += 1
            continue
        drift.missing("runner", EXPECTED_OF_RUNNER, runner.model_fields_set)
        entrants[runner.entrant_id] = _entrant(runner, race, with_price_history=with_price_history)
    return tuple(entrants.values()), repeats


def _entrant(runner: FeedRunner, race: Race, *, with_price_history: bool) -> Entrant:
    weight, history = runner.weight, runner.flucs_with_timestamp
    # A barrier written as text is the harness way to name a place behind the mobile or on the line.
    barrier, front_or_second_row = _barrier(runner.barrier)
    odds, odds_unsaid = _odds(runner.odds)
    return Entrant(
        entrant_id=runner.entrant_id,
        race_id=race.race_id,
        name=runner.name or None,
        runner_number=runner.runner_number,
        odds=odds,
        odds_unsaid=odds_unsaid,
        barrier=barrier,
        barrier_position=runner.barrier_position or front_or_second_row,
        is_scratched=runner.is_scratched,
        scratching=_scratching(runner, race.advertised_start) if runner.is_scratched else None,
        favourite=runner.favourite,
        mover=runner.mover,
        is_emergency=runner.is_emergency,
        emergency_position=runner.emergency_position or None,
        jockey=runner.jockey or None,
        trainer_name=runner.trainer_name or None,
        trainer_location=runner.trainer_location or None,
        weight_total=weight.total or None if weight else None,
        weight_allocated=weight.allocated or None if weight else None,
        age=runner.age,
        sex=runner.sex or None,
        colour=runner.colour or None,
        gear=runner.gear or None,
        last_twenty_starts=runner.last_twenty_starts or None,
        apprentice_indicator=runner.apprentice_indicator or None,
        runner_change=_change_text(runner.runner_change),
        silk_colours=runner.silk_colours or None,
        silk_url_64=runner.silk_url_64x64 or None,
        silk_url_128=runner.silk_url_128x128 or None,
        opening=_price_point(history.open) if history else None,
        price_history=_price_history(history) if history and with_price_history else (),
    )


def _odds(odds: FeedOdds | None) -> tuple[Odds | None, tuple[OddsKind, ...]]:
    """Return a runner's prices and the kinds that are not said; a price of 0 is said: it is withdrawn."""
    if odds is None:
        return None, ()
    quoted = (odds.fixed_win, odds.fixed_place, odds.pool_win, odds.pool_place)
    unsaid = tuple(kind for kind, said in zip(OddsKind, quoted, strict=True) if said is None) if None in quoted else ()
    return Odds(*map(price, quoted)), unsaid


def _barrier(barrier: int | str | None) -> tuple[int | None, str | None]:
    if isinstance(barrier, str):
        return None, barrier or None
    return barrier, None


def _scratching(runner: FeedRunner, start: datetime) -> Scratching:
    at = from_unix(runner.scratch_time) or utc(runner.scr_time)
    shortly_before = at is not None and at >= start - LATE_SCRATCHING_BEFORE_START
    deduction = runner.deduction
    return Scratching(
        at=at,
        late=bool(runner.is_late_scratched) or shortly_before,
        win_deduction=deduction.win if deduction else None,
        place_deduction=deduction.place if deduction else None,
    )


def _change_text(change: dict[str, object] | list[object] | str | None) -> str | None:
    """Return a change of the runner as text; the feed sends an object of date and change."""
    if not change:
        return None
    return change if isinstance(change, str) else to_json(change).decode()


def _price_history(history: FeedPriceHistory) -> tuple[PricePoint, ...]:
    """Return the known prices in the order of time, each once: the feed repeats them in several places."""
    points = [history.open, history.high, history.low, history.nine_am, *(history.last_six or ())]
    # Repeats go first: an instant is dearer to convert than to compare.
    distinct = {(point.timestamp, point.fluc): point for point in points if point is not None}
    known = [known for known in map(_price_point, distinct.values()) if known is not None]
    return tuple(sorted(known, key=lambda point: (point.at, point.odds)))


def _price_point(point: FeedPricePoint | None) -> PricePoint | None:
    if point is None:
        return None
    at, odds = utc(point.timestamp), price(point.fluc)
    return PricePoint(at, odds) if at is not None and odds is not None else None
