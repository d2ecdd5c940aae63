"""The last known states of races, read from PostgreSQL in one statement however many races there are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from raceday.domain.money_flow import BucketAmounts
from raceday.domain.race_poll import KnownEntrant, RaceState
from raceday.store.postgres.database import PostgresDatabase
from raceday.store.postgres.names import selected, sql_column
from raceday.store.rows.history import BUCKET_TYPE
from raceday.store.rows.states import ENTRANT_COLUMNS, RESULT_COLUMNS, STATE_COLUMNS, known_entrant, race_state
from raceday.store.tables import ENTRANTS, RACE_POOLS, RACE_RESULTS, RACES

_KNOWN = ", ".join(f"runner.{sql_column(ENTRANTS, column)}" for column in ENTRANT_COLUMNS[1:])
_STATES = f"""
    SELECT {selected(RACES, STATE_COLUMNS, "race")},
        (
            SELECT json_agg(json_build_array({_KNOWN})) FROM entrants AS runner WHERE runner.race_id = race.race_id
        ) AS runners,
        (
            SELECT json_agg(json_build_array(entrant_id, time_interval, win_pool_amount, place_pool_amount))
            FROM money_flow_history AS bucket
            WHERE bucket.race_id = race.race_id AND bucket.type = %s
                AND bucket.event_timestamp >= race.flow_from AND bucket.event_timestamp <= race.history_to
        ) AS buckets,
        (SELECT row_to_json(stored) FROM (
            SELECT {selected(RACE_POOLS, alias="pools")} FROM race_pools AS pools WHERE pools.race_id = race.race_id
        ) AS stored) AS pools,
        (SELECT row_to_json(stored) FROM (
            SELECT {selected(RACE_RESULTS, RESULT_COLUMNS, "result")}
            FROM race_results AS result WHERE result.race_id = race.race_id
        ) AS stored) AS result
    FROM races AS race WHERE race.race_id = ANY(%s)
"""  # noqa: S608


async def race_states(db: PostgresDatabase, race_ids: Sequence[str]) -> dict[str, RaceState]:
    """Return the last known state of each stored race."""
    rows = await db.rows(_STATES, (BUCKET_TYPE, list(race_ids)))
    return {
        row["$id"]: race_state(row, _entrants(row["runners"], row["buckets"]), row["pools"], row["result"])
        for row in rows
    }


def _entrants(runners: list[list[Any]] | None, buckets: list[list[Any]] | None) -> list[KnownEntrant]:
    amounts: dict[str, list[BucketAmounts]] = {}
    for entrant_id, bucket, win_cents, place_cents in buckets or ():
        amounts.setdefault(entrant_id, []).append(BucketAmounts(bucket, win_cents, place_cents))
    return [known_entrant(entrant_id, known, amounts.get(entrant_id, ())) for entrant_id, *known in runners or ()]
