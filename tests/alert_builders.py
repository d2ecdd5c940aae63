"""A runner's past in few words, for the tests of alerts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from raceday.domain.alerts.config import AlertConfig, AlertKind
from raceday.domain.alerts.crossings import AlertHistory, Crossing, RunnerAlerts, rule_of
from raceday.domain.alerts.money import BucketMoney
from raceday.domain.entrant_update import EntrantUpdate
from raceday.domain.odds import Odds, OddsKind, OddsTick

START = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
RACE = "11111111-1111-4111-8111-111111111111"
RUNNER = "22222222-2222-4222-8222-222222222222"
OTHER = "33333333-3333-4333-8333-333333333333"
COOLDOWN_S = 300


def before_start(minutes: float) -> datetime:
    """So many minutes before the start."""
    return START - timedelta(minutes=minutes)


def tick(
    minutes: float, odds: float, bucket: int | None, kind: OddsKind = OddsKind.FIXED_WIN, runner: str = RUNNER
) -> OddsTick:
    """A price first seen so many minutes before the start."""
    return OddsTick(RACE, runner, kind, odds, before_start(minutes), bucket=bucket)


def column(bucket: int, minutes: float, cents: Mapping[str, int | None]) -> list[BucketMoney]:
    """What came in on each runner during one bucket, last polled so many minutes before the start."""
    return [BucketMoney(runner, bucket, before_start(minutes), amount) for runner, amount in cents.items()]


def update(odds: Odds | None = None, minutes: float = 0, **changes: object) -> EntrantUpdate:
    """The runner as a writer left it so many minutes before the start."""
    whole = {
        "entrant_id": RUNNER,
        "race_id": RACE,
        "name": "Cerise Dancer",
        "runner_number": 7,
        "odds": odds or Odds(),
        "written_at": before_start(minutes),
    }
    return EntrantUpdate(**(whole | changes))  # type: ignore[arg-type]


def threshold(kind: AlertKind, at_least: float, window_s: int = 300, **changes: object) -> AlertConfig:
    """A threshold of one user."""
    return AlertConfig(str(kind), "ann", kind, at_least, window_s=window_s, **changes)  # type: ignore[arg-type]


def told(
    config: AlertConfig,
    ticks: Sequence[OddsTick] = (),
    buckets: Sequence[BucketMoney] = (),
    runner: EntrantUpdate | None = None,
) -> list[Crossing]:
    """What a configuration tells about the runner, given its past."""
    history = AlertHistory({RUNNER: list(ticks)}, list(buckets))
    alerts = RunnerAlerts(runner or update(), history)
    return [crossing for _, crossing in alerts.told(rule_of(config), [config], COOLDOWN_S)]
