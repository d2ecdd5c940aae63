"""The suite of money flow and pools by event on PostgreSQL, and what only writers at once can show."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from contract.postgres_store import OneLoopStore, postgres_rows, postgres_store
from contract.store_examples import IMPORTED, START, event, race, runner
from contract.store_steps import SOON, imported, polled
from contract.suite_flow import AFTER, NOW, FlowSuite, all_day, told
from raceday.domain.entrant_update import EntrantUpdate
from raceday.domain.money_flow import Estimator
from raceday.store.ports import RaceStore
from raceday.store.postgres.names import sql_column
from raceday.store.rows.values import instant_text
from raceday.store.tables import ENTRANTS

run = asyncio.run


def write_past_us(database_url: str, entrant_id: str, columns: dict[str, object]) -> None:
    """Write columns of a runner's row as a program that knows nothing of RaceDay."""
    settings = [
        sql.SQL("{} = {}").format(sql.Identifier(sql_column(ENTRANTS, name)), sql.Literal(value))
        for name, value in columns.items()
    ]
    statement = sql.SQL("UPDATE entrants SET {} WHERE entrant_id = {}")
    with psycopg.connect(database_url) as connection:
        connection.execute(statement.format(sql.SQL(", ").join(settings), sql.Literal(entrant_id)))


def make_runners(database_url: str, race_id: str) -> None:
    """Store three bare runners: this database keeps no money flow of runners that it does not know."""
    with psycopg.connect(database_url) as connection:
        for number in (1, 2, 3):
            connection.execute(
                "INSERT INTO entrants (entrant_id, name, runner_number, race_id) "
                "SELECT %s, '', %s, race_id FROM races WHERE race_id = %s ON CONFLICT DO NOTHING",
                (runner(number, race()).entrant_id, number, race_id),
            )


class KnownRunnersStore(OneLoopStore):
    """Knows the runners of the example race as soon as an update of one comes, as whoever made the update does."""

    async def save_flow(self, update: EntrantUpdate, *rest: object) -> bool:
        make_runners(self.database_url, update.race_id)
        return bool(await self.__getattr__("save_flow")(update, *rest))


@pytest.fixture
def store(postgres_url: str) -> RaceStore:
    return postgres_store(postgres_url)


class TestFlowPostgres(FlowSuite):
    @pytest.fixture(autouse=True)
    def _database(self, postgres_url: str) -> None:
        self.database_url = postgres_url

    def make_store(self, folder: Path) -> RaceStore:
        return KnownRunnersStore(self.database_url)  # type: ignore[return-value]

    def rows(self, store: RaceStore, table: str) -> list[dict[str, object]]:
        return postgres_rows(store, table)

    def write_runner(self, store: RaceStore, entrant_id: str, columns: dict[str, object]) -> None:
        write_past_us(self.database_url, entrant_id, columns)


def test_a_program_that_stamps_nothing_is_stamped_by_the_database(store: RaceStore, postgres_url: str) -> None:
    run(imported(store))
    run(polled(store, event(race(), SOON)))
    write_past_us(postgres_url, runner(2, race()).entrant_id, {"winPoolAmount": 7})
    [update] = run(store.runners_written_by_others(all_day(SOON)))
    assert (update.runner_number, update.win_cents) == (2, 7)
    assert update.written_at != SOON
    run(store.close())


def test_a_bucket_that_a_later_update_moves_past_midnight_stays_one_row(store: RaceStore, postgres_url: str) -> None:
    midnight = START + timedelta(hours=7)
    late = race(1, advertised_start=midnight + timedelta(minutes=27))
    run(imported(store, late))
    make_runners(postgres_url, late.race_id)
    for minutes, win_cents in ((-2, 1_000), (2, 2_000)):
        assert run(store.save_flow(told(midnight + timedelta(minutes=minutes), win_cents), Estimator.HOLD, NOW))
        [row] = postgres_rows(store, "money-flow-history")
        assert (row["timeInterval"], row["winPoolAmount"]) == (25, win_cents)
        flow = run(store.race_flow(late.race_id, IMPORTED))
        assert flow is not None
        assert [len(kept) for kept in flow.buckets.values()] == [1]
    with psycopg.connect(postgres_url) as connection:
        [(day,)] = connection.execute("SELECT tableoid::regclass::text FROM money_flow_history").fetchall()
    assert day == "money_flow_history_2026_11_23"
    run(store.close())


def test_what_is_derived_already_costs_one_read(store: RaceStore) -> None:
    run(imported(store))
    calls = store.calls
    run(store.flow_standing(told(SOON)))
    run(store.pool_standing(told(SOON)))
    assert store.calls - calls == 2
    run(store.close())


def test_writers_at_once_undo_nothing_of_one_another(store: RaceStore, postgres_url: str) -> None:
    run(imported(store))
    make_runners(postgres_url, race().race_id)
    amounts = {minutes: 1_000 * (100 - minutes) for minutes in range(75, -3, -3)}

    async def write_all() -> None:
        updates = [told(START - timedelta(minutes=minutes), cents) for minutes, cents in amounts.items()]
        await asyncio.gather(*(store.save_flow(update, Estimator.HOLD, NOW) for update in updates))

    run(write_all())
    rows = postgres_rows(store, "money-flow-history")
    assert sum(row["incrementalWinAmount"] for row in rows) == amounts[0]
    assert run(store.repair_increments(race().race_id, IMPORTED)) == 0
    run(store.close())


def test_pools_that_several_bring_up_to_date_at_once_are_written_by_one(store: RaceStore, postgres_url: str) -> None:
    run(imported(store))
    run(polled(store, event(race(), SOON, win_cents=1_000_000)))
    shares = {row["$id"]: row["holdPercentage"] for row in postgres_rows(store, "entrants")}
    for entrant_id, share in shares.items():
        stamps = {"lastUpdated": instant_text(AFTER), "$updatedAt": instant_text(AFTER)}
        write_past_us(postgres_url, str(entrant_id), {"winPoolAmount": round(15_000 * float(str(share))), **stamps})

    async def bring_up() -> list[bool]:
        writers = (store.save_pool_totals(race().race_id, Estimator.HOLD, NOW) for _ in range(6))
        return await asyncio.gather(*writers)

    assert sum(run(bring_up())) == 1
    [row] = postgres_rows(store, "race-pools")
    assert row["winPoolTotal"] == 1_500_000
    run(store.close())
