"""Transactions: opened for a while, filled with operations, then committed or rolled back once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from raceday.simulator.appwrite.errors import refused
from raceday.simulator.appwrite.instants import stamp

if TYPE_CHECKING:
    from datetime import datetime

    from raceday.simulator.appwrite.tables import Table

SHORTEST_S, USUAL_S, LONGEST_S = 60, 300, 3600
MOST_OPERATIONS = 100
"""Operations in one transaction; a bulk of 100 rows counts as one."""

BULK_ACTIONS = ("bulkCreate", "bulkUpdate", "bulkUpsert", "bulkDelete")
SINGLE_ACTIONS = ("create", "update", "upsert", "delete", "increment", "decrement")


@dataclass(frozen=True, slots=True)
class Operation:
    """One staged operation. `body` holds a row's values, a bulk's rows, or what an action needs; unchecked."""

    action: str
    table: Table
    row_id: str | None
    body: dict[str, object] | list[dict[str, object]]
    staged_at: datetime

    def values(self) -> dict[str, object]:
        """Return the body of an operation about one row or about queries."""
        return self.body if isinstance(self.body, dict) else {}

    def rows(self) -> list[dict[str, object]]:
        """Return the rows of a bulk operation."""
        return self.body if isinstance(self.body, list) else []


@dataclass(slots=True)
class Transaction:
    """One transaction; `status` is pending, committed or failed (which a rolled back one is too)."""

    transaction_id: str
    created_at: datetime
    expires_at: datetime
    updated_at: datetime
    status: str = "pending"
    operations: list[Operation] = field(default_factory=list)
    staged: int = 0

    def stage(self, operations: list[Operation]) -> None:
        """Add operations, all or none; raises transaction_limit_exceeded."""
        before = len(self.operations)
        if before + len(operations) > MOST_OPERATIONS:
            raise refused("transaction_limit_exceeded", before, len(operations), MOST_OPERATIONS)
        self.operations.extend(operations)
        self.staged = len(self.operations)

    def check_in_time(self, now: datetime) -> None:
        """Raise transaction_expired when its time is over."""
        if now > self.expires_at:
            raise refused("transaction_expired")

    def end(self, status: str, now: datetime) -> None:
        """Close it and forget its operations."""
        self.status = status
        self.operations = []
        self.updated_at = now

    def body(self) -> dict[str, object]:
        """Return the transaction as the API shows it."""
        return {
            "$id": self.transaction_id,
            "$createdAt": stamp(self.created_at),
            "$updatedAt": stamp(self.updated_at),
            "status": self.status,
            "operations": self.staged,
            "expiresAt": stamp(self.expires_at),
        }
