"""How the daily imports treat the feed: a pause between calls, and how often something that fails is asked for."""

from __future__ import annotations

from raceday.errors import FeedContractError, FeedNotFound
from raceday.jobs.ports import JobPorts

ONE_CALL_S = 16.0
"""A feed call may take its whole budget of 15 s; none is begun that the deadline does not allow."""
MAX_ATTEMPTS = 3
"""After so many answers with nothing usable an import gives up; list refreshes and pollers go on by themselves."""
OUTAGE_AFTER = 5
"""So many failures in a row that say nothing of what was asked for mean that the feed (or the store) is down."""


async def paused_for_next(ports: JobPorts, pause_s: float) -> bool:
    """Pause, and say that a call may follow; False at once when pause and call do not fit the deadline."""
    if not ports.deadline.allows(pause_s + ONE_CALL_S):
        return False
    await ports.clock.sleep(pause_s)
    return True


def counts_as_attempt(error: BaseException) -> bool:
    """Whether an error is about what was asked for, and not about a feed or store that is down or slow for now."""
    return isinstance(error, (FeedNotFound, FeedContractError))
