"""Several servers on one database, a day whose races are all due at once, and days without their partitions."""

from __future__ import annotations

import asyncio
from datetime import date, datetime, timedelta
from itertools import pairwise

import pytest

from race_day import small_programme
from raceday.clock import SystemClock
from raceday.domain.poll_audit import audit_polls
from raceday.domain.racing_day import NZ, DailyStage
from raceday.server.clock_watch import ClockWatch
from raceday.server.partitions import prepare_partitions
from raceday.simulator.programme import plan_day
from server_day import DAY, ClockAhead, closed, first_start, open_day, run_server_day, six_o_clock

CAME_TOO_SOON_S = 3.5
"""Half a second, and what the clocks of these tests are apart."""


@pytest.mark.parametrize("ahead_s", [(0.0, 0.0, 0.0), (0.0, 1.0, 3.0), (-2.0, 0.0, 1.0)])
def test_three_servers_poll_each_race_once_an_interval_also_when_their_clocks_are_seconds_apart(
    ahead_s, postgres_url, tmp_path
):
    async def scenario(day):
        servers = [await day.server(ahead_s=seconds) for seconds in ahead_s]
        for engine in servers:
            engine.start()
        await day.until(first_start(day.programme) + timedelta(minutes=2))
        failed = [engine.state.failed_polls for engine in servers]
        await closed(*servers)
        feed_calls = sum("/events/" in request.path for request in day.requests.requests)
        return await day.store.poll_marks(), feed_calls, failed

    begins = first_start(small_programme(1, 2)) - timedelta(minutes=6)
    marks, feed_calls, failed = run_server_day(scenario, postgres_url, tmp_path, races=2, begins=begins)
    by_race = {race_id: [mark for mark in marks if mark.race_id == race_id] for race_id in {m.race_id for m in marks}}
    assert failed == [0, 0, 0]
    assert len(by_race) == 2
    for polls in by_race.values():
        polls.sort(key=lambda mark: mark.polled_at)
        assert len(polls) > 5
        for earlier, later in pairwise(polls):
            if later.interval_s == 15:
                assert (later.polled_at - earlier.polled_at).total_seconds() >= 15 - CAME_TOO_SOON_S
    # Who was refused the claim has asked the feed nothing.
    assert feed_calls == len(marks)
    assert audit_polls(marks).late_polls == 0


def test_a_clock_that_is_not_the_databases_is_told_of_once_until_it_is_right_again(postgres_url, tmp_path):
    async def scenario(day):
        engine = await day.server()
        engine.state.clock = right = SystemClock()
        watch = ClockWatch(engine.state)
        await watch.look()
        small = engine.state.clock_ahead_s
        engine.state.clock = ClockAhead(right, 15.0)
        await watch.look()
        await watch.look()
        ahead = engine.state.clock_ahead_s
        measured = engine.state.metrics.registry.get_sample_value("raceday_clock_ahead_seconds")
        engine.state.clock = right
        await watch.look()
        await closed(engine)
        told = [line["action"] for line in map(dict, day.logged("clock_apart") + day.logged("clock_together"))]
        return small, ahead, measured, told

    small, ahead, measured, told = run_server_day(scenario, postgres_url, tmp_path)
    assert abs(small) < 1
    assert ahead == measured == pytest.approx(15, abs=1)
    assert told == ["clock_apart", "clock_together"]


@pytest.mark.parametrize("pool_max", [1, 2, 10])
def test_all_races_of_a_saturday_due_at_once_are_polled_over_a_small_pool(pool_max, postgres_url, tmp_path):
    saturday = plan_day(DAY, saturday=True)
    races = len(saturday.imported_races())

    async def scenario():
        # In real time: on a virtual clock nobody ever waits too long for a connection.
        clock = ClockAhead(SystemClock(), (six_o_clock(DAY) - SystemClock().now()).total_seconds())
        day = await open_day(postgres_url, tmp_path, clock, saturday)
        engine = await day.server(pool_min=1, pool_max=pool_max, feed_requests_per_s=500.0)
        for stage, job in engine.chores.daily._stages(DAY)[:2]:
            await engine.jobs.run(stage.value, job, 600)
        # As after an hour without a server: every race is due this second.
        soon = day.clock.now() + timedelta(minutes=3)
        await day.rows("UPDATE races SET start_time = %s RETURNING race_id", soon)
        await engine.scheduler._look()
        engine.scheduler._start_due(day.clock.now())
        [batch] = engine.scheduler._batches
        await batch
        outcome = engine.state.polls, engine.state.failed_polls, engine.state.database.use.timed_out
        await closed(engine)
        stored = await day.rows("SELECT count(*), count(DISTINCT race_id) FROM race_polls")
        await day.store.close()
        return outcome, stored

    outcome, stored = asyncio.run(scenario())
    assert races > 200
    assert outcome == (races, 0, 0)
    assert stored == [(races, races)]


def test_alerts_that_a_server_without_the_lease_leaves_over_are_gone_on_with_at_once(postgres_url, tmp_path):
    async def scenario(day):
        leader, other = await day.server(sweep_minutes=0), await day.server(sweep_minutes=0)
        leader.start()
        await day.clock.sleep(5)
        other.start()
        await day.clock.sleep(5)
        await other.chores.wakes.start("alert-evaluator", {"resume": True})
        await day.clock.sleep(1)
        ran = await day.rows("SELECT execution_id FROM function_runs WHERE function = 'alert-evaluator'")
        await closed(leader, other)
        return other.jobs.owner, ran

    owner, ran = run_server_day(scenario, postgres_url, tmp_path, races=1)
    assert [execution.rpartition("-")[0] for (execution,) in ran] == [owner]


def test_a_day_that_the_feed_does_not_list_yet_is_asked_for_and_nothing_else(postgres_url, tmp_path):
    async def scenario(day):
        engine = await day.server(look_every_s=15.0)
        engine.start()
        await day.clock.sleep(10 * 60)
        failed = engine.jobs.failed_runs
        await closed(engine)
        functions = await day.rows("SELECT DISTINCT function FROM function_runs WHERE function LIKE 'daily-%%'")
        stages = [await day.store.stage(DAY + timedelta(days=1), stage) for stage in DailyStage]
        return failed, functions, [stage is not None for stage in stages]

    # The example's feed has one day; the next one begins without a meeting.
    begins = datetime.combine(DAY + timedelta(days=1), datetime.min.time(), NZ) + timedelta(hours=7)
    failed, functions, begun = run_server_day(scenario, postgres_url, tmp_path, races=1, begins=begins)
    assert failed == 0
    assert functions == [("daily-meetings",)]
    assert begun == [True, False, False]


def test_without_partitions_nothing_is_lost_and_every_row_gets_its_day_afterwards(postgres_url, tmp_path):
    tables = ("odds_history", "money_flow_history", "race_polls")

    async def scenario(day):
        for table in tables:
            for (partition,) in await day.rows("SELECT partition FROM history_partitions WHERE history = %s", table):
                await day.store.database.execute(f"DROP TABLE {partition}")
        engine = await day.server()
        engine.start()
        await day.until(first_start(day.programme) + timedelta(minutes=1))
        polls = engine.state.polls
        in_default = {table: await day.rows(f"SELECT count(*) FROM {table}_default") for table in tables}
        # While the server polls on.
        made = await prepare_partitions(day.store.database, day.clock, engine.state.log)
        left = {table: await day.rows(f"SELECT count(*) FROM {table}_default") for table in tables}
        kept = {table: await day.rows(f"SELECT count(*) FROM {table}") for table in tables}
        await day.clock.sleep(60)
        failed, after = engine.state.failed_polls, engine.state.polls
        await closed(engine)
        return polls, in_default, made, left, kept, failed, after

    begins = first_start(small_programme(1, 1)) - timedelta(minutes=5)
    polls, in_default, made, left, kept, failed, after = run_server_day(
        scenario, postgres_url, tmp_path, races=1, begins=begins
    )
    assert polls > 5
    assert made >= 12
    for table in tables:
        assert in_default[table][0][0] > 0
        assert left[table] == [(0,)]
        assert kept[table][0][0] >= in_default[table][0][0]
    assert failed == 0
    assert after > polls


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 9, 27), 23), (date(2027, 4, 4), 25)])
def test_a_day_on_which_the_clocks_change_has_a_partition_of_its_own_length(day, hours, postgres_url, tmp_path):
    begins = datetime.combine(day, datetime.min.time(), NZ)

    async def scenario(server_day):
        db = server_day.store.database
        strays = [begins, begins + timedelta(hours=3), datetime.combine(day, datetime.max.time(), NZ)]
        for number, at in enumerate(strays):
            await server_day.rows(
                "INSERT INTO race_polls (id, race_id, polled_at) VALUES (%s, 'r', %s) RETURNING id", str(number), at
            )
        engine = await server_day.server()
        await prepare_partitions(db, server_day.clock, engine.state.log)
        await closed(engine)
        length = await server_day.rows("SELECT day_begins(%s::date + 1) - day_begins(%s)", day, day)
        there = await server_day.rows(f"SELECT count(*) FROM race_polls_{day:%Y_%m_%d}")
        return length, there, await server_day.rows("SELECT count(*) FROM race_polls_default")

    length, there, left = run_server_day(scenario, postgres_url, tmp_path, begins=begins + timedelta(hours=12))
    assert length == [(timedelta(hours=hours),)]
    assert there == [(3,)]
    assert left == [(0,)]


def test_a_feed_that_is_down_is_told_of_once_a_minute_and_each_race_once_a_try(postgres_url, tmp_path):
    async def scenario(day):
        feed = day.gated_feed()
        engine = await day.server(feed=feed)
        engine.start()
        await day.clock.sleep(30)
        feed.refusing = True
        since = f"{day.clock.now():%Y-%m-%dT%H:%M:%S}"
        await day.clock.sleep(240)
        error, failed = engine.state.last_feed_error, engine.state.failed_polls
        told = {
            name: [line for line in day.logged(name) if line["time"] >= since]
            for name in ("feed_attempt", "poll_failed")
        }
        await closed(engine)
        return error, failed, told

    begins = first_start(small_programme(1, 1)) - timedelta(minutes=2)
    error, failed, told = run_server_day(scenario, postgres_url, tmp_path, meetings=4, races=1, begins=begins)
    assert error.startswith("FeedUnavailable")
    assert failed == len(told["poll_failed"]) >= 10
    of_events = [line for line in told["feed_attempt"] if line["endpoint"] == told["feed_attempt"][0]["endpoint"]]
    assert 3 <= len(of_events) <= 5
    assert sum(line["untold_before"] for line in of_events) > len(told["poll_failed"])
