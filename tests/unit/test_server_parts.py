"""Small parts of the server: its log, the days of its simulator, what it says of a poll, the address of its API."""

from __future__ import annotations

import io
import json
import logging
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace

import orjson
import pytest

from builders import RACE, race, timing
from raceday.domain.cadence import PollTarget
from raceday.domain.racing_day import nz_midnight
from raceday.domain.status import RaceStatus
from raceday.errors import ConfigError, FeedUnavailable, StoreUnavailable
from raceday.jobs.poll_race import PollAttempt, PollOutcome
from raceday.jobs.stage_meter import StageMeter
from raceday.runtime.log import JsonLog
from raceday.server.api_server import base_url, listen
from raceday.server.log import LIBRARIES, open_log, take_up_libraries
from raceday.server.metrics import ServerMetrics
from raceday.server.poll_report import SLOW_BATCH_MS, PollBatch, report_poll
from raceday.server.settings import ServerSettings
from raceday.server.world import EverydayFeed
from raceday.simulator.event_options import EventOptions
from raceday.simulator.feed import SimulatedFeed
from raceday.simulator.programme import plan_day
from raceday.store.postgres.database import PoolUse

NOON = datetime(2026, 11, 22, 0, tzinfo=UTC)
TARGET = PollTarget(RACE, "m", race().advertised_start, RaceStatus.OPEN)


class At:
    def __init__(self, now=NOON):
        self.at = now

    def now(self):
        return self.at


class Stopwatch:
    def __init__(self):
        self.s = 0.0

    def __call__(self):
        return self.s


@pytest.fixture
def state():
    lines = []
    log = JsonLog(lines.append, lines.append, "INFO")
    state = SimpleNamespace(
        clock=At(), log=log, metrics=ServerMetrics(), polls=0, failed_polls=0,
        last_poll_at=None, last_feed_success_at=None, last_feed_error="", lines=lines,
    )  # fmt: skip
    state.logged = lambda: [json.loads(line) for line in lines]
    return state


def metered(total_s=0.01, **stages_s):
    stopwatch = Stopwatch()
    meter = StageMeter(stopwatch)
    for name, taken_s in stages_s.items():
        with meter.stage(name):
            stopwatch.s += taken_s
    stopwatch.s = total_s
    return meter


def test_a_meter_measures_stages_also_those_that_fail():
    stopwatch = Stopwatch()
    meter = StageMeter(stopwatch)

    def failing():
        with meter.stage("fetch"):
            stopwatch.s += 0.25
            raise ValueError

    with pytest.raises(ValueError):
        failing()
    with meter.stage("write"):
        stopwatch.s += 0.5
    stopwatch.s += 0.25
    assert meter.milliseconds() == {"fetch_ms": 250.0, "transform_ms": 0.0, "write_ms": 500.0, "total_ms": 1000.0}


def test_a_poll_is_logged_with_its_stages_and_counted(state):
    meter = metered(0.02, fetch=0.01, transform=0.002, write=0.004)
    report_poll(state, PollAttempt(PollOutcome.POLLED, TARGET), timing(NOON, NOON - timedelta(seconds=1)), meter)
    (line,) = state.logged()
    assert line == {
        "level": "INFO", "action": "race_processed", "race_id": RACE,
        "fetch_ms": 10.0, "transform_ms": 2.0, "write_ms": 4.0, "total_ms": 20.0,
    }  # fmt: skip
    assert (state.polls, state.failed_polls, state.last_poll_at, state.last_feed_success_at) == (1, 0, NOON, NOON)
    samples = {
        (sample.name, *sample.labels.values()): sample.value
        for metric in state.metrics.registry.collect()
        for sample in metric.samples
    }
    assert samples["raceday_polls_total", "polled"] == 1
    assert samples["raceday_poll_stage_seconds_sum", "fetch"] == pytest.approx(0.01)
    assert samples["raceday_poll_lateness_seconds_sum",] == pytest.approx(1.0)


def test_a_feed_that_fails_is_remembered_and_a_store_that_fails_is_not_blamed_on_it(state):
    feed = PollAttempt(PollOutcome.FAILED, TARGET, error=FeedUnavailable("no answer"))
    report_poll(state, feed, timing(NOON), metered(fetch=0.01))
    assert (state.failed_polls, state.last_feed_success_at) == (1, None)
    assert state.last_feed_error == "FeedUnavailable: no answer"
    store = PollAttempt(PollOutcome.FAILED, TARGET, error=StoreUnavailable("gone"))
    report_poll(state, store, timing(NOON), metered(fetch=0.01, transform=0.01))
    assert (state.failed_polls, state.last_feed_success_at) == (2, NOON)


def test_a_race_that_another_server_has_says_nothing(state):
    report_poll(state, PollAttempt(PollOutcome.CLAIMED_ELSEWHERE, TARGET), timing(NOON), metered())
    assert (state.logged(), state.polls, state.failed_polls) == ([], 0, 0)


@pytest.mark.parametrize(("total_s", "warned"), [(1.99, False), (2.01, True)])
def test_a_slow_race_is_warned_of(total_s, warned, state):
    report_poll(state, PollAttempt(PollOutcome.POLLED, TARGET), timing(NOON), metered(total_s))
    assert ("race_slow" in [line["action"] for line in state.logged()]) is warned


def test_a_batch_says_how_its_races_ended_and_is_warned_of_when_slow(state):
    stopwatch = Stopwatch()
    batch = PollBatch(3, stopwatch)
    for outcome in (PollOutcome.POLLED, PollOutcome.FAILED, PollOutcome.CLAIMED_ELSEWHERE):
        batch.count(PollAttempt(outcome, TARGET), metered(0.5))
    stopwatch.s = SLOW_BATCH_MS / 1000 + 1
    batch.log(state.log)
    told, warned = state.logged()
    assert (told["action"], warned["action"]) == ("batch_processed", "batch_slow")
    figures = ("races", "succeeded", "failed", "elsewhere", "max_ms", "batch_ms")
    assert [told[name] for name in figures] == [3, 1, 1, 1, 500.0, 16000.0]


def test_lines_bear_their_time_and_never_a_secret():
    stream = io.StringIO()
    settings = ServerSettings.model_validate(
        {"DATABASE_URL": "postgresql://u:canary%2D1@h/db", "RACEDAY_API_KEYS": "canary-2-of-the-api"}
    )
    log = open_log(settings, At(), stream)
    log.info("tried", url="postgresql://u:canary%2D1@h/db", password="canary-1", keys=["canary-2-of-the-api"])
    line = json.loads(stream.getvalue())
    assert (line["time"], line["level"], line["action"]) == ("2026-11-22T00:00:00.000+00:00", "INFO", "tried")
    assert "canary" not in stream.getvalue()


def test_what_libraries_warn_of_goes_into_the_log(state, caplog):
    loggers = [logging.getLogger(name) for name in LIBRARIES]
    before = [(logger.handlers, logger.propagate, logger.level) for logger in loggers]
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    try:
        take_up_libraries(state.log)
        logging.getLogger("psycopg.pool").info("nothing of interest")
        logging.getLogger("psycopg.pool").warning("error connecting in %r", "raceday")
        logging.getLogger("uvicorn.error").error("Exception in ASGI application", exc_info=RuntimeError("broken"))
    finally:
        for logger, (handlers, propagates, level) in zip(loggers, before, strict=True):
            logger.handlers, logger.propagate = handlers, propagates
            logger.setLevel(level)
    warned, failed = state.logged()
    assert (warned["level"], warned["message"]) == ("WARNING", "error connecting in 'raceday'")
    assert (failed["level"], failed["error"]) == ("ERROR", "RuntimeError: broken")


def test_the_simulator_of_every_day_has_the_same_days_as_the_simulator_of_one(state):
    day = date(2026, 11, 23)
    clock = At(nz_midnight(day) + timedelta(hours=13))
    one, every = SimulatedFeed(plan_day(day), clock.now), EverydayFeed(clock.now)
    assert every.meetings("2026-11-23", "2026-11-23") == one.meetings("2026-11-23", "2026-11-23")
    meeting = plan_day(day).meetings[0]
    assert every.meeting(meeting.meeting_id) == one.meeting(meeting.meeting_id)
    race_id = meeting.races[0].race_id
    options = EventOptions.from_query({})
    assert every.event(race_id, options) == one.event(race_id, options)
    listed = orjson.loads(every.races_list("2026-11-23", "2026-11-23"))
    assert listed["data"]["races"] == orjson.loads(one.races_list("2026-11-23", "2026-11-23"))["data"]["races"]


def test_the_simulator_goes_on_over_midnight_without_losing_a_race():
    clock = At(nz_midnight(date(2026, 11, 23)) - timedelta(minutes=1))
    feed = EverydayFeed(clock.now)
    late = plan_day(date(2026, 11, 22)).imported_races()[-1].race_id
    options = EventOptions.from_query({})
    assert feed.event(late, options) is not None
    clock.at += timedelta(minutes=2)
    assert feed.event(late, options) is not None
    tomorrow = orjson.loads(feed.meetings("2026-11-23", "2026-11-23"))
    assert len(tomorrow["data"]["meetings"]) == len(plan_day(date(2026, 11, 23)).meetings)
    clock.at += timedelta(days=2)
    assert feed.event(late, options) is None


def test_the_pool_is_shown_as_it_stands_at_each_reading():
    metrics = ServerMetrics()
    now = [PoolUse(1, 2, 0, 10)]
    metrics.watch_pool(lambda: now[0])

    def read():
        names = ("active", "idle", "waiting", "max")
        return [metrics.registry.get_sample_value(f"raceday_pool_{name}") for name in names]

    assert read() == [1, 2, 0, 10]
    now[0] = PoolUse(10, 0, 3, 10)
    assert read() == [10, 0, 3, 10]


def test_the_api_says_where_it_is_and_what_is_in_its_way():
    with listen("0.0.0.0", 0) as everywhere:
        port = everywhere.getsockname()[1]
        assert base_url(everywhere) == f"http://127.0.0.1:{port}"
        with pytest.raises(ConfigError, match=f"port {port}"):
            listen("0.0.0.0", port)
    with pytest.raises(ConfigError, match="RACEDAY_HOST"):
        listen("203.0.113.1", 0)
