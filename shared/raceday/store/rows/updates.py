"""The row of a row event as what it says about runners.

Two kinds of rows raise events that somebody listens to: a runner's, whoever wrote it, and a race's when a poll of ours
moved runners of it. One event a poll, whatever the field: on the platform every event is an execution for each of its
listeners, and only eight run at a time.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import orjson

from raceday.domain.entrant_update import EntrantUpdate
from raceday.domain.money_flow import HoldShare
from raceday.domain.odds import Odds, price
from raceday.errors import InvalidRequest
from raceday.store.rows.values import json_text
from raceday.store.tables import RACES

if TYPE_CHECKING:
    from raceday.domain.entrant import Entrant
    from raceday.domain.race_poll import RacePoll

UNSTAMPED_AFTER = timedelta(minutes=1)
"""A row whose write is this far from its `lastUpdated`, was written by someone who did not set it, or set it wrong."""
ODDS_COLUMNS = ("fixedWinOdds", "fixedPlaceOdds", "poolWinOdds", "poolPlaceOdds")
NAME_SIZE = 100
_LARGEST_CENTS = 2**53
_LATEST_UNIX_S = 2**32
"""In the year 2106; whoever counts in milliseconds is far beyond it."""


def entrant_update(row: Mapping[str, object]) -> EntrantUpdate:
    """Return what a row of `entrants` says; raises `InvalidRequest` when it does not say whose row it is, or when."""
    odds = Odds(*(price(_number(row, name)) for name in ODDS_COLUMNS))
    hold_pct = _number(row, "holdPercentage")
    scratched = row.get("isScratched") is True
    return EntrantUpdate(
        entrant_id=_text(row, "$id"),
        race_id=_text(row, "raceId"),
        name=str(row.get("name") or ""),
        runner_number=_whole(row, "runnerNumber"),
        odds=odds,
        written_at=_written_at(row),
        scratched=scratched,
        scratched_at=_unix_seconds(row, "scratchTime") if scratched else None,
        hold=HoldShare(hold_pct, _number(row, "betPercentage") or 0.0) if hold_pct is not None else None,
        implied_pct=_number(row, "impliedPercentage"),
        win_cents=_whole(row, "winPoolAmount"),
        place_cents=_whole(row, "placePoolAmount"),
    )


def moved_runners_text(poll: RacePoll) -> str:
    """Return the runners that a poll moved as the JSON text of `races.movedRunners`, names short enough to fit."""
    moved = [
        {
            "$id": entrant.entrant_id,
            "name": (entrant.name or "")[:NAME_SIZE],
            "runnerNumber": entrant.runner_number,
            "isScratched": bool(entrant.is_scratched),
            "scratchTime": _scratch_seconds(entrant),
        }
        for entrant in poll.runners
        if entrant.entrant_id in poll.moved
    ]
    return json_text(moved, RACES.column("movedRunners").size)


def moved_runners(row: Mapping[str, object]) -> list[EntrantUpdate]:
    """Return the runners that a row of `races` says moved; raises `InvalidRequest` when it is no such row.

    Their prices are not in it: they are in the history, written by the same poll.
    """
    try:
        listed = orjson.loads(str(row.get("movedRunners") or "[]"))
    except orjson.JSONDecodeError:
        raise InvalidRequest("movedRunners", "is not JSON: the event's row is no row of races") from None
    common = {"raceId": _text(row, "$id"), "lastUpdated": row.get("lastUpdated"), "$updatedAt": row.get("$updatedAt")}
    return [entrant_update(runner | common) for runner in listed if isinstance(runner, dict)]


def _scratch_seconds(entrant: Entrant) -> int | None:
    at = entrant.scratching.at if entrant.is_scratched and entrant.scratching is not None else None
    return int(at.timestamp()) if at is not None else None


def _written_at(row: Mapping[str, object]) -> datetime:
    stamped, written = _instant(row, "lastUpdated"), _instant(row, "$updatedAt")
    if written is None:
        if stamped is None:
            raise InvalidRequest("$updatedAt", "is missing: the event does not say when its row was written")
        return stamped
    return stamped if stamped is not None and abs(written - stamped) <= UNSTAMPED_AFTER else written


def _text(row: Mapping[str, object], name: str) -> str:
    value = row.get(name)
    if not isinstance(value, str) or not value:
        raise InvalidRequest(name, "is missing: the event's row is no row of entrants")
    return value


def _number(row: Mapping[str, object], name: str) -> float | None:
    """Return a number; None for what is none: missing, text, NaN, or below zero."""
    value = row.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) and value >= 0 else None


def _whole(row: Mapping[str, object], name: str) -> int | None:
    value = _number(row, name)
    return int(value) if value is not None and value < _LARGEST_CENTS else None


def _instant(row: Mapping[str, object], name: str) -> datetime | None:
    value = row.get(name)
    if not isinstance(value, str):
        return None
    try:
        parsed = datetime.fromisoformat(value)
        return parsed.astimezone(UTC) if parsed.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None


def _unix_seconds(row: Mapping[str, object], name: str) -> datetime | None:
    """Return an instant; None for what is none: missing, zero, or not in seconds."""
    value = _whole(row, name)
    return datetime.fromtimestamp(value, UTC) if value and value <= _LATEST_UNIX_S else None
