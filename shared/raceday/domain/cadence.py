"""How often a race is polled: named policies, and when a race is due next.

The three tables come from the client's documents: `enhanced` (seed 001), `classic` (seeds 000, 002, 003) and
`high-frequency` (seed 004). The faster band owns its boundary: exactly 5 minutes before the start the last
band applies. A race is never polled faster than every 15 s, because the source refreshes every 15 s.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache

from raceday.domain.status import RaceStatus

SOURCE_REFRESH_S = 15
SPREAD_FROM_S = 600
"""Races polled this seldom each get their own minute, so that they are not all fetched in one tick."""
SPREAD_TOLERANCE_S = 60


@dataclass(frozen=True, slots=True)
class Band:
    """From `from_s` seconds before the start (inclusive) down to the next band: one poll per `interval_s`."""

    from_s: float
    interval_s: int


@dataclass(frozen=True, slots=True)
class CadencePolicy:
    """A cadence: bands from far to near, and the interval after the race has really started."""

    name: str
    bands: tuple[Band, ...]
    after_start_s: int

    def interval_s(self, to_start_s: float, status: RaceStatus) -> int | None:
        """Return the seconds between polls, or None when the race is not polled.

        `to_start_s` is negative after the advertised start. A race that is late but still Open stays in its
        fastest band until it really starts.
        """
        if status.terminal:
            return None
        if to_start_s <= 0 and status.started:
            return self.after_start_s
        near = [band for band in self.bands if to_start_s <= band.from_s]
        return near[-1].interval_s if near else None

    def polls_from_s(self) -> float:
        """Return how long before the start polling begins, in seconds (may be infinite)."""
        return self.bands[0].from_s


FOREVER_S = float("inf")

ENHANCED = CadencePolicy("enhanced", (Band(FOREVER_S, 1800), Band(65 * 60, 150), Band(5 * 60, 30)), after_start_s=30)
CLASSIC = CadencePolicy(
    "classic",
    (Band(60 * 60, 300), Band(20 * 60, 120), Band(10 * 60, 60), Band(5 * 60, 15)),
    after_start_s=300,
)
HIGH_FREQUENCY = CadencePolicy(
    "high-frequency", (Band(FOREVER_S, 60), Band(15 * 60, 30), Band(5 * 60, 15)), after_start_s=15
)

POLICIES = {policy.name: policy for policy in (ENHANCED, CLASSIC, HIGH_FREQUENCY)}


@dataclass(frozen=True, slots=True)
class PollTarget:
    """What is needed to say when a race is due: its schedule, and what was done about it so far.

    `last_poll_at` is the last successful poll, `not_before` the earliest next try after a failed one.
    `result_pending`: the race is Final, but its result has not been seen yet.
    """

    race_id: str
    meeting_id: str
    advertised_start: datetime
    status: RaceStatus
    last_poll_at: datetime | None = None
    not_before: datetime | None = None
    result_pending: bool = False


def next_due(policy: CadencePolicy, target: PollTarget, now: datetime) -> datetime | None:
    """Return when a race is to be polled next, or None when it is not polled any more (or not by this policy).

    The answer may lie in the past: then the race is overdue, and `now` less the answer is its lateness.
    """
    if target.status.terminal and not target.result_pending:
        return None
    due = _first_poll(policy, target, now) if target.last_poll_at is None else _due_after_poll(policy, target)
    if due is None or target.not_before is None:
        return due
    return max(due, target.not_before)


@lru_cache(maxsize=4096)
def _due_after_poll(policy: CadencePolicy, target: PollTarget) -> datetime | None:
    """Return when a race polled before is due; cached, since the scheduler asks the same again every few seconds."""
    if target.last_poll_at is None:
        return None
    earliest = target.last_poll_at + timedelta(seconds=SOURCE_REFRESH_S)
    for band_start, band_end, interval_s in _stretches(policy, target):
        due = target.last_poll_at + timedelta(seconds=interval_s)
        if interval_s >= SPREAD_FROM_S:
            due = _own_minute(target.race_id, interval_s, due)
        if band_start is not None:
            due = max(due, band_start)
        if band_end is None or due < band_end:
            return max(due, earliest)
    return None


def _first_poll(policy: CadencePolicy, target: PollTarget, now: datetime) -> datetime:
    """Return when a race never polled is due.

    When the policy begins, and where it has no beginning at once, but spread over one interval while it is far off.
    """
    if policy.polls_from_s() < FOREVER_S:
        return target.advertised_start - timedelta(seconds=policy.polls_from_s())
    to_start_s = (target.advertised_start - now).total_seconds()
    interval_s = policy.interval_s(to_start_s, target.status)
    if interval_s is None or interval_s < SPREAD_FROM_S:
        return now
    return max(now, _own_minute(target.race_id, interval_s, now))


def _stretches(policy: CadencePolicy, target: PollTarget) -> Iterator[tuple[datetime | None, datetime | None, int]]:
    """Yield the policy as (begin, end, interval) on the time axis of this race, in order."""
    start = target.advertised_start
    started = target.status.started
    if started and target.last_poll_at is not None and target.last_poll_at >= start:
        yield None, None, policy.after_start_s
        return
    for band, nearer in zip(policy.bands, [*policy.bands[1:], None], strict=True):
        begins = None if band.from_s == FOREVER_S else start - timedelta(seconds=band.from_s)
        if nearer is not None:
            yield begins, start - timedelta(seconds=nearer.from_s), band.interval_s
        else:
            yield begins, start if started else None, band.interval_s
    if started:
        yield start, None, policy.after_start_s


def _own_minute(race_id: str, interval_s: int, earliest: datetime) -> datetime:
    """Return the race's own place in the interval, at most `SPREAD_TOLERANCE_S` before `earliest`."""
    offset_s = spread_offset_s(race_id, interval_s)
    from_s = earliest.timestamp() - SPREAD_TOLERANCE_S
    wait_s = (offset_s - from_s) % interval_s
    return earliest + timedelta(seconds=wait_s - SPREAD_TOLERANCE_S)


@lru_cache(maxsize=4096)
def spread_offset_s(race_id: str, interval_s: int) -> float:
    """Return a race's fixed place within an interval, evenly spread over all races, 0 ≤ offset < interval_s."""
    share = int.from_bytes(hashlib.blake2b(race_id.encode(), digest_size=8).digest(), "big") / 2**64
    return share * interval_s


class PollPhase(StrEnum):
    """The dual phase of seed 001, with its critical end: what a poll is for."""

    BASELINE = "baseline"
    ACTIVE = "active"
    CRITICAL = "critical"


def phase_of(to_start_s: float) -> PollPhase:
    """Return the phase of a poll made so many seconds before the advertised start (negative after it)."""
    if to_start_s > 65 * 60:
        return PollPhase.BASELINE
    return PollPhase.ACTIVE if to_start_s > 5 * 60 else PollPhase.CRITICAL
