"""A runner in a race."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from raceday.domain.odds import Odds, OddsKind


@dataclass(frozen=True, slots=True)
class Scratching:
    """A runner was withdrawn; deductions are fractions of a dollar (Rule 4), None when not given."""

    at: datetime | None
    late: bool = False
    win_deduction: float | None = None
    place_deduction: float | None = None


@dataclass(frozen=True, slots=True)
class PricePoint:
    """One point of the feed's own fixed-win price history."""

    at: datetime
    odds: float


@dataclass(frozen=True, slots=True)
class Entrant:
    """A runner as one response describes it; None means that this response does not say.

    `price_history` is the feed's own record of the fixed win price, oldest first; it is asked for once per race.
    `barrier` is the gate number, `barrier_position` the harness text such as `Fr1` (front row 1).
    `scratching` holds the details when `is_scratched`;
    `odds` is None when the response had no odds at all for the runner; otherwise a price that is None was withdrawn,
    unless `odds_unsaid` names its kind: then the response was silent about it.
    """

    entrant_id: str
    race_id: str
    name: str | None
    runner_number: int | None
    odds: Odds | None = None
    odds_unsaid: tuple[OddsKind, ...] = ()
    barrier: int | None = None
    barrier_position: str | None = None
    is_scratched: bool | None = None
    scratching: Scratching | None = None
    favourite: bool | None = None
    mover: bool | None = None
    is_emergency: bool | None = None
    emergency_position: str | None = None
    jockey: str | None = None
    trainer_name: str | None = None
    trainer_location: str | None = None
    weight_total: str | None = None
    weight_allocated: str | None = None
    age: int | None = None
    sex: str | None = None
    colour: str | None = None
    gear: str | None = None
    last_twenty_starts: str | None = None
    apprentice_indicator: str | None = None
    runner_change: str | None = None
    silk_colours: str | None = None
    silk_url_64: str | None = None
    silk_url_128: str | None = None
    opening: PricePoint | None = None
    price_history: tuple[PricePoint, ...] = ()
