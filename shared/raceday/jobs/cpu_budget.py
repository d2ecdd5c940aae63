"""A bound on the CPU time of one event: what does not fit is left to a run of its own.

Row events share eight places on the platform, so one that has much to evaluate must not hold its place for long.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from typing import TypeVar

Part = TypeVar("Part")

FIRST_SLICE = 16
"""Evaluated in any case: a user or two, and the default user, are never split by a busy machine."""
LARGEST_SLICE = 256
SLICE_SHARE = 0.1
"""A slice that took less than this share of the budget is followed by one twice as long; otherwise by one half as
long."""


class CpuBudget:
    """CPU seconds of this thread from now on; `math.inf` for no bound."""

    def __init__(self, seconds: float = math.inf) -> None:
        self._seconds = seconds
        self._began = time.thread_time()

    @property
    def bounded(self) -> bool:
        """Whether there is a bound at all."""
        return self._seconds < math.inf

    @property
    def spent(self) -> bool:
        """Whether the time is used up."""
        return time.thread_time() - self._began >= self._seconds

    def slices(self, parts: Sequence[Part]) -> Iterator[tuple[int, Sequence[Part]]]:
        """Yield the parts in slices with the position behind each, until none is left or the time is used up.

        The first slice comes in any case, so that something always gets done.
        """
        at, size = 0, FIRST_SLICE if self.bounded else max(1, len(parts))
        while at < len(parts) and (at == 0 or not self.spent):
            before = time.thread_time()
            yield at + size, parts[at : at + size]
            at += size
            cheap = time.thread_time() - before < self._seconds * SLICE_SHARE
            size = min(size * 2, LARGEST_SLICE) if cheap else max(1, size // 2)
