"""The money of one time bucket as the dashboard draws it: a column of increments, and each runner's share of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from raceday.domain.money_flow import BucketAmounts, nearest_older


def shares_pct(increments: Mapping[str, int | None]) -> dict[str, float]:
    """Return each runner's share of what came in during one bucket, in percent.

    `increments` in cents by runner, scratched runners left out; what is negative or not known counts as nothing.
    Empty when nothing came in at all.
    """
    amounts = {entrant_id: max(0, increment or 0) for entrant_id, increment in increments.items()}
    total = sum(amounts.values())
    return {entrant_id: 100 * amount / total for entrant_id, amount in amounts.items()} if total else {}


def share_changes_pp(newer: Mapping[str, int | None], older: Mapping[str, int | None]) -> dict[str, float]:
    """Return by how many percentage points each runner's share changed from one bucket to the next.

    0 for a runner that the older bucket does not have; empty when either bucket saw no money at all
    (the original dashboard's rule).
    """
    before, after = shares_pct(older), shares_pct(newer)
    if not before or not after:
        return {}
    return {entrant_id: share - before.get(entrant_id, share) for entrant_id, share in after.items()}


def last_two_columns(
    buckets: Mapping[str, Sequence[BucketAmounts]],
) -> tuple[dict[str, int | None], dict[str, int | None]]:
    """Return the win increments of the newest bucket and of the one before it, by runner; `buckets` by runner.

    From the amounts that a poll knows of, to decide whether an event is worth raising. What alerts then make of the
    stored rows (`raceday.domain.alerts.money`) also leaves out who was withdrawn during a bucket.
    """
    known = sorted({amounts.bucket for stored in buckets.values() for amounts in stored})
    if len(known) < 2:
        return {}, {}
    newest, before = known[:2]
    return _column(buckets, newest), _column(buckets, before)


def _column(buckets: Mapping[str, Sequence[BucketAmounts]], bucket: int) -> dict[str, int | None]:
    column: dict[str, int | None] = {}
    for entrant_id, stored in buckets.items():
        amounts = next((held for held in stored if held.bucket == bucket), None)
        older = nearest_older(stored, bucket)
        if amounts is not None and amounts.win_cents is not None and older is not None:
            column[entrant_id] = amounts.win_cents - (older.win_cents or 0)
    return column
