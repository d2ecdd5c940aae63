"""The stand-in Appwrite on loopback, for what speaks to a platform through the SDK."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import uvicorn

from appwrite_platform import SECRET, Platform


@dataclass(frozen=True)
class Served:
    """The stand-in, and the environment with which commands reach it."""

    platform: Platform
    endpoint: str

    @property
    def environment(self) -> dict[str, str]:
        return {"APPWRITE_ENDPOINT": self.endpoint, "APPWRITE_PROJECT_ID": "raceday", "APPWRITE_API_KEY": SECRET}


class Port:
    """A port that serves one stand-in after the other: starting a server takes longer than most tests."""

    def __init__(self) -> None:
        self.app: Any = None
        self.address = ""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.app(scope, receive, send)

    def serve(self, platform: Platform) -> Served:
        """Serve this stand-in from now on."""
        self.app = platform.app
        return Served(platform, f"{self.address}/v1")


@contextmanager
def open_port() -> Iterator[Port]:
    """Open a port for stand-ins."""
    port = Port()
    with listening(port) as port.address:
        yield port


@contextmanager
def served(platform: Platform | None = None) -> Iterator[Served]:
    """Serve one stand-in, on a port of its own, until the block ends."""
    with open_port() as port:
        yield port.serve(platform or Platform())


@contextmanager
def listening(app: Any) -> Iterator[str]:
    """Serve an ASGI application on loopback until the block ends, and give its address."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    patience_ends = time.monotonic() + 10
    while not server.started:
        assert thread.is_alive(), "nothing listens"
        assert time.monotonic() < patience_ends, "nothing listens in time"
        time.sleep(0.005)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(10)
