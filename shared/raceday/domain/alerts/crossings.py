"""Which changes of a runner cross a configuration, and which of those are told.

All of it is a function of what is stored about the race, never of when or in which order it is looked at: whoever
looks later finds the same crossings, and perhaps some more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from raceday.domain.alerts.changes import Change, Observed
from raceday.domain.alerts.config import ON_MONEY, ON_ODDS, AlertConfig, AlertKind
from raceday.domain.alerts.money import BucketMoney, MoneyColumn, money_changes, money_columns
from raceday.domain.alerts.prices import PriceRun, price_changes, price_runs
from raceday.domain.alerts.written_price import written_change, written_price
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


class AlertRule(NamedTuple):
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


class _Changes(NamedTuple):
    """Changes in the order of time, prices before money of the same moment, and how large the largest is."""

    ordered: Sequence[Change]
    largest: float


@dataclass(slots=True)
class AlertHistory:
    """What is stored of a race, as far as alerts look at it: win ticks by runner, and money-flow buckets."""

    ticks: Mapping[str, Sequence[OddsTick]] = field(default_factory=dict)
    buckets: Sequence[BucketMoney] = ()
    columns: list[MoneyColumn] = field(init=False)

    def __post_init__(self) -> None:
        self.columns = money_columns(self.buckets)


class RunnerAlerts:
    """The crossings of one runner; each series of changes is worked out once, however many configurations ask."""

    def __init__(self, update: EntrantUpdate, history: AlertHistory) -> None:
        ticks = history.ticks.get(update.entrant_id, ())
        self._update = update
        self._columns = history.columns
        self._runs: list[PriceRun] = price_runs(ticks)
        self._written: list[Observed] | None = written_price(update, ticks, history.buckets)
        self._changes: dict[tuple[bool, bool, int | None], _Changes] = {}
        self._crossed: dict[AlertRule, list[Crossing]] = {}

    def told(
        self,
        rule: AlertRule,
        configs: Iterable[AlertConfig],
        default_cooldown_s: int,
        look_back: timedelta | None = None,
    ) -> Iterator[tuple[AlertConfig, Crossing]]:
        """Yield what the configurations of one rule tell about this runner over the race so far, oldest first.

        At most one crossing of a time bucket, none within the cool-down after one that is told, and none from before
        the configuration was last changed. With `look_back` what was crossed so long before the runner was written is
        worked out, for the cool-down, but not told again; a scratching is told in any case.
        """
        crossed, written = self._crossings_of(rule), self._written_crossing(rule)
        oldest = None if look_back is None or rule.kind is AlertKind.SCRATCHING else self._update.written_at - look_back
        if written is None and (not crossed or (oldest is not None and crossed[-1].at < oldest)):
            return
        for config in configs:
            if config.entrant_id is not None and config.entrant_id != self._update.entrant_id:
                continue
            cooldown_s = default_cooldown_s if config.cooldown_s is None else config.cooldown_s
            told = _after_cooldown(crossed, config.changed_at, timedelta(seconds=cooldown_s))
            for crossing in told:
                if oldest is None or crossing.at >= oldest:
                    yield config, crossing
            if written is not None and _also_told(written, told, config.changed_at, cooldown_s):
                slot = int(written.at.timestamp() // max(cooldown_s, SHORTEST_SLOT_S))
                yield config, written._replace(slot=f"written {slot}")

    def _crossings_of(self, rule: AlertRule) -> list[Crossing]:
        """Return the crossings of a rule in the order of time, prices before money of the same moment."""
        found = self._crossed.get(rule)
        if found is None:
            found = self._scratching() if rule.kind is AlertKind.SCRATCHING else self._changes_across(rule)
            self._crossed[rule] = found
        return found

    def _changes_across(self, rule: AlertRule) -> list[Crossing]:
        changes = self._changes_for(rule)
        if rule.at_least > changes.largest:
            return []
        return [_crossing(change, str(change.bucket)) for change in changes.ordered if rule.crossed_by(change)]

    def _changes_for(self, rule: AlertRule) -> _Changes:
        """Return the changes that a rule looks at; most rules of a page look at the same ones."""
        key = (rule.kind in ON_ODDS, rule.kind in ON_MONEY, rule.window_s)
        found = self._changes.get(key)
        if found is None:
            of_prices, of_money, window_s = key
            changes = price_changes(self._runs, window_s) if of_prices else []
            if of_money:
                changes += money_changes(self._columns, self._update.entrant_id, window_s)
            changes.sort(key=lambda change: (change.at, change.of_money))
            found = self._changes[key] = _Changes(changes, max((abs(change.amount) for change in changes), default=0.0))
        return found

    def _scratching(self) -> list[Crossing]:
        """Return that the runner is out. A row that does not say since when was scratched when it was written."""
        at = self._update.scratched_at or self._update.written_at
        return [Crossing(AlertKind.SCRATCHING, at, "scratched")] if self._update.scratched else []

    def _written_crossing(self, rule: AlertRule) -> Crossing | None:
        """Return the crossing of a rule by a price that no poll saw."""
        if self._written is None or rule.kind not in ON_ODDS:
            return None
        change = written_change(self._written, rule.window_s)
        return _crossing(change, "") if change is not None and rule.crossed_by(change) else None


def rule_of(config: AlertConfig) -> AlertRule:
    """Return the rule of a configuration; the six ranges look at time buckets and not at a window."""
    window_s = None if config.kind is AlertKind.PERCENTAGE_RANGE else config.window_s
    return AlertRule(config.kind, window_s, config.at_least, config.below)


def by_rule(configs: Iterable[AlertConfig]) -> dict[AlertRule, list[AlertConfig]]:
    """Return configurations by their rule: what crosses it is worked out once for all of them."""
    rules: dict[AlertRule, list[AlertConfig]] = {}
    for config in configs:
        rules.setdefault(rule_of(config), []).append(config)
    return rules


def _after_cooldown(crossed: Iterable[Crossing], changed_at: datetime | None, cooldown: timedelta) -> list[Crossing]:
    told: list[Crossing] = []
    slots: set[str] = set()
    for crossing in crossed:
        if changed_at is not None and crossing.at <= changed_at:
            continue
        if crossing.slot in slots or (told and crossing.at - told[-1].at < cooldown):
            continue
        told.append(crossing)
        slots.add(crossing.slot)
    return told


def _also_told(written: Crossing, told: Iterable[Crossing], changed_at: datetime | None, cooldown_s: int) -> bool:
    """Whether a price that no poll saw is told as well: it never takes the place of one that a poll saw."""
    if changed_at is not None and written.at <= changed_at:
        return False
    return not any(0 <= (written.at - crossing.at).total_seconds() < cooldown_s for crossing in told)


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
