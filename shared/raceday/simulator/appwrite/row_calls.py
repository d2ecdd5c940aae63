"""The calls about single rows: read, list, create, update, upsert, count up and down, delete."""

from __future__ import annotations

from typing import TYPE_CHECKING

from raceday.simulator.appwrite import bulk_calls, params, row_events, row_lists, row_upserts, row_writes, staging
from raceday.simulator.appwrite.call import answer, no_content
from raceday.simulator.appwrite.errors import refused
from raceday.simulator.appwrite.given_row import given_row
from raceday.simulator.appwrite.instants import instant_of, stamp
from raceday.simulator.appwrite.permissions import guest_may_read
from raceday.simulator.appwrite.queries import listing_of
from raceday.simulator.appwrite.staged_view import staged_page, staged_row
from raceday.simulator.appwrite.transactions import Operation

if TYPE_CHECKING:
    from starlette.responses import Response

    from raceday.simulator.appwrite.call import Call
    from raceday.simulator.appwrite.given_row import GivenRow
    from raceday.simulator.appwrite.row_store import Row
    from raceday.simulator.appwrite.tables import Table


def get_row(call: Call) -> Response:
    """Answer GET …/rows/{rowId}; inside a transaction, the row as it would be."""
    table, row_id = call.table(), _row_id(call)
    row = staged_row(call, table, row_id) if call.query.get("transactionId") else table.rows.get(row_id)
    if row is None or not _may_read(call, table, row):
        raise refused("row_not_found", row_id)
    listing = listing_of(call.query.get("queries"), table.ready_columns(call.at))
    return answer(row_lists.selected(row, listing.selection))


def list_rows(call: Call) -> Response:
    """Answer GET …/rows. `total=0` saves the count; any other word, `false` included, does not."""
    table = call.table()
    columns = table.ready_columns(call.at)
    listing = listing_of(call.query.get("queries"), columns)
    if call.query.get("transactionId"):
        total, rows = staged_page(call, table, listing, columns)
    else:
        found = row_lists.matching(table, listing.filters, columns)
        if call.key is None:
            found = _readable(table, found)
        total, rows = len(found), row_lists.page(table, found, listing, columns)
    counted = 0 if call.query.get("total") == "0" else min(total, row_lists.MOST_COUNTED)
    return answer({"total": counted, "rows": rows})


def create_rows(call: Call) -> Response:
    """Answer POST …/rows: one row by `rowId` and `data`, or many by `rows`."""
    values, rows = call.body.get("data"), call.body.get("rows")
    if not values and not rows:
        raise refused("row_missing_data")
    if values and rows:
        raise refused("general_bad_request", "give either data or rows")
    if rows:
        return bulk_calls.create(call)
    if not isinstance(values, dict) or not call.body.get("rowId"):
        raise refused("row_missing_data")
    row_id = params.checked_id(call.body["rowId"], "rowId")
    table = call.table()
    given = given_row({**values, **_permissions(call)}, call.project.new_id, row_id)
    if staging.is_asked(call):
        return staging.stage_row(call, Operation("create", table, given.row_id, _raw(given), call.at), 201)
    (row,) = row_writes.create(table, [given], row_writes.Writing(call.at))
    call.tell(row_events.single(table, row, "create"))
    return answer(row, 201)


def update_row(call: Call) -> Response:
    """Answer PATCH …/rows/{rowId}: raises an event even when nothing changes."""
    table, row_id, given = _changing(call)
    if staging.is_asked(call):
        return staging.stage_row(call, Operation("update", table, row_id, _raw(given), call.at), 200)
    row = row_writes.update(table, row_id, given, _conditional(call))
    call.tell(row_events.single(table, row, "update"))
    return answer(row)


def upsert_row(call: Call) -> Response:
    """Answer PUT …/rows/{rowId}: no event when nothing was written, whatever the answer looks like.

    The x-appwrite-timestamp header is not looked at (recorded exchange).
    """
    table, row_id, given = _changing(call)
    if staging.is_asked(call):
        return staging.stage_row(call, Operation("upsert", table, row_id, {"$id": row_id, **_raw(given)}, call.at), 201)
    written = row_upserts.upsert(table, [given], row_writes.Writing(call.at))
    if written:
        call.tell(row_events.single(table, written[0], "upsert"))
        return answer(written[0])
    return answer(table.rows.get(row_id) or row_writes.whole_row(table, {}, {}))


def increment(call: Call) -> Response:
    """Answer PATCH …/rows/{rowId}/{column}/increment."""
    return _count(call, "increment", "max")


def decrement(call: Call) -> Response:
    """Answer PATCH …/rows/{rowId}/{column}/decrement."""
    return _count(call, "decrement", "min")


def delete_row(call: Call) -> Response:
    """Answer DELETE …/rows/{rowId}; the event carries the row as it was."""
    table, row_id = call.table(), _row_id(call)
    if staging.is_asked(call):
        staging.stage_row(call, Operation("delete", table, row_id, {}, call.at), 204)
        return no_content()
    row = row_writes.delete(table, row_id, _conditional(call))
    call.tell(row_events.single(table, row, "delete"))
    return no_content()


def _changing(call: Call) -> tuple[Table, str, GivenRow]:
    """Return what an update or upsert is about."""
    table, row_id, values = call.table(), _row_id(call), call.body.get("data") or {}
    if not isinstance(values, dict) or (not values and call.body.get("permissions") is None):
        raise refused("row_missing_payload")
    return table, row_id, given_row({**values, **_permissions(call)}, call.project.new_id, row_id)


def _count(call: Call, action: str, bound: str) -> Response:
    table, row_id, column = call.table(), _row_id(call), call.path["column"]
    step = {name: call.body[name] for name in ("value", bound) if call.body.get(name) is not None}
    if staging.is_asked(call):
        return staging.stage_row(call, Operation(action, table, row_id, {"column": column, **step}, call.at), 200)
    row = row_writes.count(
        table, row_id, staging.step_of(action, {"column": column, **step}), row_writes.Writing(call.at)
    )
    call.tell(row_events.single(table, row, "update"))
    return answer(row)


def _conditional(call: Call) -> row_writes.Writing:
    """Return a write that honours x-appwrite-timestamp: compare and set."""
    given = call.headers.get("x-appwrite-timestamp")
    if given is None:
        return row_writes.Writing(call.at)
    try:
        return row_writes.Writing(call.at, not_after=stamp(instant_of(given)))
    except ValueError as error:
        raise refused("general_argument_invalid", "the x-appwrite-timestamp header must be a date and time") from error


def _row_id(call: Call) -> str:
    return params.checked_id(call.path["rowId"], "rowId")


def _permissions(call: Call) -> dict[str, object]:
    given = call.body.get("permissions")
    return {} if given is None else {"$permissions": given}


def _raw(given: GivenRow) -> dict[str, object]:
    """Return a row as it is staged: nothing of it is checked yet."""
    return given.values if given.permissions is None else {**given.values, "$permissions": given.permissions}


def _may_read(call: Call, table: Table, row: Row) -> bool:
    return call.key is not None or bool(_readable_by_guests(table, [row]))


def _readable(table: Table, rows: list[Row]) -> list[Row]:
    """Return what a caller without a key may list; without row security it is all or a refusal."""
    if not table.row_security and not guest_may_read(table.permissions):
        raise refused("user_unauthorized")
    return _readable_by_guests(table, rows)


def _readable_by_guests(table: Table, rows: list[Row]) -> list[Row]:
    if guest_may_read(table.permissions):
        return rows
    return [row for row in rows if table.row_security and guest_may_read(_listed(row["$permissions"]))]


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else []
