"""Polls the races that a caller names: the body of single-race-poller, batch-race-poller and enhanced-race-poller."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from raceday.domain.cadence import PollTarget, next_due
from raceday.domain.ids import is_uuid
from raceday.domain.race_poll import RacePoll
from raceday.errors import InvalidRequest, UnknownRace
from raceday.jobs.dispatch import MAX_RACE_IDS
from raceday.jobs.due_races import due_before, due_races, most_urgent_first
from raceday.jobs.poll_races import PollPlan, PollTally, poll_races
from raceday.jobs.poll_together import poll_together
from raceday.jobs.ports import JobPorts
from raceday.jobs.report import RunReport

LEAD = timedelta(seconds=15)
"""A race that falls due so soon is waited for; one that is due later was polled in its interval already."""


def race_id_of(body: Mapping[str, object]) -> str:
    """Return `raceId` of a request; raises `InvalidRequest` naming what is wrong with it."""
    return _race_id("raceId", body.get("raceId"))


def race_ids_of(body: Mapping[str, object]) -> list[str]:
    """Return `raceIds` of a request, 1 to 50 different UUIDs; raises `InvalidRequest` naming the field."""
    asked = body.get("raceIds")
    if not isinstance(asked, list) or not asked:
        found = "is missing" if asked is None else "is no list of ids"
        raise InvalidRequest("raceIds", f"{found}: give a list of 1 to {MAX_RACE_IDS} race ids")
    if len(asked) > MAX_RACE_IDS:
        raise InvalidRequest("raceIds", f"has {len(asked)} ids: at most {MAX_RACE_IDS} are taken, call twice")
    race_ids = [_race_id(f"raceIds[{position}]", race_id) for position, race_id in enumerate(asked)]
    repeated = next((race_id for race_id in race_ids if race_ids.count(race_id) > 1), None)
    if repeated is not None:
        raise InvalidRequest("raceIds", f"names race {repeated} twice: name each race once")
    return race_ids


def requested_ids(body: Mapping[str, object]) -> list[str] | None:
    """Return the races named by `raceId` or `raceIds`, or None when the caller names none."""
    if "raceId" in body and "raceIds" in body:
        raise InvalidRequest("raceId", "stands beside raceIds: give one of the two")
    if "raceId" in body:
        return [race_id_of(body)]
    return race_ids_of(body) if "raceIds" in body else None


def _race_id(field: str, value: object) -> str:
    if value is None or value == "":
        raise InvalidRequest(field, "is missing: give the id of a race")
    if not isinstance(value, str) or not is_uuid(value):
        raise InvalidRequest(field, "is not a UUID such as 0f57e087-00d9-4c61-9549-835abe2ae2ed")
    return value.lower()


async def follow_races(ports: JobPorts, race_ids: Sequence[str] | None, plan: PollPlan) -> RunReport:
    """Poll the named races, or all that fall due, at their cadence until the plan's end (enhanced-race-poller)."""
    if race_ids is None:
        targets = await due_races(ports, plan)
    else:
        targets = most_urgent_first(await _stored(ports, race_ids), ports.clock.now())
    await poll_races(ports, targets, plan)
    ports.report.details["races"] = len(targets)
    return ports.report


def is_forced(body: Mapping[str, object]) -> bool:
    """Return `force` of a request: poll although the race is over or not due; raises `InvalidRequest`."""
    forced = body.get("force", False)
    if isinstance(forced, bool):
        return forced
    if forced in ("true", "false"):
        return forced == "true"
    raise InvalidRequest("force", "is neither true nor false")


async def poll_once(
    ports: JobPorts, race_ids: Sequence[str] | None, plan: PollPlan, *, force: bool = False
) -> RunReport:
    """Poll each named race once, or each that is due, and say what was updated (single- and batch-race-poller).

    A race that was polled within its interval, or is over, is skipped and says so; unless `force` asks for it all
    the same (an amended result, a capture replayed). The claim holds in either case.
    """
    soon = replace(plan, until=ports.clock.now() + LEAD)
    targets = await due_races(ports, soon) if race_ids is None else await _stored(ports, race_ids)
    chosen = targets if force else due_before(soon, targets, ports.clock.now())
    once = replace(plan, rounds=1, force=force)
    tally = await (poll_together if len(chosen) > 1 else poll_races)(ports, chosen, once)
    reasons = _reasons(targets, chosen, tally)
    ports.report.skipped += len(targets) - len(chosen)
    ports.report.details |= {
        "updated": [_updated(poll) for poll in tally.polls],
        "notPolled": [_not_polled(ports, target, plan, reasons) for target in targets if target.race_id in reasons],
    }
    return ports.report


def _reasons(targets: Sequence[PollTarget], chosen: Sequence[PollTarget], tally: PollTally) -> dict[str, str]:
    """Return why races were not polled, by race; those polled or failed have none."""
    reasons = {target.race_id: _why_not_due(target) for target in targets if target not in chosen}
    reasons |= dict.fromkeys(tally.claimed_elsewhere, "another run is polling it")
    return reasons | dict.fromkeys(tally.not_come_to, "the run's time did not reach it: ask again")


def _why_not_due(target: PollTarget) -> str:
    if target.status.terminal:
        return "the race is over"
    if target.not_before is not None:
        return "its last poll failed: it is tried again at nextDueAt"
    return "it is not due before nextDueAt"


async def _stored(ports: JobPorts, race_ids: Sequence[str]) -> list[PollTarget]:
    """Return the targets of the named races; those not stored are counted as failed.

    Raises `UnknownRace` when none of them is stored.
    """
    targets = {target.race_id: target for target in await ports.store.poll_targets(race_ids)}
    if not targets:
        raise UnknownRace(race_ids[0])
    for race_id in race_ids:
        if race_id not in targets:
            ports.report.fail(race_id, UnknownRace(race_id))
    return [targets[race_id] for race_id in race_ids if race_id in targets]


def _updated(poll: RacePoll) -> dict[str, object]:
    pools = poll.pools
    return {
        "raceId": poll.race.race_id,
        "status": poll.status.value,
        "polledAt": poll.timing.polled_at.isoformat(),
        "changed": poll.changed,
        "entrantsUpdated": len(poll.entrants),
        "oddsTicks": len(poll.odds_ticks),
        "moneyFlowBuckets": len(poll.buckets),
        "totalRacePool": pools.race_total_cents if pools is not None else None,
        "resultsUpdated": poll.result is not None,
        "dataQualityScore": poll.quality.score,
        "degraded": poll.degraded,
        "drift": dict(poll.drift),
        "latencyMs": poll.timing.latency_ms,
    }


def _not_polled(ports: JobPorts, target: PollTarget, plan: PollPlan, reasons: Mapping[str, str]) -> dict[str, object]:
    due = next_due(plan.policy, target, ports.clock.now())
    return {
        "raceId": target.race_id,
        "status": target.status.value,
        "reason": reasons[target.race_id],
        "lastPollAt": target.last_poll_at.isoformat() if target.last_poll_at else None,
        "nextDueAt": due.isoformat() if due else None,
    }
