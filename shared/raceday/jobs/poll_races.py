"""Polls many races at their due seconds, each at its own cadence, a few at a time, until the run's time is up."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from raceday.domain.cadence import CadencePolicy, PollTarget, next_due, phase_of
from raceday.domain.derive import DeriveSettings
from raceday.domain.race_poll import PollTiming, RacePoll
from raceday.jobs.poll_race import PollAttempt, PollOutcome, poll_race
from raceday.jobs.ports import JobPorts
from raceday.jobs.report import RunReport
from raceday.store.ports import PollWindow

DEFAULT_CONCURRENCY = 5
MAX_AHEAD = timedelta(hours=36)
"""A racing day and its imports lie well within this; later races are not looked at."""


@dataclass(frozen=True, slots=True)
class PollPlan:
    """How to poll: the cadence, how many races at a time, and when a race that never ended is given up.

    `rounds` bounds how often one race is polled in one run (None: as often as its cadence asks until `until`);
    `force` polls each race once now, whatever its cadence says.
    """

    policy: CadencePolicy
    until: datetime
    concurrency: int = DEFAULT_CONCURRENCY
    long_stop: timedelta = timedelta(hours=12)
    rounds: int | None = None
    force: bool = False
    derive: DeriveSettings = field(default_factory=DeriveSettings)


def poll_window(now: datetime, long_stop: timedelta) -> PollWindow:
    """Return the starts that pollers look at: from the long stop in the past to well into tomorrow."""
    return PollWindow(now - long_stop, now + MAX_AHEAD)


async def due_races(ports: JobPorts, plan: PollPlan) -> list[PollTarget]:
    """Return the races that fall due before the plan's end, those nearest to their start first."""
    now = ports.clock.now()
    targets = await ports.store.races_to_poll(poll_window(now, plan.long_stop))
    return most_urgent_first(due_before(plan, targets, now), now)


def due_before(plan: PollPlan, targets: Sequence[PollTarget], now: datetime) -> list[PollTarget]:
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


async def poll_races(
    ports: JobPorts, targets: Sequence[PollTarget], plan: PollPlan, report: RunReport
) -> list[RacePoll]:
    """Follow the given races until the plan's end; return the polls that were made, in the order they were made.

    Each race waits for its own due second; at most `plan.concurrency` are fetched at a time. Failures are counted
    in the report and tried again in the same run where time allows.
    """
    places = asyncio.Semaphore(plan.concurrency)
    polls: list[RacePoll] = []
    async with asyncio.TaskGroup() as group:
        for target in targets:
            group.create_task(_follow(ports, target, plan, places, _Tally(report, polls)))
    report.details["phases"] = _phases(polls)
    return polls


@dataclass(frozen=True, slots=True)
class _Tally:
    """Where one race's attempts are counted."""

    report: RunReport
    polls: list[RacePoll]

    def count(self, attempt: PollAttempt) -> None:
        if attempt.outcome is PollOutcome.CLAIMED_ELSEWHERE:
            self.report.skip()
        elif attempt.poll is not None:
            self.report.done()
            self.polls.append(attempt.poll)
        elif attempt.error is not None:
            self.report.fail(attempt.target.race_id, attempt.error)


async def _follow(
    ports: JobPorts, target: PollTarget, plan: PollPlan, places: asyncio.Semaphore, tally: _Tally
) -> None:
    """Poll one race whenever it falls due before the plan's end."""
    rounds = 0
    while plan.rounds is None or rounds < plan.rounds:
        due = ports.clock.now() if plan.force else next_due(plan.policy, target, ports.clock.now())
        if due is None or due >= plan.until:
            return
        await ports.clock.sleep((due - ports.clock.now()).total_seconds())
        async with places:
            attempt = await _attempt(ports, target, plan, due)
        if attempt is None:
            return
        tally.count(attempt)
        rounds += 1
        if attempt.outcome is PollOutcome.CLAIMED_ELSEWHERE:
            # Another run polls this race now; whoever is scheduled next sees what it did.
            return
        target = attempt.target


async def _attempt(ports: JobPorts, target: PollTarget, plan: PollPlan, due: datetime) -> PollAttempt | None:
    """Poll the race now, unless the run's time is up before it got a place."""
    now = ports.clock.now()
    if now >= plan.until:
        return None
    to_start_s = (target.advertised_start - now).total_seconds()
    interval_s = plan.policy.interval_s(to_start_s, target.status)
    timing = PollTiming(now, None if plan.force else due, None if plan.force else interval_s, latency_ms=0)
    return await poll_race(ports, target, timing, plan.derive)


def _phases(polls: Sequence[RacePoll]) -> dict[str, int]:
    """Count the polls by phase: the far-out baseline, the active hour, the critical minutes."""
    counts: dict[str, int] = {}
    for poll in polls:
        phase = phase_of((poll.race.advertised_start - poll.timing.polled_at).total_seconds())
        counts[phase] = counts.get(phase, 0) + 1
    return counts
