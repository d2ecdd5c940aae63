"""The feed's three ways to write an instant, all turned into aware UTC with microseconds.

RFC 3339 with 0 to 9 fractional digits (nanoseconds are cut off, not rounded), whole Unix seconds with 0 for
"not set", and `0001-01-01T00:00:00Z`, which is the same "not set" in RFC 3339.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AwareDatetime, Field

_BEGIN, _END = datetime(1900, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
"""No race is run outside of these; at the ends of the calendar an instant cannot be shown in every time zone."""

Rfc3339 = Annotated[AwareDatetime, Field(lt=_END, description="RFC 3339; digits beyond microseconds are cut off")]
Start = Annotated[AwareDatetime, Field(gt=_BEGIN, lt=_END, description="RFC 3339, and set")]


def utc(instant: datetime | None) -> datetime | None:
    """Return an aware instant in UTC; None for none and for the feed's unset year 1."""
    if instant is None or instant.year <= 1:
        return None
    return instant.astimezone(UTC)


def from_unix(seconds: int | None) -> datetime | None:
    """Return the instant that Unix seconds mean; None for none, for 0 and for what is no date."""
    if seconds is None or not 0 < seconds < _END.timestamp():
        return None
    return datetime.fromtimestamp(seconds, UTC)
