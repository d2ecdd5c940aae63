"""What Alembic runs for every command: migrate over the connection that `raceday.store.postgres.migrate` opened."""

from __future__ import annotations

from alembic import context

VERSION_TABLE = "schema_migrations"

context.configure(connection=context.config.attributes["connection"], version_table=VERSION_TABLE)
with context.begin_transaction():
    context.run_migrations()
