"""Whether staged polls may be committed: their claims stand, and what they were made from has not changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from raceday.errors import StoreConflict
from raceday.store.appwrite.poll_operations import ClaimedPoll
from raceday.store.appwrite.rows import AppwriteRows
from raceday.store.rows.claims import FENCE_COLUMNS, must_write
from raceday.store.rows.values import StoredRow, instant_text
from raceday.store.tables import POLL_CLAIMS

_STAGED_FROM = ("state", "pendingRows", "meetingId", "startTime", "status", "resultPending")
"""What of a claim's row a poll's operations are made from; an import that moves the schedule leaves an outdated state
as it is.
"""


class Fence:
    """Looks, once a transaction is staged, whether every claim still stands as it was when the poll was derived.

    Whatever is written to a claim after this makes the commit fail.
    """

    def __init__(self, rows: AppwriteRows, claimed: Sequence[ClaimedPoll]) -> None:
        self.conflicts: dict[str, StoreConflict] = {}
        self._rows = rows
        self._claimed = claimed
        self._written: set[str] = set()
        self._fresh: Mapping[str, StoredRow] = {}

    async def holds(self) -> bool:
        """Whether all may be committed as they are staged: one call, as long as nobody else touched a claim."""
        ids = [one.claim.race_id for one in self._claimed]
        if all(one.row["$updatedAt"] for one in self._claimed):
            seen = {row["$id"]: row for row in await self._rows.of_ids(POLL_CLAIMS, "$id", ids, columns=FENCE_COLUMNS)}
            if all(
                one.claim.race_id in seen
                and seen[one.claim.race_id]["$updatedAt"] == one.row["$updatedAt"]
                and self._must_write(one, seen[one.claim.race_id])
                for one in self._claimed
            ):
                return True
        await self.read()
        return not self._written and not self.conflicts and all(self._is_as_staged(one) for one in self._claimed)

    async def read(self) -> None:
        """Look at the whole rows of the claims, and which of the polls are still to be written."""
        ids = [one.claim.race_id for one in self._claimed]
        self._fresh = {row["$id"]: row for row in await self._rows.of_ids(POLL_CLAIMS, "$id", ids)}
        for one in self._claimed:
            try:
                if not self._must_write(one, self._fresh.get(one.claim.race_id)):
                    self._written.add(one.claim.race_id)
            except StoreConflict as conflict:
                self.conflicts[one.claim.race_id] = conflict

    def still_to_write(self, claimed: Sequence[ClaimedPoll]) -> list[ClaimedPoll]:
        """Return the polls that are neither lost nor written, with their claims' rows as they are now.

        A state that was read counts no more: whoever wrote meanwhile may have written a part of it.
        """
        return [
            ClaimedPoll(one.poll, one.claim, self._fresh.get(one.claim.race_id, one.row), runners=one.runners)
            for one in claimed
            if one.claim.race_id not in self.conflicts and one.claim.race_id not in self._written
        ]

    def _is_as_staged(self, one: ClaimedPoll) -> bool:
        """Whether nothing that the staged operations were made from has changed."""
        fresh = self._fresh[one.claim.race_id]
        return all(fresh[name] == one.row[name] for name in _STAGED_FROM)

    def _must_write(self, one: ClaimedPoll, row: StoredRow | None) -> bool:
        return must_write(row, one.claim, instant_text(one.poll.timing.polled_at))
