"""Putting operations into a transaction: what is looked at then. Values and new ids are not, until the commit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from raceday.simulator.appwrite.call import answer
from raceday.simulator.appwrite.errors import PlatformError, invalid_param, refused
from raceday.simulator.appwrite.row_writes import Step
from raceday.simulator.appwrite.staged_view import lay_over, staged_state
from raceday.simulator.appwrite.transactions import BULK_ACTIONS, SINGLE_ACTIONS, Operation, Transaction

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.responses import Response

    from raceday.simulator.appwrite.call import Call
    from raceday.simulator.appwrite.staged_view import Staged
    from raceday.simulator.appwrite.tables import Table

_NEEDS_A_ROW = ("update", "delete", "increment", "decrement")
_OF_ROWS = ("bulkCreate", "bulkUpsert")


def is_asked(call: Call) -> bool:
    """Return whether the call is to be staged instead of done."""
    return bool(call.body.get("transactionId"))


def transaction_of(call: Call, transaction_id: object) -> Transaction:
    """Return a transaction; raises transaction_not_found."""
    found = call.project.transactions.get(str(transaction_id))
    if found is None:
        raise refused("transaction_not_found", transaction_id)
    return found


def stage_row(call: Call, operation: Operation, status: int) -> Response:
    """Stage one row's operation and answer the row as it is staged: without dates, without a $sequence."""
    _stage_one(call, operation)
    state = staged_state(_own(call), operation.table, call.at).get(str(operation.row_id))
    row = state.row if state is not None and state.exists else {"$id": operation.row_id}
    return answer(_shown(operation, row), status)


def stage_rows(call: Call, operation: Operation, status: int) -> Response:
    """Stage a bulk and answer its rows as they are staged; of one by queries nothing is known yet."""
    _stage_one(call, operation)
    shown = [_shown(operation, row) for row in operation.rows()]
    return answer({"total": len(shown), "rows": shown}, status)


def stage_all(call: Call) -> Response:
    """Answer POST …/operations: all are staged or none."""
    asked = call.body.get("operations")
    if not asked:
        raise refused("general_bad_request", "there are no operations")
    if not isinstance(asked, list):
        raise invalid_param("operations", "must be a list")
    transaction = transaction_of(call, call.path["transactionId"])
    _check_open(call, transaction)
    operations = [_read(call, one) for one in asked]
    _check_rows(call, transaction, operations)
    transaction.stage(operations)
    return answer(transaction.body(), 201)


def step_of(action: str, body: Mapping[str, object]) -> Step:
    """Return how far an increment or decrement counts; raises general_argument_invalid."""
    by, bound = body.get("value", 1), body.get("max" if action == "increment" else "min")
    if not isinstance(by, int | float) or isinstance(by, bool) or by <= 0:
        raise invalid_param("value", "must be a number above 0")
    if bound is not None and (not isinstance(bound, int | float) or isinstance(bound, bool)):
        raise invalid_param("max" if action == "increment" else "min", "must be a number")
    column = body.get("column") or body.get("attribute") or ""
    return Step(str(column), by if action == "increment" else -by, bound)


def _own(call: Call) -> Transaction:
    return transaction_of(call, call.body["transactionId"])


def _stage_one(call: Call, operation: Operation) -> None:
    transaction = _own(call)
    if transaction.status != "pending":
        raise refused("transaction_not_ready")
    transaction.check_in_time(call.at)
    _check_rows(call, transaction, [operation])
    transaction.stage([operation])


def _check_open(call: Call, transaction: Transaction) -> None:
    if transaction.status != "pending":
        raise refused("general_bad_request", "the transaction is over")
    transaction.check_in_time(call.at)


def _read(call: Call, asked: object) -> Operation:
    if not isinstance(asked, dict):
        raise invalid_param("operations", "each must be an object")
    for name in ("action", "databaseId", "tableId"):
        if not isinstance(asked.get(name), str):
            raise invalid_param("operations", f"each needs a text {name}")
    action = asked["action"]
    if action not in (*SINGLE_ACTIONS, *BULK_ACTIONS):
        raise invalid_param("operations", f"there is no action {action}")
    _check_keys(action, asked)
    body, row_id = asked.get("data") or ([] if action in _OF_ROWS else {}), asked.get("rowId")
    is_of_rows = action in _OF_ROWS
    if isinstance(body, list) != is_of_rows:
        raise invalid_param("operations", f"the data of {action} must be {'a list' if is_of_rows else 'an object'}")
    table = call.project.table(asked["databaseId"], asked["tableId"])
    return Operation(action, table, None if row_id is None else str(row_id), body, call.at)


def _check_keys(action: str, asked: Mapping[str, object]) -> None:
    """Check what an operation must bring along: all but a delete need data, a bulk by queries needs these in it."""
    if action != "delete" and not isinstance(asked.get("data"), dict | list):
        raise invalid_param("operations", f"{action} needs data")
    if ("rowId" in asked or action in SINGLE_ACTIONS) and not str(asked.get("rowId") or "").strip():
        raise invalid_param("operations", f"{action}: rowId must be a text that is not empty")
    body = asked.get("data")
    if action in {"bulkUpdate", "bulkDelete"} and isinstance(body, dict):
        if not isinstance(body.get("queries"), list):
            raise invalid_param("operations", f"the data of {action} needs queries")
        if action == "bulkUpdate" and not isinstance(body.get("data"), dict):
            raise invalid_param("operations", "the data of bulkUpdate needs data of its own")


def _check_rows(call: Call, transaction: Transaction, operations: list[Operation]) -> None:
    """Raise document_not_found when a row to change is neither stored nor made by the transaction before."""
    states: dict[Table, dict[str, Staged]] = {}
    for operation in operations:
        table = operation.table
        if table not in states:
            states[table] = staged_state(transaction, table, call.at)
        if operation.action in _NEEDS_A_ROW:
            _check_row(operation, states[table].get(str(operation.row_id)))
        lay_over(states[table], operation, call.at)


def _check_row(operation: Operation, staged: Staged | None) -> None:
    is_there = staged.exists if staged is not None else operation.table.rows.get(str(operation.row_id)) is not None
    if not is_there:
        raise PlatformError(404, "document_not_found", f"no row {operation.row_id} to {operation.action}")


def _shown(operation: Operation, row: Mapping[str, object]) -> dict[str, object]:
    places = {"$databaseId": operation.table.database_id, "$tableId": operation.table.table_id, "$sequence": ""}
    return {**row, **places}
