"""The stand-in Appwrite's tables: columns of every kind, MariaDB's limits, and what is made a moment later."""

from __future__ import annotations

import pytest

from appwrite_platform import ROWS, Platform, Reply, entrants, where

TABLE = "/tablesdb/raceday/tables/entrants"


def column(platform: Platform, kind: str, **asked: object) -> object:
    return platform.call("POST", f"{TABLE}/columns/{kind}", {"required": False, **asked})


def empty() -> Platform:
    return entrants(columns=())


@pytest.mark.parametrize(
    ("kind", "asked", "shown", "own"),
    [
        ("string", {"size": 9}, "string", {"size": 9, "encrypt": False}),
        ("varchar", {"size": 9, "default": "x"}, "varchar", {"size": 9, "encrypt": False}),
        ("text", {}, "text", {"encrypt": False}),
        ("mediumtext", {}, "mediumtext", {"encrypt": False}),
        ("longtext", {}, "longtext", {"encrypt": False}),
        ("integer", {"min": 0, "max": 9, "default": 1}, "integer", {"min": 0, "max": 9}),
        ("integer", {}, "integer", {"min": -(2**63), "max": 2**63 - 1}),
        ("bigint", {"min": 0}, "bigint", {"min": 0, "max": 2**63 - 1}),
        ("float", {"min": 1.5}, "double", {"min": 1.5, "max": 1.7976931348623157e308}),
        ("boolean", {"default": True}, "boolean", {}),
        ("datetime", {}, "datetime", {"format": ""}),
        ("enum", {"elements": ["T", "H"]}, "string", {"format": "enum", "elements": ["T", "H"]}),
        ("email", {}, "string", {"format": "email"}),
        ("url", {}, "string", {"format": "url"}),
        ("ip", {}, "string", {"format": "ip"}),
    ],
)
def test_every_kind_of_column(kind: str, asked: dict[str, object], shown: str, own: dict[str, object]) -> None:
    platform = empty()
    made = column(platform, kind, key="k", **asked)
    common = {"key", "type", "status", "error", "required", "array", "$createdAt", "$updatedAt", "default"}
    assert made.status == 202
    assert made.body["type"] == shown
    assert {key: made.body[key] for key in made.body.keys() - common} == own
    assert made.body["default"] == asked.get("default")


def test_columns_and_indexes_are_made_a_moment_later() -> None:
    platform = empty()
    assert column(platform, "varchar", key="name", size=40).body["status"] == "processing"
    index = {"key": "by_name", "type": "key", "columns": ["name"]}
    early = platform.call("POST", f"{TABLE}/indexes", index)
    assert (early.status, early.kind) == (400, "column_not_available")
    unknown = platform.call("POST", ROWS, {"rowId": "e1", "data": {"name": "x"}})
    assert (unknown.status, unknown.kind) == (400, "row_invalid_structure")
    assert "name" in unknown.body["message"].split()
    platform.clock.move(0.5)
    assert platform.call("GET", f"{TABLE}/columns/name").body["status"] == "available"
    assert platform.call("POST", f"{TABLE}/indexes", index).body["status"] == "processing"
    platform.clock.move(0.5)
    assert platform.call("GET", f"{TABLE}/indexes/by_name").body["status"] == "available"


def test_a_varchar_has_an_end_and_a_string_has_not() -> None:
    platform = empty()
    assert column(platform, "varchar", key="a", size=16382).kind == "general_argument_invalid"
    assert column(platform, "varchar", key="a", size=0).kind == "general_argument_invalid"
    assert column(platform, "string", key="a", size=16382).status == 202
    assert column(platform, "string", key="b", size=2**30 + 1).kind == "general_argument_invalid"


def test_a_row_is_at_most_65535_bytes_wide() -> None:
    platform = empty()
    assert column(platform, "varchar", key="wide", size=15_900).status == 202
    assert platform.call("GET", TABLE).body["bytesUsed"] == 1067 + 4 * 15_900 + 2
    assert column(platform, "varchar", key="more", size=250).kind == "column_limit_exceeded"
    assert column(platform, "varchar", key="more", size=16).status == 202
    assert column(platform, "text", key="outside").status == 202
    sizes = {"integer": 8, "bigint": 8, "float": 8, "boolean": 1, "datetime": 7, "longtext": 20}
    used = platform.call("GET", TABLE).body["bytesUsed"]
    for kind, size in sizes.items():
        assert column(platform, kind, key=kind).status == 202
        used += size
        assert platform.call("GET", TABLE).body["bytesUsed"] == used
    assert column(platform, "integer", key="small", max=99).status == 202
    assert platform.call("GET", TABLE).body["bytesUsed"] == used + 4


def test_what_cannot_be_asked_of_a_column() -> None:
    platform = empty()
    for kind, asked, refusal in (
        ("integer", {"key": "a", "required": True, "default": 1}, "column_default_unsupported"),
        ("integer", {"key": "a", "array": True, "default": 1}, "column_default_unsupported"),
        ("integer", {"key": "a", "min": 2, "max": 1}, "column_value_invalid"),
        ("integer", {"key": "a", "default": "1"}, "row_invalid_structure"),
        ("integer", {"key": "_a"}, "general_argument_invalid"),
        ("varchar", {"key": "a"}, "general_argument_invalid"),
        ("enum", {"key": "a"}, "general_argument_invalid"),
    ):
        reply = column(platform, kind, **asked)
        assert (reply.status, reply.kind) == (400, refusal), asked
    assert column(platform, "integer", key="a").status == 202
    again = column(platform, "varchar", key="A", size=9)
    assert (again.status, again.kind) == (409, "column_already_exists")


def test_an_index_is_at_most_768_long() -> None:
    platform = entrants(
        columns=(
            *(("varchar", {"key": f"v{size}", "size": size, "required": False}) for size in (256, 512, 513, 769)),
            ("text", {"key": "text", "required": False}),
            ("float", {"key": "float", "required": False}),
            ("integer", {"key": "whole", "required": False}),
        )
    )

    def index(*columns: str, **more: object) -> object:
        asked = {"key": "_".join(columns)[:30], "type": "key", "columns": list(columns), **more}
        return platform.call("POST", f"{TABLE}/indexes", asked)

    assert index("v256", "v512").status == 202
    for columns in (("v769",), ("v256", "v513"), ("v256", "v512", "whole"), ("text",)):
        reply = index(*columns)
        assert (reply.status, reply.kind) == (400, "column_index_invalid"), columns
    assert index("text", lengths=[100]).status == 202
    assert index("v512", "text", "float", key="four", lengths=[None, 254, None]).status == 202
    assert index("v769", type="fulltext", key="words").status == 202
    assert index("whole", type="fulltext", key="none").kind == "column_index_invalid"
    assert index("v256", "v512").kind == "column_index_already_exists"
    assert index("whole", type="btree", key="none").kind == "general_argument_invalid"


def test_a_unique_index_over_rows_that_are_not_fails() -> None:
    platform = entrants()
    for row_id in ("e1", "e2"):
        platform.call("POST", ROWS, {"rowId": row_id, "data": {"raceId": "r1", "name": "Same"}})
    platform.call("POST", f"{TABLE}/indexes", {"key": "names", "type": "unique", "columns": ["name"]})
    platform.clock.move(1)
    index = platform.call("GET", f"{TABLE}/indexes/names").body
    assert index["status"] == "failed"
    assert index["error"]


def test_lists_end_after_25_unless_a_limit_says_otherwise() -> None:
    platform = entrants(columns=tuple(("boolean", {"key": f"b{n}", "required": False}) for n in range(30)))
    listed = platform.list(path=f"{TABLE}/columns")
    assert (listed["total"], len(listed["columns"])) == (30, 25)
    assert len(platform.list(where("limit", "", 100), path=f"{TABLE}/columns")["columns"]) == 30
    rest = platform.list(where("offset", "", 28), path=f"{TABLE}/columns")["columns"]
    assert [one["key"] for one in rest] == ["b28", "b29"]
    assert len(platform.call("GET", TABLE).body["columns"]) == 30


def test_tables_and_databases_are_listed_found_and_changed() -> None:
    platform = entrants()
    assert [one["$id"] for one in platform.list(path="/tablesdb")["databases"]] == ["raceday"]
    assert [one["$id"] for one in platform.list(path="/tablesdb/raceday/tables")["tables"]] == ["entrants"]
    assert platform.call("GET", "/tablesdb/raceday").body["type"] == "tablesdb"
    assert platform.call("GET", "/tablesdb/nope").kind == "database_not_found"
    changed = platform.call("PUT", TABLE, {"name": "Runners", "permissions": ['read("users")'], "rowSecurity": True})
    assert (changed.body["name"], changed.body["rowSecurity"]) == ("Runners", True)
    assert platform.call("PUT", TABLE, {"name": "Runners"}).body["$permissions"] == ['read("users")']
    wrong = platform.call("PUT", TABLE, {"name": "Runners", "permissions": ["read(any)"]})
    assert (wrong.status, wrong.kind) == (400, "general_argument_invalid")
    for path in (f"{TABLE}/columns/nope", f"{TABLE}/indexes/nope"):
        assert platform.call("GET", path).status == 404


def test_a_column_is_changed_in_place() -> None:
    platform = empty()
    column(platform, "string", key="name", size=40, default="x")
    column(platform, "integer", key="number", max=99)

    def change(kind: str, key: str, **asked: object) -> Reply:
        return platform.call("PATCH", f"{TABLE}/columns/{kind}/{key}", asked)

    assert change("string", "name", required=False).kind == "column_not_available"
    platform.clock.move(1)
    longer = change("string", "name", required=False, default="y", size=60)
    assert (longer.status, longer.body["size"], longer.body["default"]) == (200, 60, "y")
    used = platform.call("GET", TABLE).body["bytesUsed"]
    assert used == 1067 + (4 * 60 + 1) + 4
    wider = change("integer", "number", required=False, default=None, min=-5, max=2**40)
    assert (wider.body["min"], wider.body["max"]) == (-5, 2**40)
    assert platform.call("GET", TABLE).body["bytesUsed"] == used
    assert change("string", "name", required=False).body["size"] == 60
    for kind, key, asked, refusal in (
        ("string", "name", {}, "general_argument_invalid"),
        ("string", "name", {"required": True, "default": "x"}, "column_default_unsupported"),
        ("string", "name", {"required": False, "size": 16_300}, "column_limit_exceeded"),
        ("integer", "number", {"required": False, "default": 2**41}, "row_invalid_structure"),
        ("integer", "name", {"required": False}, "column_type_invalid"),
        ("integer", "nobody", {"required": False}, "column_not_found"),
    ):
        assert change(kind, key, **asked).kind == refusal, asked


def test_a_column_that_fails_is_shown_so_and_takes_no_values() -> None:
    platform = empty()
    platform.project.column_failures["broken"] = "the disk is full"
    column(platform, "string", key="broken", size=40)
    column(platform, "string", key="sound", size=40)
    assert platform.call("GET", f"{TABLE}/columns/broken").body["status"] == "processing"
    platform.clock.move(1)
    shown = platform.call("GET", f"{TABLE}/columns/broken").body
    assert (shown["status"], shown["error"]) == ("failed", "the disk is full")
    index = {"key": "i", "type": "key", "columns": ["broken"]}
    assert platform.call("POST", f"{TABLE}/indexes", index).kind == "column_not_available"
    row = {"rowId": "e1", "data": {"sound": "x", "broken": "y"}}
    assert platform.call("POST", ROWS, row).kind == "row_invalid_structure"
    assert platform.call("POST", ROWS, {"rowId": "e1", "data": {"sound": "x"}}).status == 201
