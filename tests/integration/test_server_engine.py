"""The server at work on PostgreSQL: a whole day, several servers on one database, servers that end in the middle."""

from __future__ import annotations

from datetime import timedelta

import pytest

from race_day import run_day, small_programme
from raceday.domain.poll_audit import audit_polls
from raceday.domain.racing_day import DailyStage
from server_day import DAY, closed, first_start, killed, run_server_day, six_o_clock

SHORTLY = timedelta(minutes=8)


def begins(races=2):
    return first_start(small_programme(1, races)) - SHORTLY


def test_a_day_on_the_server_leaves_the_figures_of_a_day_on_the_functions(postgres_url, tmp_path):
    async def served(day):
        engine = await day.server(look_every_s=15.0)
        engine.start()
        await day.until_over()
        await engine.moved.drained()
        await day.clock.sleep(900)
        marks = await day.store.poll_marks()
        counts = await day.store.day_counts()
        runs = (engine.jobs.runs, engine.jobs.failed_runs)
        await closed(engine)
        closings = await day.rows("SELECT count(*) FROM race_closings")
        return counts, audit_polls(marks), closings[0][0], runs, day.logged("day_imported")

    async def by_functions(day):
        await day.bundle.host.run(lambda: day.clock.now() > day.programme.last_moment() + timedelta(minutes=15))
        return await day.bundle.store.day_counts()

    dawn = first_start(small_programme(1, 2)) - timedelta(minutes=90)
    server, audit, closings, (runs, failed_runs), imported = run_server_day(
        served, postgres_url, tmp_path, races=2, begins=dawn
    )
    cadence = {"RACEDAY_CADENCE": "high-frequency"}
    functions = run_day(by_functions, tmp_path, races=2, environment=cadence, begins=dawn)
    assert server.races_by_status == functions.races_by_status
    for figure in ("meetings", "races", "entrants", "results", "race_pools", "money_flow_buckets"):
        assert getattr(server, figure) == getattr(functions, figure), figure
    # The imports are some minutes apart, and with them the first prices: what came later is the same.
    assert server.odds_ticks == pytest.approx(functions.odds_ticks, rel=0.02)
    assert server.notifications == pytest.approx(functions.notifications, rel=0.05)
    assert server.polls == pytest.approx(functions.polls, rel=0.05)
    assert server.silks == server.entrants
    assert (audit.double_polls, audit.late_polls, audit.lateness_p95_s) == (0, 0, 0.0)
    assert closings == server.races
    assert runs > 0
    assert failed_runs == 0
    assert [(day["kind"], day["meetings"], day["races"], day["entrants"]) for day in imported] == [
        ("daily-initialisation", 1, 2, server.entrants)
    ]


def test_two_servers_on_one_database_poll_each_race_once_an_interval(postgres_url, tmp_path):
    async def scenario(day):
        both = [await day.server(), await day.server()]
        for engine in both:
            engine.start()
        await day.until(first_start(day.programme) + timedelta(minutes=4))
        polls = [engine.state.polls for engine in both]
        failed = [engine.state.failed_polls for engine in both]
        await closed(*both)
        leases = await day.rows("SELECT count(*) FROM server_leases")
        return audit_polls(await day.store.poll_marks()), polls, failed, len(day.logged("lease_taken")), leases

    audit, polls, failed, leading, leases = run_server_day(scenario, postgres_url, tmp_path, races=2, begins=begins())
    assert (audit.double_polls, audit.late_polls) == (0, 0)
    assert audit.lateness_p95_s < 1
    assert min(polls) > 0
    assert failed == [0, 0]
    assert leading == 1
    assert leases == [(0,)]


def test_a_race_whose_server_is_killed_in_the_middle_of_a_poll_is_polled_within_one_interval(postgres_url, tmp_path):
    async def scenario(day):
        feed = day.gated_feed()
        victim, other = await day.server(feed=feed), await day.server()
        victim.start()
        await day.until(first_start(day.programme) - timedelta(minutes=4))
        feed.gate.clear()
        while not await day.rows("SELECT 1 FROM poll_claims WHERE owner = %s", victim.jobs.owner):
            await day.clock.sleep(1)
        other.start()
        await day.clock.sleep(1)
        polled_by_victim = victim.state.polls
        await killed(victim)
        claims = await day.rows("SELECT count(*) FROM poll_claims WHERE owner = %s", victim.jobs.owner)
        died_at = day.clock.now()
        await day.clock.sleep(120)
        lateness = await day.rows("SELECT max(lateness_s) FROM race_polls WHERE polled_at >= %s", died_at)
        taken_over = day.logged("lease_taken")
        await closed(other)
        return polled_by_victim, claims, lateness, other.state.polls, len(taken_over)

    polled_by_victim, claims, lateness, polled_by_other, leading = run_server_day(
        scenario, postgres_url, tmp_path, races=2, begins=begins()
    )
    assert polled_by_victim > 0
    assert claims[0][0] > 0
    assert lateness[0][0] <= 15
    assert polled_by_other >= 8
    assert leading == 2


def test_a_server_that_stops_in_the_middle_of_a_poll_leaves_no_claim_and_no_lease(postgres_url, tmp_path):
    async def scenario(day):
        feed = day.gated_feed()
        engine = await day.server(feed=feed)
        engine.start()
        await day.until(first_start(day.programme) - timedelta(minutes=3))
        feed.gate.clear()
        while not await day.rows("SELECT 1 FROM poll_claims WHERE owner IS NOT NULL"):
            await day.clock.sleep(1)
        asked_at = day.clock.now()
        await closed(engine)
        took = day.clock.now() - asked_at
        claims = await day.rows("SELECT count(*) FROM poll_claims WHERE owner IS NOT NULL")
        return took, claims, await day.rows("SELECT count(*) FROM server_leases")

    took, claims, leases = run_server_day(scenario, postgres_url, tmp_path, races=1, begins=begins(1))
    assert took <= timedelta(seconds=6)
    assert claims == [(0,)]
    assert leases == [(0,)]


def test_one_race_that_fails_costs_no_other_and_is_tried_again(postgres_url, tmp_path):
    async def scenario(day):
        engine = await day.server()
        broken = day.programme.imported_races()[0].race_id
        real = engine.scheduler.ports.store.race_states
        failing = {broken}

        async def race_states(race_ids):
            if failing & set(race_ids):
                raise RuntimeError("nobody foresaw this")
            return await real(race_ids)

        engine.scheduler.ports.store.race_states = race_states
        engine.start()
        await day.until(first_start(day.programme) - timedelta(minutes=3))
        during = await day.rows("SELECT race_id, count(*) FROM race_polls WHERE due_at IS NOT NULL GROUP BY 1")
        failures = await day.rows("SELECT DISTINCT race_id, error FROM poll_logs")
        state = engine.state.failed_polls
        failing.clear()
        await day.clock.sleep(60)
        after = await day.rows("SELECT count(*) FROM race_polls WHERE race_id = %s AND due_at IS NOT NULL", broken)
        await closed(engine)
        return broken, during, failures, state, after

    broken, during, failures, failed, after = run_server_day(scenario, postgres_url, tmp_path, races=2, begins=begins())
    assert broken not in dict(during)
    assert len(during) == 1
    assert failures == [(broken, "RuntimeError")]
    assert failed >= 10
    assert after[0][0] >= 3


def test_an_import_that_finds_no_feed_goes_on_when_there_is_one(postgres_url, tmp_path):
    async def scenario(day):
        feed = day.gated_feed()
        feed.refusing = True
        engine = await day.server(feed=feed, look_every_s=15.0)
        engine.start()
        await day.clock.sleep(20 * 60)
        nothing = await day.store.races_on(DAY)
        feed.refusing = False
        await day.clock.sleep(10 * 60)
        stages = [await day.store.stage(DAY, stage) for stage in DailyStage]
        await closed(engine)
        asked = len(day.requests.requests)
        again = await day.server(look_every_s=15.0)
        again.start()
        await day.clock.sleep(30)
        lists = [request for request in day.requests.requests[asked:] if "/events/" not in request.path]
        await closed(again)
        return nothing, stages, day.logged("day_incomplete"), day.logged("day_imported"), lists

    nothing, stages, incomplete, imported, lists = run_server_day(scenario, postgres_url, tmp_path)
    assert nothing == []
    assert all(stage.complete for stage in stages)
    assert len(incomplete) >= 9
    assert len(imported) == 1
    assert imported[0]["time"] < f"{six_o_clock(DAY) + timedelta(hours=1):%Y-%m-%dT%H}"
    assert lists == []


def test_the_day_is_imported_again_in_the_evening_and_what_is_complete_is_not_asked_for_twice(postgres_url, tmp_path):
    async def scenario(day):
        engine = await day.server(look_every_s=15.0)
        engine.start()
        await day.clock.sleep(120)
        asked = len(day.requests.requests)
        await day.clock.sleep(120)
        quiet = [request.path for request in day.requests.requests[asked:] if "/events/" not in request.path]
        await day.clock.sleep(180)
        await closed(engine)
        return quiet, [(line["kind"], line["time"]) for line in day.logged("day_imported")]

    evening = six_o_clock(DAY) + timedelta(hours=14, minutes=55)
    quiet, imported = run_server_day(scenario, postgres_url, tmp_path, races=1, begins=evening)
    assert quiet == []
    assert [kind for kind, _ in imported] == ["daily-initialisation", "daily-back-fill"]
    assert imported[1][1] >= f"{evening + timedelta(minutes=5):%Y-%m-%dT%H:%M}"
