"""Polls several races once, those that fall due together as one group: claimed in one go, written in one go.

On a store where every table is a request of its own, a group of ten costs about a call a race instead of six.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from raceday.domain.cadence import PollTarget, next_due
from raceday.jobs.poll_race import (
    CLAIM_TTL_S,
    SAVE_S,
    DerivedPoll,
    PollAttempt,
    PollOutcome,
    derive_claimed,
    failed,
    fenced,
    free_at_once,
    give_up,
    polled,
)
from raceday.jobs.poll_races import SHORTEST_POLL_S, PollPlan, PollTally, phases, timing_of
from raceday.jobs.ports import JobPorts
from raceday.store.values import PollClaim

GROUP_SIZE = 10
"""So many races are fetched well within the life of their claims, and fit one transaction of any store."""
TOGETHER = timedelta(seconds=1)
"""Races that fall due within this are one group."""
WAIT_FOR_OTHERS_S = 2.0
"""What the feed has answered waits so long for the rest of its group; then it is written without it."""


@dataclass(frozen=True, slots=True)
class _Claimed:
    """A race of the group whose claim was won, and when it was due."""

    target: PollTarget
    due: datetime
    claim: PollClaim


async def poll_together(ports: JobPorts, targets: Sequence[PollTarget], plan: PollPlan) -> PollTally:
    """Poll each of the given races once when it falls due; failures are counted in the run's report."""
    tally = PollTally(ports.report)
    waiting = _by_due(ports, targets, plan)
    while waiting:
        begins_at = max(waiting[0][0], ports.clock.now())
        group = [(due, target) for due, target in waiting[:GROUP_SIZE] if due <= begins_at + TOGETHER]
        waiting = waiting[len(group) :]
        # Nobody is polled before its second: the group waits for its last.
        await ports.clock.sleep((group[-1][0] - ports.clock.now()).total_seconds())
        if ports.clock.now() >= plan.until or not ports.deadline.allows(SHORTEST_POLL_S):
            for _, target in (*group, *waiting):
                tally.leave(target)
            break
        for attempt in await _poll_group(ports, group, plan):
            tally.count(attempt)
    ports.report.details["phases"] = phases(tally.polls)
    return tally


def _by_due(ports: JobPorts, targets: Sequence[PollTarget], plan: PollPlan) -> list[tuple[datetime, PollTarget]]:
    """Return the races that fall due before the plan's end, the first to fall due first."""
    now = ports.clock.now()
    dues = [(now if plan.force else next_due(plan.policy, target, now), target) for target in targets]
    return sorted(
        ((due, target) for due, target in dues if due is not None and due < plan.until),
        key=lambda waiting: (waiting[0], waiting[1].race_id),
    )


async def _poll_group(
    ports: JobPorts, group: Sequence[tuple[datetime, PollTarget]], plan: PollPlan
) -> list[PollAttempt]:
    """Claim a group, ask the feed about each race, write what is there."""
    now = ports.clock.now()
    targets = {target.race_id: target for _, target in group}
    try:
        claims = await ports.store.claim_races(list(targets.values()), ports.owner, now, CLAIM_TTL_S)
    except Exception as error:  # noqa: BLE001 (as in `poll_race`)
        return [failed(ports, target, error) for target in targets.values()]
    dues = {target.race_id: due for due, target in group}
    won = [_Claimed(targets[claim.race_id], dues[claim.race_id], claim) for claim in claims]
    elsewhere = targets.keys() - {claim.race_id for claim in claims}
    attempts = [PollAttempt(PollOutcome.CLAIMED_ELSEWHERE, targets[race_id]) for race_id in sorted(elsewhere)]
    try:
        return attempts + await _fetch_and_write(ports, won, plan)
    except BaseException:
        await asyncio.shield(free_at_once(ports, claims))
        raise


async def _fetch_and_write(ports: JobPorts, won: Sequence[_Claimed], plan: PollPlan) -> list[PollAttempt]:
    places = asyncio.Semaphore(plan.concurrency)

    async def fetch(claimed: _Claimed) -> DerivedPoll | Exception:
        try:
            async with places:
                now = ports.clock.now()
                timing = timing_of(claimed.target, plan, claimed.due, now)
                left_s = (claimed.claim.expires_at - now).total_seconds() - SAVE_S
                return await derive_claimed(ports, claimed.target, timing, plan.derive, within_s=left_s)
        except Exception as error:  # noqa: BLE001 (one race that nobody foresaw must not cost the others)
            return error

    attempts: list[PollAttempt] = []
    async with asyncio.TaskGroup() as group:
        fetching = {group.create_task(fetch(claimed)): claimed for claimed in won}
        pending = set(fetching)
        while pending:
            done, pending = await asyncio.wait(pending, timeout=WAIT_FOR_OTHERS_S)
            answered = [(claimed, task.result()) for task, claimed in fetching.items() if task in done]
            attempts += await _write(ports, answered)
    return attempts


async def _give_up(ports: JobPorts, lost: Sequence[tuple[_Claimed, Exception]]) -> list[PollAttempt]:
    """Give races up at once: a store that hangs takes as long for all of them as for one."""
    return await asyncio.gather(*(give_up(ports, claimed.target, claimed.claim, error) for claimed, error in lost))


async def _write(ports: JobPorts, answered: Sequence[tuple[_Claimed, DerivedPoll | Exception]]) -> list[PollAttempt]:
    """Write the polls of the races that the feed told of, and give up the others."""
    attempts = await _give_up(
        ports, [(claimed, answer) for claimed, answer in answered if isinstance(answer, Exception)]
    )
    derived = [(claimed, answer) for claimed, answer in answered if isinstance(answer, DerivedPoll)]
    if not derived:
        return attempts
    try:
        conflicts = await ports.store.save_polls([(answer.poll, claimed.claim) for claimed, answer in derived])
    except Exception as error:  # noqa: BLE001 (as above)
        return attempts + await _give_up(ports, [(claimed, error) for claimed, _ in derived])
    for claimed, answer in derived:
        conflict = conflicts.get(claimed.target.race_id)
        attempts.append(
            polled(ports, claimed.target, answer) if conflict is None else fenced(ports, claimed.target, conflict)
        )
    return attempts
