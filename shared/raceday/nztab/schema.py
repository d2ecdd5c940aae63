"""What every response of the feed has in common: the tolerant base of all models, the header and the echo.

The models of this package declare only what is mapped. All fields are optional unless nothing can be said
without them, numbers may come as integers or decimals, text may come as a number, unknown fields are ignored.
"""

from __future__ import annotations

from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from raceday.nztab.timestamps import Rfc3339

T = TypeVar("T")

MOST_ROWS = 5000
"""Far above the longest list seen (748 races); keeps the memory for a senseless response bounded."""

Rows = Annotated[list[T], Field(max_length=MOST_ROWS)]

_WHOLE = 2**53
_AMOUNT = 1e12
Whole = Annotated[int, Field(gt=-_WHOLE, lt=_WHOLE)]
"""A whole number that every JSON reader and every store can hold exactly."""
Amount = Annotated[float, Field(gt=-_AMOUNT, lt=_AMOUNT)]
"""Dollars, lengths, seconds: in cents and summed over all rows still within 64 bits."""
Percent = Annotated[float, Field(ge=0, le=100)]
"""One share of a whole: summed over all rows and times the largest amount still within 64 bits."""


class FeedModel(BaseModel):
    """The base of all models of the feed: ignores what it does not know."""

    model_config = ConfigDict(extra="ignore", coerce_numbers_to_str=True, allow_inf_nan=False, defer_build=True)


class FeedHeader(FeedModel):
    """Stands over every answer; `error` and `error_code` only over a refusal."""

    generated_time: Rfc3339 | None = None
    error: str | None = None
    error_code: str | None = None


class FeedEcho(FeedModel):
    """The query as the feed understood it. It ignores what it cannot read, hence the check against this."""

    date_from: str | None = None
    date_to: str | None = None
    limit: Whole | None = None


class ErrorResponse(FeedModel):
    """The body of a 4xx or 5xx answer."""

    header: FeedHeader
