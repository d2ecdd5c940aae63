"""The stand-in Appwrite's listings: filters, order, cursors, limits, and a total that stops counting."""

from __future__ import annotations

import orjson
import pytest

from appwrite_platform import ROWS, Platform, entrants, where

# id, race, name, number, odds, scratched, minute of last update
RUNNERS = (
    ("a1", "r1", "Phar Lap", 1, 4.5, False, 1),
    ("a2", "r1", "phàr lap ", 2, None, True, 2),
    ("b1", "r2", "Carbine", 3, 2.5, False, 3),
    ("b2", "r2", None, 3, 9.5, True, None),
    ("c1", "R3", "100% Sure", 0, 2.5, False, 5),
)


THREE = where("equal", "number", 3)
NONE_OR_THREE_WITHOUT_NAME = where(
    "or", "", where("equal", "number", 0), where("and", "", THREE, where("isNull", "name"))
)
ONE_IN_AN_OR = where("or", "", where("isNull", "name"))


def platform() -> Platform:
    filled = entrants()
    given = [
        {
            "$id": row_id,
            "raceId": race,
            "name": name,
            "number": number,
            "odds": odds,
            "isScratched": scratched,
            "lastUpdated": None if minute is None else f"2026-03-12T03:0{minute}:00Z",
        }
        for row_id, race, name, number, odds, scratched, minute in RUNNERS
    ]
    assert filled.call("POST", ROWS, {"rows": given}).status == 201
    return filled


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (where("equal", "raceId", "r1"), "a1 a2"),
        (where("equal", "raceId", "R1 ", "r3"), "a1 a2 c1"),
        (where("equal", "name", "PHAR LAP"), "a1 a2"),
        (where("equal", "number", 3), "b1 b2"),
        (where("equal", "odds", 2.5, 4.5), "a1 b1 c1"),
        (where("equal", "isScratched", True), "a2 b2"),
        (where("equal", "$id", "B2", "a1", "nope"), "a1 b2"),
        (where("equal", "$sequence", 2), "a2"),
        (where("equal", "lastUpdated", "2026-03-12T16:03:00+13:00"), "b1"),
        (where("notEqual", "name", "carbine"), "a1 a2 c1"),
        (where("notEqual", "odds", 2.5), "a1 b2"),
        (where("lessThan", "number", 2), "a1 c1"),
        (where("lessThanEqual", "number", 2), "a1 a2 c1"),
        (where("greaterThan", "odds", 2.5), "a1 b2"),
        (where("greaterThanEqual", "odds", 4.5), "a1 b2"),
        (where("lessThan", "name", "b"), "c1"),
        (where("between", "number", 1, 2), "a1 a2"),
        (where("between", "lastUpdated", "2026-03-12T03:02:00Z", "2026-03-12T03:03:00Z"), "a2 b1"),
        (where("isNull", "odds"), "a2"),
        (where("isNotNull", "name"), "a1 a2 b1 c1"),
        (where("startsWith", "name", "PHÀR "), "a1 a2"),
        (where("endsWith", "name", "lap"), "a1"),
        (where("contains", "name", "ar"), "a1 a2 b1"),
        (where("contains", "name", "%"), "c1"),
        (where("contains", "name", "carb", "100"), "b1 c1"),
        (where("or", "", where("equal", "number", 1), where("isNull", "name")), "a1 b2"),
        (where("and", "", where("equal", "number", 3), where("equal", "isScratched", True)), "b2"),
        (NONE_OR_THREE_WITHOUT_NAME, "b2 c1"),
    ],
)
def test_filters(query: dict[str, object], found: str) -> None:
    assert sorted(platform().ids(query)) == found.split()


def test_filters_of_one_call_must_all_hold() -> None:
    assert platform().ids(where("equal", "raceId", "r1", "r2"), where("greaterThan", "odds", 3.0)) == ["a1", "b2"]


@pytest.mark.parametrize(
    ("orders", "found"),
    [
        ([], "a1 a2 b1 b2 c1"),
        ([where("orderAsc", "number")], "c1 a1 a2 b1 b2"),
        ([where("orderDesc", "number")], "b1 b2 a2 a1 c1"),
        ([where("orderAsc", "odds")], "a2 b1 c1 a1 b2"),
        ([where("orderDesc", "odds"), where("orderDesc", "name")], "b2 a1 b1 c1 a2"),
        ([where("orderAsc", "name")], "b2 c1 b1 a1 a2"),
        ([where("orderDesc", "$id")], "c1 b2 b1 a2 a1"),
        ([where("orderDesc", "$sequence")], "c1 b2 b1 a2 a1"),
        ([where("orderDesc", "lastUpdated")], "c1 b1 a2 a1 b2"),
    ],
)
def test_orders_with_nulls_first_and_equals_oldest_first(orders: list[dict[str, object]], found: str) -> None:
    assert platform().ids(*orders) == found.split()


def test_limit_offset_and_cursors() -> None:
    filled, order = platform(), where("orderDesc", "number")
    assert filled.ids(order, where("limit", "", 2)) == ["b1", "b2"]
    assert filled.ids(order, where("limit", "", 2), where("offset", "", 3)) == ["a1", "c1"]
    assert filled.ids(order, where("cursorAfter", "", "b2"), where("limit", "", 2)) == ["a2", "a1"]
    assert filled.ids(order, where("cursorBefore", "", "a1"), where("limit", "", 2)) == ["b2", "a2"]
    assert filled.ids(where("limit", "", 0)) == []
    left_out = (where("equal", "raceId", "r1"), order, where("cursorAfter", "", "b1"))
    assert filled.ids(*left_out) == ["a2", "a1"]
    lost = filled.call("GET", ROWS, query=[("queries[]", '{"method":"cursorAfter","values":["nope"]}')])
    assert (lost.status, lost.kind) == (400, "general_cursor_not_found")


def test_a_cursor_whose_row_is_empty_in_what_orders_is_refused() -> None:
    filled, order = platform(), where("orderAsc", "odds")
    assert filled.ids(order, where("cursorAfter", "", "b1")) == ["c1", "a1", "b2"]
    assert filled.list(order, where("cursorAfter", "", "a2"))["type"] == "database_query_order_null"


def test_a_selection_keeps_what_the_platform_adds() -> None:
    (row, *_rest) = platform().list(where("select", "", "name"))["rows"]
    added = {"$id", "$sequence", "$createdAt", "$updatedAt", "$permissions", "$databaseId", "$tableId"}
    assert row.keys() == {"name"} | added
    one = platform().call("GET", f"{ROWS}/a1", query=[("queries[0]", '{"method":"select","values":["odds"]}')])
    assert one.body.keys() == {"odds"} | added


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("not json", "JSON"),
        ('"text"', "str"),
        (where("equals", "raceId", "x"), "equals"),
        (where("equal", "nope", "x"), "nope"),
        (where("orderAsc", "nope"), "nope"),
        (where("select", "", "nope"), "nope"),
        (where("select"), "select"),
        (where("select", "", "name", "odds", "name"), "select"),
        (where("equal", "raceId"), "equal"),
        (where("lessThan", "number", 1, 2), "lessThan"),
        (where("between", "number", 1), "between"),
        (where("equal", "number", "1"), "number"),
        (where("equal", "raceId", None), "raceId"),
        (where("equal", "isScratched", 1), "isScratched"),
        (where("lessThan", "lastUpdated", "soon"), "lastUpdated"),
        (where("contains", "number", 1), "number"),
        (ONE_IN_AN_OR, "or"),
        (where("limit", "", -1), "limit"),
        (where("limit", "", "5"), "limit"),
        (where("cursorAfter"), "cursorAfter"),
    ],
)
def test_queries_that_cannot_be_asked(query: str | dict[str, object], named: str) -> None:
    text = query if isinstance(query, str) else orjson.dumps(query).decode()
    refused = platform().call("GET", ROWS, query=[("queries[]", text)])
    assert (refused.status, refused.kind) == (400, "general_query_invalid")
    assert named in refused.body["message"].split()


def test_the_limits_of_queries() -> None:
    filled = platform()
    many = [f"r{number}" for number in range(501)]
    assert filled.ids(where("equal", "raceId", *many[:500])) == ["a1", "a2", "b1", "b2", "c1"]
    refused = filled.list(where("equal", "raceId", *many[:501]))
    assert refused["type"] == "general_query_invalid"
    longest = {"method": "equal", "attribute": "raceId", "values": ["x" * 4030]}
    assert filled.list(longest)["total"] == 0
    longest["values"] = ["x" * 4097]
    assert filled.list(longest)["type"] == "general_argument_invalid"
    assert filled.list(*[where("isNotNull", "raceId")] * 100)["total"] == 5
    assert filled.list(*[where("isNotNull", "raceId")] * 101)["type"] == "general_argument_invalid"


def test_twenty_five_rows_unless_a_limit_says_otherwise_and_no_upper_end() -> None:
    filled = entrants()
    for start in range(0, 5200, 100):
        rows = [{"$id": f"e{start + number}", "raceId": "r1"} for number in range(100)]
        assert filled.call("PUT", ROWS, {"rows": rows}).status == 200
    assert len(filled.ids()) == 25
    listed = filled.list(where("equal", "raceId", "r1"), where("limit", "", 6000))
    assert (listed["total"], len(listed["rows"])) == (5000, 5200)


@pytest.mark.parametrize(("word", "total"), [("0", 0), ("false", 5), ("1", 5), ("true", 5)])
def test_only_a_zero_saves_the_count(word: str, total: int) -> None:
    assert platform().list(where("limit", "", 1), total=word)["total"] == total
