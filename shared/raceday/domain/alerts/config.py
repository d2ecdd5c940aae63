"""What a user wants to be told: one threshold on a runner, a race or everything, or one percentage range of six."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache

DEFAULT_WINDOW_S = 300
LONGEST_S = 86_400
"""The longest time window and the longest cool-down: a racing day."""
LARGEST_DRIFT_PCT = 10_000.0
"""A price of 1.01 that drifts to over 100; more is a slip of the pen."""
_COLOUR = re.compile(r"#[0-9A-Fa-f]{6}")
_SEPARATORS = re.compile(r"[\s_-]+")


class AlertKind(StrEnum):
    """What an alert is about."""

    ODDS_SHORTENING = "odds_shortening"
    ODDS_DRIFTING = "odds_drifting"
    ODDS_CHANGE = "odds_change"
    """Shortening and drifting alike."""
    MONEY_SHARE_RISE = "money_share_rise"
    SCRATCHING = "scratching"
    PERCENTAGE_RANGE = "percentage_range"
    """One of the dashboard's six ranges: price shortening in percent, and money in percentage points."""


SPELLINGS = {
    AlertKind.ODDS_SHORTENING: ("odds shortening", "shortening", "shorten", "odds drop", "odds shorten", "firming"),
    AlertKind.ODDS_DRIFTING: ("odds drifting", "drifting", "drift", "odds drift", "odds rise", "easing"),
    AlertKind.ODDS_CHANGE: ("odds change", "odds movement", "odds move"),
    AlertKind.MONEY_SHARE_RISE: ("money share rise", "money share", "money flow", "money", "money rise"),
    AlertKind.SCRATCHING: ("scratching", "scratched", "scratch", "late scratching", "late scratched"),
}
"""The words of `alertType` that are understood; case, spaces, hyphens and underscores do not matter."""
_KINDS = {spelling: kind for kind, spellings in SPELLINGS.items() for spelling in spellings}

ON_ODDS = frozenset(
    {AlertKind.ODDS_SHORTENING, AlertKind.ODDS_DRIFTING, AlertKind.ODDS_CHANGE, AlertKind.PERCENTAGE_RANGE}
)
ON_MONEY = frozenset({AlertKind.MONEY_SHARE_RISE, AlertKind.PERCENTAGE_RANGE})
_DRIFTS = frozenset({AlertKind.ODDS_DRIFTING, AlertKind.ODDS_CHANGE})


class BrokenAlertConfig(ValueError):
    """A configuration that cannot mean anything; it is left out, counted, and hurts nobody else's."""


@dataclass(frozen=True, slots=True)
class AlertConfig:
    """One configuration of one user.

    It is crossed by changes from `at_least` (inclusive) to `below` (exclusive, None for no end), in percent of the
    price or percentage points of the money; a scratching needs neither. `entrant_id` is None for any runner.
    What happened up to `changed_at` is not its business. `cooldown_s` is None where the user did not say.
    """

    config_id: str
    user_id: str
    kind: AlertKind
    at_least: float = 0.0
    below: float | None = None
    window_s: int = DEFAULT_WINDOW_S
    entrant_id: str | None = None
    race_id: str | None = None
    cooldown_s: int | None = None
    colour: str | None = None
    display_order: int | None = None
    enabled: bool = True
    changed_at: datetime | None = None

    @property
    def for_everything(self) -> bool:
        """Whether it is bound to neither a runner nor a race."""
        return self.entrant_id is None and self.race_id is None


@lru_cache(maxsize=256)
def alert_kind(spelling: str) -> AlertKind:
    """Return the kind that an `alertType` means; raises `BrokenAlertConfig` for words that mean none."""
    kind = _KINDS.get(_folded(spelling))
    if kind is None:
        raise BrokenAlertConfig(f"alertType {spelling[:50]!r} is not known")
    return kind


def is_percentage_range(spelling: str) -> bool:
    """Whether an `indicatorType` means one of the six ranges."""
    return _folded(spelling) == "percentage range"


def _folded(spelling: str) -> str:
    return _SEPARATORS.sub(" ", spelling).strip().lower()


def checked_threshold(kind: AlertKind, threshold: float | None) -> float:
    """Return a usable threshold; raises `BrokenAlertConfig` when nothing, or everything, would cross it."""
    if kind is AlertKind.SCRATCHING:
        return 0.0
    largest = LARGEST_DRIFT_PCT if kind in _DRIFTS else 100.0
    if threshold is None or not math.isfinite(threshold) or not 0 < threshold <= largest:
        raise BrokenAlertConfig(f"threshold is {threshold}: it must be above 0 and at most {largest:.0f}")
    return threshold


def checked_range(lowest: float | None, highest: float | None) -> tuple[float, float | None]:
    """Return a usable range in percent, `highest` None for no end; raises `BrokenAlertConfig` for any other."""
    if lowest is None or not math.isfinite(lowest) or not 0 <= lowest <= 100:
        raise BrokenAlertConfig(f"percentageRangeMin is {lowest}: it must be from 0 to 100")
    if highest is not None and not (math.isfinite(highest) and lowest < highest <= 100):
        raise BrokenAlertConfig(f"percentageRangeMax is {highest}: it must be above {lowest} and at most 100")
    return lowest, highest


def checked_seconds(name: str, seconds: int | None, least: int) -> int | None:
    """Return a usable number of seconds, None for None; raises `BrokenAlertConfig` for any other."""
    if seconds is not None and not least <= seconds <= LONGEST_S:
        raise BrokenAlertConfig(f"{name} is {seconds}: it must be from {least} to {LONGEST_S}")
    return seconds


def colour_or_none(text: str | None) -> str | None:
    """Return a colour written as `#RRGGBB`, None for anything else."""
    return text if text is not None and _COLOUR.fullmatch(text) else None
