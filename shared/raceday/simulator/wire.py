"""How the feed writes things: whole numbers without a fraction, nanosecond stamps, objects in pieces.

The real server is written in Go: it drops `.0`, and its RFC 3339 stamps lose trailing zeros of the fraction
(feed captures of July 2025 to March 2026).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

NEW_ZEALAND = ZoneInfo("Pacific/Auckland")
SYDNEY = ZoneInfo("Australia/Sydney")
REFRESH_S = 15
"""The feed's numbers change every 15 s (word of the owner of the original system)."""
ZERO_STAMP = "0001-01-01T00:00:00Z"
"""What the feed writes for a moment that is not set."""
_NS = 1_000_000_000


def plain(number: float) -> int | float:
    """Return a whole number as int and any other as it is: 5.0 is written 5."""
    return int(number) if number == int(number) else number


def instant(unix_s: float) -> datetime:
    """Return Unix seconds as an aware UTC datetime."""
    return datetime.fromtimestamp(unix_s, UTC)


def second_stamp(unix_s: int) -> str:
    """Return `2025-07-17T00:50:00Z`."""
    return instant(unix_s).strftime("%Y-%m-%dT%H:%M:%SZ")


def nano_stamp(unix_ns: int) -> str:
    """Return `2025-07-17T11:16:59.18904298Z`: up to nine digits, trailing zeros dropped."""
    whole, fraction = divmod(unix_ns, _NS)
    stamp = instant(whole).strftime("%Y-%m-%dT%H:%M:%S")
    digits = f"{fraction:09d}".rstrip("0")
    return f"{stamp}.{digits}Z" if digits else f"{stamp}Z"


def go_stamp(unix_s: int) -> str:
    """Return `2025-07-17 00:50:00 +0000 UTC`, Go's default printing of a time."""
    return instant(unix_s).strftime("%Y-%m-%d %H:%M:%S +0000 UTC")


def joined(static: bytes, changing: Mapping[str, object]) -> bytes:
    """Return one JSON object out of ready members (an object's bytes) and members that change."""
    return static[:-1] + b"," + orjson.dumps(changing)[1:]


def listed(objects: Iterable[bytes]) -> bytes:
    """Return a JSON array of ready objects."""
    return b"[" + b",".join(objects) + b"]"
