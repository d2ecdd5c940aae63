"""The schema in numbered steps, each with the SQL that makes it and the SQL that takes it back (`sql/`).

Alembic runs them in order and keeps in the table `schema_migrations` how far a database has come.
"""

from __future__ import annotations

from pathlib import Path

import psycopg
from alembic import op

SQL_FOLDER = Path(__file__).parent / "sql"


def run_sql(file_name: str) -> None:
    """Run a file of `sql/` in the transaction of the migration that is under way."""
    # The driver's own connection takes the text as it is: to SQLAlchemy `:` and `%` would be parameters.
    connection = op.get_bind().connection.driver_connection
    if not isinstance(connection, psycopg.Connection):
        raise TypeError(f"migrations run over psycopg, not over {type(connection).__name__}")
    connection.execute((SQL_FOLDER / file_name).read_bytes())
