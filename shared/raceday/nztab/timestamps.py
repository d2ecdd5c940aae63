"""The feed's three ways to write an instant, all turned into aware UTC with microseconds.

RFC 3339 with 0 to 9 fractional digits (nanoseconds are cut off, not rounded), whole Unix seconds with 0 for
"not set", and `0001-01-01T00:00:00Z`, which is the same "not set" in RFC 3339.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AwareDatetime, Field

Rfc3339 = Annotated[AwareDatetime, Field(description="RFC 3339; digits beyond microseconds are cut off")]

_LATEST_UNIX_S = 253_402_300_799
"""The last second of the year 9999."""


def utc(instant: datetime | None) -> datetime | None:
    """Return an aware instant in UTC; None for none and for the feed's unset year 1."""
    if instant is None or instant.year <= 1:
        return None
    return instant.astimezone(UTC)


def from_unix(seconds: int | None) -> datetime | None:
    """Return the instant that Unix seconds mean; None for none, for 0 and for what is no date."""
    if seconds is None or not 0 < seconds <= _LATEST_UNIX_S:
        return None
    return datetime.fromtimestamp(seconds, UTC)
