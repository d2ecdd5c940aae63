"""Databases, tables, columns and indexes: made by a call, available a moment later."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from raceday.simulator.appwrite import params
from raceday.simulator.appwrite.call import answer
from raceday.simulator.appwrite.columns import KINDS, TEXTS, changed_column, column_of
from raceday.simulator.appwrite.errors import VERSION, refused
from raceday.simulator.appwrite.indexes import index_of
from raceday.simulator.appwrite.permissions import TABLE_ACTIONS, permissions_of
from raceday.simulator.appwrite.resource_lists import listed
from raceday.simulator.appwrite.row_rules import checked_values
from raceday.simulator.appwrite.tables import Database, Table

if TYPE_CHECKING:
    from starlette.responses import Response

    from raceday.simulator.appwrite.call import Call, Handler


def version(_call: Call) -> Response:
    """Answer GET /health/version."""
    return answer({"version": VERSION})


def create_database(call: Call) -> Response:
    """Answer POST /tablesdb."""
    database_id = _new_id(call, "databaseId")
    if database_id in call.project.databases:
        raise refused("database_already_exists", database_id)
    params.required(call.body, "name")
    database = Database(
        database_id=database_id,
        sequence=len(call.project.databases) + 1,
        name=params.text(call.body, "name"),
        enabled=params.flag(call.body, "enabled", default=True),
        created_at=call.at,
    )
    call.project.databases[database_id] = database
    return answer(database.body(), 201)


def list_databases(call: Call) -> Response:
    """Answer GET /tablesdb."""
    shown = [database.body() for database in call.project.databases.values()]
    return answer(listed("databases", shown, call.query.get("queries")))


def get_database(call: Call) -> Response:
    """Answer GET /tablesdb/{databaseId}."""
    return answer(call.project.database(call.path["databaseId"]).body())


def create_table(call: Call) -> Response:
    """Answer POST …/tables."""
    database = call.project.database(call.path["databaseId"])
    table_id = _new_id(call, "tableId")
    if table_id in database.tables:
        raise refused("table_already_exists", table_id)
    params.required(call.body, "name")
    table = Table(
        database_id=database.database_id,
        database_sequence=database.sequence,
        table_id=table_id,
        sequence=len(database.tables) + 1,
        name=params.text(call.body, "name"),
        permissions=permissions_of(call.body.get("permissions") or [], TABLE_ACTIONS),
        row_security=params.flag(call.body, "rowSecurity", default=False),
        enabled=params.flag(call.body, "enabled", default=True),
        created_at=call.at,
        updated_at=call.at,
    )
    database.tables[table_id] = table
    return answer(table.body(call.at), 201)


def update_table(call: Call) -> Response:
    """Answer PUT …/tables/{tableId}: name, permissions, row security and enabled; what is not given stays."""
    table = call.table()
    table.name = params.text(call.body, "name", table.name)
    if call.body.get("permissions") is not None:
        table.permissions = permissions_of(call.body["permissions"], TABLE_ACTIONS)
    table.row_security = params.flag(call.body, "rowSecurity", default=table.row_security)
    table.enabled = params.flag(call.body, "enabled", default=table.enabled)
    table.updated_at = call.at
    return answer(table.body(call.at))


def list_tables(call: Call) -> Response:
    """Answer GET …/tables."""
    tables = call.project.database(call.path["databaseId"]).tables.values()
    return answer(listed("tables", [table.body(call.at) for table in tables], call.query.get("queries")))


def get_table(call: Call) -> Response:
    """Answer GET …/tables/{tableId}, with all its columns and indexes."""
    return answer(call.table().body(call.at))


def create_column(kind: str) -> Handler:
    """Return what answers POST …/columns/{kind}."""

    def create(call: Call) -> Response:
        table = call.table()
        column = column_of(kind, call.body, call.at)
        if failure := call.project.column_failures.pop(column.key, ""):
            column = replace(column, error=failure)
        if column.default is not None:
            checked_values({column.key: column}, {column.key: column.default})
        table.add_column(column)
        return answer(column.body(call.at), 202)

    return create


def update_column(call: Call) -> Response:
    """Answer PATCH …/columns/{kind}/{key}: default, required, and a size or bounds that are given."""
    table = call.table()
    column = table.columns.get(call.path["key"])
    if column is None:
        raise refused("column_not_found", call.path["key"])
    if call.at < column.made_at or column.error:
        raise refused("column_not_available", column.key)
    if column.kind != call.path["kind"]:
        raise refused("column_type_invalid", f"column {column.key} is no {call.path['kind']}")
    changed = changed_column(column, call.body)
    if changed.default is not None:
        checked_values({changed.key: changed}, {changed.key: changed.default})
    table.change_column(changed)
    return answer(changed.body(call.at))


COLUMN_CALLS = {kind: create_column(kind) for kind in KINDS}
"""What answers for each kind of column."""


def list_columns(call: Call) -> Response:
    """Answer GET …/columns: 25 of them unless a limit says otherwise.

    A text column's `encrypt` is null in this list and false everywhere else (recorded exchanges).
    """
    shown = [
        column.body(call.at) | ({"encrypt": None} if column.kind in TEXTS else {})
        for column in call.table().columns.values()
    ]
    return answer(listed("columns", shown, call.query.get("queries")))


def get_column(call: Call) -> Response:
    """Answer GET …/columns/{key}."""
    column = call.table().columns.get(call.path["key"])
    if column is None:
        raise refused("column_not_found", call.path["key"])
    return answer(column.body(call.at))


def create_index(call: Call) -> Response:
    """Answer POST …/indexes."""
    table = call.table()
    is_made = {key: call.at >= column.made_at and not column.error for key, column in table.columns.items()}
    index = table.add_index(index_of(call.body, table.columns, is_made, table.place, call.at))
    return answer(index.body(call.at), 202)


def list_indexes(call: Call) -> Response:
    """Answer GET …/indexes."""
    shown = [index.body(call.at) for index in call.table().indexes.values()]
    return answer(listed("indexes", shown, call.query.get("queries")))


def get_index(call: Call) -> Response:
    """Answer GET …/indexes/{key}."""
    index = call.table().indexes.get(call.path["key"])
    if index is None:
        raise refused("column_index_not_found", call.path["key"])
    return answer(index.body(call.at))


def _new_id(call: Call, name: str) -> str:
    given = params.checked_id(params.required(call.body, name), name)
    return call.project.new_id() if given == params.GENERATED else given
