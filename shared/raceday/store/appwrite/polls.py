"""Polls on Appwrite: everything that a poll changed in one transaction, a poll without news in one call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from raceday.domain.odds import Odds
from raceday.domain.race_poll import RacePoll, RaceState
from raceday.errors import StoreConflict
from raceday.store.appwrite.fence import Fence
from raceday.store.appwrite.operations import OPERATIONS_AT_ONCE, Operation, merged
from raceday.store.appwrite.pending import MOST_CHARS, waiting_rows, waiting_text
from raceday.store.appwrite.poll_operations import ClaimedPoll, about_poll, given_back, lacks_runners, poll_operations
from raceday.store.appwrite.queries import equal
from raceday.store.appwrite.rows import AppwriteRows
from raceday.store.appwrite.snapshot import state_text
from raceday.store.rows.claims import must_write
from raceday.store.rows.results import FixedOddsRunner
from raceday.store.rows.values import StoredRow, instant_text
from raceday.store.tables import ENTRANTS, ODDS_HISTORY, POLL_CLAIMS
from raceday.store.values import PollClaim

SAVE_TRIES = 4
_RUNNER_COLUMNS = ("name", "runnerNumber", "fixedWinOdds", "fixedPlaceOdds", "poolWinOdds", "poolPlaceOdds")


class AppwritePolls:
    """Writes polls. `_claims_seen` holds the claims' rows as last seen, `_states_read` states read from the tables."""

    _rows: AppwriteRows
    _claims_seen: dict[str, StoredRow]
    _states_read: dict[str, tuple[int, RaceState]]

    async def save_poll(self, poll: RacePoll, claim: PollClaim) -> None:
        """Write everything a poll changed and give the claim back: four calls whatever the field, one without news.

        What a poll without news leaves (how punctual, how good it was) waits in the claim's row for the next with news.
        Raises StoreConflict when the claim is not the newest of its race.
        """
        if poll.changed or not await self._save_without_news(poll, claim):
            conflicts = await self._save([(poll, claim)])
            for conflict in conflicts.values():
                raise conflict

    async def save_polls(self, polls: Sequence[tuple[RacePoll, PollClaim]]) -> dict[str, StoreConflict]:
        """Write polls of several races, each as `save_poll` does, in as few transactions as they fit: four calls each.

        Returns the conflicts of those that were not written, by race.
        """
        return await self._save(polls)

    async def _save_without_news(self, poll: RacePoll, claim: PollClaim) -> bool:
        """Mark the race polled by one compare-and-set; False when there is more to write: its first poll is noted in
        other tables too, and what waits is written when it has become much.
        """
        _check_race(poll, claim)
        polled_at = instant_text(poll.timing.polled_at)
        row = await self._held_row(claim)
        if row["lastPollAt"] is None:
            return False
        read = self._state_read(claim)
        if row["$updatedAt"] is None:
            row, read = await self._fresh_row(claim), None
        for _ in range(SAVE_TRIES):
            if not must_write(row, claim, polled_at):
                return True
            waiting = waiting_text([*waiting_rows(row), *about_poll(poll, claim)])
            if waiting is not None and len(waiting) > MOST_CHARS:
                return False
            columns = {**given_back(poll), "pendingRows": waiting}
            if read is not None:
                columns["state"] = state_text(read)
            try:
                written = await self._rows.update(
                    POLL_CLAIMS, claim.race_id, columns, unchanged_since=row["$updatedAt"]
                )
            except StoreConflict:
                written = None
            if written is not None:
                self._claims_seen[claim.race_id] = written
                return True
            row, read = await self._fresh_row(claim), None
        raise StoreConflict(f"race {claim.race_id}: its claim is written by others all the time")

    async def _save(self, polls: Sequence[tuple[RacePoll, PollClaim]]) -> dict[str, StoreConflict]:
        """Write polls in transactions of as many as fit one."""
        conflicts: dict[str, StoreConflict] = {}
        claimed: list[ClaimedPoll] = []
        for poll, claim in polls:
            try:
                _check_race(poll, claim)
                claimed.append(await self._claimed(poll, claim))
            except StoreConflict as conflict:
                conflicts[claim.race_id] = conflict
        for together in _parcels(claimed):
            conflicts |= await self._write_together(together)
        return conflicts

    async def _write_together(self, claimed: Sequence[ClaimedPoll]) -> dict[str, StoreConflict]:
        """Write some polls in one transaction, without those whose claim is lost; return why these were not written."""
        conflicts: dict[str, StoreConflict] = {}
        waiting = list(claimed)
        for tries_left in reversed(range(SAVE_TRIES)):
            fence = Fence(self._rows, waiting)
            try:
                if await self._commit(waiting, fence):
                    return conflicts
            except StoreConflict as conflict:
                await fence.read()
                if tries_left == 0:
                    return conflicts | {one.claim.race_id: conflict for one in fence.still_to_write(waiting)}
            conflicts |= fence.conflicts
            waiting = [await self._with_runners(one) for one in fence.still_to_write(waiting)]
            if not waiting:
                return conflicts
        beaten = StoreConflict("the claim is written by others all the time")
        return conflicts | {one.claim.race_id: beaten for one in waiting}

    async def _commit(self, claimed: Sequence[ClaimedPoll], fence: Fence) -> bool:
        """Write everything; what does not fit one transaction are odds ticks, which may go ahead: their ids are made
        of what they say.
        """
        operations = merged([operation for one in claimed for operation in poll_operations(one)])
        for one in claimed:
            self._claims_seen.pop(one.claim.race_id, None)
        ticks = [operation for operation in operations if operation.table is ODDS_HISTORY]
        others = [operation for operation in operations if operation.table is not ODDS_HISTORY]
        while ticks and len(ticks) + len(others) > OPERATIONS_AT_ONCE:
            if not await self._rows.commit(ticks[:OPERATIONS_AT_ONCE], fence.holds):
                return False
            ticks = ticks[OPERATIONS_AT_ONCE:]
        return await self._rows.commit([*ticks, *others], fence.holds)

    async def _claimed(self, poll: RacePoll, claim: PollClaim) -> ClaimedPoll:
        """Return a poll with what its operations are made from: no call for a claim that this run won."""
        row = await self._held_row(claim)
        return await self._with_runners(ClaimedPoll(poll, claim, row, self._state_read(claim)))

    async def _with_runners(self, claimed: ClaimedPoll) -> ClaimedPoll:
        """Return a poll with the stored runners where they are needed and were not read: one call, if so."""
        if claimed.runners or not lacks_runners(claimed.poll, claimed.state):
            return claimed
        rows = await self._rows.find(ENTRANTS, equal("raceId", claimed.claim.race_id), columns=_RUNNER_COLUMNS)
        return replace(claimed, runners=tuple(_fixed_odds_runner(row) for row in rows))

    def _state_read(self, claim: PollClaim) -> RaceState | None:
        """Return the state that this run read from the tables for a claim; None where it came with the claim."""
        token, state = self._states_read.get(claim.race_id, (None, None))
        return state if token == claim.token else None

    async def _held_row(self, claim: PollClaim) -> StoredRow:
        row = self._claims_seen.get(claim.race_id)
        is_won = row is not None and row["owner"] == claim.owner and row["token"] == claim.token and "state" in row
        return row if row is not None and is_won else await self._fresh_row(claim)

    async def _fresh_row(self, claim: PollClaim) -> StoredRow:
        row = await self._rows.get(POLL_CLAIMS, claim.race_id)
        if row is None:
            raise StoreConflict(f"race {claim.race_id}: its claim's row is gone")
        return row


def _check_race(poll: RacePoll, claim: PollClaim) -> None:
    if claim.race_id != poll.race.race_id:
        raise StoreConflict(f"a claim of race {claim.race_id} does not cover race {poll.race.race_id}")


def _parcels(claimed: Sequence[ClaimedPoll]) -> list[list[ClaimedPoll]]:
    """Put polls together that fit one transaction."""
    if len(claimed) == 1:
        return [list(claimed)]
    parcels: list[list[ClaimedPoll]] = []
    staged: list[Operation] = []
    for one in claimed:
        operations = poll_operations(one)
        if parcels and len(merged([*staged, *operations])) <= OPERATIONS_AT_ONCE:
            parcels[-1].append(one)
            staged += operations
        else:
            parcels.append([one])
            staged = operations
    return parcels


def _fixed_odds_runner(row: StoredRow) -> FixedOddsRunner:
    odds = Odds(*(row[name] for name in _RUNNER_COLUMNS[2:]))
    return FixedOddsRunner(row["$id"], row["runnerNumber"], row["name"], odds)
