"""The stand-in Appwrite's row events: which write makes which, under which name, with which body."""

from __future__ import annotations

import pytest

from appwrite_platform import ROWS, Platform, entrants
from raceday.simulator.appwrite.row_events import RowNotice

FULL = {"raceId": "r1", "odds": 4.5}
OLDER = "databases.raceday.collections.entrants.documents"
NEWER = "databases.raceday.tables.entrants.rows"


def filled() -> Platform:
    platform = entrants()
    platform.call("POST", ROWS, {"rowId": "e1", "data": FULL})
    platform.events.clear()
    return platform


def only(platform: Platform) -> RowNotice:
    (event,) = platform.events
    return event


@pytest.mark.parametrize(
    ("method", "path", "body", "name"),
    [
        ("POST", ROWS, {"rowId": "e2", "data": FULL}, f"{OLDER}.e2.create"),
        ("PATCH", f"{ROWS}/e1", {"data": {"odds": 2.5}}, f"{NEWER}.e1.update"),
        ("PATCH", f"{ROWS}/e1", {"data": {"odds": 4.5}}, f"{NEWER}.e1.update"),
        ("PUT", f"{ROWS}/e1", {"data": {**FULL, "odds": 2.5}}, f"{NEWER}.e1.upsert"),
        ("PUT", f"{ROWS}/e2", {"data": FULL}, f"{NEWER}.e2.upsert"),
        ("PATCH", f"{ROWS}/e1/number/increment", {}, f"{NEWER}.e1.update"),
        ("DELETE", f"{ROWS}/e1", None, f"{NEWER}.e1.delete"),
        ("POST", ROWS, {"rows": [{"$id": "e2", **FULL}]}, f"{OLDER}.e2.create"),
        ("PUT", ROWS, {"rows": [{"$id": "e2", **FULL}]}, f"{OLDER}.e2.upsert"),
        ("PATCH", ROWS, {"data": {"odds": 2.5}}, f"{OLDER}.e1.update"),
        ("DELETE", ROWS, {}, f"{OLDER}.e1.delete"),
    ],
)
def test_the_name_of_each_write(method: str, path: str, body: object, name: str) -> None:
    platform = filled()
    assert platform.call(method, path, body).status < 300
    event = only(platform)
    assert event.header == name
    assert name.endswith(f"{event.table_id}.{name.split('.')[4]}.{event.row_id}.{event.action}")


def test_the_body_of_a_single_write_is_the_row_and_of_a_deletion_the_row_as_it_was() -> None:
    platform = filled()
    changed = platform.call("PATCH", f"{ROWS}/e1", {"data": {"odds": 2.5}}).body
    assert only(platform).body == changed
    platform.events.clear()
    platform.call("DELETE", f"{ROWS}/e1")
    assert only(platform).body == changed


def test_the_body_of_a_bulk_write_gives_an_internal_name_away() -> None:
    platform = filled()
    (row,) = platform.call("PATCH", ROWS, {"data": {"odds": 2.5}}).body["rows"]
    assert only(platform).body == {**row, "$collection": "database_1_collection_1"}


def committed(platform: Platform, *operations: dict[str, object]) -> None:
    transaction = platform.call("POST", "/tablesdb/transactions", {}).body["$id"]
    path = f"/tablesdb/transactions/{transaction}"
    placed = [{"databaseId": "raceday", "tableId": "entrants", **operation} for operation in operations]
    assert platform.call("POST", f"{path}/operations", {"operations": placed}).status == 201
    assert platform.events == []
    assert platform.call("PATCH", path, {"commit": True}).status == 200


def test_a_transaction_tells_of_single_operations_at_its_commit_and_of_upserts_as_updates() -> None:
    platform = filled()
    committed(
        platform,
        {"action": "create", "rowId": "e2", "data": FULL},
        {"action": "update", "rowId": "e2", "data": {"odds": 2.5}},
        {"action": "upsert", "rowId": "e3", "data": {"$id": "e3", **FULL}},
        {"action": "increment", "rowId": "e2", "data": {"column": "number", "value": 2}},
        {"action": "delete", "rowId": "e1"},
    )
    assert [event.header for event in platform.events] == [
        f"{NEWER}.e2.create",
        f"{NEWER}.e2.update",
        f"{NEWER}.e3.update",
        f"{NEWER}.e2.update",
        f"{NEWER}.e1.delete",
    ]
    # The body is the row as it is after the commit, for every event of it; a deletion's is the row as it was.
    assert [event.body["odds"] for event in platform.events] == [2.5, 2.5, 4.5, 2.5, 4.5]
    assert [event.body.get("number") for event in platform.events] == [2, 2, None, 2, None]


def test_the_body_of_a_committed_write_has_both_table_ids_and_no_database_id() -> None:
    platform = filled()
    committed(platform, {"action": "update", "rowId": "e1", "data": {"odds": 2.5}})
    body = only(platform).body
    assert (body["$tableId"], body["$collectionId"]) == ("entrants", "entrants")
    assert "$databaseId" not in body


def test_bulk_operations_of_a_transaction_tell_nothing() -> None:
    platform = filled()
    committed(
        platform,
        {"action": "bulkCreate", "data": [{"$id": "e2", **FULL}]},
        {"action": "bulkUpsert", "data": [{"$id": "e3", **FULL}]},
        {"action": "bulkUpdate", "data": {"data": {"odds": 2.5}, "queries": []}},
        {"action": "bulkDelete", "data": {"queries": ['{"method":"equal","attribute":"$id","values":["e1"]}']}},
    )
    assert platform.ids() == ["e2", "e3"]
    assert platform.events == []


def test_an_upsert_that_got_a_new_id_tells_nothing() -> None:
    platform = filled()
    committed(platform, {"action": "upsert", "rowId": "e9", "data": FULL})
    assert len(platform.ids()) == 2
    assert platform.events == []


def test_refused_writes_tell_nothing() -> None:
    platform = filled()
    for method, path, body in (
        ("POST", ROWS, {"rowId": "e1", "data": FULL}),
        ("PATCH", f"{ROWS}/e1", {"data": {"odds": "x"}}),
        ("DELETE", f"{ROWS}/e9", None),
    ):
        assert platform.call(method, path, body).status >= 400
    assert platform.events == []
