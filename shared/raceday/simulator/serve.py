"""The feed on a loopback port, for clients that want a real socket."""

from __future__ import annotations

import asyncio
import socket
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import uvicorn

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.types import ASGIApp

_STOPS_WITHIN_S = 2


@asynccontextmanager
async def serving(app: ASGIApp, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[str]:
    """Serve while the block runs; gives the base URL (port 0: a free one). Raises OSError if it cannot listen."""
    with _listening(host, port) as listening:
        # The socket listens from here on: a client that comes before the server is ready only waits a little.
        async with _server(app, listening):
            yield f"http://{host}:{listening.getsockname()[1]}"


async def serve(app: ASGIApp, host: str = "127.0.0.1", port: int = 8080) -> None:
    """Serve until the task is cancelled or the process is interrupted. Raises OSError if it cannot listen."""
    with _listening(host, port) as listening:
        async with _server(app, listening) as running:
            await asyncio.shield(running)


def _listening(host: str, port: int) -> socket.socket:
    listening = socket.create_server((host, port))
    # An answer in two parts must not wait 40 ms for its first part to be acknowledged.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


@asynccontextmanager
async def _server(app: ASGIApp, listening: socket.socket) -> AsyncIterator[asyncio.Task[None]]:
    """Run uvicorn on a socket; on leaving, let it finish what it is answering and close."""
    config = uvicorn.Config(app, log_level="critical", lifespan="off", timeout_graceful_shutdown=_STOPS_WITHIN_S)
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        yield running
    finally:
        server.should_exit = True
        await running
