"""Whether the server does its work: the database answers, the scheduler turns, the feed tells of races that are due."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from time import perf_counter
from typing import Any

from raceday.server.api.desk import Desk
from raceday.server.api.instants import utc_text
from raceday.server.api.queries import health
from raceday.store.rows.values import parse_optional_instant

DATABASE_WITHIN_S = 1.0
SCHEDULER_WITHIN = timedelta(seconds=30)
FEED_WITHIN = timedelta(minutes=5)
DUE_BEFORE, DUE_AFTER = timedelta(minutes=15), timedelta(hours=2)
"""A race is due when it starts so soon, or started so lately and is not over."""


async def health_of(desk: Desk) -> tuple[bool, dict[str, Any]]:
    """Return whether all is well, and the answer of `/health`. Takes a second at most, whatever the database does."""
    state, now = desk.state, desk.state.clock.now()
    began = perf_counter()
    due, error = await _due_races(desk, now)
    took_ms = round((perf_counter() - began) * 1000, 1)
    use = state.database.use
    scheduler = _scheduler(desk, now)
    polled_at = _latest(state.last_poll_at, due[1] if due else None)
    feed = _feed(desk, now, due, polled_at)
    well = due is not None and scheduler["status"] != "stopped" and feed["status"] != "stale"
    return well, {
        "status": "healthy" if well else "unhealthy",
        "timestamp": utc_text(now),
        "uptime_s": round((now - state.started_at).total_seconds(), 1),
        "database": {
            "status": "down" if due is None else "ok",
            "latency_ms": None if due is None else took_ms,
            "pool": {"active": use.active, "idle": use.idle, "waiting": use.waiting, "max": use.largest},
            "error": error,
        },
        "scheduler": scheduler,
        "feed": feed,
        "last_poll": _optional(polled_at),
        "workers": "in-process",
    }


async def _due_races(desk: Desk, now: datetime) -> tuple[tuple[int, datetime | None] | None, str | None]:
    """Return how many races are due and when one was last polled, by any server; or why the database does not say."""
    window = (now - DUE_AFTER, now + DUE_BEFORE)
    asking = asyncio.ensure_future(desk.state.database.tuples(health.DUE_RACES.sql, window))
    await asyncio.wait({asking}, timeout=DATABASE_WITHIN_S)
    if not asking.done():
        # What is cancelled may itself wait for the database; nobody waits for that.
        asking.cancel()
        asking.add_done_callback(lambda over: over.cancelled() or over.exception())
        return None, f"no answer within {DATABASE_WITHIN_S:.0f} s"
    failure = asking.exception()
    if failure is not None:
        desk.log.error("health", reason=str(failure))
        return None, "the database does not answer: the server's log says why"
    [(count, polled_at)] = asking.result()
    return (count, parse_optional_instant(polled_at)), None


def _scheduler(desk: Desk, now: datetime) -> dict[str, Any]:
    state = desk.state
    seen_at = state.scheduler_seen_at
    if now - (seen_at or state.started_at) > SCHEDULER_WITHIN:
        status = "stopped"
    else:
        status = "starting" if seen_at is None else "ok"
    return {
        "status": status,
        "seen_at": _optional(seen_at),
        "races_followed": state.races_followed,
        "polls": state.polls,
        "failed_polls": state.failed_polls,
    }


def _feed(
    desk: Desk, now: datetime, due: tuple[int, datetime | None] | None, polled_at: datetime | None
) -> dict[str, Any]:
    state = desk.state
    success_at = _latest(state.last_feed_success_at, polled_at)
    if due is None:
        status = "unknown"
    elif success_at is not None and now - success_at <= FEED_WITHIN:
        status = "ok"
    elif due[0] == 0:
        status = "quiet"
    else:
        status = "starting" if now - state.started_at <= FEED_WITHIN else "stale"
    return {
        "status": status,
        "races_due": due[0] if due else None,
        "last_success_at": _optional(success_at),
        "last_error": state.last_feed_error or None,
    }


def _latest(one: datetime | None, other: datetime | None) -> datetime | None:
    return max((at for at in (one, other) if at is not None), default=None)


def _optional(at: datetime | None) -> str | None:
    return None if at is None else utc_text(at)
