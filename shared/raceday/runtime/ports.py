"""The outside world of a process: normally the machine's, on the host a virtual one.

A function's entry point gets nothing but the platform's context object, so the host that runs functions on a
virtual clock against a simulated feed says so here, for everything that runs inside `using`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from raceday.clock import Clock
    from raceday.jobs.ports import Executions
    from raceday.store.ports import RaceStore
    from raceday.transport import AsyncTransport


@dataclass(frozen=True, slots=True)
class ProcessPorts:
    """What the host puts in place of the machine's own clock, network, store, platform and environment.

    `transport` leads to the feed, `platform` to the platform's API. None leaves the machine's.
    """

    clock: Clock | None = None
    executions: Executions | None = None
    transport: AsyncTransport | None = None
    platform: AsyncTransport | None = None
    store: RaceStore | None = None
    environment: Mapping[str, str] | None = None


_MACHINE = ProcessPorts()
_CURRENT: ContextVar[ProcessPorts | None] = ContextVar("raceday_process_ports", default=None)


def current_ports() -> ProcessPorts:
    """Return the ports in force for the running task."""
    return _CURRENT.get() or _MACHINE


@contextmanager
def using(ports: ProcessPorts) -> Iterator[None]:
    """Put other ports in force for everything started inside the block."""
    token = _CURRENT.set(ports)
    try:
        yield
    finally:
        _CURRENT.reset(token)
