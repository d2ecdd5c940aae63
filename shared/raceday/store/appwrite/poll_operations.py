"""What one poll writes, as operations of a transaction. Read `poll_operations` top to bottom."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from raceday.domain.odds import Odds
from raceday.domain.race_poll import RacePoll, RaceState
from raceday.domain.result import ResultStatus
from raceday.domain.state_after import known_result, state_after
from raceday.domain.status import RaceStatus
from raceday.store.appwrite.operations import Operation, bulk_update, bulk_upsert, update
from raceday.store.appwrite.pending import WaitingRow, waiting_rows
from raceday.store.appwrite.queries import equal
from raceday.store.appwrite.schedule import schedule_columns
from raceday.store.appwrite.snapshot import state_of, state_text
from raceday.store.rows.entrants import amount_rows, entrant_rows
from raceday.store.rows.history import bucket_row, odds_tick_row, pools_row, repair_row
from raceday.store.rows.polls import degraded_row, poll_row
from raceday.store.rows.programme import race_update_row
from raceday.store.rows.results import FixedOddsRunner, result_row
from raceday.store.rows.values import Row, StoredRow, instant_text, unsaid_columns
from raceday.store.tables import (
    ENTRANTS,
    MONEY_FLOW_HISTORY,
    ODDS_HISTORY,
    POLL_CLAIMS,
    POLL_LOGS,
    RACE_POLLS,
    RACE_POOLS,
    RACE_RESULTS,
    RACES,
    Table,
)
from raceday.store.values import PollClaim


@dataclass(frozen=True, slots=True)
class ClaimedPoll:
    """A poll to be written, its claim, and the claim's row as it was last seen.

    `read` is the state where the tables were read for it after the claim was won. `runners` are the stored runners,
    read only where they are needed (`lacks_runners`).
    """

    poll: RacePoll
    claim: PollClaim
    row: StoredRow
    read: RaceState | None = None
    runners: tuple[FixedOddsRunner, ...] = ()

    @property
    def state(self) -> RaceState | None:
        """What was known before the poll, None when others wrote a part of it since."""
        return self.read or state_of(self.row)

    @property
    def is_first(self) -> bool:
        """Whether the race was never polled before."""
        return self.row["lastPollAt"] is None


def poll_operations(claimed: ClaimedPoll) -> list[Operation]:
    """Return everything that a poll writes, with what waited of the polls before it; the claim is given back.

    Odds ticks come first: they may go ahead in a transaction of their own where there are very many.
    """
    poll = claimed.poll
    operations = _news(claimed) if poll.changed else _first_poll(claimed)
    for table, rows in _by_table([*waiting_rows(claimed.row), *about_poll(poll, claimed.claim)]):
        operations += bulk_upsert(table, rows)
    operations.append(update(POLL_CLAIMS, _claim_row(claimed)))
    return operations


def about_poll(poll: RacePoll, claim: PollClaim) -> list[WaitingRow]:
    """Return the rows that say how a poll was made: all that one without news leaves."""
    rows: list[WaitingRow] = [(RACE_POLLS.name, poll_row(poll, claim))]
    if poll.degraded:
        rows.append((POLL_LOGS.name, degraded_row(poll, claim)))
    return rows


def given_back(poll: RacePoll) -> Row:
    """Return the columns of a claim that end it and mark its race as polled; the token stays."""
    polled_at = instant_text(poll.timing.polled_at)
    return {"owner": None, "claimedAt": None, "expiresAt": None, "notBefore": None, "lastPollAt": polled_at}


def lacks_runners(poll: RacePoll, state: RaceState | None) -> bool:
    """Whether stored runners have to be read: a result tells of all, also those that its response left out; and of
    one without a name it must be known whether it is stored.
    """
    if state is None:
        return poll.result is not None or any(
            entrant.name is None or entrant.runner_number is None for entrant in poll.runners
        )
    named = {runner.entrant_id for runner in poll.runners}
    return poll.result is not None and any(entrant_id not in named for entrant_id in state.entrants)


def _news(claimed: ClaimedPoll) -> list[Operation]:
    poll = claimed.poll
    race_id = poll.race.race_id
    operations = bulk_upsert(ODDS_HISTORY, map(odds_tick_row, poll.odds_ticks))
    race_row = {**race_update_row(poll), **_first_columns(claimed)}
    # The one event of a poll: whoever listens is told which of its runners moved. Never an upsert: it fills the columns
    # that it does not name from a cached row and so takes back what an import wrote (appwrite/appwrite#12960).
    operations.append(update(RACES, race_row) if poll.moved else _silently(RACES, race_row))
    known = claimed.state.entrants if claimed.state is not None else {one.entrant_id for one in claimed.runners}
    operations += _runner_operations([*entrant_rows(poll), *amount_rows(poll)], known)
    operations += bulk_upsert(MONEY_FLOW_HISTORY, (bucket_row(bucket, poll) for bucket in poll.buckets))
    operations += [_silently(MONEY_FLOW_HISTORY, repair_row(repair)) for repair in poll.repairs]
    if poll.pools is not None:
        operations += bulk_upsert(RACE_POOLS, [pools_row(race_id, poll.pools, poll.timing.polled_at)])
    if poll.result is not None:
        operations += bulk_upsert(RACE_RESULTS, [result_row(poll.result, fixed_odds_runners(claimed))])
    return operations


def _first_poll(claimed: ClaimedPoll) -> list[Operation]:
    """Return what the first poll of a race notes in its row even when it brought no news."""
    columns = _first_columns(claimed)
    if not columns:
        return []
    polled_at = instant_text(claimed.poll.timing.polled_at)
    return [_silently(RACES, {"$id": claimed.poll.race.race_id, "last_poll_time": polled_at, **columns})]


def _first_columns(claimed: ClaimedPoll) -> Row:
    return {"entrantsImportedAt": instant_text(claimed.poll.timing.polled_at)} if claimed.is_first else {}


def _runner_operations(rows: Sequence[Row], known: Iterable[str]) -> list[Operation]:
    """Return what writes runners silently; a new one holds "" and 0 where the feed did not say what a row must have."""
    stored = frozenset(known)
    new = [{**row, **unsaid_columns(ENTRANTS, row)} for row in rows if row["$id"] not in stored]
    return bulk_upsert(ENTRANTS, new) + _stored(ENTRANTS, [row for row in rows if row["$id"] in stored])


def _stored(table: Table, rows: Sequence[Row]) -> list[Operation]:
    """Return what changes stored rows silently.

    A bulk upsert needs every required column: what the feed did not say of a stored row must not overwrite it, so such
    a row is updated by itself.
    """
    whole = [row for row in rows if not unsaid_columns(table, row)]
    return bulk_upsert(table, whole) + [_silently(table, row) for row in rows if unsaid_columns(table, row)]


def _silently(table: Table, row: Row) -> Operation:
    """Change columns of one row without an event."""
    columns = {name: value for name, value in row.items() if name != "$id"}
    return bulk_update(table, columns, [equal("$id", str(row["$id"]))])


def _claim_row(claimed: ClaimedPoll) -> Row:
    poll, state = claimed.poll, claimed.state
    row: Row = {"$id": poll.race.race_id, **given_back(poll), "pendingRows": None}
    if poll.changed:
        row |= schedule_columns(
            poll.race.meeting_id or claimed.row["meetingId"] or "",
            instant_text(poll.race.advertised_start),
            poll.status,
            result_pending=poll.status is RaceStatus.FINAL and not _has_final_result(claimed),
        )
    if poll.changed or claimed.read is not None:
        row["state"] = state_text(state_after(state, poll)) if state is not None else None
    return row


def _has_final_result(claimed: ClaimedPoll) -> bool:
    if claimed.poll.result is not None:
        return known_result(claimed.poll.result).status is ResultStatus.FINAL
    if claimed.state is not None:
        return claimed.state.result is not None and claimed.state.result.status is ResultStatus.FINAL
    return claimed.row["status"] == RaceStatus.FINAL.value and not claimed.row["resultPending"]


def fixed_odds_runners(claimed: ClaimedPoll) -> list[FixedOddsRunner]:
    """Return all stored runners of the race as they are once the poll is written."""
    before = claimed.state.entrants if claimed.state is not None else {}
    runners = {runner.entrant_id: runner for runner in claimed.runners}
    for entrant in claimed.poll.runners:
        stored = runners.get(entrant.entrant_id)
        known = before.get(entrant.entrant_id)
        odds = entrant.odds or (known.odds if known is not None else stored.odds if stored is not None else Odds())
        name = entrant.name or (stored.name if stored is not None else "")
        number = entrant.runner_number or (stored.runner_number if stored is not None else 0)
        runners[entrant.entrant_id] = FixedOddsRunner(entrant.entrant_id, number, name, odds)
    return sorted(runners.values(), key=lambda runner: runner.runner_number)


def _by_table(waiting: Sequence[WaitingRow]) -> list[tuple[Table, list[Row]]]:
    tables = {table.name: table for table in (RACE_POLLS, POLL_LOGS)}
    return [
        (table, rows)
        for name, table in tables.items()
        if (rows := [row for waiting_for, row in waiting if waiting_for == name])
    ]
