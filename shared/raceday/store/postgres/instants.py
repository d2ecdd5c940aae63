"""Instants as they come from PostgreSQL, in the one shape that the whole store speaks (`instant_text`)."""

from __future__ import annotations

from psycopg.abc import Buffer
from psycopg.adapt import Loader

_SECONDS = len("2026-11-22 04:00:00")


class InstantLoader(Loader):
    """Reads `timestamptz` of a session in UTC as text with milliseconds, `2026-11-22T04:00:00.000+00:00`."""

    def load(self, data: Buffer) -> str:
        """Return what came as `2026-11-22 04:00:00.5+00` in the store's shape; finer than milliseconds is cut off."""
        text = bytes(data).decode("ascii")
        fraction = text[_SECONDS + 1 : -3] if text[_SECONDS] == "." else ""
        return f"{text[:10]}T{text[11:_SECONDS]}.{fraction[:3]:0<3}+00:00"
