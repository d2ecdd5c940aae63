"""Which changes of a runner cross a configuration, and which of those are told.

All of it is a function of what is stored about the race, never of when or in which order it is looked at: whoever
looks later finds the same crossings, and perhaps some more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from raceday.domain.alert_changes import Change, Observed
from raceday.domain.alert_config import ON_MONEY, ON_ODDS, AlertConfig, AlertKind
from raceday.domain.alert_money import BucketMoney, MoneyColumn, money_changes, money_columns
from raceday.domain.alert_prices import PriceRun, price_changes, price_runs
from raceday.domain.alert_written_price import written_change, written_price
from raceday.domain.entrant_update import EntrantUpdate
from raceday.domain.odds import OddsTick

SHORTEST_SLOT_S = 60
"""Prices that no poll saw have no time bucket; those of one slot, as long as the cool-down, count as one."""


class Crossing(NamedTuple):
    """A configuration was crossed. `slot` is what there is at most one of: the time bucket, or `scratched`."""

    kind: AlertKind
    at: datetime
    slot: str
    bucket: int | None = None
    before: float | None = None
    after: float | None = None
    amount: float | None = None


class _Rule(NamedTuple):
    """What of a configuration decides which changes cross it: the same for many configurations."""

    kind: AlertKind
    window_s: int | None
    at_least: float
    below: float | None

    def crossed_by(self, change: Change) -> bool:
        """Whether a change is large enough, in the right direction."""
        match self.kind:
            case AlertKind.ODDS_DRIFTING:
                return -change.amount >= self.at_least
            case AlertKind.ODDS_CHANGE:
                return abs(change.amount) >= self.at_least
            case _:
                enough = change.amount > 0 and change.amount >= self.at_least
                return enough and (self.below is None or change.amount < self.below)


@dataclass(slots=True)
class RaceHistory:
    """What is stored of a race, as far as alerts look at it: win ticks by runner, and money-flow buckets."""

    ticks: Mapping[str, Sequence[OddsTick]] = field(default_factory=dict)
    buckets: Sequence[BucketMoney] = ()
    columns: list[MoneyColumn] = field(init=False)

    def __post_init__(self) -> None:
        self.columns = money_columns(self.buckets)


class RunnerAlerts:
    """The crossings of one runner; each series of changes is worked out once, however many configurations ask."""

    def __init__(self, update: EntrantUpdate, history: RaceHistory) -> None:
        ticks = history.ticks.get(update.entrant_id, ())
        self._update = update
        self._columns = history.columns
        self._runs: list[PriceRun] = price_runs(ticks)
        self._written: list[Observed] | None = written_price(update, ticks, history.buckets)
        self._prices: dict[int | None, list[Change]] = {}
        self._money: dict[int | None, list[Change]] = {}
        self._crossed: dict[_Rule, list[Change]] = {}

    def told(self, config: AlertConfig, default_cooldown_s: int) -> list[Crossing]:
        """Return what a configuration tells about this runner over the race so far, oldest first.

        At most one crossing of a time bucket, none within the cool-down after one that is told, and none from before
        the configuration was last changed.
        """
        if config.entrant_id is not None and config.entrant_id != self._update.entrant_id:
            return []
        if config.kind is AlertKind.SCRATCHING:
            return self._scratching(config)
        rule = _rule(config)
        cooldown_s = default_cooldown_s if config.cooldown_s is None else config.cooldown_s
        changes = _after_cooldown(self._crossings_of(rule), config.changed_at, timedelta(seconds=cooldown_s))
        crossings = [_crossing(change, str(change.bucket)) for change in changes]
        written = self._written_crossing(rule, config.changed_at, crossings, cooldown_s)
        return crossings if written is None else [*crossings, written]

    def _crossings_of(self, rule: _Rule) -> list[Change]:
        """Return the changes that cross a rule in the order of time, prices before money of the same moment."""
        found = self._crossed.get(rule)
        if found is None:
            changes: list[Change] = []
            if rule.kind in ON_ODDS:
                changes += self._price_changes(rule.window_s)
            if rule.kind in ON_MONEY:
                changes += self._money_changes(rule.window_s)
            found = [change for change in changes if rule.crossed_by(change)]
            found.sort(key=lambda change: (change.at, change.of_money))
            self._crossed[rule] = found
        return found

    def _price_changes(self, window_s: int | None) -> list[Change]:
        if window_s not in self._prices:
            self._prices[window_s] = price_changes(self._runs, window_s)
        return self._prices[window_s]

    def _money_changes(self, window_s: int | None) -> list[Change]:
        if window_s not in self._money:
            self._money[window_s] = money_changes(self._columns, self._update.entrant_id, window_s)
        return self._money[window_s]

    def _scratching(self, config: AlertConfig) -> list[Crossing]:
        """Return that the runner is out. A row that does not say since when was scratched when it was written."""
        at = self._update.scratched_at or self._update.written_at
        if not self._update.scratched or (config.changed_at is not None and at <= config.changed_at):
            return []
        return [Crossing(AlertKind.SCRATCHING, at, "scratched")]

    def _written_crossing(
        self, rule: _Rule, changed_at: datetime | None, told: Sequence[Crossing], cooldown_s: int
    ) -> Crossing | None:
        """Return the crossing by a price that no poll saw; it never takes the place of one that a poll saw."""
        if self._written is None or rule.kind not in ON_ODDS:
            return None
        change = written_change(self._written, rule.window_s)
        if change is None or not rule.crossed_by(change) or (changed_at is not None and change.at <= changed_at):
            return None
        if any(0 <= (change.at - crossing.at).total_seconds() < cooldown_s for crossing in told):
            return None
        slot = int(change.at.timestamp() // max(cooldown_s, SHORTEST_SLOT_S))
        return _crossing(change, f"written {slot}")


def _rule(config: AlertConfig) -> _Rule:
    window_s = None if config.kind is AlertKind.PERCENTAGE_RANGE else config.window_s
    return _Rule(config.kind, window_s, config.at_least, config.below)


def _after_cooldown(changes: Iterable[Change], changed_at: datetime | None, cooldown: timedelta) -> list[Change]:
    told: list[Change] = []
    buckets: set[int | None] = set()
    for change in changes:
        if changed_at is not None and change.at <= changed_at:
            continue
        if change.bucket in buckets or (told and change.at - told[-1].at < cooldown):
            continue
        told.append(change)
        buckets.add(change.bucket)
    return told


def _crossing(change: Change, slot: str) -> Crossing:
    kind = AlertKind.ODDS_SHORTENING if change.amount > 0 else AlertKind.ODDS_DRIFTING
    return Crossing(
        AlertKind.MONEY_SHARE_RISE if change.of_money else kind,
        change.at,
        slot,
        change.bucket,
        change.before,
        change.after,
        abs(change.amount),
    )
