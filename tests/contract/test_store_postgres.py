"""The PostgreSQL adapter: the behavioural suite, and what only a shared database can show."""

from __future__ import annotations

from pathlib import Path

import pytest

from contract.postgres_store import postgres_rows, postgres_store
from contract.store_suite import StoreSuite
from raceday.store.ports import RaceStore


class TestPostgres(StoreSuite):
    @pytest.fixture(autouse=True)
    def _database(self, postgres_url: str) -> None:
        self.database_url = postgres_url

    def make_store(self, folder: Path) -> RaceStore:
        return postgres_store(self.database_url)

    def rows(self, store: RaceStore, table: str) -> list[dict[str, object]]:
        return postgres_rows(store, table)
