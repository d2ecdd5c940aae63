"""The stand-in Appwrite's single rows: values and their forms, dates, compare-and-set, counting up."""

from __future__ import annotations

import pytest

from appwrite_platform import COLUMNS, ROWS, Platform, Reply, entrants
from raceday.simulator.appwrite.collation import folded, loosely_equal
from raceday.simulator.appwrite.project import Project

KINDS = (
    *COLUMNS,
    ("bigint", {"key": "nanos", "required": False}),
    ("text", {"key": "change", "required": False}),
    ("enum", {"key": "code", "required": False, "elements": ["T", "H"]}),
    ("email", {"key": "mail", "required": False}),
    ("url", {"key": "silk", "required": False}),
    ("ip", {"key": "address", "required": False}),
    ("varchar", {"key": "gear", "size": 20, "required": False, "array": True}),
    ("varchar", {"key": "state", "size": 9, "required": False, "default": "Open"}),
)


def create(platform: Platform, row_id: str = "e1", **values: object) -> Reply:
    return platform.call("POST", ROWS, {"rowId": row_id, "data": {"raceId": "r1", **values}})


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        ({"odds": 5.0}, {"odds": 5}),
        ({"odds": 4.25}, {"odds": 4.25}),
        ({"winPoolCents": 2**63 - 1}, {"winPoolCents": 9223372036854775807}),
        ({"winPoolCents": -(2**53) - 1}, {"winPoolCents": -9007199254740993}),
        ({"lastUpdated": "2026-03-12T04:00:00Z"}, {"lastUpdated": "2026-03-12T04:00:00.000+00:00"}),
        ({"lastUpdated": "2026-03-12T17:00:00.123999+13:00"}, {"lastUpdated": "2026-03-12T04:00:00.123+00:00"}),
        ({"lastUpdated": "2026-03-12"}, {"lastUpdated": "2026-03-12T00:00:00.000+00:00"}),
        ({"name": "Noël 🐎 "}, {"name": "Noël 🐎 "}),
        ({"code": "H"}, {"code": "H"}),
        ({"mail": "a@b.nz"}, {"mail": "a@b.nz"}),
        ({"silk": "https://x.nz/a.png"}, {"silk": "https://x.nz/a.png"}),
        ({"address": "::1"}, {"address": "::1"}),
        ({"gear": ["blinkers", "tongue tie"]}, {"gear": ["blinkers", "tongue tie"]}),
        ({"change": "x" * 65_535}, {"change": "x" * 65_535}),
        ({}, {"state": "Open", "odds": None, "gear": None}),
    ],
)
def test_values_come_back_in_one_form(value: dict[str, object], stored: dict[str, object]) -> None:
    platform = entrants(KINDS)
    made = create(platform, **value)
    assert made.status == 201, made.body
    row = platform.row("e1")
    assert {key: row[key] for key in stored} == stored
    assert made.body == row


@pytest.mark.parametrize(
    ("value", "named"),
    [
        ({"winPoolCents": "1"}, "winPoolCents"),
        ({"winPoolCents": 1.0}, "winPoolCents"),
        ({"winPoolCents": True}, "winPoolCents"),
        ({"number": 100}, "number"),
        ({"number": 2**31}, "number"),
        ({"odds": "4.5"}, "odds"),
        ({"name": 4}, "name"),
        ({"name": "x" * 41}, "name"),
        ({"isScratched": 1}, "isScratched"),
        ({"lastUpdated": "soon"}, "lastUpdated"),
        ({"lastUpdated": 20260312}, "lastUpdated"),
        ({"code": "G"}, "code"),
        ({"mail": "nobody"}, "mail"),
        ({"silk": "nowhere"}, "silk"),
        ({"address": "300.1.1.1"}, "address"),
        ({"gear": "blinkers"}, "gear"),
        ({"gear": ["blinkers", 4]}, "gear"),
        ({"raceId": None}, "raceId"),
        ({"nope": 1, "odds": "x"}, "nope"),
    ],
)
def test_values_that_do_not_fit_are_refused(value: dict[str, object], named: str) -> None:
    platform = entrants(KINDS)
    refused = create(platform, **value)
    assert (refused.status, refused.kind) == (400, "row_invalid_structure")
    assert named in refused.body["message"].split()
    assert platform.row("e1") is None
    assert platform.told() == []


def test_ids_are_checked_compared_without_case_and_made_on_request() -> None:
    platform = entrants()
    for bad in ("a/b", "x" * 37, "_a", ".a", "", "ä", 7):
        assert create(platform, bad).status == 400, bad
    assert create(platform, "Ab.c-d_1").status == 201
    taken = create(platform, "aB.C-D_1")
    assert (taken.status, taken.kind) == (409, "row_already_exists")
    assert "aB.C-D_1" in taken.body["message"]
    assert platform.row("AB.C-D_1")["$id"] == "Ab.c-d_1"
    made = create(platform, "unique()").body["$id"]
    assert len(made) == 20
    assert platform.row(made) is not None


def test_an_id_that_was_refused_has_used_up_a_sequence() -> None:
    platform = entrants()
    assert create(platform, "e1").body["$sequence"] == "1"
    assert create(platform, "e1").status == 409
    assert create(platform, "e2").body["$sequence"] == "3"


def test_a_key_may_set_the_dates_and_what_is_read_only_is_dropped() -> None:
    platform = entrants()
    given = {"$createdAt": "2020-01-01T00:00:00Z", "$sequence": "99", "$databaseId": "x", "$tableId": "y"}
    row = create(platform, **given).body
    assert row["$createdAt"] == "2020-01-01T00:00:00.000+00:00"
    assert row["$updatedAt"].startswith("2026-03-12")
    assert (row["$sequence"], row["$databaseId"], row["$tableId"]) == ("1", "raceday", "entrants")


def test_an_update_changes_only_what_is_given_and_writes_only_what_differs() -> None:
    platform = entrants()
    made = create(platform, name="Phar Lap", odds=4.5, number=1).body
    platform.clock.move(1)
    same = platform.call("PATCH", f"{ROWS}/e1", {"data": {"odds": 4.5}}).body
    assert same == made
    changed = platform.call("PATCH", f"{ROWS}/e1", {"data": {"odds": 4.4}}).body
    assert changed == {**made, "odds": 4.4, "$updatedAt": changed["$updatedAt"]}
    assert changed["$updatedAt"] > made["$updatedAt"]
    assert platform.told() == [("e1", "create"), ("e1", "update"), ("e1", "update")]


def test_a_whole_number_given_to_a_float_column_counts_as_a_change() -> None:
    platform = entrants()
    made = create(platform, odds=5.0).body
    platform.clock.move(1)
    assert platform.call("PATCH", f"{ROWS}/e1", b'{"data": {"odds": 5.0}}').body["$updatedAt"] == made["$updatedAt"]
    assert platform.call("PATCH", f"{ROWS}/e1", b'{"data": {"odds": 5}}').body["$updatedAt"] > made["$updatedAt"]


def test_an_update_is_checked_like_a_row() -> None:
    platform = entrants()
    create(platform)
    for values, refusal in (
        ({"raceId": None}, "row_invalid_structure"),
        ({"nope": 1}, "row_invalid_structure"),
        ({"number": "1"}, "row_invalid_structure"),
        ({}, "row_missing_payload"),
    ):
        assert platform.call("PATCH", f"{ROWS}/e1", {"data": values}).kind == refusal
    assert platform.call("PATCH", f"{ROWS}/e9", {"data": {"odds": 1.5}}).kind == "row_not_found"


def test_compare_and_set_by_the_timestamp() -> None:
    platform = entrants()
    token = create(platform, name="free").body["$updatedAt"]
    first = platform.call("PATCH", f"{ROWS}/e1", {"data": {"name": "mine"}}, x_appwrite_timestamp=token)
    second = platform.call("PATCH", f"{ROWS}/e1", {"data": {"name": "yours"}}, x_appwrite_timestamp=token)
    unchanged = platform.call("PATCH", f"{ROWS}/e1", {"data": {"name": "mine"}}, x_appwrite_timestamp=token)
    deleted = platform.call("DELETE", f"{ROWS}/e1", x_appwrite_timestamp=token)
    assert first.status == 200
    assert {(late.status, late.kind) for late in (second, unchanged, deleted)} == {(409, "row_update_conflict")}
    assert platform.row("e1")["name"] == "mine"
    token = platform.row("e1")["$updatedAt"].replace("+00:00", "Z")
    assert platform.call("DELETE", f"{ROWS}/e1", x_appwrite_timestamp=token).status == 204


def test_two_writes_within_one_millisecond_cannot_be_told_apart() -> None:
    platform = entrants(project=Project("raceday", call_takes_ms=0))
    token = create(platform, name="free").body["$updatedAt"]
    for name in ("mine", "yours"):
        reply = platform.call("PATCH", f"{ROWS}/e1", {"data": {"name": name}}, x_appwrite_timestamp=token)
        assert reply.status == 200
    assert platform.row("e1")["name"] == "yours"


@pytest.mark.parametrize("token", ["yesterdayish", "12"])
def test_a_token_that_is_no_date_is_refused(token: str) -> None:
    platform = entrants()
    create(platform)
    reply = platform.call("PATCH", f"{ROWS}/e1", {"data": {"odds": 2.5}}, x_appwrite_timestamp=token)
    assert (reply.status, reply.kind) == (400, "general_argument_invalid")


def test_counting_stops_at_its_bound_and_answers_with_the_old_date() -> None:
    platform = entrants()
    made = create(platform, winPoolCents=10).body
    platform.clock.move(1)
    path = f"{ROWS}/e1/winPoolCents"
    up = platform.call("PATCH", f"{path}/increment", {"value": 5, "max": 15}).body
    assert (up["winPoolCents"], up["$updatedAt"]) == (15, made["$updatedAt"])
    assert platform.row("e1")["$updatedAt"] > made["$updatedAt"]
    over = platform.call("PATCH", f"{path}/increment", {"value": 1, "max": 15})
    under = platform.call("PATCH", f"{path}/decrement", {"value": 6, "min": 10})
    assert [one.kind for one in (over, under)] == ["column_limit_exceeded"] * 2
    assert {"winPoolCents", "10"} <= set(under.body["message"].split())
    assert platform.call("PATCH", f"{path}/decrement", {"value": 5, "min": 10}).body["winPoolCents"] == 10
    assert platform.call("PATCH", f"{path}/increment").body["winPoolCents"] == 11
    for path, refusal in (
        (f"{ROWS}/e1/raceId/increment", "column_type_invalid"),
        (f"{ROWS}/e1/nope/increment", "column_not_found"),
        (f"{ROWS}/e2/number/increment", "row_not_found"),
    ):
        assert platform.call("PATCH", path).kind == refusal
    assert platform.call("PATCH", f"{ROWS}/e1/number/increment", {"value": 0}).kind == "general_argument_invalid"


def test_a_unique_value_is_refused_to_a_second_row() -> None:
    platform = unique_names()
    create(platform, "e1", name="Phar Lap")
    create(platform, "e2", name="Kindergarten")
    create(platform, "e3", name=None)
    assert create(platform, "e4", name=None).status == 201
    again = create(platform, "e5", name="PHAR LÀP  ")
    renamed = platform.call("PATCH", f"{ROWS}/e2", {"data": {"name": "phar lap"}})
    assert {(one.status, one.kind) for one in (again, renamed)} == {(409, "row_already_exists")}
    platform.call("DELETE", f"{ROWS}/e1")
    assert create(platform, "e5", name="Phar Lap").status == 201


def unique_names() -> Platform:
    platform = entrants()
    index = {"key": "names", "type": "unique", "columns": ["name"]}
    platform.call("POST", "/tablesdb/raceday/tables/entrants/indexes", index)
    platform.clock.move(1)
    return platform


def test_text_is_folded_as_the_database_folds_it() -> None:
    assert folded("Ärger ") == folded("arger")
    assert folded("straße") == folded("STRASSE")
    assert folded(" a") != folded("a")


@pytest.mark.parametrize(
    ("old", "new", "equal"),
    [
        (None, 0, True),
        (None, "", True),
        (None, False, True),
        (None, [], True),
        (None, "0", False),
        (None, 1, False),
        (0, None, True),
        ("abc", "ABC", False),
        (5, 5.0, True),
        ("5", 5.0, True),
        ("5.0", "5", True),
        ("1_0", 10, False),
        ("abc", 0, False),
        (True, 1, True),
        (True, "0", False),
        ("a", "b", False),
    ],
)
def test_loose_equality_is_php_s(old: object, new: object, equal: bool) -> None:
    assert loosely_equal(old, new) is equal
