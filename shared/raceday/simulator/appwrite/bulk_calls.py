"""The calls about many rows: all are written or none, and every written row raises an event of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from raceday.simulator.appwrite import params, row_events, row_lists, row_upserts, row_writes, staging
from raceday.simulator.appwrite.call import answer
from raceday.simulator.appwrite.errors import refused
from raceday.simulator.appwrite.given_row import given_row
from raceday.simulator.appwrite.queries import listing_of
from raceday.simulator.appwrite.row_rules import checked_values
from raceday.simulator.appwrite.transactions import Operation

if TYPE_CHECKING:
    from starlette.responses import Response

    from raceday.simulator.appwrite.call import Call
    from raceday.simulator.appwrite.row_store import Row
    from raceday.simulator.appwrite.tables import Table


def create(call: Call) -> Response:
    """Answer POST …/rows with `rows`: at most 100."""
    rows = params.rows(call.body)
    table = call.table()
    given = [given_row(row, call.project.new_id) for row in rows]
    if staging.is_asked(call):
        return staging.stage_rows(call, Operation("bulkCreate", table, None, rows, call.at), 201)
    written = row_writes.create(table, given, row_writes.Writing(call.at), is_bulk=True)
    call.tell(*row_events.bulk(table, written, "create"))
    return answer({"total": len(written), "rows": written}, 201)


def upsert(call: Call) -> Response:
    """Answer PUT …/rows: at most 100; unchanged rows are neither answered nor counted."""
    params.required(call.body, "rows")
    rows = params.rows(call.body)
    table = call.table()
    given = [given_row(row, call.project.new_id) for row in rows]
    if staging.is_asked(call):
        return staging.stage_rows(call, Operation("bulkUpsert", table, None, rows, call.at), 201)
    written = row_upserts.upsert(table, given, row_writes.Writing(call.at))
    call.tell(*row_events.bulk(table, written, "upsert"))
    return answer({"total": len(written), "rows": written})


def update(call: Call) -> Response:
    """Answer PATCH …/rows: every row that matches the queries, all of the table without any."""
    values = call.body.get("data")
    if not isinstance(values, dict) or not values:
        raise refused("row_missing_payload")
    table = call.table()
    given = given_row(values, call.project.new_id)
    if staging.is_asked(call):
        asked = {"data": values, "queries": call.body.get("queries") or []}
        return staging.stage_rows(call, Operation("bulkUpdate", table, None, asked, call.at), 200)
    writing = row_writes.Writing(call.at)
    checked_values(table.ready_columns(call.at), given.values)
    written = row_writes.update_matching(table, rows_of(table, call.body.get("queries"), writing), given, writing)
    return _answered(call, table, written, "update")


def delete(call: Call) -> Response:
    """Answer DELETE …/rows: every row that matches the queries, all of the table without any."""
    table = call.table()
    if staging.is_asked(call):
        asked = {"queries": call.body.get("queries") or []}
        return staging.stage_rows(call, Operation("bulkDelete", table, None, asked, call.at), 200)
    writing = row_writes.Writing(call.at)
    rows = rows_of(table, call.body.get("queries"), writing)
    row_writes.delete_matching(table, rows, writing)
    return _answered(call, table, rows, "delete")


def rows_of(table: Table, queries: object, writing: row_writes.Writing) -> list[Row]:
    """Return the rows that a write by queries is about; only a limit that is asked for cuts them."""
    columns = table.ready_columns(writing.at)
    listing = listing_of(queries, columns, default_limit=len(table.rows))
    return row_lists.page(table, row_lists.matching(table, listing.filters, columns), listing, columns)


def _answered(call: Call, table: Table, rows: list[Row], action: row_events.RowAction) -> Response:
    shown = rows[: row_events.MOST_OF_A_QUERY]
    call.tell(*row_events.bulk(table, shown, action))
    return answer({"total": len(rows), "rows": shown})
