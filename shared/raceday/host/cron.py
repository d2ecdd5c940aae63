"""When the crons fire: which functions are due next, and at which instant.

The platform fires a quarter of a second past the full minute, in UTC, keeps no account of missed firings and does not
care whether the last run has ended.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cronsim import CronSim

if TYPE_CHECKING:
    from collections.abc import Mapping

FIRING_OFFSET = timedelta(milliseconds=250)
"""How far past the full minute a cron fires (observed on 1.9.6)."""

LATEST_FIRING = timedelta(seconds=60)
"""A firing later than this (the machine slept) is missed, and missed firings are not caught up."""


@dataclass(frozen=True, slots=True)
class Firing:
    """The next instant at which something is due, and the functions due then, in the manifest's order."""

    at: datetime
    function_ids: tuple[str, ...]


def next_firing(schedules: Mapping[str, str], after: datetime) -> Firing | None:
    """Return the first firing strictly after an aware instant, or None when nothing has a schedule.

    `schedules` maps function id to five cron fields; an empty schedule has no cron.
    """
    fires_at = {
        function_id: next(CronSim(schedule, after.astimezone(UTC) - FIRING_OFFSET)) + FIRING_OFFSET
        for function_id, schedule in schedules.items()
        if schedule
    }
    if not fires_at:
        return None
    soonest = min(fires_at.values())
    return Firing(soonest, tuple(function_id for function_id, at in fires_at.items() if at == soonest))
