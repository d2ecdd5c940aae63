"""What the event functions need of the store: a runner's buckets, a race's pools, and what events left out.

Errors of every operation: `StoreUnavailable` when the store does not answer (nothing was written).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from raceday.domain.entrant_update import EntrantUpdate
    from raceday.domain.flow_update import FlowStanding, RaceFlow
    from raceday.domain.money_flow import Estimator
    from raceday.domain.pools_update import PoolStanding


@dataclass(frozen=True, slots=True)
class SweepWindow:
    """What a sweep looks at: races with an advertised start from `starts_from` up to `starts_before`, and of their
    runners those written at or after `written_from`.
    """

    starts_from: datetime
    starts_before: datetime
    written_from: datetime


class FlowStore(Protocol):
    """Money flow and pools for whoever writes runners without deriving them."""

    async def flow_standing(self, update: EntrantUpdate) -> FlowStanding:
        """Return what is stored about a runner's update: one read.

        What `update_flow` has no need of may be left out: all but `polled` for the write of one of our own polls,
        `race` when the buckets `cover` the update. So that takes one request where every table is a request of its
        own.
        """
        ...

    async def save_flow(self, update: EntrantUpdate, estimator: Estimator, at: datetime) -> bool:
        """Write the bucket that an update makes and the increments that it changes; say whether there was any.

        All in one transaction that reads the runner's buckets again: of two updates written at once neither undoes
        the other, and their order does not matter.
        """
        ...

    async def pool_standing(self, update: EntrantUpdate) -> PoolStanding | None:
        """Return the pools of a runner's race with all its runners: one read; None when there is no row of pools.

        The runners are left out when the update is the write of one of our own polls, which brought its pools.
        """
        ...

    async def save_pool_totals(self, race_id: str, estimator: Estimator, at: datetime) -> bool:
        """Bring a race's pools up to what its runners say; say whether anything changed.

        All in one transaction that reads pools and runners again.
        """
        ...

    async def runners_written_by_others(self, window: SweepWindow) -> list[EntrantUpdate]:
        """Return the window's runners whose last write was not a poll of ours, longest ago first."""
        ...

    async def race_flow(self, race_id: str, since: datetime) -> RaceFlow | None:
        """Return all buckets of a race with its own polls since an instant, one read; None for an unknown race."""
        ...

    async def repair_increments(self, race_id: str, at: datetime) -> int:
        """Count the increments of all buckets of a race again and write those that were wrong; return how many.

        All in one transaction.
        """
        ...
