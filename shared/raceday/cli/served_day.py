"""One accelerated day on the server: its own scheduler, import and chores over PostgreSQL, on a virtual clock.

The database is made for the day on the configured server and dropped after it.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from psycopg import sql

from raceday.cli.demo_outcome import DemoOutcome, DemoPlan
from raceday.cli.demo_people import save_demo_alerts
from raceday.clock import Clock
from raceday.domain.poll_audit import audit_polls
from raceday.domain.racing_day import NZ, DailyStage
from raceday.errors import ConfigError
from raceday.host.virtual_time import VirtualTimeLoop, run_virtual
from raceday.jobs.race_coverage import race_coverages
from raceday.runtime.log import JsonLog
from raceday.server.daily import INITIALISATION
from raceday.server.embedded import EmbeddedPostgres
from raceday.server.engine import Engine, open_engine
from raceday.server.log import open_log, take_up_libraries
from raceday.server.operations.database_place import EMBEDDED_DATABASE, embedded_folder
from raceday.server.operations.scratch_database import beside, drop_database, make_database, url_of
from raceday.server.partitions import prepare_partitions
from raceday.server.settings import FeedChoice, ServerSettings
from raceday.server.state import ServerState
from raceday.server.world import open_world
from raceday.simulator.app import simulator_app
from raceday.simulator.faults import PROFILES
from raceday.simulator.feed import SimulatedFeed
from raceday.simulator.programme import DayProgramme, plan_day
from raceday.simulator.request_log import RequestLog
from raceday.store.ports import RaceStore
from raceday.store.postgres.database import PoolLimits
from raceday.store.postgres.migrate import migrate_up
from raceday.store.postgres.store import PostgresStore
from raceday.transport import InProcess

LONGEST_DAY = timedelta(hours=30)
DEMO_CADENCE = "enhanced"
"""The demo's own, so that its figures can be held against these; the server's usual one polls ten times as often."""
LOOK_EVERY_S = 15.0
"""There is no other server whose polls would have to be seen: one look an interval is enough."""
POOL = PoolLimits(largest=10, smallest=10, idle_s=LONGEST_DAY.total_seconds() * 2)
"""Never smaller than at the start: what shrinks a pool waits by the machine's clock, which hardly moves here."""


@dataclass(frozen=True, slots=True)
class ServedDayPlan:
    """Which day is modelled."""

    racing_date: date
    seed: int
    saturday: bool


def run_served_day(settings: ServerSettings, plan: ServedDayPlan) -> DemoOutcome:
    """Run the day and return its figures. Raises `StoreUnavailable` without a database to make another beside."""
    programme = plan_day(plan.racing_date, plan.seed, plan.saturday)
    began = datetime.combine(plan.racing_date, INITIALISATION, NZ).astimezone(UTC)
    wall_began = time.monotonic()
    with _scratch_database(settings) as url, tempfile.TemporaryDirectory(prefix="raceday-icons-") as icons:
        migrate_up(url)
        today = settings.model_copy(
            update={
                "cadence": settings.cadence if "cadence" in settings.model_fields_set else DEMO_CADENCE,
                "icon_folder": icons,
                "feed": FeedChoice.SIMULATOR,
                "log_level": _quieter(settings.log_level),
            }
        )
        return run_virtual(lambda clock: _follow_day(today, plan, programme, url, clock, wall_began), began)


def _quieter(level: str) -> str:
    """A day's polls fill a log with a hundred thousand lines; whoever asks for DEBUG gets them all the same."""
    return "WARNING" if level == "INFO" else level


@contextmanager
def _scratch_database(settings: ServerSettings) -> Iterator[str]:
    """Make a database for the day, beside the configured one, and drop it after it."""
    configured = settings.database_url.get_secret_value()
    postgres = None if configured else EmbeddedPostgres.start(embedded_folder(settings))
    try:
        base = configured if postgres is None else postgres.ensure_database(EMBEDDED_DATABASE)
        with beside(base) as server:
            name = make_database(server, base, "demo")
        try:
            with beside(base) as server:
                # What is dropped in a minute need not survive a power cut.
                server.execute(sql.SQL("ALTER DATABASE {} SET synchronous_commit = off").format(sql.Identifier(name)))
            yield url_of(base, name)
        finally:
            with beside(base) as server:
                drop_database(server, name)
    finally:
        if postgres is not None:
            postgres.stop()


async def _follow_day(
    settings: ServerSettings, plan: ServedDayPlan, programme: DayProgramme, url: str, clock: Clock, wall_began: float
) -> DemoOutcome:
    loop = asyncio.get_running_loop()
    if not isinstance(loop, VirtualTimeLoop):
        raise ConfigError("a day is only accelerated on a virtual clock")
    began = clock.now()
    log = open_log(settings, clock)
    take_up_libraries(log)
    requests = RequestLog()
    app = simulator_app(SimulatedFeed(programme, clock.now), PROFILES["none"], plan.seed, requests, clock.sleep)
    store = await PostgresStore.open(url, POOL, loop.standing_still)
    try:
        state = ServerState(store.database, store, clock, log, started_at=began)
        await prepare_partitions(store.database, clock, log)
        await save_demo_alerts(store, began)
        engine = open_engine(state, settings, open_world(settings, clock, InProcess(app)), LOOK_EVERY_S)
        await _until_over(engine, plan.racing_date, clock, log)
        return DemoOutcome(
            DemoPlan(plan.racing_date, plan.seed, plan.saturday, None, settings.cadence, PROFILES["none"]),
            counts=await store.day_counts(),
            audit=audit_polls(await store.poll_marks()),
            feed_calls=len(requests.requests),
            store_transactions=store.calls,
            executions=engine.jobs.runs,
            failed_executions=engine.jobs.failed_runs,
            virtual_s=(clock.now() - began).total_seconds(),
            wall_s=time.monotonic() - wall_began,
            races_planned=len(programme.imported_races()),
            coverages=await race_coverages(store, began, clock.now(), clock.now()),
            use=None,
        )
    finally:
        await store.close()


async def _until_over(engine: Engine, day: date, clock: Clock, log: JsonLog) -> None:
    """Run the engine until every race of the day is over, or the day lasts for ever."""
    gives_up_at = clock.now() + LONGEST_DAY
    engine.start()
    try:
        while not await _is_over(engine.state.store, day):
            if clock.now() >= gives_up_at:
                log.error("day_not_over", racing_date=day.isoformat())
                break
            await clock.sleep(300)
        await engine.moved.drained()
    finally:
        await engine.stop()


async def _is_over(store: RaceStore, day: date) -> bool:
    entrants = await store.stage(day, DailyStage.ENTRANTS)
    if entrants is None or not entrants.complete:
        return False
    return all(race.status.terminal for race in await store.races_on(day))
