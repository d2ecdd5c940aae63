"""Serves the API out of the loop that polls, and leaves the process's signals to the server."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import uvicorn

from raceday.errors import ConfigError

if TYPE_CHECKING:
    from starlette.types import ASGIApp

DRAIN_S = 2
"""How long a stopping server lets requests under way come to their end."""
_WILDCARDS = frozenset({"0.0.0.0", "::"})  # noqa: S104 (recognised, not bound)


class _Quiet(uvicorn.Server):
    """Uvicorn without signal handlers of its own."""

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Leave the signals alone."""
        yield


def listen(host: str, port: int) -> socket.socket:
    """Return the socket of the API; raises `ConfigError` when the address cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, port), family=family)
    except OSError as error:
        raise ConfigError(
            f"the API cannot listen on {host}, port {port} ({error.strerror or error}): set RACEDAY_HOST and PORT, or "
            "end what has it"
        ) from None
    # An answer in two parts must not wait 40 ms for its first part to be acknowledged.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


def base_url(listening: socket.socket) -> str:
    """Return the address at which people reach the API."""
    host, port = listening.getsockname()[:2]
    shown = "127.0.0.1" if host in _WILDCARDS else f"[{host}]" if ":" in host else host
    return f"http://{shown}:{port}"


class ApiServer:
    """The API on a socket that listens already. To be made inside the running loop."""

    def __init__(self, app: ASGIApp, listening: socket.socket) -> None:
        """Take the application."""
        config = uvicorn.Config(
            app, log_config=None, access_log=False, server_header=False, timeout_graceful_shutdown=DRAIN_S
        )
        self._server = _Quiet(config)
        self._listening = listening
        self._running: asyncio.Task[None] | None = None

    def start(self) -> asyncio.Task[None]:
        """Begin to answer; the task ends when the API does."""
        self._running = asyncio.create_task(self._server.serve(sockets=[self._listening]), name="api")
        return self._running

    async def stop(self) -> None:
        """Take no more connections, answer what was asked, close."""
        if self._running is None:
            return
        self._server.should_exit = True
        await asyncio.wait({self._running}, timeout=DRAIN_S + 1)
        self._running.cancel()
        await asyncio.gather(self._running, return_exceptions=True)
