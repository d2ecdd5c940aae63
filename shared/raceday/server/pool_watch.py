"""Watches the database's connection pool: its limits at the start, its use now and then, a word before it is full."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from raceday.clock import Clock
from raceday.jobs.ports import RunLog
from raceday.store.postgres.database import PoolLimits, PostgresDatabase

LOOK_EVERY_S = 1.0
TELL_EVERY_S = 300.0
NEARLY_FULL = 0.9


@dataclass(slots=True)
class PoolWatch:
    """Looks at a pool once a second; each trouble is told once, until it is over.

    Requests that wait a moment are no trouble: more races are polled at once than there are connections. One that got
    none in time is.
    """

    database: PostgresDatabase
    limits: PoolLimits
    clock: Clock
    log: RunLog
    _trouble: str = ""
    _timed_out: int = 0

    async def run(self) -> None:
        """Watch until the task is cancelled."""
        self.log.info("pool_opened", **asdict(self.limits))
        looks = 0
        while True:
            await self.clock.sleep(LOOK_EVERY_S)
            looks += 1
            self.look()
            if looks % round(TELL_EVERY_S / LOOK_EVERY_S) == 0:
                self.log.info("pool_use", **asdict(self.database.use))

    def look(self) -> None:
        """Warn when the pool is nearly full, and say that it is exhausted when somebody waited in vain."""
        use = self.database.use
        trouble = ""
        in_vain = use.timed_out - self._timed_out
        self._timed_out = use.timed_out
        if in_vain:
            trouble = "pool_exhausted"
        elif use.active >= NEARLY_FULL * use.largest:
            trouble = "pool_nearly_full"
        if trouble != self._trouble:
            self._trouble = trouble
            if trouble == "pool_exhausted":
                self.log.error(trouble, **asdict(use))
            elif trouble:
                self.log.warning(trouble, **asdict(use))
