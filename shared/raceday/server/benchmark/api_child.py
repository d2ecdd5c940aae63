"""The API under the benchmark's load, a process of its own as it is in production: no checks of what it sends.

`python -m raceday.server.benchmark.api_child DATABASE_URL` prints its port and serves until its input ends.
"""

from __future__ import annotations

import asyncio
import sys

import uvloop

from raceday.clock import SystemClock
from raceday.runtime.log import JsonLog
from raceday.server.api.app import create_app
from raceday.server.api.settings import ApiSettings
from raceday.server.api_server import ApiServer, listen
from raceday.server.collector import calm_collector
from raceday.server.state import ServerState
from raceday.store.postgres.store import PostgresStore


def _tell(line: str) -> None:
    sys.stderr.write(line + "\n")


async def _serve(database_url: str) -> None:
    calm_collector()
    store = await PostgresStore.open(database_url)
    clock = SystemClock()
    log = JsonLog(_tell, _tell, "WARNING", [])
    state = ServerState(store.database, store, clock, log, clock.now())
    # The scheduler of a server that answers is running; this one has none, and its health says so.
    with listen("127.0.0.1", 0) as listening:
        api = ApiServer(create_app(state, ApiSettings()), listening)
        api.start()
        sys.stdout.write(f"{listening.getsockname()[1]}\n")
        sys.stdout.flush()
        # The parent closes our input when it is done with us, also when it dies.
        await asyncio.to_thread(sys.stdin.read)
        await api.stop()
    await store.close()


if __name__ == "__main__":
    uvloop.run(_serve(sys.argv[1]))
