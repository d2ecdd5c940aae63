"""The feed on a loopback port, for clients that want a real socket."""

from __future__ import annotations

import asyncio
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
    config = uvicorn.Config(
        app, host, port, log_level="critical", lifespan="off", timeout_graceful_shutdown=_STOPS_WITHIN_S
    )
    listening = config.bind_socket()
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        # The socket listens already: a client that comes before the server has started only waits a little.
        yield f"http://{host}:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        await running


async def serve(app: ASGIApp, host: str = "127.0.0.1", port: int = 8080) -> None:
    """Serve until the task is cancelled or the process is told to stop."""
    config = uvicorn.Config(
        app, host, port, log_level="critical", lifespan="off", timeout_graceful_shutdown=_STOPS_WITHIN_S
    )
    await uvicorn.Server(config).serve()
