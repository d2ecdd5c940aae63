"""Crons, the queue of eight and row events: nothing runs too early and nothing is lost."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections import Counter
from datetime import timedelta

from function_folders import ANSWER, IGNORES_CANCELLATION, SLEEPS, START, bundle, declare, module, run_host
from raceday.clock import SystemClock
from raceday.host.host import Host
from raceday.host.virtual_time import run_virtual
from raceday.runtime.ports import ProcessPorts
from raceday.store.events import RowEvent


def test_crons_fire_through_a_virtual_day(tmp_path):
    manifest = bundle(
        tmp_path,
        {"daily-meetings": ANSWER, "daily-races": ANSWER, "scheduler": ANSWER, "poller": ANSWER},
        declare("daily-meetings", schedule="0 17 * * *"),
        declare("daily-races", schedule="10 17 * * *"),
        declare("scheduler", schedule="* * * * *", enabled=False),
    )
    ended = []

    async def story(host, clock):
        await host.run(lambda: clock.now() >= START + timedelta(days=1, seconds=-45))
        return host.history

    history = run_host(manifest, story, ended.append)
    assert {name: history.count(name) for name in ("daily-meetings", "daily-races", "scheduler", "poller")} == {
        "daily-meetings": 1,
        "daily-races": 1,
        "scheduler": 1440,
        "poller": 0,
    }
    assert len(ended) == history.count(status="completed") == 1442
    assert {(result.started_at.second, result.started_at.microsecond) for result in ended} == {(0, 250_000)}
    assert len({result.execution_id for result in ended}) == 1442


def test_a_cron_has_no_body_no_content_type_and_no_event(tmp_path):
    source = """
        async def main(context):
            assert context.req.body == ""
            assert set(context.req.headers) == {"x-appwrite-trigger", "x-appwrite-execution-id"}
            assert context.req.headers["x-appwrite-trigger"] == "schedule"
            return context.res.empty()
    """
    manifest = bundle(tmp_path, {"f": source}, declare("f", schedule="* * * * *"))

    async def story(host, _clock):
        await host.run(lambda: host.history.count() == 2)
        return [(result.status_code, result.errors) for result in host.history.recent]

    assert run_host(manifest, story) == [(204, ""), (204, "")]


def test_an_execution_that_overruns_its_minute_does_not_hold_up_the_next(tmp_path):
    source = "import asyncio\nasync def main(context):\n    await asyncio.sleep(80)\n    return context.res.empty()\n"
    manifest = bundle(tmp_path, {"f": source}, declare("f", schedule="* * * * *", timeout=90))

    async def story(host, _clock):
        await host.run(lambda: host.history.count() == 3)
        return [result.started_at.minute for result in host.history.recent]

    assert run_host(manifest, story)[:3] == [0, 1, 2]


def test_at_most_eight_run_at_once_and_the_rest_wait_their_turn(tmp_path):
    manifest = bundle(tmp_path, {"sleeps": SLEEPS}, declare("sleeps", timeout=60))

    async def story(host, _clock):
        ids = [await host.start("sleeps", {"sleep_s": 10}) for _ in range(20)]
        await host.drain()
        return ids, list(host.history.recent)

    ids, ended = run_host(manifest, story)
    assert module("sleeps").most == 8
    assert {result.execution_id for result in ended if result.waited_s == 0.0} == set(ids[:8])
    assert {result.execution_id for result in ended if result.waited_s == 20.0} == set(ids[16:])
    assert Counter(result.waited_s for result in ended) == {0.0: 8, 10.0: 8, 20.0: 4}
    assert {result.duration_s for result in ended} == {10.0}


def test_crons_events_and_executions_share_the_eight(tmp_path):
    manifest = bundle(
        tmp_path,
        {"sleeps": SLEEPS, "on-row": ANSWER, "on-minute": ANSWER},
        declare("sleeps", timeout=60),
        declare("on-row", events=["databases.*.tables.races.rows.*"]),
        declare("on-minute", schedule="* * * * *"),
    )

    async def story(host, clock):
        for _ in range(8):
            await host.start("sleeps", {"sleep_s": 45})
        host.publish(RowEvent("races", "r1", "update", {}))
        await host.run(lambda: host.history.count("on-minute") == 1)
        return {result.function_id: (result.waited_s, result.trigger) for result in host.history.recent}

    waits = run_host(manifest, story)
    assert waits["on-row"] == (45.0, "event")
    assert waits["on-minute"] == (14.75, "schedule")


def test_a_synchronous_execution_does_not_wait_in_the_queue(tmp_path):
    manifest = bundle(tmp_path, {"sleeps": SLEEPS}, declare("sleeps", timeout=60))

    async def story(host, _clock):
        for _ in range(30):
            await host.start("sleeps", {"sleep_s": 20})
        result = await host.execute("sleeps", {"sleep_s": 1})
        await host.drain()
        return result

    assert run_host(manifest, story).waited_s == 0.0


def test_a_row_event_runs_each_subscriber_once_with_the_row(tmp_path):
    source = """
        async def main(context):
            row = context.req.body
            return context.res.json([context.req.headers["x-appwrite-event"], row["$id"], row["$tableId"], row["odds"]])
    """
    manifest = bundle(
        tmp_path,
        {"older": source, "newer": source, "both": source, "updates-only": source, "races": source},
        declare("older", events=["databases.*.collections.entrants.documents.*"]),
        declare("newer", events=["databases.raceday-db.tables.entrants.rows.*"]),
        declare("both", events=["databases.*.collections.entrants.documents.*", "databases.*.tables.entrants.rows.*"]),
        declare("updates-only", events=["databases.*.collections.entrants.documents.*.update"]),
        declare("races", events=["databases.*.tables.races.rows.*"]),
    )

    async def story(host, _clock):
        host.publish(RowEvent("entrants", "e1", "update", {"odds": 4.2}))
        host.publish(RowEvent("entrants", "e2", "upsert", {"odds": 5.0}))
        await host.drain()
        return [(result.function_id, result.body) for result in host.history.recent]

    update = '["databases.raceday-db.tables.entrants.rows.e1.update","e1","entrants",4.2]'
    upsert = '["databases.raceday-db.tables.entrants.rows.e2.upsert","e2","entrants",5.0]'
    assert Counter(run_host(manifest, story)) == Counter(
        [
            *((name, update) for name in ("older", "newer", "both", "updates-only")),
            *((name, upsert) for name in ("older", "newer", "both")),
        ]
    )


def test_events_may_be_published_from_a_thread(tmp_path):
    manifest = bundle(tmp_path, {"f": ANSWER}, declare("f", events=["databases.*.tables.races.rows.*"]))
    served = asyncio.Event()

    async def story(host, _clock):
        writer = threading.Timer(0.05, host.publish, [RowEvent("races", "r1", "update", {})])
        writer.start()
        await served.wait()
        writer.join()
        return host.history.count("f", "completed")

    assert run_host(manifest, story, lambda _result: served.set()) == 1


def test_an_execution_inherits_nothing_from_whoever_started_it(tmp_path):
    source = """
        from contextvars import ContextVar
        from raceday.runtime.ports import current_ports
        label = ContextVar("label", default="clean")
        async def main(context):
            seen = label.get()
            label.set("soiled")
            if context.req.body["deeper"]:
                await current_ports().executions.start("f", {"deeper": False})
            return context.res.text(seen)
    """
    manifest = bundle(tmp_path, {"f": source})

    async def story(host, _clock):
        await host.start("f", {"deeper": True})
        await host.drain()
        return [result.body for result in host.history.recent]

    assert run_host(manifest, story) == ["clean", "clean"]


class SetClock:
    """A machine's clock that someone sets forward while the host lives."""

    def __init__(self, clock):
        self.clock = clock
        self.ahead = timedelta(0)

    def now(self):
        return self.clock.now() + self.ahead

    async def sleep(self, seconds):
        await self.clock.sleep(seconds)


def fired_after_setting(tmp_path, ahead):
    """Run the minutes around 17:00 with the clock set forward at 16:40; return when the 17:00 cron began."""
    manifest = bundle(tmp_path, {"f": ANSWER}, declare("f", schedule="0 17 * * *"))

    async def main(virtual):
        clock = SetClock(virtual)
        host = Host(manifest, ProcessPorts(clock=clock))
        enough = asyncio.Event()
        running = asyncio.create_task(host.run(enough))
        await virtual.sleep(600)
        clock.ahead = ahead
        await virtual.sleep(3600)
        enough.set()
        await running
        return [result.started_at for result in host.history.recent]

    return run_virtual(main, START - timedelta(minutes=29, seconds=30))


def test_a_cron_notices_that_the_clock_was_set_while_it_waited(tmp_path):
    (fired_at,) = fired_after_setting(tmp_path, timedelta(minutes=15))
    due_at = START + timedelta(seconds=30.25)
    assert due_at <= fired_at <= due_at + timedelta(seconds=60)


def test_a_missed_firing_is_not_caught_up(tmp_path, caplog):
    assert fired_after_setting(tmp_path, timedelta(hours=2)) == []
    assert "missed the firing of f" in caplog.text


def test_a_function_that_ignores_its_cancellation_gives_its_slot_back(tmp_path):
    manifest = bundle(tmp_path, {"stubborn": IGNORES_CANCELLATION}, declare("stubborn", timeout=15))

    async def story(host, _clock):
        await host.start("stubborn", {})
        await host.drain()
        return host.history.recent[0]

    result = run_host(manifest, story)
    assert (result.status, result.status_code, result.duration_s) == ("failed", 500, 20.0)
    assert "ignored its cancellation" in result.errors


def test_the_observer_sees_every_execution_and_cannot_break_the_house(tmp_path, caplog):
    manifest = bundle(tmp_path, {"f": ANSWER})
    seen = []

    def observe(result):
        seen.append(result.execution_id)
        raise RuntimeError("the screen is gone")

    async def story(host, _clock):
        await host.start("f", {})
        await host.start("f", {})
        await host.drain()
        return host.history.count("f", "completed")

    assert run_host(manifest, story, observe) == 2
    assert len(seen) == 2
    assert "the observer of executions failed" in caplog.text


def test_what_functions_print_lands_in_their_own_logs_and_the_rest_on_the_screen(tmp_path, capsys):
    source = """
        import asyncio, sys
        async def main(context):
            name = context.req.body["name"]
            print("first", name)
            await asyncio.sleep(5)
            print("second", name, file=sys.stderr)
            return context.res.text(name)
    """
    manifest = bundle(tmp_path, {"f": source}, declare("f", schedule="0 17 * * *"))

    async def story(host, _clock):
        enough = asyncio.Event()
        running = asyncio.create_task(host.run(enough))
        await asyncio.sleep(0)
        await host.start("f", {"name": "a"})
        await host.start("f", {"name": "b"})
        await asyncio.sleep(2)
        sys.stdout.write("the screen\n")
        await host.drain()
        enough.set()
        await running
        return {result.body: result.logs.splitlines()[1:] for result in host.history.recent}

    assert run_host(manifest, story) == {"a": ["first a", "second a"], "b": ["first b", "second b"]}
    assert capsys.readouterr().out == "the screen\n"


def test_the_history_is_bounded_but_counts_everything(tmp_path):
    source = """
        async def main(context):
            return context.res.json({}, 500 if context.req.body["fails"] else 200)
    """
    manifest = bundle(tmp_path, {"f": source})

    async def story(host, _clock):
        for number in range(600):
            await host.start("f", {"fails": number % 100 == 0})
        await host.drain()
        return host.history

    history = run_host(manifest, story)
    assert (history.count(), history.count("f", "failed"), history.count("g")) == (600, 6, 0)
    assert (len(history.recent), len(history.failures)) == (200, 6)


def test_the_same_virtual_hour_is_the_same_twice(tmp_path):
    manifest = bundle(tmp_path, {"f": ANSWER, "g": ANSWER}, *(declare(name, schedule="*/7 * * * *") for name in "fg"))

    def hour():
        ended = []

        async def story(host, clock):
            await host.run(lambda: clock.now() >= START + timedelta(hours=1))

        run_host(manifest, story, ended.append)
        return [(result.execution_id, result.function_id, result.started_at) for result in ended]

    assert hour() == hour()


def test_the_host_also_lives_in_real_time(tmp_path):
    manifest = bundle(tmp_path, {"f": ANSWER}, declare("f", schedule="0 0 1 1 *"))

    async def story():
        host = Host(manifest, ProcessPorts(clock=SystemClock()))
        enough = asyncio.Event()
        running = asyncio.create_task(host.run(enough))
        await host.start("f", {})
        await host.drain()
        enough.set()
        await running
        return host.history.recent[0]

    result = asyncio.run(story())
    assert result.status == "completed"
    assert 0 <= result.duration_s < 5
