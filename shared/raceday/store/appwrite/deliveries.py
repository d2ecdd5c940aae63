"""Notifications on their way out of the house, on Appwrite."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from raceday.domain.alerts.delivery import AlertChannels, Delivery, DeliveryState
from raceday.errors import StoreConflict, StoreUnavailable
from raceday.store.appwrite.conflicts import begun_again
from raceday.store.appwrite.operations import OPERATIONS_AT_ONCE, bulk_update
from raceday.store.appwrite.queries import ascending, at_most, equal, parts_of
from raceday.store.appwrite.rows import AppwriteRows
from raceday.store.rows.alerts import channels_of, channels_row
from raceday.store.rows.deliveries import delivery, delivery_row
from raceday.store.rows.owners import belongs_to
from raceday.store.rows.values import Row, StoredRow, instant_text
from raceday.store.tables import NOTIFICATIONS, USER_ALERT_CHANNELS

TAKEN_SIDE_BY_SIDE = 8
TAKE_TRIES = 3


class AppwriteDeliveries:
    """Deliveries and the channels they go over."""

    _rows: AppwriteRows

    async def take_deliveries(self, at: datetime, until: datetime, limit: int) -> list[Delivery]:
        """Take notifications whose delivery is due; nobody else gets them before `until`.

        One call, and one for each by compare-and-set: of two runs that want the same one gets it, whatever the order
        of their calls. One whose answer was lost may be taken all the same, and is due again at `until`.
        """
        room = asyncio.Semaphore(TAKEN_SIDE_BY_SIDE)

        async def take(row: StoredRow) -> Delivery | None:
            async with room:
                return await self._take(row, until)

        for _ in range(TAKE_TRIES):
            due = await self._rows.find(
                NOTIFICATIONS,
                equal("deliveryState", DeliveryState.PENDING.value),
                at_most("nextDeliveryAt", at),
                ascending("nextDeliveryAt"),
                at_most=limit,
            )
            tried = await asyncio.gather(*(take(row) for row in due), return_exceptions=True)
            taken = [won for won in tried if isinstance(won, Delivery)]
            failed = [error for error in tried if isinstance(error, BaseException)]
            unforeseen = [error for error in failed if not isinstance(error, StoreUnavailable)]
            if unforeseen or (failed and not taken):
                raise (unforeseen or failed)[0]
            if taken or not due:
                return taken
        return []

    async def save_deliveries(self, deliveries: Sequence[Delivery], at: datetime) -> None:  # noqa: ARG002 (the platform stamps)
        """Write what became of deliveries: of one with one call, of up to 100 all or none with three."""
        rows = [delivery_row(tried) for tried in deliveries]
        if len(rows) == 1:
            await self._rows.update(NOTIFICATIONS, str(rows[0].pop("$id")), rows[0])
            return
        for begin in range(0, len(rows), OPERATIONS_AT_ONCE):
            await self._save_together(rows[begin : begin + OPERATIONS_AT_ONCE])

    async def save_alert_channels(self, channels: AlertChannels, at: datetime) -> None:
        """Insert or update where else a user wants to be told. One call."""
        row = {**channels_row(channels), "$updatedAt": instant_text(at)}
        await self._rows.upsert(USER_ALERT_CHANNELS, [row])

    async def alert_channels(self, user_ids: Sequence[str]) -> dict[str, AlertChannels]:
        """Return where else users want to be told; users who do not are left out. One call for every 80 users."""
        found = await self._rows.of_ids(USER_ALERT_CHANNELS, "userId", user_ids, equal("enabled", True))
        wanted = frozenset(user_ids)
        rows = sorted((row for row in found if row["userId"] in wanted), key=lambda row: str(row["$id"]))
        return {row["userId"]: channels_of(row) for row in rows if belongs_to(row["userId"], row["$permissions"])}

    async def _take(self, row: StoredRow, until: datetime) -> Delivery | None:
        """Take one, or return None when somebody else did."""
        columns = {"deliveryAttempts": (row["deliveryAttempts"] or 0) + 1, "nextDeliveryAt": instant_text(until)}
        try:
            taken = await self._rows.update(NOTIFICATIONS, row["$id"], columns, unchanged_since=row["$updatedAt"])
        except StoreConflict:
            return None
        return None if taken is None else delivery(taken)

    async def _save_together(self, rows: Sequence[Row]) -> None:
        """Write at most 100 rows in one transaction; those that end alike in one operation."""
        alike: dict[tuple[tuple[str, object], ...], list[str]] = defaultdict(list)
        for row in rows:
            row_id = str(row.pop("$id"))
            alike[tuple(row.items())].append(row_id)
        operations = [
            bulk_update(NOTIFICATIONS, dict(columns), [equal("$id", *part)])
            for columns, row_ids in alike.items()
            for part in parts_of(row_ids)
        ]

        async def attempt() -> None:
            await self._rows.commit(operations)

        await begun_again(attempt)
