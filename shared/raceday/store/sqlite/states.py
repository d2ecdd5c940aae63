"""The last known states of races, read from SQLite in five indexed queries however many races there are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from raceday.domain.money_flow import BucketAmounts
from raceday.domain.race_poll import KnownEntrant, RaceState
from raceday.store.rows.history import BUCKET_TYPE
from raceday.store.rows.states import ENTRANT_COLUMNS, RESULT_COLUMNS, STATE_COLUMNS, known_entrant, race_state
from raceday.store.sqlite.connection import SqliteConnection, placeholders


def race_states(db: SqliteConnection, race_ids: Sequence[str]) -> dict[str, RaceState]:
    """Return the last known state of each stored race."""
    with db.reading():
        races = db.rows(_select("races", STATE_COLUMNS, "$id", race_ids), race_ids)
        pools = db.rows(_select("race_pools", ("*",), "$id", race_ids), race_ids)
        results = db.rows(_select("race_results", RESULT_COLUMNS, "$id", race_ids), race_ids)
        entrants = _entrants(db, race_ids)
    pools_by_race = {row["$id"]: row for row in pools}
    result_by_race = {row["$id"]: row for row in results}
    return {
        row["$id"]: race_state(row, entrants[row["$id"]], pools_by_race.get(row["$id"]), result_by_race.get(row["$id"]))
        for row in races
    }


def _entrants(db: SqliteConnection, race_ids: Sequence[str]) -> dict[str, list[KnownEntrant]]:
    buckets: dict[str, list[BucketAmounts]] = defaultdict(list)
    for entrant_id, bucket, win_cents, place_cents in db.tuples(
        'SELECT "entrantId", "timeInterval", "winPoolAmount", "placePoolAmount" FROM money_flow_history '  # noqa: S608
        f'WHERE "raceId" IN ({placeholders(race_ids)}) AND type = ?',
        (*race_ids, BUCKET_TYPE),
    ):
        buckets[entrant_id].append(BucketAmounts(bucket, win_cents, place_cents))
    entrants: dict[str, list[KnownEntrant]] = defaultdict(list)
    for race_id, entrant_id, *known in db.tuples(_select("entrants", ENTRANT_COLUMNS, "raceId", race_ids), race_ids):
        entrants[race_id].append(known_entrant(entrant_id, known, buckets.get(entrant_id, ())))
    return entrants


def _select(table: str, columns: Sequence[str], key: str, values: Sequence[str]) -> str:
    names = ", ".join("*" if column == "*" else f'"{column}"' for column in columns)
    return f'SELECT {names} FROM {table} WHERE "{key}" IN ({placeholders(values)})'  # noqa: S608
