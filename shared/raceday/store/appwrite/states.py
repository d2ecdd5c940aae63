"""The last known states of races on Appwrite: from the claim that was won, else from the tables."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from raceday.domain.money_flow import BucketAmounts
from raceday.domain.race_poll import KnownEntrant, RaceState
from raceday.store.appwrite.queries import equal
from raceday.store.appwrite.rows import AppwriteRows
from raceday.store.appwrite.snapshot import state_of
from raceday.store.rows.history import BUCKET_TYPE
from raceday.store.rows.states import ENTRANT_COLUMNS, RESULT_COLUMNS, STATE_COLUMNS, known_entrant, race_state
from raceday.store.rows.values import StoredRow
from raceday.store.tables import ENTRANTS, MONEY_FLOW_HISTORY, POLL_CLAIMS, RACE_POOLS, RACE_RESULTS, RACES


class AppwriteStates:
    """Reads states. `_claims_seen` holds the claims' rows as this run last saw them.

    `_states_read` holds the states that this run read from the tables for claims of its own, each with the token of its
    claim: the poll that is derived from one writes it back to the claim.
    """

    _rows: AppwriteRows
    _claims_seen: dict[str, StoredRow]
    _states_read: dict[str, tuple[int, RaceState]]

    async def race_states(self, race_ids: Sequence[str]) -> dict[str, RaceState]:
        """Return the last known state of each stored race: no call for those whose claim this run holds.

        One call for all others, and five more for those of which others wrote a part.
        """
        held = {race_id: self._claims_seen[race_id] for race_id in race_ids if _is_held(self._claims_seen.get(race_id))}
        others = [race_id for race_id in race_ids if race_id not in held]
        columns = ("state", "lastPollAt", "status", "startTime")
        read = await self._rows.of_ids(POLL_CLAIMS, "$id", others, columns=columns)
        states: dict[str, RaceState] = {}
        for row in (*held.values(), *read):
            state = state_of(row)
            if state is not None:
                states[state.race_id] = state
        missing = [race_id for race_id in race_ids if race_id not in states]
        if not missing:
            return states
        from_tables = await read_states(self._rows, missing)
        for race_id in held.keys() & from_tables.keys():
            self._states_read[race_id] = (held[race_id]["token"], from_tables[race_id])
        return states | from_tables


def _is_held(row: StoredRow | None) -> bool:
    """Whether a claim was won with this row: then nobody else polls, and the row has its state."""
    return row is not None and row["owner"] is not None and "state" in row


async def read_states(rows: AppwriteRows, race_ids: Sequence[str]) -> dict[str, RaceState]:
    """Return states from the tables themselves: five calls, as long as there are few races."""
    races = await rows.of_ids(RACES, "$id", race_ids, columns=STATE_COLUMNS)
    pools = {row["$id"]: row for row in await rows.of_ids(RACE_POOLS, "$id", race_ids)}
    results = {row["$id"]: row for row in await rows.of_ids(RACE_RESULTS, "$id", race_ids, columns=RESULT_COLUMNS)}
    entrants = await _entrants(rows, race_ids)
    return {
        row["$id"]: race_state(row, entrants[row["$id"]], pools.get(row["$id"]), results.get(row["$id"]))
        for row in races
    }


async def _entrants(rows: AppwriteRows, race_ids: Sequence[str]) -> dict[str, list[KnownEntrant]]:
    buckets: dict[str, list[BucketAmounts]] = defaultdict(list)
    columns = ("entrantId", "timeInterval", "winPoolAmount", "placePoolAmount")
    for row in await rows.of_ids(MONEY_FLOW_HISTORY, "raceId", race_ids, equal("type", BUCKET_TYPE), columns=columns):
        amounts = BucketAmounts(row["timeInterval"], row["winPoolAmount"], row["placePoolAmount"])
        buckets[row["entrantId"]].append(amounts)
    entrants: dict[str, list[KnownEntrant]] = defaultdict(list)
    for row in await rows.of_ids(ENTRANTS, "raceId", race_ids, columns=ENTRANT_COLUMNS):
        known = [row[name] for name in ENTRANT_COLUMNS[2:]]
        entrants[row["raceId"]].append(known_entrant(row["$id"], known, buckets.get(row["$id"], ())))
    return entrants
