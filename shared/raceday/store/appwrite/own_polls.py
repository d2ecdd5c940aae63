"""Which writes of runners were polls of ours.

A poll stamps every runner that it writes with the very instant that it notes in `race-polls`. Whoever corrects a row
later and leaves that stamp alone is told from it by the platform's own stamps, `$updatedAt`: those of the runner and of
the poll are of one commit, or they are not.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from raceday.store.appwrite.queries import at_least, equal
from raceday.store.appwrite.rows import AppwriteRows
from raceday.store.rows.values import StoredRow, parse_instant
from raceday.store.tables import RACE_POLLS

SAME_COMMIT = timedelta(seconds=5)
"""The rows of a transaction are stamped one after the other: 3,000 took 1.6 s (seen on Appwrite 1.9.6)."""
POLL_TAKES = timedelta(minutes=5)
"""More than ever passes between asking the feed and the commit: retries on both sides included."""
_COLUMNS = ("raceId", "polledAt")


class OwnPolls:
    """Polls of ours, from rows of `race-polls`.

    Only those that wrote runners matter, and these are in the table at once: what waits in the claims found nothing
    new.
    """

    def __init__(self, rows: Iterable[StoredRow]) -> None:
        self._committed_at = {(row["raceId"], row["polledAt"]): row["$updatedAt"] for row in rows}

    def instants(self) -> frozenset[datetime]:
        """Return when the polls were made."""
        return frozenset(parse_instant(polled_at) for _, polled_at in self._committed_at)

    def wrote(self, runner: StoredRow) -> bool:
        """Whether a row of `entrants` is as a poll left it."""
        committed_at = self._committed_at.get((runner["raceId"], runner["lastUpdated"]))
        return committed_at is not None and _is_near(runner["$updatedAt"], committed_at)

    def told_apart(self, runner: StoredRow) -> StoredRow:
        """Return a row of `entrants` with that stamp alone which says when its last writer wrote it.

        Of its two stamps a poll's own counts for a poll, however long the poll took; a correction under a poll's stamp
        would pass for the poll.
        """
        stamp = runner["lastUpdated"]
        if (runner["raceId"], stamp) not in self._committed_at:
            return runner
        return {**runner, "$updatedAt": stamp} if self.wrote(runner) else {**runner, "lastUpdated": None}


async def polls_at(rows: AppwriteRows, race_id: str, stamps: Collection[str]) -> OwnPolls:
    """Return those of a race's stamps that are polls of ours: one call, none for none."""
    found = await rows.of_ids(RACE_POLLS, "polledAt", sorted(stamps), equal("raceId", race_id), columns=_COLUMNS)
    return OwnPolls(row for row in found if row["raceId"] == race_id)


async def polls_since(rows: AppwriteRows, since: datetime) -> OwnPolls:
    """Return every poll that may have written a runner since: one call for every 1,000."""
    return OwnPolls(await rows.find(RACE_POLLS, at_least("polledAt", since - POLL_TAKES), columns=_COLUMNS))


def _is_near(one: str, other: str) -> bool:
    return abs(parse_instant(one) - parse_instant(other)) <= SAME_COMMIT
