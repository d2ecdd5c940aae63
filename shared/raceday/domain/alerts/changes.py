"""How a value changed: what was observed of a runner over time, and each change against an earlier observation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

_DECIMALS = 6
"""Changes are rounded to this, so that a move of exactly 5 % is one whatever binary fractions make of it."""


class Observed(NamedTuple):
    """A price in dollars or a share in percent, when it was seen, and in which time bucket.

    `bucket` is None for what only serves as an earlier value. `value` is None when there was nothing to share.
    """

    at: datetime
    bucket: int | None
    value: float | None


class Change(NamedTuple):
    """A value against an earlier one.

    `amount` is percent of the price, positive for shortening and negative for drifting, or percentage points of the
    money. `bucket` is None for a price that no poll saw.
    """

    at: datetime
    bucket: int | None
    before: float
    after: float
    amount: float
    of_money: bool


def window_pairs(observed: Sequence[Observed], window_s: int) -> Iterator[tuple[Observed, Observed]]:
    """Yield each observation, oldest first, with the one that held at the start of its window.

    That is the latest at or before `window_s` seconds earlier, or else the oldest within the window. The very first
    has none.
    """
    window = timedelta(seconds=window_s)
    start = 0
    for now in range(1, len(observed)):
        opens_at = observed[now].at - window
        while start + 1 < now and observed[start + 1].at <= opens_at:
            start += 1
        yield observed[start], observed[now]


def shortened(before: Observed, now: Observed) -> Change | None:
    """Return how a price changed, (before − now) ÷ before × 100; None where one of the two is no price."""
    if not before.value or not now.value:
        return None
    amount = round((before.value - now.value) / before.value * 100, _DECIMALS)
    return Change(now.at, now.bucket, before.value, now.value, amount, of_money=False)


def share_risen(before: Observed, now: Observed) -> Change | None:
    """Return by how many percentage points a share changed; None where one of the two is not known."""
    if before.value is None or now.value is None:
        return None
    amount = round(now.value - before.value, _DECIMALS)
    return Change(now.at, now.bucket, before.value, now.value, amount, of_money=True)
