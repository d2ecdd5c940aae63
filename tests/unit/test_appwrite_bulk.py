"""The stand-in Appwrite's bulk calls: all or nothing, a hundred at a time, and by queries without an end."""

from __future__ import annotations

import orjson
import pytest

from appwrite_platform import ROWS, Platform, entrants, where


def rows(count: int, race: str = "r1", **values: object) -> list[dict[str, object]]:
    return [{"$id": f"{race}-e{number}", "raceId": race, "number": number % 99, **values} for number in range(count)]


def filled(count: int) -> Platform:
    platform = entrants()
    for start in range(0, count, 100):
        assert platform.call("POST", ROWS, {"rows": rows(count)[start : start + 100]}).status == 201
    platform.told()
    return platform


def asked(*queries: dict[str, object]) -> list[str]:
    return [orjson.dumps(query).decode() for query in queries]


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_hundred_rows_and_not_one_more(method: str) -> None:
    platform = entrants()
    refused = platform.call(method, ROWS, {"rows": rows(101)})
    assert (refused.status, refused.kind) == (400, "general_argument_invalid")
    assert platform.ids() == []
    written = platform.call(method, ROWS, {"rows": rows(100)})
    assert written.body["total"] == 100
    assert len(platform.told()) == 100


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_one_bad_row_spoils_all(method: str) -> None:
    platform = entrants()
    given = rows(5)
    given[4]["number"] = "four"
    assert platform.call(method, ROWS, {"rows": given}).kind == "row_invalid_structure"
    assert platform.ids() == []
    assert platform.told() == []


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_the_same_id_twice_is_refused(method: str) -> None:
    platform = entrants()
    given = rows(3)
    given[2]["$id"] = "R1-E0"
    refused = platform.call(method, ROWS, {"rows": given})
    assert (refused.status, refused.kind) == (409, "row_already_exists")
    assert platform.ids() == []


def test_an_id_that_is_there_spoils_a_bulk_of_new_rows() -> None:
    platform = filled(1)
    assert platform.call("POST", ROWS, {"rows": [*rows(3, "r2"), *rows(1)]}).kind == "row_already_exists"
    assert platform.ids() == ["r1-e0"]


def test_a_unique_value_that_is_taken_spoils_a_bulk_of_new_rows() -> None:
    platform = filled(3)
    index = {"key": "numbers", "type": "unique", "columns": ["number"]}
    platform.call("POST", "/tablesdb/raceday/tables/entrants/indexes", index)
    fresh = [{"$id": f"n{number}", "raceId": "r2", "number": number} for number in (7, 8, 2)]
    assert platform.call("POST", ROWS, {"rows": fresh}).kind == "row_already_exists"
    assert len(platform.ids()) == 3
    assert platform.call("POST", ROWS, {"rows": fresh[:2]}).status == 201


def test_ids_of_bulk_rows_are_not_checked_and_are_made_when_missing() -> None:
    platform = entrants()
    given = [{"$id": "x" * 37, "raceId": "r1"}, {"$id": "a/b", "raceId": "r1"}, {"raceId": "r1"}]
    written = platform.call("PUT", ROWS, {"rows": given})
    assert (written.status, written.body["total"]) == (200, 3)
    assert set(platform.ids()) >= {"x" * 37, "a/b"}
    assert platform.call("GET", f"{ROWS}/{'x' * 37}").kind == "general_argument_invalid"


def test_one_row_or_many_but_not_both_nor_none() -> None:
    platform = entrants()
    both = {"rowId": "e1", "data": {"raceId": "r1"}, "rows": rows(1)}
    assert platform.call("POST", ROWS, both).kind == "general_bad_request"
    for nothing in ({}, {"rows": []}, {"data": {"raceId": "r1"}}, {"rowId": "e1", "data": {}}):
        assert platform.call("POST", ROWS, nothing).kind == "row_missing_data"
    assert platform.call("PUT", ROWS, {}).kind == "general_argument_invalid"


def test_unchanged_rows_of_a_bulk_are_neither_counted_nor_told() -> None:
    platform = entrants()
    full = {
        "name": "x",
        "winPoolCents": 1,
        "odds": 1.5,
        "isScratched": True,
        "lastUpdated": "2026-03-12T04:00:00.000+00:00",
    }
    given = rows(4, **full)
    platform.call("PUT", ROWS, {"rows": given})
    platform.told()
    given[1]["odds"] = 9.5
    written = platform.call("PUT", ROWS, {"rows": given}).body
    assert (written["total"], [row["$id"] for row in written["rows"]]) == (1, ["r1-e1"])
    assert platform.told() == [("r1-e1", "upsert")]


def test_an_update_by_queries_changes_what_matches_and_all_without_queries() -> None:
    platform = filled(5)
    some = {"data": {"isScratched": True}, "queries": asked(where("greaterThan", "number", 2))}
    assert platform.call("PATCH", ROWS, some).body["total"] == 2
    assert platform.told() == [("r1-e3", "update"), ("r1-e4", "update")]
    assert platform.ids(where("equal", "isScratched", True)) == ["r1-e3", "r1-e4"]
    assert platform.call("PATCH", ROWS, {"data": {"odds": 2.5}}).body["total"] == 5
    assert platform.call("PATCH", ROWS, {"data": {"odds": 2.5}}).body["total"] == 5
    limited = {"data": {"odds": 3.5}, "queries": asked(where("limit", "", 2))}
    assert platform.call("PATCH", ROWS, limited).body["total"] == 2


def test_an_update_by_queries_is_checked() -> None:
    platform = filled(2)
    for data, refusal in (({"odds": "x"}, "row_invalid_structure"), ({}, "row_missing_payload")):
        assert platform.call("PATCH", ROWS, {"data": data}).kind == refusal
    assert platform.call("PATCH", ROWS, {"data": {"raceId": None}}).kind == "row_invalid_structure"
    unknown = {"data": {"odds": 2.5}, "queries": asked(where("equal", "nope", 1))}
    assert platform.call("PATCH", ROWS, unknown).kind == "general_query_invalid"


def test_an_update_by_queries_that_breaks_uniqueness_is_a_server_error_and_writes_nothing() -> None:
    platform = filled(3)
    index = {"key": "numbers", "type": "unique", "columns": ["number"]}
    platform.call("POST", "/tablesdb/raceday/tables/entrants/indexes", index)
    refused = platform.call("PATCH", ROWS, {"data": {"number": 7}})
    assert (refused.status, refused.kind) == (500, "general_unknown")
    assert [row["number"] for row in platform.list()["rows"]] == [0, 1, 2]


def test_by_queries_there_is_no_end_but_only_a_hundred_are_answered_and_told() -> None:
    platform = filled(250)
    written = platform.call("PATCH", ROWS, {"data": {"odds": 2.5}}).body
    assert (written["total"], len(written["rows"]), len(platform.told())) == (250, 100, 100)
    assert len(platform.ids(where("equal", "odds", 2.5), where("limit", "", 1000))) == 250
    deleted = platform.call("DELETE", ROWS, {}).body
    assert (deleted["total"], len(deleted["rows"]), len(platform.told())) == (250, 100, 100)
    assert platform.list() == {"total": 0, "rows": []}


def test_a_deletion_by_queries_takes_what_matches() -> None:
    platform = filled(4)
    gone = platform.call("DELETE", ROWS, {"queries": asked(where("lessThan", "number", 2))}).body
    assert [row["$id"] for row in gone["rows"]] == ["r1-e0", "r1-e1"]
    assert platform.told() == [("r1-e0", "delete"), ("r1-e1", "delete")]
    assert platform.ids() == ["r1-e2", "r1-e3"]
