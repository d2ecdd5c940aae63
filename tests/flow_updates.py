"""Updates of runners for the tests of money flow by event, and the fold of many of them without any store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from builders import FIRST, RACE, START
from raceday.domain.entrant_update import EntrantUpdate
from raceday.domain.flow import MoneyFlow
from raceday.domain.flow_update import FlowRace, FlowStanding, KeptBucket, update_flow
from raceday.domain.money_flow import Estimator, HoldShare
from raceday.domain.odds import Odds


def at_minutes(minutes: float) -> datetime:
    """The instant so many minutes before the start."""
    return START - timedelta(minutes=minutes)


def update(minutes: float, win_cents: int | None = 10_000, **more) -> EntrantUpdate:
    """A runner as some writer left it so many minutes before the start; it holds 10 % unless said otherwise."""
    whole = EntrantUpdate(
        entrant_id=FIRST,
        race_id=RACE,
        name="Runner 1",
        runner_number=1,
        odds=Odds(4.0, 1.8, 4.2, 1.9),
        written_at=at_minutes(minutes),
        hold=HoldShare(10.0, 9.0),
        implied_pct=11.5,
        win_cents=win_cents,
        place_cents=None if win_cents is None else win_cents // 2,
    )
    return replace(whole, **more)


Kept = dict[str, dict[int, KeptBucket]]


def kept_after(updates: Iterable[EntrantUpdate], race: FlowRace | None = None) -> Kept:
    """The buckets that a store has to hold after the updates, worked out without a store; by runner and bucket."""
    kept: Kept = {}
    for told in updates:
        mine = kept.setdefault(told.entrant_id, {})
        due = update_flow(told, FlowStanding(tuple(mine.values()), race or FlowRace(START)), Estimator.HOLD)
        if isinstance(due, MoneyFlow):
            take(mine, due, told.written_at)
    return kept


def take(mine: dict[int, KeptBucket], due: MoneyFlow, seen_at: datetime) -> None:
    """Do to a runner's buckets what a store does."""
    for flow in due.buckets:
        mine[flow.bucket] = KeptBucket(flow, seen_at)
    for repair in due.repairs:
        held = mine[repair.bucket]
        counted = {
            "win_increment_cents": repair.win_increment_cents,
            "place_increment_cents": repair.place_increment_cents,
            "previous_bucket": repair.previous_bucket,
            "baseline": repair.baseline,
        }
        mine[repair.bucket] = replace(held, flow=replace(held.flow, **counted))


def increments_of(mine: Mapping[int, KeptBucket]) -> dict[int, int | None]:
    """The win increments by bucket, newest last."""
    return {bucket: mine[bucket].flow.win_increment_cents for bucket in sorted(mine, reverse=True)}
