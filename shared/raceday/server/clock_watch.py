"""Watches how far this machine's clock is from the database's, which all servers of one database have in common.

Claims and leases end by their holder's clock. Servers whose clocks are some seconds apart still poll each race once an
interval, though prices and buckets bear the time of whoever polled; from `SERVER_CLAIM_TTL_S` apart, one may take a
claim from another in the middle of a poll.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from raceday.errors import RaceDayError
from raceday.server.state import ServerState

LOOK_EVERY_S = 60.0
TOLERATED = timedelta(seconds=2)
_NOW = "SELECT clock_timestamp()::text"


@dataclass(slots=True)
class ClockWatch:
    """Compares the clocks once a minute; a difference is told when it appears and when it is gone."""

    state: ServerState
    _apart: bool = False

    async def run(self) -> None:
        """Watch until the task is cancelled."""
        while True:
            try:
                await self.look()
            except RaceDayError as error:
                self.state.log.debug("clocks_not_compared", message=str(error))
            await self.state.clock.sleep(LOOK_EVERY_S)

    async def look(self) -> None:
        """Compare once. Raises `StoreUnavailable`."""
        asked_at = self.state.clock.now()
        [(text,)] = await self.state.database.tuples(_NOW)
        answered_at = self.state.clock.now()
        # Between question and answer nobody knows when the database looked.
        uncertain = (answered_at - asked_at) / 2
        ahead = asked_at + uncertain - datetime.fromisoformat(text)
        self.state.clock_ahead_s = round(ahead.total_seconds(), 3)
        self.state.metrics.clock_ahead.set(self.state.clock_ahead_s)
        apart = abs(ahead) > TOLERATED + uncertain
        if apart and not self._apart:
            self.state.log.warning(
                "clock_apart",
                clock_ahead_s=self.state.clock_ahead_s,
                message="this machine's clock and the database's differ: let both be set by NTP",
            )
        elif self._apart and not apart:
            self.state.log.info("clock_together", clock_ahead_s=self.state.clock_ahead_s)
        self._apart = apart
