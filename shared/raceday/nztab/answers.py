"""What an HTTP status of the feed means for us, and how long it wants to be left alone."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from pydantic import ValidationError

from raceday.errors import FeedContractError, FeedError, FeedNotFound, FeedUnavailable
from raceday.nztab.budget import LONGEST_HOLD_OFF_S
from raceday.nztab.schema import ErrorResponse
from raceday.transport import HttpAnswer

TOO_MANY_REQUESTS = 429
_REFUSALS = frozenset({401, 403, 408})
"""Answers that may be different next time although we ask the same: blocked, or too slow in asking."""


def wants_retry(answer: HttpAnswer) -> bool:
    """Whether the same question may get a better answer in a moment."""
    return answer.status >= 500 or answer.status == TOO_MANY_REQUESTS


def retry_after_s(value: str | None, now: datetime) -> float | None:
    """Return a Retry-After header (seconds or an HTTP date) as seconds from now; None when it says nothing.

    Never more than `LONGEST_HOLD_OFF_S`.
    """
    if value is None:
        return None
    if value.strip().isdecimal():
        return min(float(value), LONGEST_HOLD_OFF_S)
    try:
        until = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return min(max(0.0, (until - now).total_seconds()), LONGEST_HOLD_OFF_S)


def refusal(answer: HttpAnswer, asked_for: str) -> FeedError | None:
    """Return the error that a status other than 200 means when it is final, None for 200."""
    status = answer.status
    if status == 200:
        return None
    said = message_of(answer)
    if status == 404:
        return FeedNotFound(f"the feed does not have {asked_for}{said}")
    if status in _REFUSALS or status >= 500 or status == TOO_MANY_REQUESTS:
        return FeedUnavailable(f"the feed answered {status} to {asked_for}{said}")
    if answer.location is not None:
        return FeedContractError(
            f"the feed answered {status} to {asked_for} and points to {answer.location}: check the base address"
        )
    return FeedContractError(f"the feed answered {status} to {asked_for}{said}", answer.body)


def message_of(answer: HttpAnswer) -> str:
    """Return the feed's own words about an error, as `: words`, or nothing."""
    try:
        header = ErrorResponse.model_validate_json(answer.body).header
    except ValidationError:
        return ""
    words = header.error or header.error_code
    return f": {words[:200]}" if words else ""
