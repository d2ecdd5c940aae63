"""One poll in PostgreSQL: everything that it changed in one statement, the function `save_poll` of the database."""

from __future__ import annotations

from raceday.domain.race_poll import RacePoll
from raceday.errors import StoreConflict
from raceday.store.postgres.database import PostgresDatabase
from raceday.store.postgres.names import json_text, sql_row, sql_rows
from raceday.store.rows.entrants import entrant_rows
from raceday.store.rows.history import bucket_row, odds_tick_row, pools_row, repair_row
from raceday.store.rows.polls import degraded_row, poll_row
from raceday.store.rows.programme import race_update_row
from raceday.store.rows.results import result_row
from raceday.store.rows.values import Row, instant_text
from raceday.store.tables import (
    ENTRANTS,
    MONEY_FLOW_HISTORY,
    ODDS_HISTORY,
    POLL_LOGS,
    RACE_POLLS,
    RACE_POOLS,
    RACE_RESULTS,
    RACES,
)
from raceday.store.values import PollClaim

_REFUSALS = {
    "taken over": "claim {claim.token} of {claim.owner} was taken over",
    "given back": "claim {claim.token} of {claim.owner} was given back",
    "polled later": "it was polled later than {polled_at}",
}
"""What the database says when the claim's holder may not write, and what we say."""


async def save_poll(db: PostgresDatabase, poll: RacePoll, claim: PollClaim) -> None:
    """Write a poll and give its claim back; raises `StoreConflict` when the claim does not stand any more."""
    if claim.race_id != poll.race.race_id:
        raise StoreConflict(f"a claim of race {claim.race_id} does not cover race {poll.race.race_id}")
    [(outcome,)] = await db.tuples("SELECT save_poll(%s)", (json_text(poll_document(poll, claim)),))
    if outcome in _REFUSALS:
        reason = _REFUSALS[outcome].format(claim=claim, polled_at=instant_text(poll.timing.polled_at))
        raise StoreConflict(f"race {claim.race_id}: {reason}")


def poll_document(poll: RacePoll, claim: PollClaim) -> Row:
    """Return a poll as the database's `save_poll` takes it: what did not change is not in it."""
    document: Row = {
        "race_id": claim.race_id,
        "owner": claim.owner,
        "token": claim.token,
        "polled_at": instant_text(poll.timing.polled_at),
        "poll": sql_row(RACE_POLLS, poll_row(poll, claim)),
    }
    if poll.changed:
        document |= _changes(poll)
    if poll.degraded:
        document["degraded"] = sql_row(POLL_LOGS, degraded_row(poll, claim))
    return document


def _changes(poll: RacePoll) -> Row:
    changes: Row = {
        "race": sql_row(RACES, race_update_row(poll)),
        "entrants": sql_rows(ENTRANTS, entrant_rows(poll)),
        "amounts": _amounts(poll),
        "odds": sql_rows(ODDS_HISTORY, map(odds_tick_row, poll.odds_ticks)),
        "buckets": sql_rows(MONEY_FLOW_HISTORY, (bucket_row(bucket, poll) for bucket in poll.buckets)),
        "repairs": sql_rows(MONEY_FLOW_HISTORY, map(repair_row, poll.repairs)),
    }
    changes = {name: rows for name, rows in changes.items() if rows}
    if poll.pools is not None:
        changes["pools"] = sql_row(RACE_POOLS, pools_row(poll.race.race_id, poll.pools, poll.timing.polled_at))
    if poll.result is not None:
        # The prices that go with it are the database's own: of all stored runners, after this poll.
        changes["result"] = sql_row(RACE_RESULTS, result_row(poll.result, ()))
    return changes | _span(poll)


def _amounts(poll: RacePoll) -> list[Row]:
    """Return the amounts of runners that did not change in any other way: their pool grew."""
    changed = {entrant.entrant_id for entrant in poll.entrants}
    return [
        {
            "entrant_id": bucket.entrant_id,
            "win_pool_amount": bucket.win_cents,
            "place_pool_amount": bucket.place_cents,
        }
        for bucket in poll.buckets
        if bucket.win_cents is not None and bucket.entrant_id not in changed
    ]


def _span(poll: RacePoll) -> Row:
    """Return between which instants the history of a poll lies, so that reading it touches its days alone."""
    ticks = [tick.at for tick in poll.odds_ticks]
    buckets = [bucket.at for bucket in poll.buckets]
    span: Row = {}
    if ticks:
        span["odds_from"] = instant_text(min(ticks))
    if buckets:
        span["flow_from"] = instant_text(min(buckets))
    if ticks or buckets:
        span["history_to"] = instant_text(max(ticks + buckets))
    return span
