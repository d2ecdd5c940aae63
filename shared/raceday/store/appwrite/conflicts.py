"""Beginning again when somebody else wrote first: what was read is stale, so it is read and decided anew."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from raceday.errors import StoreConflict

CONFLICT_TRIES = 4


async def begun_again(attempt: Callable[[], Awaitable[None]]) -> None:
    """Read, decide and write, a few times at most; raises the last StoreConflict when others were faster each time."""
    for tries_left in reversed(range(CONFLICT_TRIES)):
        try:
            return await attempt()
        except StoreConflict:
            if tries_left == 0:
                raise
    return None
