"""The embedded store on SQLite: the default, with no configuration at all."""

from __future__ import annotations

from raceday.store.sqlite.store import SqliteStore

__all__ = ["SqliteStore"]
