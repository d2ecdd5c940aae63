"""Takes the closing snapshot of every race that is over, which is kept when its history is dropped."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from raceday.domain.closing import closing_of
from raceday.jobs.ports import JobPorts

if TYPE_CHECKING:
    from raceday.store.ports import RaceStore

LOOK_BACK = timedelta(hours=48)
"""Races that started longer ago are closed, or are closed by `keep_history` before it drops what they had."""
LOOK_AHEAD = timedelta(hours=36)
"""A race may be abandoned long before its start."""
WITHOUT_RESULT = timedelta(hours=1)
"""How long a race may be Final before it is closed without a final result."""
ONE_CLOSING_S = 1.0


async def close_races(ports: JobPorts) -> int:
    """Write the closing snapshots that are missing and return how many were written.

    Doing it twice changes nothing. A snapshot is written anew only when what it says of the end is no longer so: the
    result was amended, or an abandonment taken back. One race that cannot be closed stops none of the others; it is
    counted as failed and tried again by the next sweep.
    """
    now = ports.clock.now()
    race_ids = await ports.store.races_to_close(now - LOOK_BACK, now + LOOK_AHEAD, now - WITHOUT_RESULT)
    closed = 0
    for number, race_id in enumerate(race_ids):
        if not ports.deadline.allows(ONE_CLOSING_S):
            ports.report.remaining += len(race_ids) - number
            break
        try:
            closed += await close_race(ports.store, race_id, ports.clock.now())
        except Exception as error:  # noqa: BLE001 (one race that nobody foresaw must not cost the others)
            ports.log.warning("race_not_closed", race_id=race_id, error=type(error).__name__, message=str(error))
            ports.report.fail(race_id, error)
    return closed


async def close_race(store: RaceStore, race_id: str, at: datetime) -> bool:
    """Write the closing snapshot of one race as it stands; False when the race is not stored."""
    history = await store.race_history(race_id)
    if history is None:
        return False
    await store.save_closing(closing_of(history, at))
    return True
