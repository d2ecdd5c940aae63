"""One poll of one race, from claim to row. Read `poll_race` top to bottom: this is how RaceDay works."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum

from raceday.domain.cadence import SOURCE_REFRESH_S, PollTarget
from raceday.domain.derive import DeriveSettings, derive_poll
from raceday.domain.race_poll import PollTiming, RaceEvent, RacePoll
from raceday.domain.status import RaceStatus
from raceday.errors import FeedContractError, FeedNotFound, FeedThrottled, RaceDayError, StoreConflict
from raceday.jobs.ports import JobPorts
from raceday.store.ports import PollClaim, PollFailure

CLAIM_TTL_S = 20.0
"""A claim outlives the longest feed call (15 s) by a margin; after a killed run the race is free again by then."""
MISSING_EVENT_PAUSE_S = 300.0
"""An event that the feed does not have is asked for seldom: it was withdrawn, and only the meeting list knows why."""


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
    error: BaseException | None = None


async def poll_race(ports: JobPorts, target: PollTarget, due: PollTiming, settings: DeriveSettings) -> PollAttempt:
    """Poll one race once: claim it, ask the feed, derive what changed, write it.

    `due` says when the cadence asked for this poll. A failure gives the claim back without marking the race
    polled, and is logged; nothing is raised for it.
    """
    claims = await ports.store.claim_races([target], ports.owner, due.polled_at, CLAIM_TTL_S)
    if not claims:
        return PollAttempt(PollOutcome.CLAIMED_ELSEWHERE, target)
    claim = claims[0]
    try:
        async with asyncio.timeout(min(CLAIM_TTL_S, ports.deadline.remaining_s())):
            event = await _event(ports, target)
        states = await ports.store.race_states([target.race_id])
        poll = derive_poll(event, states[target.race_id], _timing(ports, due), settings)
        await ports.store.save_poll(poll, claim)
    except StoreConflict as error:
        ports.log.warning("poll_fenced", race_id=target.race_id, message=str(error))
        return PollAttempt(PollOutcome.CLAIMED_ELSEWHERE, target, error=error)
    except (RaceDayError, TimeoutError) as error:
        return await _give_up(ports, target, claim, error)
    except BaseException:
        # Cut off by the platform: free the race at once instead of letting the claim run out.
        await asyncio.shield(ports.store.release_claim(claim, None))
        raise
    _log(ports, poll)
    return PollAttempt(PollOutcome.POLLED, _after(target, poll), poll)


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


def _timing(ports: JobPorts, due: PollTiming) -> PollTiming:
    """Return the timing with what the feed took, measured from the claim."""
    latency = ports.clock.now() - due.polled_at
    return replace(due, latency_ms=round(latency.total_seconds() * 1000))


def _after(target: PollTarget, poll: RacePoll) -> PollTarget:
    """Return the race's target after a poll: its start or status may have moved."""
    return replace(
        target,
        advertised_start=poll.race.advertised_start,
        status=poll.status,
        last_poll_at=poll.timing.polled_at,
        not_before=None,
    )


async def _give_up(
    ports: JobPorts, target: PollTarget, claim: PollClaim, error: RaceDayError | TimeoutError
) -> PollAttempt:
    """Give the claim back, hold the next try off for a while, and log the failed poll."""
    now = ports.clock.now()
    not_before = now + timedelta(seconds=_pause_s(error))
    message = str(error) or "the run's deadline came before the feed's answer"
    ports.log.warning("poll_failed", race_id=target.race_id, error=type(error).__name__, message=message)
    await ports.store.release_claim(claim, not_before)
    await ports.store.log_poll(
        PollFailure(
            race_id=target.race_id,
            at=now,
            function=ports.function,
            execution_id=ports.owner,
            error=type(error).__name__,
            message=message,
            latency_ms=round((now - claim.claimed_at).total_seconds() * 1000),
            payload=error.payload if isinstance(error, FeedContractError) else b"",
        )
    )
    return PollAttempt(PollOutcome.FAILED, replace(target, not_before=not_before), error=error)


def _pause_s(error: BaseException) -> float:
    match error:
        case FeedThrottled():
            return max(SOURCE_REFRESH_S, error.retry_after_s)
        case FeedNotFound():
            return MISSING_EVENT_PAUSE_S
        case _:
            return SOURCE_REFRESH_S


def _log(ports: JobPorts, poll: RacePoll) -> None:
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
    )
    if poll.transition is not None and poll.transition.backward:
        ports.log.info(
            "status_moved_back",
            race_id=poll.race.race_id,
            before=poll.transition.before,
            after=poll.transition.after,
        )
