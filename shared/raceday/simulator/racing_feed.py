"""What stands behind the HTTP face: any source of responses, modelled or captured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from raceday.simulator.event_options import EventOptions

DEFAULT_LIMIT, MAX_LIMIT = 100, 200


class BadQuery(ValueError):
    """The caller asked for something the feed does not understand; the text names the parameter."""


class RacingFeed(Protocol):
    """The four resources; every answer is a complete JSON body, None means 404."""

    now: Callable[[], datetime]

    def meetings(
        self,
        date_from: str | None = None,
        date_to: str | None = None,
        limit: int = DEFAULT_LIMIT,
        offset: int = 0,
        category: str | None = None,
        country: str | None = None,
    ) -> bytes:
        """Return the meetings of the days asked for (default: today); raise BadQuery for a date it cannot read."""
        ...

    def meeting(self, meeting_id: str) -> bytes | None:
        """Return one meeting with its tote details."""
        ...

    def event(self, event_id: str, options: EventOptions) -> bytes | None:
        """Return one race with its runners, odds, pools and outcome."""
        ...

    def races_list(
        self,
        date_from: str | None = None,
        date_to: str | None = None,
        limit: int = DEFAULT_LIMIT,
        page_token: str = "",
    ) -> bytes:
        """Return the races of the days asked for, by start, without status."""
        ...
