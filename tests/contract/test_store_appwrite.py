"""The Appwrite adapter: the behavioural suite over the stand-in."""

from __future__ import annotations

from pathlib import Path

from contract.appwrite_store import appwrite_rows, open_appwrite_store
from contract.store_suite import StoreSuite
from raceday.store.ports import RaceStore


class TestAppwrite(StoreSuite):
    def make_store(self, folder: Path) -> RaceStore:
        return open_appwrite_store()

    def rows(self, store: RaceStore, table: str) -> list[dict[str, object]]:
        return appwrite_rows(store, table)
