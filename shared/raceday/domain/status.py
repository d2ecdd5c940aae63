"""The status of a race and how it may move."""

from __future__ import annotations

from enum import StrEnum


class RaceStatus(StrEnum):
    """The five statuses that the feed uses (74,663 captured responses hold no other)."""

    OPEN = "Open"
    CLOSED = "Closed"
    INTERIM = "Interim"
    FINAL = "Final"
    ABANDONED = "Abandoned"

    @property
    def terminal(self) -> bool:
        """Whether nothing more will come: Final or Abandoned and nothing else."""
        return self in TERMINAL

    @property
    def started(self) -> bool:
        """Whether betting on the tote has ended because the race was run or is being run."""
        return self in {RaceStatus.CLOSED, RaceStatus.INTERIM, RaceStatus.FINAL}

    @classmethod
    def parse(cls, text: str) -> RaceStatus | None:
        """Return the status that a text means, in any case and in the vocabularies of older clients.

        None when the text is empty or unknown: the caller keeps what it had and counts the drift.
        """
        return _BY_NAME.get(text.strip().lower().replace("-", "_").replace(" ", "_"))


TERMINAL = frozenset({RaceStatus.FINAL, RaceStatus.ABANDONED})

_ALIASES = {
    "scheduled": RaceStatus.OPEN,
    "upcoming": RaceStatus.OPEN,
    "postponed": RaceStatus.OPEN,
    "live": RaceStatus.CLOSED,
    "running": RaceStatus.CLOSED,
    "in_progress": RaceStatus.CLOSED,
    "finalized": RaceStatus.FINAL,
    "finalised": RaceStatus.FINAL,
    "cancelled": RaceStatus.ABANDONED,
    "canceled": RaceStatus.ABANDONED,
}
_BY_NAME = {status.value.lower(): status for status in RaceStatus} | _ALIASES

_USUAL_ORDER = [RaceStatus.OPEN, RaceStatus.CLOSED, RaceStatus.INTERIM, RaceStatus.FINAL]


def is_backward(before: RaceStatus, after: RaceStatus) -> bool:
    """Whether a move goes against the usual order; such moves happen and are followed, but are noted.

    Leaving Abandoned counts as backward: the feed has been seen to reinstate a race.
    """
    if before is RaceStatus.ABANDONED:
        return after is not before
    if after is RaceStatus.ABANDONED:
        return False
    return _USUAL_ORDER.index(after) < _USUAL_ORDER.index(before)
