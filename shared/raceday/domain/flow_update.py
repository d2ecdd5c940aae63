"""Money flow out of single updates of runners, for whoever writes runners without deriving their buckets.

What comes out is a function of the set of updates, never of their order: of two updates in one bucket the one that
`_rank` puts higher stays, whichever came first, and increments are always counted over all buckets that are there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from raceday.domain.flow import MoneyFlow
from raceday.domain.money_flow import (
    Estimator,
    IncrementRepair,
    MoneyFlowBucket,
    bucket_of,
    increments,
    minutes_to_start,
)

if TYPE_CHECKING:
    from raceday.domain.entrant_update import EntrantUpdate


@dataclass(frozen=True, slots=True)
class FlowRace:
    """What the buckets of a race depend on. `abandoned_at` is None for a race that was never anything but abandoned."""

    advertised_start: datetime
    abandoned: bool = False
    abandoned_at: datetime | None = None

    def takes_money_at(self, at: datetime) -> bool:
        """Whether there was a race to bet on at that time."""
        return not self.abandoned or (self.abandoned_at is not None and at < self.abandoned_at)


@dataclass(frozen=True, slots=True)
class KeptBucket:
    """A bucket as it stands in the store, with when its writer saw what it says; `measured` when a poll wrote it."""

    flow: MoneyFlowBucket
    seen_at: datetime
    measured: bool = False


@dataclass(frozen=True, slots=True)
class FlowStanding:
    """What is stored when an update of a runner arrives.

    `race` is None for a race that is not stored; `polled` says that the update is the write of one of our own
    polls, which derived it inline.
    """

    buckets: tuple[KeptBucket, ...]
    race: FlowRace | None = None
    polled: bool = False


@dataclass(frozen=True, slots=True)
class RaceFlow:
    """The money flow of a whole race as it is stored: each runner's buckets, and when our own polls were made."""

    race: FlowRace
    buckets: Mapping[str, tuple[KeptBucket, ...]]
    polls: frozenset[datetime]

    def standing(self, update: EntrantUpdate) -> FlowStanding:
        """Return what of it concerns one update."""
        return FlowStanding(self.buckets.get(update.entrant_id, ()), self.race, update.written_at in self.polls)


class NotDue(StrEnum):
    """Why an update makes no bucket."""

    DERIVED = "alreadyDerived"
    UNKNOWN_RACE = "unknownRace"
    OUT_OF_PLAY = "outOfPlay"
    """The runner is scratched or its race abandoned."""


def covers(buckets: Sequence[KeptBucket], update: EntrantUpdate) -> bool:
    """Whether the buckets show by themselves that an update was derived: one was made of it, or by its very poll."""
    said = _values(_bucket(update, 0, Estimator.HOLD))
    return any(kept.seen_at == update.written_at and (kept.measured or _values(kept.flow) == said) for kept in buckets)


def update_flow(update: EntrantUpdate, standing: FlowStanding, estimator: Estimator) -> MoneyFlow | NotDue:
    """Return the bucket that an update makes and the increments that it changes, or why it makes none.

    The time to the start counts from `written_at`: a row does not say when the feed made what it holds. Amounts are
    those of the row alone. Shares without amounts are not multiplied with the race's pools: only their newest
    totals are stored, and a late event would turn an old share into money of another time.
    """
    if covers(standing.buckets, update) or standing.polled:
        return NotDue.DERIVED
    if standing.race is None:
        return NotDue.UNKNOWN_RACE
    if update.scratched or not standing.race.takes_money_at(update.written_at):
        return NotDue.OUT_OF_PLAY
    minutes = minutes_to_start(standing.race.advertised_start, update.written_at)
    made = KeptBucket(_bucket(update, minutes, estimator), update.written_at)
    held = [kept for kept in standing.buckets if kept.flow.bucket == made.flow.bucket]
    if any(_rank(kept) >= _rank(made) for kept in held):
        return NotDue.DERIVED
    others = [kept.flow for kept in standing.buckets if kept not in held]
    written = _counted(made.flow, others)
    return MoneyFlow((written,), tuple(miscounted([*others, written])))


def miscounted(buckets: Sequence[MoneyFlowBucket]) -> list[IncrementRepair]:
    """Return new increments for those of a runner's buckets whose increments are not what its amounts say."""
    amounts = [flow.amounts for flow in buckets]
    repairs = []
    for flow in buckets:
        due = increments(flow.amounts, amounts)
        if due != flow.increments:
            repairs.append(IncrementRepair(flow.race_id, flow.entrant_id, flow.bucket, *due))
    return repairs


def _counted(flow: MoneyFlowBucket, others: Sequence[MoneyFlowBucket]) -> MoneyFlowBucket:
    due = increments(flow.amounts, [other.amounts for other in others])
    return replace(
        flow,
        win_increment_cents=due.win_cents,
        place_increment_cents=due.place_cents,
        previous_bucket=due.previous_bucket,
        baseline=due.baseline,
    )


def _bucket(update: EntrantUpdate, minutes: int, estimator: Estimator) -> MoneyFlowBucket:
    """Return the bucket of an update, its increments not counted yet."""
    return MoneyFlowBucket(
        race_id=update.race_id,
        entrant_id=update.entrant_id,
        bucket=bucket_of(minutes),
        minutes_to_start=minutes,
        at=update.written_at,
        hold_pct=update.hold.hold_pct if update.hold else None,
        bet_pct=update.hold.bet_pct if update.hold else None,
        implied_pct=update.implied_pct,
        estimator=estimator,
        win_cents=update.win_cents,
        place_cents=update.place_cents,
        total_cents=None,
        win_increment_cents=None,
        place_increment_cents=None,
        previous_bucket=None,
        baseline=False,
        odds=update.odds,
    )


_Values = tuple[float, ...]


def _rank(kept: KeptBucket) -> tuple[bool, datetime, bool, _Values]:
    """Return what decides which of two writes of one bucket stays: the higher.

    A known amount is never replaced by an unknown one; else the later write stays. Two different writes that claim
    one and the same moment are told apart by their values, so that even then their order does not matter.
    """
    return kept.flow.win_cents is not None, kept.seen_at, kept.measured, _values(kept.flow)


def _values(flow: MoneyFlowBucket) -> _Values:
    odds = flow.odds
    said = (
        flow.win_cents,
        flow.place_cents,
        flow.hold_pct,
        flow.bet_pct,
        flow.implied_pct,
        odds.fixed_win,
        odds.fixed_place,
        odds.pool_win,
        odds.pool_place,
    )
    return tuple(-1 if value is None else value for value in said)
