"""Stands for every other program that writes runners: single rows by plain SQL, and an event for each.

It follows one race of its own making: win pool, holds and prices change from round to round.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from raceday.domain.money_flow import share_of_pool_cents
from raceday.store.events import RowEvent
from raceday.store.rows.values import instant_text


@dataclass(frozen=True, slots=True)
class Round:
    """What the writer sees of a race at one time: the win pool in cents, and each runner's hold in percent."""

    at: datetime
    win_cents: int
    holds: Sequence[int]


@dataclass(slots=True)
class LegacyWriter:
    """Writes the runners of one race past the store."""

    connection: sqlite3.Connection
    race_id: str
    entrant_ids: Sequence[str]

    def insert_runners(self, at: datetime) -> None:
        """Make the rows that a programme import leaves: names, and nothing about money."""
        for number, entrant_id in enumerate(self.entrant_ids, 1):
            self.connection.execute(
                'INSERT INTO entrants ("$id", "entrantId", "raceId", name, "runnerNumber", "isScratched", '
                '"$createdAt", "$updatedAt", "lastUpdated") VALUES (?, ?, ?, ?, ?, 0, ?, ?, ?)',
                (entrant_id, entrant_id, self.race_id, f"Runner {number}", number, *[instant_text(at)] * 3),
            )

    def write_round(self, seen: Round) -> list[RowEvent]:
        """Write every runner as seen at one time; return the events in the order of the writes."""
        return [
            self.write(
                entrant_id,
                seen.at,
                holdPercentage=float(hold),
                betPercentage=float(hold),
                fixedWinOdds=round(90 / (hold + 1), 2),
                poolWinOdds=round(85 / (hold + 1), 2),
                winPoolAmount=share_of_pool_cents(seen.win_cents, hold),
                placePoolAmount=share_of_pool_cents(seen.win_cents // 2, hold),
            )
            for entrant_id, hold in zip(self.entrant_ids, seen.holds, strict=True)
        ]

    def write(self, entrant_id: str, at: datetime, **columns: object) -> RowEvent:
        """Write some columns of one runner and stamp them; return the event that the platform would raise."""
        written = {**columns, "lastUpdated": instant_text(at), "$updatedAt": instant_text(at)}
        settings = ", ".join(f'"{column}" = ?' for column in written)
        self.connection.execute(
            f'UPDATE entrants SET {settings} WHERE "$id" = ?',
            (*written.values(), entrant_id),
        )
        if self.connection.in_transaction:
            self.connection.commit()
        return self.event(entrant_id)

    def event(self, entrant_id: str) -> RowEvent:
        """Return the runner as it stands, as an event."""
        cursor = self.connection.execute('SELECT * FROM entrants WHERE "$id" = ?', (entrant_id,))
        names = [column[0] for column in cursor.description]
        row = dict(zip(names, cursor.fetchone(), strict=True))
        return RowEvent("entrants", entrant_id, "update", {**row, "isScratched": bool(row["isScratched"])})
