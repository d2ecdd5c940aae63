"""One poll in SQLite: everything that it changed, in one transaction."""

from __future__ import annotations

from collections.abc import Iterable

from raceday.domain.odds import Odds
from raceday.domain.race_poll import RacePoll
from raceday.errors import StoreConflict
from raceday.store.events import RowEvent
from raceday.store.rows.claims import must_write
from raceday.store.rows.entrants import entrant_rows
from raceday.store.rows.history import bucket_row, odds_tick_row, pools_row, repair_row
from raceday.store.rows.polls import degraded_row, poll_row
from raceday.store.rows.programme import race_update_row
from raceday.store.rows.results import FixedOddsRunner, result_row
from raceday.store.rows.values import Row, StoredRow, instant_text
from raceday.store.sqlite.claims import give_back
from raceday.store.sqlite.connection import SqliteConnection
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

_BOOLEANS = frozenset(column.name for column in RACES.columns if column.kind == "boolean")


def save_poll(db: SqliteConnection, poll: RacePoll, claim: PollClaim, *, events: bool) -> list[RowEvent]:
    """Write a poll and give its claim back; return the race's event when runners moved and `events` are wanted."""
    if claim.race_id != poll.race.race_id:
        raise StoreConflict(f"a claim of race {claim.race_id} does not cover race {poll.race.race_id}")
    polled_at = instant_text(poll.timing.polled_at)
    with db.writing():
        stored = db.row('SELECT owner, token, "lastPollAt" FROM poll_claims WHERE "$id" = ?', (claim.race_id,))
        if not must_write(stored, claim, polled_at):
            return []
        db.step("claim checked")
        if poll.changed:
            _write_changes(db, poll, polled_at)
        _mark_polled(db, poll, polled_at)
        db.step("race marked")
        db.upsert(RACE_POLLS, [poll_row(poll, claim)], polled_at)
        if poll.degraded:
            db.upsert(POLL_LOGS, [degraded_row(poll, claim)], polled_at)
        db.step("poll written")
        give_back(db, claim, polled_at)
        db.step("claim given back")
        return [_moved_event(db, poll)] if events and poll.moved else []


def _write_changes(db: SqliteConnection, poll: RacePoll, at: str) -> None:
    db.upsert(RACES, [race_update_row(poll)], at)
    db.step("race written")
    db.upsert(ENTRANTS, entrant_rows(poll), at)
    db.step("entrants written")
    _write_amounts(db, poll, at)
    db.step("amounts written")
    db.upsert(ODDS_HISTORY, map(odds_tick_row, poll.odds_ticks), at)
    db.step("odds written")
    db.upsert(MONEY_FLOW_HISTORY, (bucket_row(bucket, poll) for bucket in poll.buckets), at)
    db.step("buckets written")
    for repair in poll.repairs:
        db.update(MONEY_FLOW_HISTORY, repair_row(repair), at)
    db.step("increments repaired")
    if poll.pools is not None:
        db.upsert(RACE_POOLS, [pools_row(poll.race.race_id, poll.pools, poll.timing.polled_at)], at)
    db.step("pools written")
    if poll.result is not None:
        db.upsert(RACE_RESULTS, [result_row(poll.result, _fixed_odds_runners(db, poll.race.race_id))], at)
    db.step("result written")


def _write_amounts(db: SqliteConnection, poll: RacePoll, at: str) -> None:
    """Bring the amounts of runners up to date that did not change in any other way: their pool grew."""
    changed = {entrant.entrant_id for entrant in poll.entrants}
    db.write_many(
        'UPDATE entrants SET "winPoolAmount" = ?, "placePoolAmount" = ?, "lastUpdated" = ?, "$updatedAt" = ? '
        'WHERE "$id" = ?',
        [
            (bucket.win_cents, bucket.place_cents, at, at, bucket.entrant_id)
            for bucket in poll.buckets
            if bucket.win_cents is not None and bucket.entrant_id not in changed
        ],
    )


def _mark_polled(db: SqliteConnection, poll: RacePoll, at: str) -> None:
    db.write(
        'UPDATE races SET last_poll_time = ?, "entrantsImportedAt" = coalesce("entrantsImportedAt", ?), '
        '"$updatedAt" = ? WHERE "$id" = ?',
        (at, at, at, poll.race.race_id),
    )


def _fixed_odds_runners(db: SqliteConnection, race_id: str) -> Iterable[FixedOddsRunner]:
    rows = db.tuples(
        'SELECT "$id", "runnerNumber", name, "fixedWinOdds", "fixedPlaceOdds" FROM entrants '
        'WHERE "raceId" = ? ORDER BY "runnerNumber"',
        (race_id,),
    )
    return [FixedOddsRunner(row_id, number, name, Odds(win, place)) for row_id, number, name, win, place in rows]


def _moved_event(db: SqliteConnection, poll: RacePoll) -> RowEvent:
    race_id = poll.race.race_id
    row = db.row('SELECT * FROM races WHERE "$id" = ?', (race_id,)) or {}
    return RowEvent("races", race_id, "update", _with_booleans(row))


def _with_booleans(row: StoredRow) -> Row:
    """Return a row as the platform shows it: SQLite keeps truth as 0 and 1."""
    return {name: bool(value) if name in _BOOLEANS and value is not None else value for name, value in row.items()}
