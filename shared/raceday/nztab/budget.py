"""How much the feed is asked, by all callers of the process together.

Three limits: so many requests a second on average with a bounded burst, so many under way at once, and none at
all while the feed asked us to hold off. All of them follow the time of the running event loop, so that they hold
on a virtual clock too; a budget therefore belongs to one loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from raceday.errors import FeedThrottled

LONGEST_HOLD_OFF_S = 3600.0
"""A Retry-After beyond an hour is taken for a mistake: obeying it would lose the race day unseen."""


class RequestBudget:
    """The right to ask the feed; shared by every client of the process."""

    def __init__(self, rate_per_s: float = 10.0, burst: int = 10, concurrency: int = 10) -> None:
        """Allow `rate_per_s` on average, `burst` at once after a rest, `concurrency` under way together."""
        self._interval_s = 1.0 / rate_per_s
        self._burst_s = (burst - 1) * self._interval_s
        self._under_way = asyncio.Semaphore(concurrency)
        self._next_s = 0.0
        self._hold_off_until_s = 0.0

    def hold_off(self, seconds: float) -> None:
        """Let no caller ask for so many seconds from now; never shortens a pause that is already on."""
        until_s = _now_s() + min(seconds, LONGEST_HOLD_OFF_S)
        self._hold_off_until_s = max(self._hold_off_until_s, until_s)

    @property
    def held_off_s(self) -> float:
        """How long the feed is still left alone, in seconds; 0 when it may be asked."""
        return max(0.0, self._hold_off_until_s - _now_s())

    @asynccontextmanager
    async def turn(self, deadline_s: float) -> AsyncIterator[None]:
        """Wait for the right to make one request and hold it while the request is under way.

        `deadline_s` is on the loop's clock. Raises FeedThrottled at once when the feed is to be left alone beyond it.
        """
        async with self._under_way:
            await self._held_off(deadline_s)
            await asyncio.sleep(self._reserve())
            # While this caller waited for its turn, the feed may have told another one to hold off.
            await self._held_off(deadline_s)
            yield

    async def _held_off(self, deadline_s: float) -> None:
        while (wait_s := self.held_off_s) > 0:
            if self._hold_off_until_s >= deadline_s:
                raise FeedThrottled(f"the feed asked to be left alone for {wait_s:.1f} s more", wait_s)
            await asyncio.sleep(wait_s)

    def _reserve(self) -> float:
        """Take the next free place in the line and return how long to wait for it.

        `_next_s` is where the line would be without bursts; a request may go `_burst_s` ahead of it.
        """
        now_s = _now_s()
        self._next_s = max(self._next_s, now_s)
        wait_s = max(0.0, self._next_s - self._burst_s - now_s)
        self._next_s += self._interval_s
        return wait_s


def _now_s() -> float:
    return asyncio.get_running_loop().time()
