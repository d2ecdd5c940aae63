"""The PostgreSQL adapter: the behavioural suite, and what only a shared database can show."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from contract.postgres_store import postgres_rows, postgres_store
from contract.store_examples import START, event, race
from contract.store_steps import imported, polled, run
from contract.store_suite import StoreSuite
from raceday.store.ports import RaceStore
from raceday.store.rows.values import instant_text


class TestPostgres(StoreSuite):
    @pytest.fixture(autouse=True)
    def _database(self, postgres_url: str) -> None:
        self.database_url = postgres_url

    def make_store(self, folder: Path) -> RaceStore:
        return postgres_store(self.database_url)

    def rows(self, store: RaceStore, table: str) -> list[dict[str, object]]:
        return postgres_rows(store, table)


def test_a_bucket_that_is_stored_twice_does_not_stop_the_polls(postgres_url: str) -> None:
    store = postgres_store(postgres_url)
    run(imported(store))
    at = START - timedelta(minutes=20)
    run(polled(store, event(race(), at)))
    with psycopg.connect(postgres_url) as connection:
        # As it was once left behind by a day that was taken out and brought back while its races ran.
        connection.execute(
            "INSERT INTO money_flow_history (id, race_id, entrant_id, type, event_timestamp, time_interval) "
            "SELECT id, race_id, entrant_id, type, event_timestamp - interval '1 minute', time_interval "
            "FROM money_flow_history"
        )
        connection.execute("UPDATE races SET flow_from = flow_from - interval '1 minute'")
    run(polled(store, event(race(), at + timedelta(seconds=30), win_cents=3_000_000)))
    newest = max(str(row["eventTimestamp"]) for row in postgres_rows(store, "money-flow-history"))
    assert newest == instant_text(at + timedelta(seconds=30))
    run(store.close())
