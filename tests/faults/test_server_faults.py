"""A database that fails under a polling server: healed in seconds, nothing lost, nothing twice, and /health says so."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import orjson
import psycopg
import pytest

from postgres_server import TestServer
from race_day import small_programme
from raceday.clock import SystemClock
from raceday.domain.cadence import FOREVER_S, Band, CadencePolicy
from raceday.domain.poll_audit import audit_polls
from raceday.domain.race_poll import RacePoll
from raceday.server.api.app import create_app
from raceday.server.api.settings import ApiSettings
from raceday.server.engine import Engine
from raceday.transport import InProcess, exchange
from server_day import ServerDay, closed, first_start, open_day

SPEED = 10
"""The clock of these tests runs so many times as fast as the machine's: a race is polled every second and a half."""
OFTEN = CadencePolicy("often", (Band(FOREVER_S, 15),), 15)
HEALED_S = 5.0
ROOT = Path(__file__).resolve().parents[2]


class FastClock(SystemClock):
    """A clock that hurries, from a given instant on."""

    def __init__(self, start: datetime) -> None:
        self._start = start
        self._began_s = time.monotonic()

    def now(self) -> datetime:
        return self._start + timedelta(seconds=(time.monotonic() - self._began_s) * SPEED)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds) / SPEED)


@dataclass
class Load:
    """A server that polls, what it was told is written, and somebody who asks how it is."""

    day: ServerDay
    engine: Engine
    url: str
    told: list[RacePoll] = field(default_factory=list)
    answers: list[tuple[float, int]] = field(default_factory=list)

    async def ask(self) -> None:
        """Ask for /health until cancelled."""
        api = InProcess(create_app(self.engine.state, ApiSettings()))
        while True:
            answer = await exchange(api, "GET", "http://raceday/health", {}, max_body_bytes=100_000)
            orjson.loads(answer.body)
            self.answers.append((time.monotonic(), answer.status))
            await asyncio.sleep(0.05)

    async def polls_again(self, since_s: float) -> float:
        """Wait until every race has been polled once more; return the seconds since then."""
        races = {race.race_id for race in self.day.programme.imported_races()}
        before = len(self.told)
        while {poll.race.race_id for poll in self.told[before:]} != races:
            await asyncio.sleep(0.02)
            assert time.monotonic() - since_s < 4 * HEALED_S
        return time.monotonic() - since_s

    async def is_well_again(self, since_s: float) -> float:
        """Wait until /health says so; return the seconds since then."""
        while self.answers[-1][1] != 200:
            await asyncio.sleep(0.02)
            assert time.monotonic() - since_s < 4 * HEALED_S
        return time.monotonic() - since_s


def under_load(url: str, folder: Path, fault: Callable[[Load], Awaitable[None]]) -> Load:
    """Let a server poll, bring the fault about, and hold what is stored against what was said to be."""
    programme = small_programme(4, 3)

    async def live() -> Load:
        clock = FastClock(first_start(programme) - timedelta(minutes=20))
        day = await open_day(url, folder, clock, programme)
        engine = await day.server()
        load = Load(day, engine, url)
        tell = engine.scheduler.on_poll

        def on_poll(poll: RacePoll) -> None:
            load.told.append(poll)
            tell(poll)

        engine.scheduler.on_poll = on_poll
        engine.scheduler.plan = replace(engine.scheduler.plan, policy=OFTEN)
        engine.start()
        asking = asyncio.create_task(load.ask())
        try:
            await load.polls_again(time.monotonic())
            await fault(load)
        finally:
            asking.cancel()
            await closed(engine)
            await day.store.close()
        return load

    return asyncio.run(live())


def nothing_lost_nothing_twice(load: Load) -> None:
    with psycopg.connect(load.url) as connection:
        stored = connection.execute("SELECT race_id, polled_at FROM race_polls").fetchall()
        open_claims = connection.execute("SELECT count(*) FROM poll_claims WHERE owner IS NOT NULL").fetchone()
        doubled = connection.execute(
            "SELECT count(*) FROM (SELECT entrant_id, type, event_timestamp, odds FROM odds_history "
            "GROUP BY 1, 2, 3, 4 HAVING count(*) > 1) AS twice"
        ).fetchone()
    rows = {(race_id, f"{at:%H:%M:%S}") for race_id, at in stored}
    told = {(poll.race.race_id, f"{poll.timing.polled_at:%H:%M:%S}") for poll in load.told}
    assert told <= rows
    assert len(stored) == len(set(stored))
    assert open_claims == (0,)
    assert doubled == (0,)

    async def marks():
        day = await open_day(load.url, load.day.folder, SystemClock(), load.day.programme)
        found = await day.store.poll_marks()
        await day.store.close()
        return audit_polls(found)

    assert asyncio.run(marks()).double_polls == 0


@pytest.fixture
def committed(postgres_url: str) -> str:
    """A database that keeps what it has said it wrote."""
    name = psycopg.conninfo.conninfo_to_dict(postgres_url)["dbname"]
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f'ALTER DATABASE "{name}" SET synchronous_commit = on'.encode())
    return postgres_url


def end_connections(url: str) -> int:
    with psycopg.connect(url, autocommit=True) as connection:
        ended = connection.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        ).fetchone()
    return 0 if ended is None else int(ended[0])


def test_connections_that_are_ended_under_load_are_replaced_and_nothing_is_lost(committed, tmp_path):
    healed = []

    async def fault(load):
        for _ in range(3):
            at = time.monotonic()
            assert await asyncio.to_thread(end_connections, load.url) > 0
            healed.append(await load.polls_again(at))
            healed.append(await load.is_well_again(at))

    load = under_load(committed, tmp_path, fault)
    assert max(healed) < HEALED_S
    nothing_lost_nothing_twice(load)


def test_a_crash_of_the_database_under_load_is_healed_and_nothing_is_lost(committed, tmp_path):
    healed = []

    async def fault(load):
        ((backend,),) = await load.day.rows(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() LIMIT 1"
        )
        at = time.monotonic()
        os.kill(backend, signal.SIGKILL)
        healed.append(await load.polls_again(at))
        healed.append(await load.is_well_again(at))

    load = under_load(committed, tmp_path, fault)
    assert max(healed) < HEALED_S
    nothing_lost_nothing_twice(load)


def test_while_the_database_is_down_health_says_503_and_200_again_within_seconds(
    committed: str, postgres_server: TestServer, tmp_path: Path
) -> None:
    times: dict[str, float] = {}

    async def fault(load: Load) -> None:
        process_id = postgres_server.postgres.process_id
        assert process_id is not None
        times["down"] = time.monotonic()
        os.kill(process_id, signal.SIGINT)
        await asyncio.sleep(3)
        times["started"] = time.monotonic()
        await asyncio.to_thread(start_again, postgres_server)
        times["up"] = time.monotonic()
        times["healed"] = await load.polls_again(times["up"])
        times["well"] = await load.is_well_again(times["up"])

    load = under_load(committed, tmp_path, fault)
    assert times["healed"] < HEALED_S
    before = {status for at, status in load.answers if at < times["down"]}
    during = [status for at, status in load.answers if times["down"] + 1 < at < times["started"]]
    assert before == {200}
    assert set(during) == {503}
    assert times["well"] < HEALED_S
    nothing_lost_nothing_twice(load)


def start_again(server: TestServer) -> None:
    """Start PostgreSQL from another process, as an operator does; it runs on when that process ends."""
    code = "import sys; from pathlib import Path; from raceday.server.embedded import EmbeddedPostgres\n"
    code += "EmbeddedPostgres.start(Path(sys.argv[1]))"
    folder = psycopg.conninfo.conninfo_to_dict(server.postgres.url())["host"]
    environment = os.environ | {"PYTHONPATH": str(ROOT / "shared")}
    subprocess.run([sys.executable, "-c", code, str(folder)], check=True, env=environment, capture_output=True)
