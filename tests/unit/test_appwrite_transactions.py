"""The stand-in Appwrite's transactions: staging, reading one's own writes, conflicts, limits, time."""

from __future__ import annotations

import pytest

from appwrite_platform import ROWS, Platform, Reply, entrants, where

TRANSACTIONS = "/tablesdb/transactions"
FULL = {"raceId": "r1", "name": "Phar Lap", "odds": 4.5}


def opened(platform: Platform, **asked: object) -> str:
    return platform.call("POST", TRANSACTIONS, asked).body["$id"]


def stage(platform: Platform, transaction: str, *operations: dict[str, object]) -> Reply:
    placed = [{"databaseId": "raceday", "tableId": "entrants", **operation} for operation in operations]
    return platform.call("POST", f"{TRANSACTIONS}/{transaction}/operations", {"operations": placed})


def commit(platform: Platform, transaction: str) -> Reply:
    return platform.call("PATCH", f"{TRANSACTIONS}/{transaction}", {"commit": True})


def done(platform: Platform, *operations: dict[str, object]) -> Reply:
    transaction = opened(platform)
    staged = stage(platform, transaction, *operations)
    return commit(platform, transaction) if staged.status == 201 else staged


def op(action: str, row_id: str | None = None, **data: object) -> dict[str, object]:
    return {"action": action, "data": data} | ({"rowId": row_id} if row_id else {})


def bulk(action: str, *rows: dict[str, object]) -> dict[str, object]:
    return {"action": action, "data": list(rows)}


def filled() -> Platform:
    platform = entrants()
    for row_id in ("e1", "e2", "e3"):
        platform.call("POST", ROWS, {"rowId": row_id, "data": FULL})
    platform.told()
    return platform


def test_nothing_is_there_before_the_commit_and_everything_after() -> None:
    platform = filled()
    transaction = opened(platform)
    staged = stage(
        platform,
        transaction,
        bulk("bulkUpsert", {"$id": "e1", **FULL, "odds": 9.5}, {"$id": "n1", **FULL}),
        op("create", "n2", **FULL),
        op("update", "e2", odds=1.5),
        op("delete", "e3"),
        op("increment", "n2", column="number", value=3),
    )
    assert (staged.status, staged.body["operations"], staged.body["status"]) == (201, 5, "pending")
    assert platform.ids() == ["e1", "e2", "e3"]
    inside = platform.list(transactionId=transaction)
    assert {row["$id"]: row["odds"] for row in inside["rows"]} == {"e1": 9.5, "e2": 1.5, "n1": 4.5, "n2": 4.5}
    assert inside["total"] == 4
    committed = commit(platform, transaction)
    assert (committed.status, committed.body["status"], committed.body["operations"]) == (200, "committed", 5)
    assert {row["$id"]: row["odds"] for row in platform.list()["rows"]} == {"e1": 9.5, "e2": 1.5, "n1": 4.5, "n2": 4.5}
    assert platform.row("n2")["number"] == 3


def test_a_staged_row_has_neither_dates_nor_sequence() -> None:
    platform = filled()
    transaction = opened(platform)
    stage(platform, transaction, op("create", "n1", **FULL), op("update", "e1", odds=1.5))
    read = {"query": [("transactionId", transaction)]}
    made = platform.call("GET", f"{ROWS}/n1", **read).body
    assert made == {**FULL, "$id": "n1", "$databaseId": "raceday", "$tableId": "entrants", "$sequence": ""}
    changed = platform.call("GET", f"{ROWS}/e1", **read).body
    assert changed == platform.row("e1") | {"odds": 1.5}
    stage(platform, transaction, op("delete", "e1"))
    assert platform.call("GET", f"{ROWS}/e1", **read).status == 404


def test_staging_looks_at_neither_values_nor_new_ids() -> None:
    platform = filled()
    transaction = opened(platform)
    odd = (op("create", "e1", nope=1), bulk("bulkUpsert", {"$id": "x" * 50, "odds": "two"}), op("upsert", "n1", odds=0))
    assert stage(platform, transaction, *odd).status == 201
    refused = commit(platform, transaction)
    assert (refused.status, refused.kind) == (400, "document_invalid_structure")


@pytest.mark.parametrize("action", ["update", "delete", "increment", "decrement"])
def test_a_row_to_change_must_be_stored_or_made_before(action: str) -> None:
    platform = filled()
    data = {"odds": 1.5} if action == "update" else {"column": "number"} if action != "delete" else {}
    transaction = opened(platform)
    lost = stage(platform, transaction, op(action, "n1", **data))
    assert (lost.status, lost.kind) == (404, "document_not_found")
    assert stage(platform, transaction, op("create", "n1", **FULL), op(action, "n1", **data)).status == 201
    assert commit(platform, transaction).status == 200


def test_a_taken_id_fails_the_whole_commit() -> None:
    platform = filled()
    transaction = opened(platform)
    stage(platform, transaction, op("update", "e2", odds=1.5), op("create", "n1", **FULL), op("create", "e1", **FULL))
    before = platform.list()
    refused = commit(platform, transaction)
    assert (refused.status, refused.kind) == (409, "transaction_conflict")
    assert platform.list() == before
    assert platform.told() == []
    assert platform.call("GET", f"{TRANSACTIONS}/{transaction}").body["status"] == "failed"
    assert commit(platform, transaction).kind == "transaction_not_ready"


@pytest.mark.parametrize(
    "operation",
    [
        op("update", "e1", name="mine"),
        op("delete", "e1"),
        op("upsert", "e1", **{"$id": "e1", **FULL, "name": "mine"}),
        bulk("bulkUpsert", {"$id": "n1", **FULL}, {"$id": "e1", **FULL, "name": "mine"}),
        {"action": "bulkUpdate", "data": {"data": {"name": "mine"}, "queries": []}},
        {"action": "bulkDelete", "data": {"queries": []}},
    ],
)
def test_a_row_that_others_wrote_since_it_was_staged_fails_the_commit(operation: dict[str, object]) -> None:
    platform = filled()
    transaction = opened(platform)
    assert stage(platform, transaction, operation).status == 201
    platform.call("PATCH", f"{ROWS}/e1", {"data": {"name": "theirs"}})
    before = platform.list()
    assert commit(platform, transaction).kind == "transaction_conflict"
    assert platform.list() == before


def test_a_row_that_others_wrote_before_it_was_staged_does_not() -> None:
    platform = filled()
    transaction = opened(platform)
    platform.call("PATCH", f"{ROWS}/e1", {"data": {"name": "theirs"}})
    stage(platform, transaction, op("update", "e1", name="mine"))
    assert commit(platform, transaction).status == 200
    assert platform.row("e1")["name"] == "mine"


def test_a_transaction_may_write_a_row_again_and_again() -> None:
    platform = filled()
    assert (
        done(
            platform,
            op("create", "n1", **FULL),
            op("update", "n1", odds=1.5),
            bulk("bulkUpsert", {"$id": "n1", "name": "partly"}),
            op("upsert", "n1", number=7),
            op("increment", "n1", column="number"),
            op("update", "e1", odds=2.5),
            op("update", "e1", number=4),
        ).status
        == 200
    )
    row = platform.row("n1")
    assert (row["raceId"], row["name"], row["odds"], row["number"]) == ("r1", "partly", 1.5, 8)
    assert (platform.row("e1")["odds"], platform.row("e1")["number"]) == (2.5, 4)


def test_an_upsert_takes_its_id_from_the_data_or_makes_one() -> None:
    platform = filled()
    assert done(platform, op("upsert", "n1", **FULL), op("upsert", "n1", **{"$id": "n2", **FULL})).status == 200
    made = set(platform.ids()) - {"e1", "e2", "e3", "n2"}
    assert platform.row("n1") is None
    assert [len(row_id) for row_id in made] == [20]


def test_a_new_row_of_falsy_values_is_not_written_in_a_transaction_either() -> None:
    platform = entrants(
        (("integer", {"key": "number", "required": False}), ("varchar", {"key": "name", "size": 9, "required": False}))
    )
    falsy = {"number": 0, "name": ""}
    assert done(platform, bulk("bulkUpsert", {"$id": "n1", **falsy}), op("upsert", "n2", **{"$id": "n2", **falsy}))
    assert platform.ids() == []


def test_bulk_updates_and_deletions_by_queries() -> None:
    platform = filled()
    by_id = '{"method":"equal","attribute":"$id","values":["e2","n1"]}'
    written = done(
        platform,
        bulk("bulkCreate", {"$id": "n1", **FULL}, {"$id": "n2", **FULL}),
        {"action": "bulkUpdate", "data": {"data": {"odds": 7.5}, "queries": [by_id]}},
        {"action": "bulkDelete", "data": {"queries": ['{"method":"equal","attribute":"$id","values":["e1"]}']}},
    )
    assert written.status == 200
    assert {row["$id"]: row["odds"] for row in platform.list()["rows"]} == {"e2": 7.5, "e3": 4.5, "n1": 7.5, "n2": 4.5}


def test_a_bad_query_fails_the_commit_and_not_the_staging() -> None:
    platform = filled()
    bad = '{"method":"equal","attribute":"nope","values":["e2"]}'
    refused = done(platform, {"action": "bulkDelete", "data": {"queries": [bad]}})
    assert refused.kind == "general_query_invalid"


def test_counting_past_the_bound_fails_the_commit() -> None:
    platform = filled()
    refused = done(platform, op("update", "e2", odds=1.5), op("increment", "e1", column="number", value=5, max=4))
    assert (refused.status, refused.kind) == (400, "attribute_limit_exceeded")
    assert platform.row("e2")["odds"] == 4.5


def test_a_hundred_operations_of_which_each_may_be_a_hundred_rows() -> None:
    platform = entrants()
    transaction = opened(platform)
    bulks = [
        bulk("bulkUpsert", *({"$id": f"r{race}-{number}", "raceId": f"r{race}"} for number in range(100)))
        for race in range(12)
    ]
    assert stage(platform, transaction, *bulks).body["operations"] == 12
    single = [op("create", f"s{number}", **FULL) for number in range(89)]
    refused = stage(platform, transaction, *single)
    assert (refused.status, refused.kind) == (400, "transaction_limit_exceeded")
    assert {"12", "89", "100"} <= set(refused.body["message"].split())
    assert stage(platform, transaction, *single[:88]).body["operations"] == 100
    assert commit(platform, transaction).status == 200
    assert platform.list()["total"] == 1288


def test_time_runs_out() -> None:
    platform = filled()
    transaction = opened(platform, ttl=60)
    stage(platform, transaction, op("update", "e1", odds=1.5))
    platform.clock.move(61)
    for reply in (stage(platform, transaction, op("update", "e1", odds=2.5)), commit(platform, transaction)):
        assert (reply.status, reply.kind) == (410, "transaction_expired")
    assert platform.row("e1")["odds"] == 4.5


def test_a_transaction_lasts_five_minutes_unless_told_and_an_hour_at_most() -> None:
    platform = filled()
    opened_for = {}
    for ttl in (None, 60, 3600):
        body = platform.call("POST", TRANSACTIONS, {} if ttl is None else {"ttl": ttl}).body
        opened_for[ttl] = (body["$createdAt"][11:19], body["expiresAt"][11:19])
    assert opened_for == {
        None: ("03:00:02", "03:05:02"),
        60: ("03:00:02", "03:01:02"),
        3600: ("03:00:02", "04:00:02"),
    }
    for ttl in (59, 3601, "soon"):
        assert platform.call("POST", TRANSACTIONS, {"ttl": ttl}).kind == "general_argument_invalid"


def test_rolling_back_ends_it() -> None:
    platform = filled()
    transaction = opened(platform)
    stage(platform, transaction, op("update", "e1", odds=1.5))
    ended = platform.call("PATCH", f"{TRANSACTIONS}/{transaction}", {"rollback": True})
    assert (ended.status, ended.body["status"]) == (200, "failed")
    assert platform.row("e1")["odds"] == 4.5
    assert stage(platform, transaction, op("update", "e1", odds=1.5)).kind == "general_bad_request"
    assert commit(platform, transaction).kind == "transaction_not_ready"
    assert platform.list(transactionId=transaction)["rows"] == platform.list()["rows"]


def test_what_cannot_be_staged_or_ended() -> None:
    platform = filled()
    transaction = opened(platform)
    for operation, refusal in (
        ({"action": "replace"}, "general_argument_invalid"),
        ({"action": "create", "rowId": "n1", "tableId": "nope", "data": FULL}, "table_not_found"),
        ({"action": "create", "rowId": "n1", "databaseId": "nope", "data": FULL}, "database_not_found"),
        ({"action": "create", "data": FULL}, "general_argument_invalid"),
        ({"action": "upsert", "data": FULL}, "general_argument_invalid"),
        ({"action": "delete", "rowId": " "}, "general_argument_invalid"),
        ({"action": "update", "rowId": "e1"}, "general_argument_invalid"),
        ({"action": "bulkUpsert", "data": FULL}, "general_argument_invalid"),
        ({"action": "bulkUpsert", "rowId": None, "data": [FULL]}, "general_argument_invalid"),
        ({"action": "bulkUpdate", "data": {"data": {"odds": 1.5}}}, "general_argument_invalid"),
        ({"action": "bulkUpdate", "data": {"queries": []}}, "general_argument_invalid"),
        ({"action": "bulkDelete", "data": {}}, "general_argument_invalid"),
    ):
        assert stage(platform, transaction, operation).kind == refusal
    path = f"{TRANSACTIONS}/{transaction}"
    assert platform.call("POST", f"{path}/operations", {"operations": []}).kind == "general_bad_request"
    assert platform.call("PATCH", path, {}).kind == "general_bad_request"
    assert platform.call("PATCH", path, {"commit": True, "rollback": True}).kind == "general_bad_request"
    assert commit(platform, "nope").kind == "transaction_not_found"
    assert commit(platform, transaction).body["status"] == "committed"


def test_the_calls_about_rows_can_be_staged_too() -> None:
    platform = filled()
    transaction = opened(platform)
    inside = {"transactionId": transaction}
    replies = [
        platform.call("POST", ROWS, {"rowId": "n1", "data": FULL, **inside}),
        platform.call("PUT", f"{ROWS}/n2", {"data": FULL, **inside}),
        platform.call("PATCH", f"{ROWS}/e1", {"data": {"odds": 1.5}, **inside}),
        platform.call("PATCH", f"{ROWS}/e1/number/increment", {"value": 2, **inside}),
        platform.call("PUT", ROWS, {"rows": [{"$id": "n3", **FULL}], **inside}),
        platform.call("POST", ROWS, {"rows": [{"$id": "n4", **FULL}], **inside}),
        platform.call("PATCH", ROWS, {"data": {"name": "all"}, **inside}),
        platform.call("DELETE", f"{ROWS}/e2", inside),
    ]
    assert [reply.status for reply in replies] == [201, 201, 200, 200, 201, 201, 200, 204]
    assert "$createdAt" not in replies[0].body
    assert replies[6].body == {"total": 0, "rows": []}
    assert platform.ids() == ["e1", "e2", "e3"]
    assert commit(platform, transaction).body["operations"] == 8
    assert sorted(platform.ids(where("equal", "name", "all"))) == ["e1", "e3", "n1", "n2", "n3", "n4"]
    assert (platform.row("e1")["odds"], platform.row("e1")["number"]) == (1.5, 2)


def test_ended_transactions_are_forgotten_after_a_while() -> None:
    platform = filled()
    old = opened(platform)
    commit(platform, old)
    platform.clock.move(61)
    opened(platform)
    assert platform.call("GET", f"{TRANSACTIONS}/{old}").kind == "transaction_not_found"
    assert platform.list(path=TRANSACTIONS)["total"] == 1
