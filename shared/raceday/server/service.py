"""The whole server, from its settings to its end: database, migrations, partitions, engine, API, and stop in order."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from raceday.clock import Clock, SystemClock
from raceday.errors import RaceDayError, StoreUnavailable
from raceday.runtime.log import JsonLog
from raceday.server.api.app import create_app
from raceday.server.api.settings import ApiSettings
from raceday.server.api_server import ApiServer, base_url, listen
from raceday.server.clock_watch import ClockWatch
from raceday.server.embedded import EmbeddedPostgres
from raceday.server.engine import Engine, open_engine
from raceday.server.log import open_log, take_up_libraries
from raceday.server.operations.database_place import EMBEDDED_DATABASE, embedded_folder
from raceday.server.partitions import prepare_partitions
from raceday.server.pool_watch import PoolWatch
from raceday.server.settings import Environment, ServerSettings
from raceday.server.state import ServerState
from raceday.server.world import World, open_world
from raceday.store.postgres.database import PoolLimits
from raceday.store.postgres.migrate import migrate_up
from raceday.store.postgres.store import PostgresStore
from raceday.transport import AsyncTransport

DATABASE_TRIES = 20
DATABASE_PAUSE_S = 3.0
"""A database that starts together with the server is there within a minute."""
CLOSE_S = 2.0
"""What closing may take at most, each thing: the whole stop has 10 s."""
FORCED_AFTER_S = 9.0
"""A stop that has not ended by then never will: a database that is frozen answers not even a wish to be left alone."""


@dataclass(frozen=True, slots=True)
class Started:
    """What a person wants to know of a server that has started."""

    api: str
    feed: str
    database: str


class _Stopped(Exception):
    """The server was asked to stop while it was still starting."""


async def serve(
    settings: ServerSettings,
    tell: Callable[[Started], None],
    *,
    simulated: AsyncTransport | None = None,
    stop: asyncio.Event | None = None,
) -> None:
    """Run the server until SIGINT or SIGTERM, or until `stop` is set; it is down within 10 s.

    `tell` is called once when the API answers. `simulated` stands in for the simulator of this process. Raises
    `ConfigError` for what the operator must fix, `StoreUnavailable` when there is no database.
    """
    clock = SystemClock()
    log = open_log(settings, clock)
    take_up_libraries(log)
    stop = stop or _on_signals(log)
    listening = listen(settings.host, settings.port)
    with listening:
        try:
            async with AsyncExitStack() as opened:
                url = await opened.enter_async_context(_database(settings))
                await _migrated(url, log, stop)
                state = await _open_state(opened, settings, url, clock, log)
                await _partitioned(state, stop)
                world = open_world(settings, clock, simulated)
                opened.push_async_callback(world.aclose)
                api = ApiServer(create_app(state, _api_settings(settings)), listening)
                engine = open_engine(state, settings, world)
                log.info("server_started", owner=engine.jobs.owner, process_id=os.getpid(), feed=settings.chosen_feed)
                await _run(engine, api, stop, lambda: tell(_started(settings, base_url(listening), world)))
        except _Stopped:
            pass
    log.info("server_stopped")


def _on_signals(log: JsonLog) -> asyncio.Event:
    """Return the event that the first signal sets; another one changes nothing: the stop is under way and bounded."""
    stop = asyncio.Event()

    def force() -> None:
        log.error("stop_forced", message=f"the stop took longer than {FORCED_AFTER_S} s; claims and leases run out")
        os._exit(1)

    def asked(name: str) -> None:
        if stop.is_set():
            log.info("stop_asked_again", signal=name)
            return
        log.info("stop_asked", signal=name)
        stop.set()
        last_resort = threading.Timer(FORCED_AFTER_S, force)
        last_resort.daemon = True
        last_resort.start()

    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, asked, number.name)
    return stop


@asynccontextmanager
async def _database(settings: ServerSettings) -> AsyncIterator[str]:
    """Give the connection string of the database; an embedded PostgreSQL runs as long."""
    url = settings.database_url.get_secret_value()
    if url:
        yield url
        return
    postgres = await asyncio.to_thread(EmbeddedPostgres.start, embedded_folder(settings))
    try:
        yield await asyncio.to_thread(postgres.ensure_database, EMBEDDED_DATABASE)
    finally:
        await asyncio.to_thread(postgres.stop)


async def _migrated(url: str, log: JsonLog, stop: asyncio.Event) -> None:
    """Bring the schema up to date, as soon as the database answers."""
    for attempt in range(1, DATABASE_TRIES + 1):
        if stop.is_set():
            raise _Stopped
        try:
            await asyncio.to_thread(migrate_up, url)
        except StoreUnavailable as error:
            if attempt == DATABASE_TRIES:
                raise
            log.warning("database_awaited", attempt=attempt, message=str(error))
            if await _is_set_within(stop, DATABASE_PAUSE_S):
                raise _Stopped from None
        else:
            return


async def _is_set_within(event: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True


async def _open_state(
    opened: AsyncExitStack, settings: ServerSettings, url: str, clock: Clock, log: JsonLog
) -> ServerState:
    """Open the store with its pool; that and the machine's clock are watched from now on."""
    limits = PoolLimits(settings.pool_max, settings.pool_min, settings.pool_idle_s, settings.pool_wait_s)
    store = await PostgresStore.open(url, limits)
    opened.push_async_callback(_within, store.close, CLOSE_S)
    state = ServerState(store.database, store, clock, log, started_at=clock.now())
    for watch in (PoolWatch(store.database, limits, clock, log), ClockWatch(state)):
        opened.callback(asyncio.create_task(watch.run()).cancel)
    return state


async def _partitioned(state: ServerState, stop: asyncio.Event) -> None:
    """Make the history's partitions, unless the server is to stop before that is done."""
    making = asyncio.create_task(prepare_partitions(state.database, state.clock, state.log))
    stopping = asyncio.create_task(_wait(stop))
    await asyncio.wait({making, stopping}, return_when=asyncio.FIRST_COMPLETED)
    for task in (making, stopping):
        task.cancel()
    outcome, _ = await asyncio.gather(making, stopping, return_exceptions=True)
    if stop.is_set():
        raise _Stopped
    if isinstance(outcome, RaceDayError):
        # Rows go into DEFAULT meanwhile, and the hourly chore tries again.
        state.log.error("partitions_not_made", message=str(outcome))
    elif isinstance(outcome, BaseException):
        raise outcome


async def _run(engine: Engine, api: ApiServer, stop: asyncio.Event, started: Callable[[], None]) -> None:
    """Poll and answer until the server is to stop; then end both side by side."""
    answering = api.start()
    engine.start()
    started()
    watched = [
        answering,
        asyncio.create_task(engine.broken(), name="engine"),
        asyncio.create_task(_wait(stop), name="stop"),
    ]
    done, _ = await asyncio.wait(watched, return_when=asyncio.FIRST_COMPLETED)
    for task in watched[1:]:
        task.cancel()
    await asyncio.gather(engine.stop(), api.stop())
    if not stop.is_set():
        broken = ", ".join(sorted(task.get_name() for task in done))
        why = next((task.exception() or task.result() for task in done if not task.cancelled()), None)
        raise RaceDayError(f"the server broke down ({broken}): {why!r}")


async def _wait(event: asyncio.Event) -> None:
    await event.wait()


async def _within(close: Callable[[], Awaitable[None]], seconds: float) -> None:
    """Close something, but do not wait for long: a database that is gone never says that it is."""
    try:
        async with asyncio.timeout(seconds):
            await close()
    except TimeoutError:
        return


def _api_settings(settings: ServerSettings) -> ApiSettings:
    return ApiSettings(
        api_keys=settings.api_keys,
        rate_limit=settings.rate_limit,
        cors_origins=settings.cors_origins,
        history_limit=settings.history_limit,
        development=settings.environment is Environment.DEVELOPMENT,
    )


def _started(settings: ServerSettings, api: str, world: World) -> Started:
    url = urlsplit(settings.database_url.get_secret_value())
    place = f"{url.hostname or 'local socket'}, database {url.path.strip('/')}"
    return Started(
        api=api,
        feed=settings.feed_base_url if world.pictures else "simulator, in this process",
        database=place if url.path else f"embedded PostgreSQL in {embedded_folder(settings)}",
    )
