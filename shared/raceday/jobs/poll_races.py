"""Polls many races at their due seconds, each at its own cadence, a few at a time, until the run's time is up."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from raceday.domain.cadence import PollTarget, next_due, phase_of
from raceday.domain.derive import DeriveSettings
from raceday.domain.race_poll import PollTiming, RacePoll
from raceday.jobs.due_races import DuePlan
from raceday.jobs.poll_race import SAVE_S, PollAttempt, PollOutcome, poll_race
from raceday.jobs.ports import JobPorts
from raceday.jobs.report import RunReport

DEFAULT_CONCURRENCY = 5
SHORTEST_POLL_S = SAVE_S + 1.0
"""No poll is begun that has less time than this before the run's deadline."""
CLAIM_WAIT_S = 2.0
"""How long to wait before looking again at a race that another run is polling this very moment."""


@dataclass(frozen=True, slots=True)
class PollPlan(DuePlan):
    """How to poll: what is due, and how many races at a time.

    `rounds` bounds how often one race is polled in one run (None: as often as its cadence asks until `until`);
    `force` polls each race once now, whatever its cadence says.
    """

    concurrency: int = DEFAULT_CONCURRENCY
    rounds: int | None = None
    force: bool = False
    derive: DeriveSettings = field(default_factory=DeriveSettings)


@dataclass(frozen=True, slots=True)
class PollTally:
    """What became of the races of a run: the polls made, in their order, and the races that got none and why."""

    report: RunReport
    polls: list[RacePoll] = field(default_factory=list)
    claimed_elsewhere: set[str] = field(default_factory=set)
    not_come_to: set[str] = field(default_factory=set)

    def count(self, attempt: PollAttempt) -> None:
        """Count one attempt."""
        if attempt.outcome is PollOutcome.CLAIMED_ELSEWHERE:
            self.report.skip()
            self.claimed_elsewhere.add(attempt.target.race_id)
        elif attempt.poll is not None:
            self.report.done()
            self.report.add_drift(attempt.poll.drift)
            self.polls.append(attempt.poll)
        elif attempt.error is not None:
            self.report.fail(attempt.target.race_id, attempt.error)

    def leave(self, target: PollTarget) -> None:
        """Count a race that the run's time did not reach."""
        self.report.remaining += 1
        self.not_come_to.add(target.race_id)


async def poll_races(ports: JobPorts, targets: Sequence[PollTarget], plan: PollPlan) -> PollTally:
    """Follow the given races until the plan's end.

    Each race waits for its own due second; at most `plan.concurrency` are fetched at a time. Failures are counted
    in the run's report and tried again in the same run where time allows.
    """
    places = asyncio.Semaphore(plan.concurrency)
    tally = PollTally(ports.report)
    async with asyncio.TaskGroup() as group:
        for target in targets:
            group.create_task(_follow(ports, target, plan, places, tally))
    ports.report.details["phases"] = phases(tally.polls)
    return tally


async def _follow(
    ports: JobPorts, target: PollTarget, plan: PollPlan, places: asyncio.Semaphore, tally: PollTally
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
            tally.leave(target)
            return
        tally.count(attempt)
        rounds += 1
        target = attempt.target
        if attempt.outcome is PollOutcome.CLAIMED_ELSEWHERE and plan.rounds is None:
            seen = await _seen_again(ports, target)
            if seen is None:
                return
            target = seen


async def _attempt(ports: JobPorts, target: PollTarget, plan: PollPlan, due: datetime) -> PollAttempt | None:
    """Poll the race now, unless the run's time was up before it got a place."""
    now = ports.clock.now()
    if now >= plan.until or not ports.deadline.allows(SHORTEST_POLL_S):
        return None
    return await poll_race(ports, target, timing_of(target, plan, due, now), plan.derive)


def timing_of(target: PollTarget, plan: PollPlan, due: datetime, now: datetime) -> PollTiming:
    """Return when a poll that is made now was due; one that somebody forced was due for nobody."""
    interval_s = plan.policy.interval_s((target.advertised_start - now).total_seconds(), target.status)
    return PollTiming(now, None if plan.force else due, None if plan.force else interval_s, latency_ms=0)


async def _seen_again(ports: JobPorts, target: PollTarget) -> PollTarget | None:
    """Return the race as the run that polled it left it, after giving it a moment when it is still at it.

    None when the store does not say: the next run will see to the race.
    """
    try:
        (seen,) = await ports.store.poll_targets([target.race_id])
        if seen == target:
            await ports.clock.sleep(CLAIM_WAIT_S)
            (seen,) = await ports.store.poll_targets([target.race_id])
    except Exception as error:  # noqa: BLE001 (one race that nobody foresaw must not cost the others)
        ports.log.warning("race_lost_sight_of", race_id=target.race_id, message=str(error))
        return None
    return seen


def phases(polls: Sequence[RacePoll]) -> dict[str, int]:
    """Count polls by phase: the far-out baseline, the active hour, the critical minutes."""
    counts: dict[str, int] = {}
    for poll in polls:
        phase = phase_of((poll.race.advertised_start - poll.timing.polled_at).total_seconds())
        counts[phase] = counts.get(phase, 0) + 1
    return counts
