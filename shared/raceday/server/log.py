"""The server's log: the same JSON lines as a function's run, each with its time, and those of the libraries as well."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from typing import TextIO

from raceday.clock import Clock
from raceday.runtime.log import JsonLog
from raceday.server.settings import ServerSettings

LIBRARIES = ("uvicorn.error", "psycopg", "psycopg.pool", "asyncio", "alembic")
"""Whose warnings the log takes up."""


def open_log(settings: ServerSettings, clock: Clock, stream: TextIO | None = None) -> JsonLog:
    """Return the log of this process: one JSON line a happening on `stream`, by default standard error."""
    write = _stamped(clock, stream or sys.stderr)
    return JsonLog(write, write, settings.log_level, settings.secrets())


def _stamped(clock: Clock, stream: TextIO) -> Callable[[str], None]:
    def write(line: str) -> None:
        at = clock.now().isoformat(timespec="milliseconds")
        stream.write(f'{{"time":"{at}",{line[1:]}\n')
        stream.flush()

    return write


class LibraryLog(logging.Handler):
    """Puts what libraries warn of into the server's log."""

    def __init__(self, log: JsonLog) -> None:
        """Take warnings and worse."""
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line; without the traceback of an error, which may hold anything."""
        write = self._log.error if record.levelno >= logging.ERROR else self._log.warning
        error = record.exc_info[1] if record.exc_info else None
        fields = {"error": f"{type(error).__name__}: {error}"} if error is not None else {}
        write("library", logger=record.name, message=record.getMessage(), **fields)


def take_up_libraries(log: JsonLog) -> None:
    """Let the libraries' warnings go into the log, and nowhere else."""
    for name in LIBRARIES:
        logger = logging.getLogger(name)
        logger.handlers = [LibraryLog(log)]
        logger.propagate = False
        # Whoever used the library before in this process may have silenced it.
        logger.setLevel(logging.WARNING)
