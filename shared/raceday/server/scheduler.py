"""Follows every race of the poll window: polls each at its due second, many side by side, as long as the server runs.

Several servers on one database follow the same races; a claim decides each time who polls. Nothing else is shared: a
race that another server polled is seen so at the next look, and one whose server was killed is free when its claim has
run out, within one interval.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from raceday.domain.cadence import CadencePolicy, PollTarget, next_due
from raceday.domain.derive import DeriveSettings
from raceday.domain.race_poll import PollTiming, RacePoll
from raceday.jobs.due_races import most_urgent_first, poll_window
from raceday.jobs.poll_race import PollAttempt, PollOutcome, poll_race
from raceday.jobs.ports import JobPorts
from raceday.jobs.stage_meter import StageMeter, Stopwatch
from raceday.server.poll_report import PollBatch, report_poll
from raceday.server.settings import SERVER_CLAIM_TTL_S, ServerSettings
from raceday.server.state import ServerState

LOOK_EVERY_S = 2.0
"""How often the races are read again: new ones, starts put back, other servers' polls, races whose server is gone."""
STORED_TO = timedelta(milliseconds=1)
"""The store cuts off what is finer: an instant that is read may be so much earlier than it was."""
FINISH_S = 3.0
"""How long a stopping server lets polls that are under way come to their end."""


@dataclass(frozen=True, slots=True)
class FollowPlan:
    """How races are followed: at which cadence, how many at once, and until when one that never ends."""

    policy: CadencePolicy
    derive: DeriveSettings
    parallel: int
    long_stop: timedelta
    claim_ttl_s: float = SERVER_CLAIM_TTL_S
    look_every_s: float = LOOK_EVERY_S


def follow_plan(settings: ServerSettings, look_every_s: float = LOOK_EVERY_S) -> FollowPlan:
    """Return the plan that the settings ask for."""
    return FollowPlan(
        policy=settings.policy,
        derive=DeriveSettings(settings.estimator, settings.alert_move_pct, settings.quality_threshold),
        parallel=settings.poll_parallel,
        long_stop=timedelta(hours=settings.long_stop_h),
        look_every_s=look_every_s,
    )


@dataclass(slots=True)
class _Followed:
    """One race: as it stands, and why it is not to be polled this moment although it may be due."""

    target: PollTarget
    polling: bool = False
    elsewhere: bool = False


@dataclass(slots=True)
class Scheduler:
    """The loop that polls. `on_poll` is told of each poll that was written."""

    ports: JobPorts
    plan: FollowPlan
    state: ServerState
    on_poll: Callable[[RacePoll], None]
    stopwatch: Stopwatch = time.perf_counter
    _followed: dict[str, _Followed] = field(default_factory=dict)
    _batches: set[asyncio.Task[None]] = field(default_factory=set)
    _look_at: datetime | None = None
    _stopping: bool = False
    _places: asyncio.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        """Make room for as many polls as the plan allows."""
        self._places = asyncio.Semaphore(self.plan.parallel)

    async def run(self) -> None:
        """Poll what falls due until the task is cancelled; polls under way go on until `stop`."""
        while not self._stopping:
            now = self.ports.clock.now()
            self.state.scheduler_seen_at = now
            if self._look_at is None or now >= self._look_at:
                await self._look()
            self._start_due(self.ports.clock.now())
            await self.ports.clock.sleep((self._next_turn() - self.ports.clock.now()).total_seconds())

    async def stop(self, within_s: float = FINISH_S) -> None:
        """Begin no poll any more, let those under way end, and cut off the rest: their claims are given back."""
        self._stopping = True
        if not self._batches:
            return
        _, late = await asyncio.wait(self._batches, timeout=within_s)
        for batch in late:
            batch.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    async def _look(self) -> None:
        """Read the races of the window; without an answer, those known so far are followed on."""
        now = self.ports.clock.now()
        self._look_at = now + timedelta(seconds=self.plan.look_every_s)
        try:
            targets = await self.ports.store.races_to_poll(poll_window(now, self.plan.long_stop))
        except Exception as error:  # noqa: BLE001 (whatever is wrong with the database, polling goes on after it)
            self.ports.log.warning("races_not_read", error=type(error).__name__, message=str(error))
            return
        self._take_over({target.race_id: target for target in targets})

    def _take_over(self, targets: dict[str, PollTarget]) -> None:
        """Follow the races as they were read, except where a poll of ours knows better by now."""
        for race_id, followed in list(self._followed.items()):
            if race_id not in targets and not followed.polling:
                del self._followed[race_id]
                self.ports.log.debug("race_left", race_id=race_id, status=followed.target.status)
        for race_id, target in targets.items():
            known = self._followed.setdefault(race_id, _Followed(target))
            if not known.polling and not _newer(known.target, target):
                known.target, known.elsewhere = target, False
        self.state.races_followed = len(self._followed)
        self.state.metrics.races_followed.set(len(self._followed))

    def _start_due(self, now: datetime) -> None:
        """Start what is due by now as one batch, the races nearest to their start first."""
        due = {}
        for followed in self._idle():
            due_at = next_due(self.plan.policy, followed.target, now)
            if due_at is not None and due_at <= now:
                due[followed.target.race_id] = due_at
        if not due:
            return
        chosen = [self._followed[race_id] for race_id in due]
        for followed in chosen:
            followed.polling = True
        ordered = most_urgent_first([followed.target for followed in chosen], now)
        batch = asyncio.create_task(self._poll_batch([(target, due[target.race_id]) for target in ordered]))
        self._batches.add(batch)
        batch.add_done_callback(self._batches.discard)

    def _next_turn(self) -> datetime:
        """Return when something falls due, or the races are read again."""
        now = self.ports.clock.now()
        turns = [self._look_at or now]
        for followed in self._idle():
            due_at = next_due(self.plan.policy, followed.target, now)
            if due_at is not None:
                turns.append(due_at)
        return min(turns)

    def _idle(self) -> list[_Followed]:
        return [followed for followed in self._followed.values() if not (followed.polling or followed.elsewhere)]

    async def _poll_batch(self, targets: Sequence[tuple[PollTarget, datetime]]) -> None:
        """Poll races side by side; how one ends is nothing to the others."""
        batch = PollBatch(len(targets), self.stopwatch)
        polls = (self._poll_when_there_is_room(target, due_at, batch) for target, due_at in targets)
        for failure in await asyncio.gather(*polls, return_exceptions=True):
            if isinstance(failure, Exception):
                self.ports.log.error("poll_broke_off", error=repr(failure))
        batch.log(self.ports.log)

    async def _poll_when_there_is_room(self, target: PollTarget, due_at: datetime, batch: PollBatch) -> None:
        followed = self._followed[target.race_id]
        try:
            async with self._places:
                if not self._stopping:
                    attempt, meter = await self._poll(target, due_at)
                    followed.target = attempt.target
                    followed.elsewhere = attempt.outcome is PollOutcome.CLAIMED_ELSEWHERE
                    batch.count(attempt, meter)
        finally:
            followed.polling = False

    async def _poll(self, target: PollTarget, due_at: datetime) -> tuple[PollAttempt, StageMeter]:
        now = self.ports.clock.now()
        interval_s = self.plan.policy.interval_s((target.advertised_start - now).total_seconds(), target.status)
        timing = PollTiming(now, due_at, interval_s, latency_ms=0)
        meter = StageMeter(self.stopwatch)
        attempt = await poll_race(
            self.ports, target, timing, self.plan.derive, claim_ttl_s=self.plan.claim_ttl_s, meter=meter
        )
        report_poll(self.state, attempt, timing, meter)
        if attempt.poll is not None:
            self.on_poll(attempt.poll)
        return attempt, meter


def _newer(known: PollTarget, read: PollTarget) -> bool:
    """Whether what is known of a race is newer than what was read, because a poll of ours ended in between."""
    if known.last_poll_at is None:
        return False
    return read.last_poll_at is None or read.last_poll_at <= known.last_poll_at - STORED_TO
