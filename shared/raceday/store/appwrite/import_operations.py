"""What an import of races writes, as operations of a transaction: silently, and nothing that a poll knows better."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

import orjson

from raceday.domain.race import Race
from raceday.domain.status import RaceStatus
from raceday.store.appwrite.operations import Operation, bulk_create, bulk_update, bulk_upsert, update
from raceday.store.appwrite.queries import equal
from raceday.store.appwrite.schedule import schedule_columns
from raceday.store.appwrite.snapshot import OUTDATED
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
    new_claims: list[Row] = []
    moved_claims: list[Operation] = []
    for race in races:
        before, claim = stored.get(race.race_id), claims.get(race.race_id)
        row = imported_race_row(race, before, at)
        if was_polled(before):
            polled.append(row)
        else:
            whole.append(whole_row(RACES, row, before))
        schedule = _schedule({**(before or {}), **row}, claim)
        if claim is None:
            # A race that others stored before may have runners and more.
            state = OUTDATED if before is not None else None
            new_claims.append({"$id": race.race_id, "raceId": race.race_id, "token": 0, "state": state, **schedule})
        else:
            moved_claims += _moved(claim, schedule)
    new = [race.race_id for race in races if race.race_id not in claims and race.race_id not in with_pools]
    return [
        *bulk_upsert(RACES, whole),
        *_updates(polled),
        *bulk_upsert(RACE_POOLS, [empty_pools_row(race_id, at) for race_id in new]),
        # Unlike an upsert this fails when another run made one of them first.
        *bulk_create(POLL_CLAIMS, new_claims),
        *moved_claims,
    ]


def _updates(rows: Sequence[Row]) -> list[Operation]:
    """Return updates of some columns of races, one for all races of which the same is said."""
    alike: dict[bytes, tuple[Row, list[str]]] = {}
    for row in rows:
        columns = {name: value for name, value in row.items() if name != "$id"}
        alike.setdefault(orjson.dumps(columns), (columns, []))[1].append(str(row["$id"]))
    return [bulk_update(RACES, columns, [equal("$id", *race_ids)]) for columns, race_ids in alike.values()]


def _schedule(race: StoredRow, claim: StoredRow | None) -> Row:
    """Return when a race is to be polled, from its row as it is going to be."""
    status = stored_status(race["status"])
    # Of a race that becomes Final the result is not looked up: one poll more finds out.
    has_result = claim is not None and claim["status"] == status.value and claim["resultPending"] is False
    return schedule_columns(
        race["meetingId"] or "",
        race["startTime"],
        status,
        result_pending=status is RaceStatus.FINAL and not has_result,
    )


def _moved(claim: StoredRow, schedule: Row) -> list[Operation]:
    """Return what brings a claim in step with its race.

    The state that it holds goes with the old schedule: the next poll reads the tables.
    """
    changed = {name: value for name, value in schedule.items() if claim[name] != value}
    return [update(POLL_CLAIMS, {"$id": claim["$id"], **changed, "state": OUTDATED})] if changed else []
