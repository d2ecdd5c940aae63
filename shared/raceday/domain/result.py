"""How a race ended: placings and tote dividends."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class ResultStatus(StrEnum):
    """How firm a result is; protest while one is open against an interim result."""

    INTERIM = "interim"
    FINAL = "final"
    PROTEST = "protest"


@dataclass(frozen=True, slots=True)
class Placing:
    """One finisher; a dead heat repeats the position (3, 3, 5)."""

    position: int
    runner_number: int
    entrant_id: str
    name: str
    barrier: int | None = None
    margin_lengths: float | None = None
    positional_margin: str | None = None
    winning_time_s: float | None = None


@dataclass(frozen=True, slots=True)
class ToteDividend:
    """What one winning tote ticket of one dollar pays; amounts in dollars as the feed gives them.

    `description` holds the runners (`2:4:7`) or `NOWINNER`.
    """

    dividend_id: str
    tote: str
    product_name: str
    status: str
    dividend: float
    pool_size: float
    jackpot_size: float
    description: str
    positions: tuple[tuple[int, int], ...] = ()
    """Pairs of (runner number, position)."""


@dataclass(frozen=True, slots=True)
class RaceResult:
    """The placings and dividends of a race, as known at `seen_at`."""

    race_id: str
    status: ResultStatus
    placings: tuple[Placing, ...]
    dividends: tuple[ToteDividend, ...]
    seen_at: datetime
    protest_lodged: bool = False
    protest_reason: str | None = None
    substitutes: tuple[str, ...] = ()
    """Entrant ids that took the place of scratched selections on the tote."""


def settled_dividends(dividends: tuple[ToteDividend, ...]) -> tuple[ToteDividend, ...]:
    """Return each dividend once: the Final row where there is one, else the Interim row.

    On a Final race the feed lists every dividend twice, as Interim and as Final (1,056 pairs captured, all equal).
    """
    chosen: dict[tuple[str, str, str, tuple[tuple[int, int], ...]], ToteDividend] = {}
    for dividend in dividends:
        key = (dividend.tote, dividend.product_name, dividend.description, dividend.positions)
        held = chosen.get(key)
        if held is None or (held.status.lower() != "final" and dividend.status.lower() == "final"):
            chosen[key] = dividend
    return tuple(chosen.values())


@dataclass(frozen=True, slots=True)
class KnownResult:
    """What the store holds of a race's result, as far as the next one is compared with it.

    `dividends` counts settled ones: each once, however often the feed listed it.
    """

    status: ResultStatus
    placings: int
    dividends: int
    fingerprint: str


def supersedes(new: RaceResult, old: KnownResult | None) -> bool:
    """Whether a result says at least as much as the one that is stored, so that it may replace it.

    A later payload that lost placings or settled dividends (cut short, or fallen back to Interim) never does.
    """
    if old is None:
        return True
    return len(new.placings) >= old.placings and len(settled_dividends(new.dividends)) >= old.dividends
