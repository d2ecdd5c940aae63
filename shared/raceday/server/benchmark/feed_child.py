"""The benchmark's feed, a process of its own: rendered bodies from memory, after a pause that stands for the network.

`python -m raceday.server.benchmark.feed_child RACES MOMENTS` prints its port and serves until its input ends. The path
of a request begins with the pause and the moment: `/200/3/racing/events/<id>` waits 200 ms and shows moment 3.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from typing import TYPE_CHECKING

import uvicorn

from raceday.server.benchmark.responses import timed_races

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send


class RenderedFeed:
    """An ASGI application that answers with bodies that were rendered before."""

    def __init__(self, races: int, moments: int) -> None:
        self._bodies = {
            (timed.race.race_id, step): gzipped
            for timed in timed_races(races, moments)
            for step, (_, _, gzipped) in enumerate(timed.moments)
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request for an event."""
        if scope["type"] != "http":
            return
        await receive()
        _, pause_ms, step, *_, race_id = scope["path"].split("/")
        if int(pause_ms):
            await asyncio.sleep(int(pause_ms) / 1000)
        body = self._bodies[race_id, int(step)]
        headers = [
            (b"content-type", b"application/json"),
            (b"content-encoding", b"gzip"),
            (b"content-length", str(len(body)).encode()),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


async def _serve(app: RenderedFeed) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        config = uvicorn.Config(app, log_level="critical", lifespan="off", access_log=False)
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        sys.stdout.write(f"{listening.getsockname()[1]}\n")
        sys.stdout.flush()
        # The parent closes our input when it is done with us, also when it dies.
        await asyncio.to_thread(sys.stdin.read)
        server.should_exit = True
        await serving


if __name__ == "__main__":
    asyncio.run(_serve(RenderedFeed(int(sys.argv[1]), int(sys.argv[2]))))
