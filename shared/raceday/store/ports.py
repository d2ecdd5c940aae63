"""The store as the jobs see it: operations of racing, each with its own promise of atomicity.

Errors of every operation: `StoreUnavailable` when the store does not answer (nothing was written).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Protocol, Self

from raceday.store.alert_ports import AlertStore
from raceday.store.flow_ports import FlowStore
from raceday.store.health_ports import HealthStore
from raceday.store.silk_ports import SilkStore

if TYPE_CHECKING:
    from raceday.domain.cadence import PollTarget
    from raceday.domain.meeting import Meeting
    from raceday.domain.poll_audit import PollMark
    from raceday.domain.race import Race
    from raceday.domain.race_poll import RacePoll, RaceState
    from raceday.domain.racing_day import DailyStage, StageProgress
    from raceday.errors import StoreConflict
    from raceday.store.values import (
        DayCounts,
        MeetingSummary,
        PollClaim,
        PollFailure,
        PollWindow,
        RaceSummary,
        RunEntry,
    )


class RaceStore(AlertStore, FlowStore, SilkStore, HealthStore, Protocol):
    """Where races are kept. Adapters pass one behavioural suite (tests/contract/store_suite.py)."""

    @property
    def calls(self) -> int:
        """Round trips made so far: a transaction or a read on SQLite, a request on Appwrite."""
        ...

    def session(self) -> Self:
        """Return a view of the store for one run, over the same connections, with its own count of calls."""
        ...

    async def save_meetings(self, meetings: Sequence[Meeting], at: datetime) -> None:
        """Insert or update meetings by id, all or none. What a meeting does not say (None) is kept."""
        ...

    async def meetings_on(self, racing_date: date) -> list[MeetingSummary]:
        """Return the meetings of a New Zealand racing date, by name."""
        ...

    async def note_races_imported(self, meeting_id: str, at: datetime) -> None:
        """Note that the races of a meeting are stored, so that the import does not fetch them again."""
        ...

    async def note_races_attempt(self, meeting_id: str) -> None:
        """Count one more try to import a meeting's races, so that it is given up some time."""
        ...

    async def save_races(self, races: Sequence[Race], at: datetime) -> None:
        """Insert or update the races of a meeting by id, all or none; a pools row of zeros is made for new ones.

        Of a race that was polled an import moves nothing, except that it may abandon the race: polls know better,
        and one that finds nothing new would leave the list's older word standing. A terminal status is never moved
        back, except that the list may take back an abandonment that only the list told of.
        """
        ...

    async def races_on(self, racing_date: date) -> list[RaceSummary]:
        """Return the races of the meetings of a racing date, by start time."""
        ...

    async def race(self, race_id: str) -> RaceSummary | None:
        """Return one race, or None when it is not stored."""
        ...

    async def note_import_attempt(self, race_id: str) -> None:
        """Count one more try to import a race's runners, so that it goes behind the others and is given up."""
        ...

    async def races_to_poll(self, window: PollWindow) -> list[PollTarget]:
        """Return the races of the window that are not over, and those whose result is still to come, by start."""
        ...

    async def poll_targets(self, race_ids: Sequence[str]) -> list[PollTarget]:
        """Return the targets of the given races, terminal ones too; ids that are not stored are left out."""
        ...

    async def claim_races(
        self, targets: Sequence[PollTarget], owner: str, at: datetime, ttl_s: float
    ) -> list[PollClaim]:
        """Claim races by compare-and-set, each on its own; return the claims that were won.

        A race is won when no unexpired claim of another owner's run stands and its last poll and earliest next
        try are still those of the target (so that it was due when it was claimed).
        """
        ...

    async def release_claim(self, claim: PollClaim, not_before: datetime | None) -> None:
        """Give a claim back without a poll; `not_before` holds the next try off.

        A claim lost meanwhile is left alone.
        """
        ...

    async def race_states(self, race_ids: Sequence[str]) -> dict[str, RaceState]:
        """Return the last known state of each stored race."""
        ...

    async def save_poll(self, poll: RacePoll, claim: PollClaim) -> None:
        """Write everything a poll changed, mark the race polled and give the claim back: all in one transaction.

        Raises `StoreConflict` (and writes nothing) when the claim is no longer the newest of its race, or was given
        back, or the race was polled later than this. The same poll again under its own claim is no conflict: it is
        written once.
        """
        ...

    async def save_polls(self, polls: Sequence[tuple[RacePoll, PollClaim]]) -> dict[str, StoreConflict]:
        """Write polls of several races, each as `save_poll` does: atomic for itself, several together where it pays.

        Returns the conflicts of those that were not written, by race. When it raises, some may have been written: the
        same polls again under their own claims are no conflict.
        """
        ...

    async def log_poll(self, failure: PollFailure) -> None:
        """Write one row of `poll_logs`."""
        ...

    async def stage(self, racing_date: date, stage: DailyStage) -> StageProgress | None:
        """Return how far a stage has come, or None when it was never started."""
        ...

    async def save_stage(self, progress: StageProgress) -> None:
        """Write how far a stage has come; a complete stage stays complete."""
        ...

    async def log_run(self, run: RunEntry) -> None:
        """Write one row of the run ledger; the same execution twice leaves one row."""
        ...

    async def day_counts(self) -> DayCounts:
        """Count what is stored."""
        ...

    async def poll_marks(self, since: datetime | None = None) -> list[PollMark]:
        """Return when each poll was made and when it was due, of those made at or after `since`."""
        ...

    async def swept_to(self, name: str) -> datetime | None:
        """Return up to when a sweep has come, None before its first."""
        ...

    async def note_swept(self, name: str, swept_to: datetime, at: datetime) -> None:
        """Note up to when a sweep has come."""
        ...

    async def close(self) -> None:
        """Give back what the store holds open."""
        ...
