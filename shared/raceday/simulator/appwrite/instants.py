"""The platform's time: milliseconds, UTC, and an instant of its own for every write."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_MS = timedelta(milliseconds=1)


def whole_ms(instant: datetime) -> datetime:
    """Return the instant without what is finer than a millisecond."""
    return instant.replace(microsecond=instant.microsecond // 1000 * 1000)


@lru_cache(maxsize=4096)
def stamp(instant: datetime) -> str:
    """Return `2026-11-22T05:10:41.813+00:00`."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds")


@lru_cache(maxsize=4096)
def instant_of(text: str) -> datetime:
    """Read any ISO form, without an offset as UTC, cut to milliseconds; raises ValueError for anything else."""
    read = datetime.fromisoformat(text)
    aware = read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    return whole_ms(aware)


class PlatformClock:
    """The clock that rows are stamped by.

    On a real server two writes never share a call's duration, so their stamps differ. On a virtual clock, where no
    time passes while code works, every writing call therefore takes `call_takes_ms` of its own; with 0, calls at one
    instant share a millisecond and cannot be told apart.
    """

    def __init__(self, clock_now: Callable[[], datetime], call_takes_ms: int = 1) -> None:
        """Follow `clock_now` (aware)."""
        self._clock_now = clock_now
        self._call_takes = call_takes_ms * _MS
        self._last = whole_ms(clock_now().astimezone(UTC))

    def now(self) -> datetime:
        """Return the current instant, never before the last stamp."""
        self._last = max(self._last, whole_ms(self._clock_now().astimezone(UTC)))
        return self._last

    def for_a_write(self) -> datetime:
        """Return the instant of the next write."""
        self._last = max(self._last + self._call_takes, whole_ms(self._clock_now().astimezone(UTC)))
        return self._last
