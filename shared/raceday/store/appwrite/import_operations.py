"""What an import of races writes, as operations of a transaction: silently, and nothing that a poll knows better."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

import orjson

from raceday.domain.race import Race
from raceday.domain.status import RaceStatus
from raceday.store.appwrite.operations import Operation, bulk_update, bulk_upsert, create, update
from raceday.store.appwrite.queries import equal
from raceday.store.appwrite.schedule import schedule_columns
from raceday.store.rows.history import empty_pools_row
from raceday.store.rows.programme import (
    BEFORE_IMPORT_COLUMNS,
    imported_race_row,
    may_move,
    stored_status,
    was_polled,
    whole_row,
)
from raceday.store.rows.values import Row, StoredRow
from raceday.store.tables import POLL_CLAIMS, RACE_POOLS, RACES

STORED_COLUMNS = (*BEFORE_IMPORT_COLUMNS, "name", "raceNumber", "startTime", "meetingId")
"""What an import has to know of a stored race: what decides, what every write needs, what its schedule is made of."""
CLAIM_COLUMNS = ("meetingId", "startTime", "status", "toPoll", "resultPending", "lastPollAt")
"""What it has to know of a claim: the schedule, and whether the race was polled."""


def is_settled(race: Race, claim: StoredRow | None) -> bool:
    """Whether an import has nothing to say: the race was polled, and the list does not move its status."""
    if claim is None or claim["lastPollAt"] is None or claim["status"] is None:
        return False
    return not may_move(stored_status(claim["status"]), race.status)


def import_operations(
    races: Sequence[Race],
    stored: Mapping[str, StoredRow],
    claims: Mapping[str, StoredRow],
    with_pools: Collection[str],
    at: datetime,
) -> list[Operation]:
    """Return what an import writes of races; `stored` has `STORED_COLUMNS`, `claims` have `CLAIM_COLUMNS`.

    A claim is written only when the schedule of its race really changes: every write disturbs a poll under way.
    """
    whole: list[Row] = []
    polled: list[Row] = []
    schedules: list[Operation] = []
    for race in races:
        before, claim = stored.get(race.race_id), claims.get(race.race_id)
        row = imported_race_row(race, before, at)
        if was_polled(before):
            polled.append(row)
        else:
            whole.append(whole_row(RACES, row, before))
        schedules += _schedule(row, before, claim)
    new = [race.race_id for race in races if race.race_id not in claims and race.race_id not in with_pools]
    return [
        *bulk_upsert(RACES, whole),
        *_updates(polled),
        *bulk_upsert(RACE_POOLS, [empty_pools_row(race_id, at) for race_id in new]),
        *schedules,
    ]


def _updates(rows: Sequence[Row]) -> list[Operation]:
    """Return updates of some columns of races, one for all races of which the same is said."""
    alike: dict[bytes, tuple[Row, list[str]]] = {}
    for row in rows:
        columns = {name: value for name, value in row.items() if name != "$id"}
        alike.setdefault(orjson.dumps(columns), (columns, []))[1].append(str(row["$id"]))
    return [bulk_update(RACES, columns, [equal("$id", *race_ids)]) for columns, race_ids in alike.values()]


def _schedule(row: Row, before: StoredRow | None, claim: StoredRow | None) -> list[Operation]:
    """Return what brings the claim of a race in step with `row`, its imported row.

    The state that the claim holds goes with the old schedule: the next poll reads the tables.
    """
    of_race = {**(before or {}), **row}
    status = stored_status(str(of_race["status"]))
    # Of a race that becomes Final the result is not looked up: one poll more finds out.
    pending = status is RaceStatus.FINAL and not (
        claim is not None and claim["status"] == status.value and claim["resultPending"] is False
    )
    wanted = schedule_columns(
        str(of_race["meetingId"] or ""), str(of_race["startTime"]), status, result_pending=pending
    )
    race_id = row["$id"]
    if claim is None:
        return [create(POLL_CLAIMS, {"$id": race_id, "raceId": race_id, "token": 0, **wanted})]
    changed = {name: value for name, value in wanted.items() if claim[name] != value}
    return [update(POLL_CLAIMS, {"$id": race_id, **changed, "state": None})] if changed else []
