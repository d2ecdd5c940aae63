"""One poll of one race, from claim to row. Read `poll_race` top to bottom: this is how RaceDay works.

`poll_together` does the same for a group of races that fall due together.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from raceday.domain.cadence import SOURCE_REFRESH_S, PollTarget
from raceday.domain.derive import DeriveSettings, derive_poll
from raceday.domain.race_poll import PollTiming, RaceEvent, RacePoll
from raceday.domain.status import RaceStatus
from raceday.errors import FeedContractError, FeedNotFound, FeedThrottled, RaceDayError, StoreConflict
from raceday.jobs.ports import JobPorts
from raceday.jobs.stage_meter import UNMEASURED, StageMeter
from raceday.store.values import PollClaim, PollFailure

CLAIM_TTL_S = 20.0
"""A claim outlives the longest feed call (15 s) by a margin; after a killed run the race is free again by then."""
SAVE_S = 2.0
"""What is kept of a run's time for writing what the feed answered at the last moment."""
RELEASE_S = 2.0
"""A run that is cut off frees its races within this, or leaves it to their claims to run out."""
MISSING_EVENT_PAUSE_S = 300.0
"""An event that the feed does not have is asked for seldom: it was withdrawn, and only the meeting list knows why."""
NEAR_START = timedelta(minutes=10)
"""Nearer to the start a missing event may be a slip of the feed, and every minute counts."""


class PollOutcome(StrEnum):
    """How one attempt to poll a race ended."""

    POLLED = "polled"
    CLAIMED_ELSEWHERE = "claimed elsewhere"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class PollAttempt:
    """The outcome of one attempt, with the race's target as it stands now."""

    outcome: PollOutcome
    target: PollTarget
    poll: RacePoll | None = None
    error: Exception | None = None


@dataclass(frozen=True, slots=True)
class DerivedPoll:
    """What the feed said of a race, and the poll that it makes."""

    event: RaceEvent
    poll: RacePoll


async def poll_race(
    ports: JobPorts,
    target: PollTarget,
    timing: PollTiming,
    settings: DeriveSettings,
    *,
    claim_ttl_s: float = CLAIM_TTL_S,
    meter: StageMeter = UNMEASURED,
) -> PollAttempt:
    """Poll one race once: claim it, ask the feed, derive what changed, write it.

    `timing` says when the cadence asked for this poll. Whatever fails, nothing is raised for it: the claim is given
    back without marking the race polled, the failure is logged, and the other races go on.
    """
    try:
        claims = await ports.store.claim_races([target], ports.owner, timing.polled_at, claim_ttl_s)
    except Exception as error:  # noqa: BLE001 (as below)
        return failed(ports, target, error)
    if not claims:
        return PollAttempt(PollOutcome.CLAIMED_ELSEWHERE, target)
    claim = claims[0]
    try:
        derived = await derive_claimed(ports, target, timing, settings, claim_ttl_s, meter)
        with meter.stage("write"):
            await ports.store.save_poll(derived.poll, claim)
    except StoreConflict as error:
        return fenced(ports, target, error)
    except Exception as error:  # noqa: BLE001 (one race that nobody foresaw must not cost the others)
        return await give_up(ports, target, claim, error)
    except BaseException:
        await asyncio.shield(free_at_once(ports, [claim]))
        raise
    return polled(ports, target, derived)


async def derive_claimed(
    ports: JobPorts,
    target: PollTarget,
    timing: PollTiming,
    settings: DeriveSettings,
    within_s: float = CLAIM_TTL_S,
    meter: StageMeter = UNMEASURED,
) -> DerivedPoll:
    """Ask the feed about a claimed race, within `within_s` seconds, and derive what changed."""
    with meter.stage("fetch"):
        async with asyncio.timeout(min(within_s, ports.deadline.remaining_s() - SAVE_S)):
            event = await _event(ports, target)
    timing = _measured(ports, timing)
    states = await ports.store.race_states([target.race_id])
    with meter.stage("transform"):
        return DerivedPoll(event, derive_poll(event, states[target.race_id], timing, settings))


async def free_at_once(ports: JobPorts, claims: Sequence[PollClaim]) -> None:
    """Free the races of a run that is cut off instead of letting their claims run out; a store that fails is left."""

    async def free(claim: PollClaim) -> None:
        try:
            await ports.store.release_claim(claim, None)
        except RaceDayError as error:
            ports.log.warning("claim_not_freed", race_id=claim.race_id, message=str(error))

    try:
        async with asyncio.timeout(RELEASE_S):
            await asyncio.gather(*(free(claim) for claim in claims))
    except TimeoutError:
        ports.log.warning("claims_not_freed", races=len(claims), message=f"the store took longer than {RELEASE_S} s")


def polled(ports: JobPorts, target: PollTarget, derived: DerivedPoll) -> PollAttempt:
    """Log a poll that was written and return its attempt."""
    _log(ports, derived.event, derived.poll)
    return PollAttempt(PollOutcome.POLLED, _after(target, derived.poll), derived.poll)


def fenced(ports: JobPorts, target: PollTarget, error: StoreConflict) -> PollAttempt:
    """Log a poll that the store refused because somebody else had the race by then."""
    ports.log.warning("poll_fenced", race_id=target.race_id, message=str(error))
    return PollAttempt(PollOutcome.CLAIMED_ELSEWHERE, target, error=error)


async def _event(ports: JobPorts, target: PollTarget) -> RaceEvent:
    """Return what the feed says of the race; for an event it does not have, what the meeting list says."""
    try:
        return await ports.feed.event(target.race_id, with_price_history=target.last_poll_at is None)
    except FeedNotFound:
        _, races = await ports.feed.meeting(target.meeting_id)
        listed = next((race for race in races if race.race_id == target.race_id), None)
        if listed is None or listed.status is not RaceStatus.ABANDONED:
            raise
        ports.log.info("abandonment_confirmed", race_id=target.race_id)
        return RaceEvent(listed, (), None, None, None, generated_at=ports.clock.now())


def _measured(ports: JobPorts, timing: PollTiming) -> PollTiming:
    """Return the timing with what the feed took, measured from the claim."""
    latency = ports.clock.now() - timing.polled_at
    return replace(timing, latency_ms=round(latency.total_seconds() * 1000))


def _after(target: PollTarget, poll: RacePoll) -> PollTarget:
    """Return the race's target after a poll: its start or status may have moved."""
    return replace(
        target,
        advertised_start=poll.race.advertised_start,
        status=poll.status,
        last_poll_at=poll.timing.polled_at,
        not_before=None,
        result_pending=poll.status is RaceStatus.FINAL and poll.transition is not None and poll.result is None,
    )


async def give_up(ports: JobPorts, target: PollTarget, claim: PollClaim, error: Exception) -> PollAttempt:
    """Give the claim back, hold the next try off for a while, and log the failed poll."""
    attempt = failed(ports, target, error)
    now = ports.clock.now()
    failure = PollFailure(
        race_id=target.race_id,
        at=now,
        function=ports.function,
        execution_id=ports.owner,
        error=type(error).__name__,
        message=_message(error),
        latency_ms=round((now - claim.claimed_at).total_seconds() * 1000),
        payload=error.payload if isinstance(error, FeedContractError) else b"",
    )
    try:
        await ports.store.release_claim(claim, attempt.target.not_before)
        await ports.store.log_poll(failure)
    except Exception as again:  # noqa: BLE001 (as above)
        # The claim runs out by itself; the failure is in the log and in the run's report.
        ports.log.error("failure_not_stored", race_id=target.race_id, message=str(again))
    return attempt


def failed(ports: JobPorts, target: PollTarget, error: Exception) -> PollAttempt:
    """Log a failed poll and say when it may be tried again."""
    ports.log.warning("poll_failed", race_id=target.race_id, error=type(error).__name__, message=_message(error))
    not_before = ports.clock.now() + timedelta(seconds=_pause_s(error, target, ports.clock.now()))
    return PollAttempt(PollOutcome.FAILED, replace(target, not_before=not_before), error=error)


def _message(error: Exception) -> str:
    # A database tells its whole context after the first line, which belongs into its own log.
    return str(error).partition("\n")[0] or "the run's time was up before the feed's answer came"


def _pause_s(error: Exception, target: PollTarget, now: datetime) -> float:
    match error:
        case FeedThrottled():
            return max(SOURCE_REFRESH_S, error.retry_after_s)
        case FeedNotFound() if target.advertised_start - now > NEAR_START:
            return MISSING_EVENT_PAUSE_S
        case _:
            return SOURCE_REFRESH_S


def _log(ports: JobPorts, event: RaceEvent, poll: RacePoll) -> None:
    if event.feed_error:
        ports.log.warning("feed_error", race_id=poll.race.race_id, message=event.feed_error)
    if poll.degraded:
        ports.log.warning(
            "poll_degraded", race_id=poll.race.race_id, quality=poll.quality.score, lost=poll.quality.losses
        )
    ports.log.debug(
        "race_polled",
        race_id=poll.race.race_id,
        status=poll.status,
        changed=poll.changed,
        odds_ticks=len(poll.odds_ticks),
        buckets=len(poll.buckets),
        quality=poll.quality.score,
        lateness_s=round(poll.timing.lateness_s, 3),
        latency_ms=poll.timing.latency_ms,
        foreign_tracker_ids=event.foreign_tracker_ids,
    )
    if poll.transition is not None and poll.transition.backward:
        ports.log.info(
            "status_moved_back",
            race_id=poll.race.race_id,
            before=poll.transition.before,
            after=poll.transition.after,
        )
