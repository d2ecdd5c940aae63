"""Leases, partitions and the pool's watch on a real PostgreSQL."""

from __future__ import annotations

import asyncio
import io
import json
from datetime import date, datetime, timedelta

import psycopg
import pytest

from raceday.clock import SystemClock
from raceday.domain.racing_day import NZ
from raceday.errors import StoreUnavailable
from raceday.runtime.log import JsonLog
from raceday.server import partitions
from raceday.server.leases import LEASE_TTL_S, Leases
from raceday.server.partitions import prepare_partitions
from raceday.server.pool_watch import PoolWatch
from raceday.store.postgres.database import PoolLimits, PostgresDatabase
from server_day import closed, run_server_day


class Lines:
    def __init__(self):
        self.text = io.StringIO()
        self.log = JsonLog(self.write, self.write, "DEBUG")

    def write(self, line):
        self.text.write(line + "\n")

    def actions(self):
        return [json.loads(line)["action"] for line in self.text.getvalue().splitlines()]


def test_a_lease_is_its_holders_until_it_ends_or_is_given_back(postgres_url, tmp_path):
    async def scenario(day):
        log = Lines().log
        one, two = (Leases(day.store.database, day.clock, owner, log) for owner in ("one", "two"))
        steps = [await one.acquire("chores"), await two.acquire("chores"), await two.acquire("other")]
        await day.clock.sleep(LEASE_TTL_S - 1)
        steps += [await one.acquire("chores"), await two.acquire("chores")]
        await day.clock.sleep(LEASE_TTL_S)
        steps += [await two.acquire("chores"), await one.acquire("chores")]
        await one.release("chores")
        steps += [await one.acquire("chores")]
        await two.release("chores")
        steps += [await one.acquire("chores")]
        return steps

    steps = run_server_day(scenario, postgres_url, tmp_path)
    assert steps == [True, False, True, True, False, True, False, False, True]


def test_only_one_of_many_that_ask_at_once_gets_the_lease(postgres_url):
    async def scenario():
        database = await PostgresDatabase.open(postgres_url, PoolLimits())
        all_of_them = [Leases(database, SystemClock(), f"server-{n}", Lines().log) for n in range(20)]
        won = await asyncio.gather(*(leases.acquire("chores") for leases in all_of_them))
        await database.close()
        return won

    assert sum(asyncio.run(scenario())) == 1


def test_work_goes_on_only_while_its_lease_is_held_and_another_server_takes_over(postgres_url, tmp_path):
    async def scenario(day):
        seen = []

        def working(name):
            async def work():
                try:
                    while True:
                        seen.append((name, day.clock.now()))
                        await day.clock.sleep(5)
                finally:
                    seen.append((f"{name} ended", day.clock.now()))

            return work

        lines = Lines()
        one, two = (Leases(day.store.database, day.clock, owner, lines.log) for owner in ("one", "two"))
        leading = asyncio.create_task(one.lead("chores", working("one")))
        await day.clock.sleep(1)
        standing_by = asyncio.create_task(two.lead("chores", working("two")))
        await day.clock.sleep(200)
        before = {name for name, _ in seen}
        # Somebody else writes himself in: the holder finds out at its next renewal, and stops.
        await day.rows("UPDATE server_leases SET owner = 'thief' RETURNING name")
        await day.clock.sleep(200)
        for task in (leading, standing_by):
            task.cancel()
        await asyncio.gather(leading, standing_by, return_exceptions=True)
        left = await day.rows("SELECT count(*) FROM server_leases")
        return before, seen, left, lines.actions()

    before, seen, left, actions = run_server_day(scenario, postgres_url, tmp_path)
    assert before == {"one"}
    ended = next(position for position, (name, _) in enumerate(seen) if name == "one ended")
    assert "lease_lost" in actions
    assert seen[ended + 1][1] - seen[ended][1] >= timedelta(seconds=LEASE_TTL_S - 10)
    assert left == [(0,)]


def test_work_that_breaks_is_begun_again(postgres_url, tmp_path):
    async def scenario(day):
        begun = []

        async def work():
            begun.append(day.clock.now())
            await day.clock.sleep(3)
            raise RuntimeError("nobody foresaw this")

        lines = Lines()
        leading = asyncio.create_task(Leases(day.store.database, day.clock, "one", lines.log).lead("chores", work))
        await day.clock.sleep(60)
        leading.cancel()
        await asyncio.gather(leading, return_exceptions=True)
        return begun, lines.actions()

    begun, actions = run_server_day(scenario, postgres_url, tmp_path)
    assert len(begun) >= 4
    assert actions.count("leased_work_failed") >= 4


def partitions_of(url):
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT inhrelid::regclass::text FROM pg_inherits").fetchall()
    return {name for (name,) in rows if not name.endswith("_default") and "_20" in name}


def test_three_days_ahead_have_partitions_and_strays_get_their_own(postgres_url, tmp_path):
    today = date(2026, 12, 24)
    instant = datetime(2026, 12, 24, 9, tzinfo=NZ)

    async def scenario(day):
        insert = "INSERT INTO race_polls (id, race_id, polled_at) VALUES (%s, 'r', %s) RETURNING id"
        await day.rows(insert, "stray", instant - timedelta(days=9))
        await day.rows(insert, "today", instant)
        lines = Lines()
        made = await prepare_partitions(day.store.database, day.clock, lines.log)
        again = await prepare_partitions(day.store.database, day.clock, lines.log)
        left = await day.rows("SELECT count(*) FROM race_polls_default")
        return made, again, left, await day.rows("SELECT count(*) FROM race_polls"), lines.actions()

    made, again, left, kept, actions = run_server_day(scenario, postgres_url, tmp_path, begins=instant)
    names = {f"{table}_{today + timedelta(days=ahead):%Y_%m_%d}" for ahead in range(4)
             for table in ("odds_history", "money_flow_history", "race_polls")}  # fmt: skip
    assert names | {"race_polls_2026_12_15"} <= partitions_of(postgres_url)
    assert (made, again, left, kept) == (13, 0, [(0,)], [(2,)])
    assert actions == ["partitions_made"]


@pytest.mark.parametrize(("held_s", "made"), [(0.5, 12), (100, 0)])
def test_a_table_that_is_busy_is_waited_for_and_costs_no_row(held_s, made, postgres_url, monkeypatch):
    monkeypatch.setattr(partitions, "PAUSE_S", 0.5)
    monkeypatch.setattr(partitions, "TRIES", 2)

    class Frozen(SystemClock):
        def now(self):
            return datetime(2027, 1, 5, 9, tzinfo=NZ)

    async def scenario():
        database = await PostgresDatabase.open(postgres_url, PoolLimits())
        await database.execute("ALTER FUNCTION make_history_partition SET lock_timeout = '300ms'")
        blocker = await psycopg.AsyncConnection.connect(postgres_url)
        await blocker.execute("LOCK TABLE entrants IN ROW EXCLUSIVE MODE")
        freeing = asyncio.get_running_loop().call_later(held_s, lambda: asyncio.ensure_future(blocker.rollback()))
        try:
            return await prepare_partitions(database, Frozen(), Lines().log)
        except StoreUnavailable:
            return 0
        finally:
            freeing.cancel()
            await blocker.close()
            await database.close()

    assert asyncio.run(scenario()) == made


def test_a_pool_is_told_of_before_it_is_full_and_when_somebody_waited_in_vain(postgres_url):
    async def scenario():
        limits = PoolLimits(largest=2, smallest=2, wait_s=0.3)
        database = await PostgresDatabase.open(postgres_url, limits)
        lines = Lines()
        watch = PoolWatch(database, limits, SystemClock(), lines.log)
        watch.look()
        asking = [asyncio.create_task(database.execute("SELECT pg_sleep(0.6)")) for _ in range(3)]
        await asyncio.sleep(0.1)
        watch.look()
        watch.look()
        answers = await asyncio.gather(*asking, return_exceptions=True)
        watch.look()
        watch.look()
        await database.close()
        return lines.actions(), [type(answer) for answer in answers].count(StoreUnavailable)

    assert asyncio.run(scenario()) == (["pool_nearly_full", "pool_exhausted"], 1)


def test_old_days_are_detached_with_their_closings_kept_and_old_logs_go(postgres_url, tmp_path):
    async def scenario(day):
        engine = await day.server(look_every_s=15.0, retention_days=2)
        engine.start()
        await day.clock.sleep(240)
        await engine.stop()
        (race,) = await day.store.races_on(day.programme.racing_date)
        # As if the server had been gone before it could close the race.
        await day.rows("DELETE FROM race_closings RETURNING race_id")
        polls = await day.rows("SELECT count(*) FROM race_polls")
        await day.clock.sleep(3 * 86_400)
        report = await engine.jobs.run("retention", engine.chores._end_retention, 55)
        again = await engine.jobs.run("retention", engine.chores._end_retention, 55)
        left = await day.rows("SELECT count(*) FROM race_polls")
        closings = await day.rows("SELECT race_id FROM race_closings")
        runs = await day.rows("SELECT count(*) FROM function_runs WHERE function = 'daily-meetings'")
        await closed(engine)
        return race.race_id, polls, report, again, left, closings, runs

    race_id, polls, report, again, left, closings, runs = run_server_day(scenario, postgres_url, tmp_path, races=1)
    assert polls[0][0] > 0
    assert report.status_code == again.status_code == 200
    assert report.details["partitionsDetached"] > 0
    assert again.details["partitionsDetached"] == 0
    assert left == [(0,)]
    assert closings == [(race_id,)]
    assert runs == [(0,)]
