"""The whole server in one process: it starts, answers, and ends in order, also when a part of it breaks."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import subprocess
import tempfile
import threading
import urllib.request
from pathlib import Path

import psycopg
import pytest

from raceday.errors import RaceDayError, StoreUnavailable
from raceday.runtime.log import JsonLog
from raceday.server import service
from raceday.server.embedded import EmbeddedPostgres
from raceday.server.log import LIBRARIES
from raceday.server.scheduler import Scheduler
from raceday.server.settings import FeedChoice, ServerSettings

STOP_S = 10.0


@pytest.fixture(autouse=True)
def loggers_as_before():
    """The server takes the libraries' logs for the whole process; the next test wants them back."""
    before = [(logger, logger.handlers, logger.propagate) for logger in map(logging.getLogger, LIBRARIES)]
    yield
    for logger, handlers, propagates in before:
        logger.handlers, logger.propagate = handlers, propagates


def settings(url, tmp_path, **more):
    given = {"DATABASE_URL": url, "PORT": 0, "RACEDAY_FEED": FeedChoice.SIMULATOR, "RACEDAY_FOLDER": tmp_path}
    return ServerSettings.model_validate(given | more)


def asked(url):
    with urllib.request.urlopen(url, timeout=5) as answer:
        return answer.status, json.loads(answer.read())


def connections_of(url):
    with psycopg.connect(url) as connection:
        return connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        ).fetchone()


def test_a_server_answers_from_its_start_to_its_end_and_leaves_no_connection(postgres_url, tmp_path, capfd):
    told = []

    async def scenario():
        stop = asyncio.Event()
        serving = asyncio.create_task(service.serve(settings(postgres_url, tmp_path), told.append, stop=stop))
        while not told:
            await asyncio.sleep(0.05)
            assert not serving.done()
        api = told[0].api
        health = await asyncio.to_thread(asked, f"{api}/health")
        began = asyncio.get_running_loop().time()
        stop.set()
        await serving
        return health, asyncio.get_running_loop().time() - began

    (status, health), took_s = asyncio.run(scenario())
    assert (status, health["database"]["status"], health["scheduler"]["status"]) == (200, "ok", "ok")
    assert took_s < STOP_S
    assert told[0].feed.startswith("simulator")
    assert connections_of(postgres_url) == (0,)
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    actions = [line["action"] for line in lines]
    assert [action for action in actions if action.startswith(("pool_opened", "server_"))] == [
        "pool_opened", "server_started", "server_stopped",
    ]  # fmt: skip
    opened = lines[actions.index("pool_opened")]
    assert (opened["largest"], opened["smallest"], opened["idle_s"], opened["wait_s"]) == (10, 2, 30.0, 2.0)


def test_a_server_whose_scheduler_breaks_ends_with_an_error_and_in_order(postgres_url, tmp_path, monkeypatch):
    async def breaks(_self):
        await asyncio.sleep(0.2)
        raise RuntimeError("nobody foresaw this")

    monkeypatch.setattr(Scheduler, "run", breaks)
    with pytest.raises(RaceDayError, match=r"engine.*nobody foresaw this"):
        asyncio.run(service.serve(settings(postgres_url, tmp_path), lambda _: None, stop=asyncio.Event()))
    assert connections_of(postgres_url) == (0,)


def test_without_a_database_a_server_says_so_in_the_end(tmp_path, monkeypatch):
    monkeypatch.setattr(service, "DATABASE_TRIES", 2)
    monkeypatch.setattr(service, "DATABASE_PAUSE_S", 0.01)
    nobody = settings("postgresql://postgres@127.0.0.1:1/raceday", tmp_path)
    with pytest.raises(StoreUnavailable, match="does not answer"):
        asyncio.run(service.serve(nobody, lambda _: None, stop=asyncio.Event()))


def test_a_server_that_is_stopped_while_it_waits_for_a_lock_at_its_start_ends_at_once(postgres_url, tmp_path, capfd):
    async def scenario():
        blocker = await psycopg.AsyncConnection.connect(postgres_url)
        await blocker.execute("LOCK TABLE entrants IN ROW EXCLUSIVE MODE")
        stop = asyncio.Event()
        serving = asyncio.create_task(service.serve(settings(postgres_url, tmp_path), told.append, stop=stop))
        await asyncio.sleep(1)
        stop.set()
        began = asyncio.get_running_loop().time()
        await serving
        await blocker.close()
        return asyncio.get_running_loop().time() - began

    told = []
    assert asyncio.run(scenario()) < 1
    assert told == []
    actions = [json.loads(line)["action"] for line in capfd.readouterr().err.splitlines()]
    assert "server_started" not in actions
    assert actions[-1] == "server_stopped"
    assert connections_of(postgres_url) == (0,)


def test_the_last_server_stops_postgresql_also_when_another_one_was_killed_meanwhile():
    # Not in pytest's own folder: that is its user's alone, and where tests run as root PostgreSQL is somebody else.
    with tempfile.TemporaryDirectory(prefix="raceday-shared-") as folder:
        Path(folder).chmod(0o755)
        postgres = EmbeddedPostgres.start(Path(folder) / "files")
        killed = subprocess.Popen(["true"])
        for ended in (False, True):
            # At first not even looked after by its parent.
            if ended:
                killed.wait()
                postgres = EmbeddedPostgres.start(Path(folder) / "files")
            else:
                os.waitid(os.P_PID, killed.pid, os.WEXITED | os.WNOWAIT)
            postgres._server.global_process_id_list.get_and_add(killed.pid)
            psycopg.connect(postgres.url()).close()
            postgres.stop()
            postgres.stop()
            with pytest.raises(psycopg.OperationalError):
                psycopg.connect(postgres.url())


def test_a_stop_that_does_not_end_is_forced_and_said_so(monkeypatch):
    lines = []
    log = JsonLog(lines.append, lines.append, "INFO")
    ended = threading.Event()
    codes = []

    def end(code):
        codes.append(code)
        ended.set()

    monkeypatch.setattr(service.os, "_exit", end)
    monkeypatch.setattr(service, "FORCED_AFTER_S", 0.1)

    async def scenario():
        stop = service._on_signals(log)
        for number in (signal.SIGTERM, signal.SIGINT):
            os.kill(os.getpid(), number)
            await stop.wait()
        await asyncio.to_thread(ended.wait, 5)

    asyncio.run(scenario())
    actions = [json.loads(line)["action"] for line in lines]
    assert codes == [1]
    assert sorted(actions) == ["stop_asked", "stop_asked_again", "stop_forced"]
    assert service.FORCED_AFTER_S < STOP_S


def test_a_database_that_hangs_does_not_hold_up_the_end(postgres_url, tmp_path):
    async def scenario():
        stop = asyncio.Event()
        told = asyncio.Event()
        serving = asyncio.create_task(service.serve(settings(postgres_url, tmp_path), lambda _: told.set(), stop=stop))
        await told.wait()
        await asyncio.sleep(1.5)
        blocker = await psycopg.AsyncConnection.connect(postgres_url)
        await blocker.execute("LOCK TABLE poll_claims, races, server_leases, daily_stages IN ACCESS EXCLUSIVE MODE")
        await asyncio.sleep(2)
        began = asyncio.get_running_loop().time()
        stop.set()
        await serving
        took_s = asyncio.get_running_loop().time() - began
        await blocker.close()
        return took_s

    assert asyncio.run(scenario()) < STOP_S
