"""How instants are written in answers."""

from __future__ import annotations

from datetime import datetime
from typing import Literal


def utc_text(instant: datetime, fineness: Literal["milliseconds", "microseconds"] = "milliseconds") -> str:
    """Return an instant in UTC as all answers write it, `2026-11-22T04:00:00.000Z`."""
    return instant.isoformat(timespec=fineness).replace("+00:00", "Z")
