"""The racing day: the New Zealand calendar date, right over both changes to and from daylight saving."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

NZ = ZoneInfo("Pacific/Auckland")


def racing_date(instant: datetime) -> date:
    """Return the New Zealand calendar date of an aware instant."""
    return instant.astimezone(NZ).date()


def nz_midnight(day: date) -> datetime:
    """Return the instant (UTC) at which the New Zealand date begins."""
    return datetime.combine(day, time(), NZ).astimezone(UTC)


def nz_clock(instant: datetime) -> str:
    """Return `HH:MM:SS NZST` or `HH:MM:SS NZDT`, as the feed's `start_time_nz` has it."""
    return instant.astimezone(NZ).strftime("%H:%M:%S %Z")


class DailyStage(StrEnum):
    """The three steps of the daily import, in their order; each value is its function's id."""

    MEETINGS = "daily-meetings"
    RACES = "daily-races"
    ENTRANTS = "daily-entrants"

    @property
    def prerequisite(self) -> DailyStage | None:
        """The stage that must be complete first."""
        order = list(DailyStage)
        position = order.index(self)
        return order[position - 1] if position else None


FIRST_STAGE_UTC = time(17, 0)
"""The hour of the first import: 05:00 in New Zealand's winter, 06:00 in its summer."""
STAGE_SPACING = timedelta(minutes=10)


def stage_due_at(day: date, stage: DailyStage) -> datetime:
    """Return when the platform's cron starts a stage for a racing day.

    17:00 UTC lies on the UTC date before the New Zealand date that it imports.
    """
    first = datetime.combine(day - timedelta(days=1), FIRST_STAGE_UTC, UTC)
    return first + list(DailyStage).index(stage) * STAGE_SPACING


@dataclass(frozen=True, slots=True)
class StageProgress:
    """How far one stage of one racing day has come.

    `complete` is only ever set by a run that left nothing to do; `started_at` is the last start. `done` counts
    what all runs did, `processed`, `failed` and `remaining` are those of the last run.
    """

    racing_date: date
    stage: DailyStage
    complete: bool
    started_at: datetime
    finished_at: datetime | None = None
    done: int = 0
    processed: int = 0
    failed: int = 0
    remaining: int = 0


def current_card(now: datetime) -> date:
    """Return the racing date whose card is being raced: today's from the hour of its import, before that yesterday's.

    Australian night meetings end after New Zealand's midnight.
    """
    today = racing_date(now)
    return today if now >= stage_due_at(today, DailyStage.MEETINGS) else today - timedelta(days=1)
