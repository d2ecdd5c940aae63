"""Every route of the stand-in, with the scopes that it takes, as an ASGI application."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.responses import Response

from raceday.simulator.appwrite import (
    bulk_calls,
    deployments,
    executions,
    files,
    function_calls,
    messages,
    row_calls,
    schema_calls,
    staging,
    transaction_calls,
    variables,
)
from raceday.simulator.appwrite.call import Surroundings
from raceday.simulator.appwrite.faults import FaultPlan
from raceday.simulator.appwrite.gate import ApiRoute, Gate
from raceday.simulator.appwrite.instants import PlatformClock
from raceday.simulator.appwrite.routing import Routes

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from raceday.clock import Clock
    from raceday.simulator.appwrite.call import ExecutionStarter, Handler
    from raceday.simulator.appwrite.call_log import CallObserver
    from raceday.simulator.appwrite.project import Project
    from raceday.simulator.appwrite.row_events import RowListener

BASE_PATH = "/v1"
_TRANSACTIONS = "/tablesdb/transactions"
_DATABASE = "/tablesdb/{databaseId}"
_TABLE = f"{_DATABASE}/tables/{{tableId}}"
_ROW = f"{_TABLE}/rows/{{rowId}}"
_FUNCTION = "/functions/{functionId}"
_BUCKET = "/storage/buckets/{bucketId}"

_READ_ROWS, _WRITE_ROWS = ("rows.read", "documents.read"), ("rows.write", "documents.write")
_READ_TABLES, _WRITE_TABLES = ("tables.read", "collections.read"), ("tables.write", "collections.write")
_READ_COLUMNS = (*_READ_TABLES, "columns.read", "attributes.read")
_WRITE_COLUMNS = (*_WRITE_TABLES, "columns.write", "attributes.write")
_READ_INDEXES, _WRITE_INDEXES = (*_READ_TABLES, "indexes.read"), (*_WRITE_TABLES, "indexes.write")
_READ_EXECUTIONS = ("executions.read", "execution.read")
_WRITE_EXECUTIONS = ("executions.write", "execution.write")

_ROUTES: tuple[tuple[str, str, Handler, tuple[str, ...]], ...] = (
    # Rows and transactions first: they are asked for most, and `transactions` is not the id of a database.
    ("POST", f"{_TRANSACTIONS}/{{transactionId}}/operations", staging.stage_all, _WRITE_ROWS),
    ("PATCH", f"{_TRANSACTIONS}/{{transactionId}}", transaction_calls.end_transaction, _WRITE_ROWS),
    ("GET", f"{_TRANSACTIONS}/{{transactionId}}", transaction_calls.get_transaction, _READ_ROWS),
    ("POST", _TRANSACTIONS, transaction_calls.open_transaction, _WRITE_ROWS),
    ("GET", _TRANSACTIONS, transaction_calls.list_transactions, _READ_ROWS),
    ("GET", f"{_TABLE}/rows", row_calls.list_rows, _READ_ROWS),
    ("GET", _ROW, row_calls.get_row, _READ_ROWS),
    ("POST", f"{_TABLE}/rows", row_calls.create_rows, _WRITE_ROWS),
    ("PUT", f"{_TABLE}/rows", bulk_calls.upsert, _WRITE_ROWS),
    ("PATCH", f"{_TABLE}/rows", bulk_calls.update, _WRITE_ROWS),
    ("DELETE", f"{_TABLE}/rows", bulk_calls.delete, _WRITE_ROWS),
    ("PATCH", _ROW, row_calls.update_row, _WRITE_ROWS),
    ("PUT", _ROW, row_calls.upsert_row, _WRITE_ROWS),
    ("DELETE", _ROW, row_calls.delete_row, _WRITE_ROWS),
    ("PATCH", f"{_ROW}/{{column}}/increment", row_calls.increment, _WRITE_ROWS),
    ("PATCH", f"{_ROW}/{{column}}/decrement", row_calls.decrement, _WRITE_ROWS),
    ("POST", f"{_FUNCTION}/executions", executions.create_execution, _WRITE_EXECUTIONS),
    ("GET", f"{_FUNCTION}/executions", executions.list_executions, _READ_EXECUTIONS),
    ("GET", f"{_FUNCTION}/executions/{{executionId}}", executions.get_execution, _READ_EXECUTIONS),
    ("POST", "/tablesdb", schema_calls.create_database, ("databases.write",)),
    ("GET", "/tablesdb", schema_calls.list_databases, ("databases.read",)),
    ("GET", _DATABASE, schema_calls.get_database, ("databases.read",)),
    ("POST", f"{_DATABASE}/tables", schema_calls.create_table, _WRITE_TABLES),
    ("GET", f"{_DATABASE}/tables", schema_calls.list_tables, _READ_TABLES),
    ("GET", _TABLE, schema_calls.get_table, _READ_TABLES),
    ("PUT", _TABLE, schema_calls.update_table, _WRITE_TABLES),
    *(
        ("POST", f"{_TABLE}/columns/{kind}", create, _WRITE_COLUMNS)
        for kind, create in schema_calls.COLUMN_CALLS.items()
    ),
    ("GET", f"{_TABLE}/columns", schema_calls.list_columns, _READ_COLUMNS),
    ("GET", f"{_TABLE}/columns/{{key}}", schema_calls.get_column, _READ_COLUMNS),
    ("PATCH", f"{_TABLE}/columns/{{kind}}/{{key}}", schema_calls.update_column, _WRITE_COLUMNS),
    ("POST", f"{_TABLE}/indexes", schema_calls.create_index, _WRITE_INDEXES),
    ("GET", f"{_TABLE}/indexes", schema_calls.list_indexes, _READ_INDEXES),
    ("GET", f"{_TABLE}/indexes/{{key}}", schema_calls.get_index, _READ_INDEXES),
    ("POST", "/functions", function_calls.create_function, ("functions.write",)),
    ("GET", "/functions", function_calls.list_functions, ("functions.read",)),
    ("GET", _FUNCTION, function_calls.get_function, ("functions.read",)),
    ("PUT", _FUNCTION, function_calls.update_function, ("functions.write",)),
    ("DELETE", _FUNCTION, function_calls.delete_function, ("functions.write",)),
    ("PATCH", f"{_FUNCTION}/deployment", deployments.activate_deployment, ("functions.write",)),
    ("POST", f"{_FUNCTION}/deployments", deployments.create_deployment, ("functions.write",)),
    ("GET", f"{_FUNCTION}/deployments", deployments.list_deployments, ("functions.read",)),
    ("GET", f"{_FUNCTION}/deployments/{{deploymentId}}", deployments.get_deployment, ("functions.read",)),
    ("DELETE", f"{_FUNCTION}/deployments/{{deploymentId}}", deployments.delete_deployment, ("functions.write",)),
    ("GET", f"{_FUNCTION}/deployments/{{deploymentId}}/download", deployments.download_code, ("functions.read",)),
    ("POST", f"{_FUNCTION}/variables", variables.create_variable, ("functions.write",)),
    ("GET", f"{_FUNCTION}/variables", variables.list_variables, ("functions.read",)),
    ("GET", f"{_FUNCTION}/variables/{{variableId}}", variables.get_variable, ("functions.read",)),
    ("PUT", f"{_FUNCTION}/variables/{{variableId}}", variables.update_variable, ("functions.write",)),
    ("DELETE", f"{_FUNCTION}/variables/{{variableId}}", variables.delete_variable, ("functions.write",)),
    ("POST", "/storage/buckets", files.create_bucket, ("buckets.write",)),
    ("GET", "/storage/buckets", files.list_buckets, ("buckets.read",)),
    ("GET", _BUCKET, files.get_bucket, ("buckets.read",)),
    ("PUT", _BUCKET, files.update_bucket, ("buckets.write",)),
    ("POST", f"{_BUCKET}/files", files.create_file, ("files.write",)),
    ("GET", f"{_BUCKET}/files", files.list_files, ("files.read",)),
    ("GET", f"{_BUCKET}/files/{{fileId}}", files.get_file, ("files.read",)),
    ("GET", f"{_BUCKET}/files/{{fileId}}/view", files.view_file, ("files.read",)),
    ("GET", f"{_BUCKET}/files/{{fileId}}/download", files.view_file, ("files.read",)),
    ("DELETE", f"{_BUCKET}/files/{{fileId}}", files.delete_file, ("files.write",)),
    ("POST", "/messaging/messages/push", messages.create_push, ("messages.write",)),
    ("GET", "/messaging/messages/{messageId}", messages.get_message, ("messages.read",)),
    ("GET", "/health/version", schema_calls.version, ()),
)
"""Method, path, what answers, and the scopes of which a key needs one; without scopes anybody may ask."""


_UNKNOWN = "<!DOCTYPE html><title>Nothing is here</title>"
"""What is answered where no route is: a page for people, not JSON."""


@dataclass(frozen=True, slots=True)
class _Platform:
    """The ASGI application."""

    gate: Gate
    routes: Routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        found = self.routes.find(scope["method"], scope["path"])
        if found is None:
            unknown = Response(_UNKNOWN, 404, {"content-type": "text/html; charset=UTF-8"})
            await unknown(scope, receive, send)
            return
        route, scope["path_params"] = found
        await self.gate.pass_through(route, scope, receive, send)


def appwrite_app(
    project: Project,
    clock: Clock,
    *,
    on_row_event: RowListener | None = None,
    on_execution: ExecutionStarter | None = None,
    requests: CallObserver | None = None,
    faults: FaultPlan | None = None,
) -> ASGIApp:
    """Return the platform as an ASGI application over a project's state.

    `on_row_event` hears of every row event after the write and before the answer; `on_execution` runs functions.
    `requests` takes every call; nothing goes wrong without `faults`.
    """
    stamps = PlatformClock(clock.now, project.call_takes_ms)
    around = Surroundings(project, stamps, clock.sleep, on_row_event, on_execution)
    gate = Gate(around, faults or FaultPlan(), requests)
    routes = ((method, ApiRoute(path, handler, scopes)) for method, path, handler, scopes in _ROUTES)
    return _Platform(gate, Routes(routes, BASE_PATH))
