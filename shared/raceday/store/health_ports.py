"""What the operator looks at: runs, quality, coverage; and what keeps the history from growing for ever.

Errors of every operation: `StoreUnavailable` when the store does not answer (nothing was written).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from raceday.domain.closing import RaceClosing, RaceHistory
    from raceday.domain.coverage import FollowedRace
    from raceday.domain.health import Backlog, FailureTally, FunctionRuns
    from raceday.domain.quality import PollQuality

DroppedRows = Mapping[str, int]
"""Rows that were dropped, by the catalogue's name of their table; tables that lost none are left out."""


class HealthStore(Protocol):
    """What the operator looks at: runs, quality, coverage; and what keeps the history from growing for ever."""

    async def followed_races(self, starts_from: datetime, starts_before: datetime) -> list[FollowedRace]:
        """Return the races whose advertised start lies in the span, by start."""
        ...

    async def buckets_present(self, race_ids: Sequence[str]) -> dict[str, frozenset[int]]:
        """Return the time buckets of each race that have a row of at least one runner; one query for all races.

        A row is only ever written of a runner that was live. Races without any are left out.
        """
        ...

    async def function_runs(
        self, functions: Sequence[str], since: datetime, until: datetime
    ) -> dict[str, FunctionRuns]:
        """Return the runs of each function that started from `since` to `until`, and its newest until then."""
        ...

    async def degraded_polls(self, since: datetime, until: datetime) -> list[PollQuality]:
        """Return the points of the polls from `since` to `until` that were marked as degraded."""
        ...

    async def poll_failures(self, since: datetime, until: datetime) -> list[FailureTally]:
        """Return the rows of `poll_logs` from `since` to `until`, counted by kind, the most frequent first."""
        ...

    async def backlog(self, until: datetime) -> Backlog:
        """Return what waited at `until` to be evaluated, and what was due to be delivered by then."""
        ...

    async def races_to_close(self, starts_from: datetime, starts_before: datetime, final_before: datetime) -> list[str]:
        """Return the races of the span that are over and lack their closing snapshot, by start.

        Over is a race that is Abandoned, Final with a final result, or Final since `final_before` whatever its result.
        A snapshot that was made from another status or another result counts as lacking.
        """
        ...

    async def race_history(self, race_id: str) -> RaceHistory | None:
        """Return everything that the closing snapshot of a race is made from, in one consistent state, or None."""
        ...

    async def save_closing(self, closing: RaceClosing) -> None:
        """Write the closing snapshot of a race, in place of an earlier one."""
        ...

    async def first_start(self, starts_from: datetime | None) -> datetime | None:
        """Return the earliest advertised start at or after an instant (None: of all), or None without any."""
        ...

    async def count_races(self, starts_from: datetime, starts_before: datetime) -> int:
        """Count the races whose advertised start lies in the span."""
        ...

    async def drop_history(self, race_id: str, limit: int) -> DroppedRows:
        """Drop a race's odds, money flow and polls, at most `limit` rows of each table, in one transaction."""
        ...

    async def drop_logs(self, before: datetime, limit: int) -> DroppedRows:
        """Drop what is older of poll logs, runs, notifications and alert backlog; as `drop_history` otherwise."""
        ...
