"""Which races are due to be polled: what the scheduler starts pollers for, and what a poller follows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from raceday.domain.cadence import CadencePolicy, PollTarget, next_due
from raceday.jobs.ports import JobPorts
from raceday.store.values import PollWindow

MAX_AHEAD = timedelta(hours=36)
"""A racing day and its imports lie well within this; later races are not looked at."""
RESULTS_WITHIN = timedelta(minutes=60)
"""How long after its start a race that is Final is still asked for the result it came without."""


@dataclass(frozen=True, slots=True)
class DuePlan:
    """What counts as due: by which cadence, before when, and when a race that never ended is given up."""

    policy: CadencePolicy
    until: datetime
    long_stop: timedelta = timedelta(hours=12)


def poll_window(now: datetime, long_stop: timedelta) -> PollWindow:
    """Return the starts that pollers look at: from the long stop in the past to well into tomorrow."""
    return PollWindow(now - long_stop, now + MAX_AHEAD, now - RESULTS_WITHIN)


async def due_races(ports: JobPorts, plan: DuePlan) -> list[PollTarget]:
    """Return the races that fall due before the plan's end, those nearest to their start first."""
    now = ports.clock.now()
    targets = await ports.store.races_to_poll(poll_window(now, plan.long_stop))
    return most_urgent_first(due_before(plan, targets, now), now)


def due_before(plan: DuePlan, targets: Sequence[PollTarget], now: datetime) -> list[PollTarget]:
    """Return those targets that fall due before the plan's end."""
    chosen = []
    for target in targets:
        due = next_due(plan.policy, target, now)
        if due is not None and due < plan.until:
            chosen.append(target)
    return chosen


def most_urgent_first(targets: Sequence[PollTarget], now: datetime) -> list[PollTarget]:
    """Order races by how near they are to their start: where the feed is slow, the far ones wait."""
    return sorted(targets, key=lambda target: abs((target.advertised_start - now).total_seconds()))
