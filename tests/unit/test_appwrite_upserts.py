"""The traps of the platform's upserts, single and bulk."""

from __future__ import annotations

import pytest

from appwrite_platform import ROWS, Platform, Reply, entrants

FULL = {
    "raceId": "r1",
    "name": "Phar Lap",
    "number": 1,
    "winPoolCents": 5,
    "odds": 4.5,
    "isScratched": False,
    "lastUpdated": "2026-03-12T04:00:00.000+00:00",
}
OPTIONAL = (
    ("varchar", {"key": "name", "size": 40, "required": False}),
    ("integer", {"key": "number", "required": False}),
    ("boolean", {"key": "isScratched", "required": False}),
)


def upsert(platform: Platform, row_id: str, *, bulk: bool, **values: object) -> Reply:
    if bulk:
        return platform.call("PUT", ROWS, {"rows": [{"$id": row_id, **values}]})
    return platform.call("PUT", f"{ROWS}/{row_id}", {"data": values})


each_way = pytest.mark.parametrize("bulk", [False, True])


@each_way
def test_a_new_row_of_nothing_but_falsy_values_is_not_written(bulk: bool) -> None:
    platform = entrants(OPTIONAL)
    reply = upsert(platform, "e1", bulk=bulk, name="", number=0, isScratched=False)
    assert reply.status == 200
    assert reply.body == {"total": 0, "rows": []} if bulk else "$id" not in reply.body
    assert platform.row("e1") is None
    assert platform.told() == []
    assert upsert(platform, "e1", bulk=bulk, name="x", number=0).status == 200
    assert platform.row("e1")["number"] == 0
    assert platform.call("POST", ROWS, {"rowId": "e2", "data": {"number": 0}}).status == 201


@each_way
def test_an_unchanged_row_with_every_column_is_not_written(bulk: bool) -> None:
    platform = entrants()
    upsert(platform, "e1", bulk=bulk, **FULL)
    before = platform.row("e1")
    platform.told()
    platform.clock.move(1)
    reply = upsert(platform, "e1", bulk=bulk, **FULL)
    assert reply.body == ({"total": 0, "rows": []} if bulk else before)
    assert platform.row("e1") == before
    assert platform.told() == []


@each_way
def test_an_unchanged_row_with_a_column_left_out_is_written(bulk: bool) -> None:
    platform = entrants()
    upsert(platform, "e1", bulk=bulk, **FULL)
    before = platform.row("e1")
    platform.clock.move(1)
    reply = upsert(platform, "e1", bulk=bulk, **{key: FULL[key] for key in FULL if key != "odds"})
    after = platform.row("e1")
    assert after == {**before, "$updatedAt": after["$updatedAt"]}
    assert after["$updatedAt"] > before["$updatedAt"]
    assert (reply.body["rows"][0] if bulk else reply.body) == after
    assert platform.told() == [("e1", "upsert"), ("e1", "upsert")]


@each_way
def test_a_date_in_another_form_counts_as_a_change(bulk: bool) -> None:
    platform = entrants()
    upsert(platform, "e1", bulk=bulk, **FULL)
    upsert(platform, "e1", bulk=bulk, **{**FULL, "lastUpdated": "2026-03-12T04:00:00Z"})
    assert platform.told() == [("e1", "upsert")] * 2


@each_way
def test_zero_and_null_are_the_same_to_an_upsert_of_a_stored_row(bulk: bool) -> None:
    platform = entrants()
    upsert(platform, "e1", bulk=bulk, **{**FULL, "winPoolCents": 0})
    upsert(platform, "e1", bulk=bulk, **{**FULL, "winPoolCents": None})
    assert platform.row("e1")["winPoolCents"] == 0


@each_way
def test_left_out_columns_keep_their_values_but_required_ones_must_be_there(bulk: bool) -> None:
    platform = entrants()
    upsert(platform, "e1", bulk=bulk, **FULL)
    upsert(platform, "e1", bulk=bulk, raceId="r1", odds=2.5)
    assert {key: platform.row("e1")[key] for key in FULL} == FULL | {"odds": 2.5}
    refused = upsert(platform, "e1", bulk=bulk, odds=3.5)
    assert (refused.status, refused.kind) == (400, "row_invalid_structure")
    assert "raceId" in refused.body["message"].split()


@each_way
def test_a_unique_value_of_another_row_overwrites_that_row(bulk: bool) -> None:
    platform = entrants()
    index = {"key": "names", "type": "unique", "columns": ["name"]}
    platform.call("POST", "/tablesdb/raceday/tables/entrants/indexes", index)
    upsert(platform, "e1", bulk=bulk, **FULL)
    victim = platform.row("e1")
    platform.told()
    reply = upsert(platform, "e2", bulk=bulk, raceId="r2", name="phar lap", odds=9.5)
    answered = reply.body["rows"][0] if bulk else reply.body
    assert (reply.status, answered["$id"], answered["odds"]) == (200, "e2", 9.5)
    assert platform.row("e2") is None
    overwritten = platform.row("e1")
    assert (overwritten["raceId"], overwritten["name"], overwritten["odds"]) == ("r2", "phar lap", 9.5)
    assert overwritten["winPoolCents"] is None
    assert overwritten["$sequence"] == victim["$sequence"]
    assert platform.told() == [("e2", "upsert")]


def test_a_stored_row_cannot_take_the_unique_value_of_another() -> None:
    platform = entrants()
    index = {"key": "names", "type": "unique", "columns": ["name"]}
    platform.call("POST", "/tablesdb/raceday/tables/entrants/indexes", index)
    upsert(platform, "e1", bulk=True, **FULL)
    upsert(platform, "e2", bulk=True, **{**FULL, "name": "Carbine"})
    assert upsert(platform, "e2", bulk=True, **FULL).kind == "row_already_exists"
    assert platform.row("e2")["name"] == "Carbine"


def test_the_timestamp_header_is_not_looked_at() -> None:
    platform = entrants()
    upsert(platform, "e1", bulk=False, **FULL)
    stale = {"x_appwrite_timestamp": "2020-01-01T00:00:00.000+00:00"}
    reply = platform.call("PUT", f"{ROWS}/e1", {"data": {**FULL, "odds": 8.5}}, **stale)
    assert reply.status == 200
    assert platform.row("e1")["odds"] == 8.5


def test_an_upsert_raises_upsert_only_new_or_not() -> None:
    platform = entrants()
    for odds in (1.5, 2.5):
        upsert(platform, "e1", bulk=False, **{**FULL, "odds": odds})
        upsert(platform, "e2", bulk=True, **{**FULL, "odds": odds})
    assert {action for _row, action in platform.told()} == {"upsert"}


def test_permissions_alone_are_a_change_and_stay_when_not_given() -> None:
    platform = entrants()
    path, allowed = f"{ROWS}/e1", ['read("user:u1")']
    platform.call("PUT", path, {"data": FULL, "permissions": allowed})
    platform.call("PUT", path, {"data": {**FULL, "odds": 3.5}})
    assert platform.row("e1")["$permissions"] == allowed
    platform.told()
    platform.call("PUT", path, {"data": {**FULL, "odds": 3.5}, "permissions": ['write("user:u2")']})
    assert platform.row("e1")["$permissions"] == ['update("user:u2")', 'delete("user:u2")']
    assert platform.told() == [("e1", "upsert")]


def test_an_id_in_another_case_is_the_same_row() -> None:
    platform = entrants()
    upsert(platform, "abc", bulk=True, **FULL)
    upsert(platform, "ABC", bulk=True, **{**FULL, "odds": 1.5})
    assert platform.ids() == ["abc"]
    assert platform.row("abc")["odds"] == 1.5
