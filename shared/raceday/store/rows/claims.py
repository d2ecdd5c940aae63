"""The fence of a claim: whether its holder may still write."""

from __future__ import annotations

from raceday.errors import StoreConflict
from raceday.store.rows.values import StoredRow
from raceday.store.values import PollClaim

FENCE_COLUMNS = ("owner", "token", "lastPollAt")


def must_write(row: StoredRow | None, claim: PollClaim, polled_at: str) -> bool:
    """Whether the holder of a claim is to write its poll; False when this very poll was written already.

    `row` is the claim as stored, with `FENCE_COLUMNS`. Raises `StoreConflict` when the claim is not the newest of its
    race, was given back, or is older than the last poll.
    """
    if row is None or row["token"] != claim.token:
        raise StoreConflict(f"race {claim.race_id}: claim {claim.token} of {claim.owner} was taken over")
    if row["owner"] is None and row["lastPollAt"] == polled_at:
        return False
    if row["owner"] != claim.owner:
        raise StoreConflict(f"race {claim.race_id}: claim {claim.token} of {claim.owner} was given back")
    if row["lastPollAt"] is not None and row["lastPollAt"] > polled_at:
        raise StoreConflict(f"race {claim.race_id}: polled at {row['lastPollAt']}, after {polled_at}")
    return True
