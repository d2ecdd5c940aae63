"""The plan of set-up: what is missing is added, what would lose something is told and left."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raceday.deployment.limits import row_bytes
from raceday.deployment.platform_schema import LARGEST, bucket_entry, platform_schema
from raceday.deployment.schema_live import LiveColumn, LiveIndex, LiveSchema, LiveTable
from raceday.deployment.schema_plan import plan_schema
from raceday.deployment.schema_steps import (
    CreateBucket,
    CreateColumn,
    CreateDatabase,
    CreateIndex,
    CreateTable,
    UpdateBucket,
    UpdateColumn,
    UpdateTable,
)
from raceday.store.tables import Index, Table
from raceday.store.tables.buckets import BUCKETS
from raceday.store.tables.shapes import PUBLIC, boolean, decimal, instant, integer, text

RACES = Table(
    "races",
    (
        text("name", 100, required=True),
        text("state", 20_000),
        integer("distance", default=0),
        decimal("odds"),
        boolean("open", default=True),
        instant("startTime"),
    ),
    (Index("idx_start", ("open", "startTime")), Index("idx_name", ("name",), "unique")),
    PUBLIC,
)
OTHERS = Table("others", (text("userId", 50, required=True),), (Index("idx_user", ("userId",)),), row_security=True)
SCHEMA = platform_schema("db", (RACES, OTHERS), BUCKETS)


def whole(schema=SCHEMA):
    """What is live when nothing is missing."""
    tables = {
        table.table_id: LiveTable(
            table.table_id,
            table.permissions,
            table.row_security,
            True,
            {column.key: LiveColumn(column) for column in table.columns},
            {index.key: LiveIndex(index) for index in table.indexes},
            row_bytes(table.columns),
            65_535,
        )
        for table in schema.tables
    }
    return LiveSchema(True, tables, {bucket.bucket_id: bucket_entry(bucket) for bucket in schema.buckets})


def with_table(live, table_id="races", **changed):
    return replace(live, tables={**live.tables, table_id: replace(live.tables[table_id], **changed)})


def with_column(key, status="available", error="", **changed):
    live = whole()
    columns = live.tables["races"].columns
    found = LiveColumn(replace(columns[key].column, **changed), status, error)
    return with_table(live, columns={**columns, key: found})


def with_index(key, status="available", error="", **changed):
    live = whole()
    indexes = live.tables["races"].indexes
    return with_table(live, indexes={**indexes, key: LiveIndex(replace(indexes[key].index, **changed), status, error)})


def without(mapping, *keys):
    return {key: value for key, value in mapping.items() if key not in keys}


def the_difference(live):
    plan = plan_schema(SCHEMA, live)
    assert plan.steps == ()
    (difference,) = plan.differences
    return difference


def test_from_nothing_to_everything_in_an_order_that_works():
    plan = plan_schema(SCHEMA, LiveSchema(has_database=False))
    kinds = [type(step) for step in plan.steps]
    assert kinds == [CreateDatabase, *[CreateTable] * 2, *[CreateColumn] * 7, *[CreateIndex] * 3, CreateBucket]
    assert plan.differences == ()


def test_what_is_whole_is_left_alone():
    plan = plan_schema(SCHEMA, whole())
    assert plan.is_complete


def test_a_half_made_table_is_completed():
    live = whole()
    races = live.tables["races"]
    live = with_table(
        live, columns=without(races.columns, "odds", "startTime"), indexes=without(races.indexes, "idx_start")
    )
    steps = plan_schema(SCHEMA, live).steps
    assert [step.column.key for step in steps if isinstance(step, CreateColumn)] == ["odds", "startTime"]
    assert [step.index.key for step in steps if isinstance(step, CreateIndex)] == ["idx_start"]
    assert len(steps) == 3


def test_what_is_still_being_made_is_awaited_not_made_twice():
    plan = plan_schema(SCHEMA, with_column("odds", status="processing"))
    assert (plan.steps, plan.differences, plan.being_made) == ((), (), ("races",))
    assert not plan.is_complete


@pytest.mark.parametrize(
    ("key", "changed", "seen", "refuses_writes"),
    [
        ("distance", {"type": "double"}, "type double, should be integer", True),
        ("name", {"type": "varchar"}, "type varchar, should be string", True),
        ("name", {"array": True}, "list true, should be false", True),
        ("name", {"type": "email", "size": 50}, "type email, should be string", True),
        ("name", {"size": 101}, "size 101, should be 100", False),
        ("name", {"encrypt": True}, "encrypted true, should be false", False),
        ("distance", {"highest": 2**31 - 1}, "bounds -9007199254740991 to 2147483647", True),
    ],
)
def test_what_would_lose_something_is_told_and_left(key, changed, seen, refuses_writes):
    difference = the_difference(with_column(key, **changed))
    assert difference.about == f"column races.{key}"
    assert seen in difference.seen
    assert "delete the column" in difference.remedy
    assert difference.refuses_writes is refuses_writes


@pytest.mark.parametrize(
    ("key", "changed", "seen", "remedy", "refuses_writes"),
    [
        ("name", {"required": False}, "required false, should be true", "set it to required", False),
        ("odds", {"required": True}, "required true, should be false", "make it optional", True),
        ("distance", {"required": True, "default": None}, "default none, should be 0", "make it optional", True),
    ],
)
def test_whether_a_value_must_be_given_is_changed_in_the_console(key, changed, seen, remedy, refuses_writes):
    difference = the_difference(with_column(key, **changed))
    assert seen in difference.seen
    assert difference.remedy.startswith(f"{remedy} in the console")
    assert difference.refuses_writes is refuses_writes


@pytest.mark.parametrize(
    ("key", "changed", "becomes"),
    [
        ("name", {"size": 99}, {"size": 100}),
        ("state", {"size": 16_000}, {"size": 20_000}),
        ("distance", {"default": None}, {"default": 0}),
        ("open", {"default": False}, {"default": True}),
        ("odds", {"lowest": 0}, {"lowest": -LARGEST}),
        ("odds", {"lowest": 0, "highest": 1e308}, {"lowest": -LARGEST, "highest": 1e308}),
        ("distance", {"lowest": 0, "highest": 2**40}, {"lowest": -LARGEST, "highest": LARGEST}),
    ],
)
def test_what_loses_nothing_is_widened(key, changed, becomes):
    live = with_column(key, **changed)
    (step,) = plan_schema(SCHEMA, live).steps
    assert isinstance(step, UpdateColumn)
    found = live.tables["races"].columns[key].column
    assert step.column == replace(found, **becomes)


def test_what_can_be_widened_is_and_only_the_rest_is_told():
    live = with_column("name", size=50, required=False)
    plan = plan_schema(SCHEMA, live)
    (step,), (difference,) = plan.steps, plan.differences
    assert step.why == "size 50, should be 100"
    assert step.column == replace(live.tables["races"].columns["name"].column, size=100)
    assert difference.seen == "required false, should be true"
    assert difference.remedy == "set it to required in the console, or leave it"
    assert not plan.refuses_writes


@pytest.mark.parametrize("bounds", [{"lowest": -(2**63), "highest": 2**63 - 1}, {"lowest": None, "highest": None}])
def test_wider_bounds_refuse_nothing_of_ours(bounds):
    assert plan_schema(SCHEMA, with_column("distance", **bounds)).is_complete


@pytest.mark.parametrize(
    ("status", "error", "seen", "remedy"),
    [
        ("failed", "disk full", "failed: disk full", "delete it"),
        ("stuck", "", "stuck, without a reason", "delete it"),
        ("deleting", "", "is being deleted", "wait until it is gone"),
    ],
)
def test_a_column_or_index_that_could_not_be_made_is_told_with_its_reason(status, error, seen, remedy):
    for about, live in (
        ("column races.odds", with_column("odds", status, error)),
        ("index races.idx_name", with_index("idx_name", status, error)),
    ):
        difference = the_difference(live)
        assert (difference.about, difference.seen) == (about, seen)
        assert difference.refuses_writes is about.startswith("column")
        assert remedy in difference.remedy


def test_an_index_waits_for_a_column_that_is_not_to_be_had():
    live = with_column("startTime", "failed", "why")
    live = with_table(live, indexes=without(live.tables["races"].indexes, "idx_start"))
    plan = plan_schema(SCHEMA, live)
    assert plan.steps == ()
    assert [difference.about for difference in plan.differences] == ["column races.startTime", "index races.idx_start"]
    assert plan.differences[1].seen == "waits for startTime"


@pytest.mark.parametrize(
    ("changed", "seen"),
    [
        ({"columns": ("startTime", "open")}, "key on startTime, open, should be key on open, startTime"),
        ({"type": "unique"}, "unique on open, startTime, should be key on open, startTime"),
        ({"orders": ("ASC", "DESC")}, "key on open, startTime, descending startTime, should be"),
    ],
)
def test_another_index_of_the_same_name_is_told_and_left(changed, seen):
    difference = the_difference(with_index("idx_start", **changed))
    assert seen in difference.seen
    assert "no row is lost" in difference.remedy


def test_an_index_made_without_orders_is_the_same():
    assert plan_schema(SCHEMA, with_index("idx_start", orders=())).is_complete


def test_permissions_and_row_security_are_put_right():
    live = with_table(whole(), "others", permissions=('create("any")', 'read("any")'), row_security=False)
    (step,) = plan_schema(SCHEMA, live).steps
    assert isinstance(step, UpdateTable)
    assert step.why == ('permissions create("any"), read("any"), should be none; row security false, should be true')


def test_a_disabled_table_is_not_enabled_behind_the_operators_back():
    assert "disabled" in the_difference(with_table(whole(), enabled=False)).seen


def test_a_bucket_is_made_or_put_right():
    live = whole()
    (step,) = plan_schema(SCHEMA, replace(live, buckets={})).steps
    assert step == CreateBucket(BUCKETS[0])
    narrow = {"silk-icons": bucket_entry(BUCKETS[0]) | {"maximumFileSize": 10, "$permissions": []}}
    (step,) = plan_schema(SCHEMA, replace(live, buckets=narrow)).steps
    assert isinstance(step, UpdateBucket)
    assert step.why == '$permissions none, should be read("any"); maximumFileSize 10, should be 100000'
    assert step.kept == {"compression": "none", "encryption": True, "antivirus": True}
    zipped = {"silk-icons": bucket_entry(BUCKETS[0]) | {"compression": "gzip", "encryption": False}}
    assert plan_schema(SCHEMA, replace(live, buckets=zipped)).is_complete


def test_what_is_not_ours_is_left_in_peace_unless_it_refuses_our_writes():
    live = whole()
    races = live.tables["races"]
    mine = replace(races.columns["odds"].column, key="mine")
    live = with_table(live, columns={**races.columns, "mine": LiveColumn(mine)})
    assert plan_schema(SCHEMA, live).is_complete
    demanding = with_table(live, columns={**races.columns, "mine": LiveColumn(replace(mine, required=True))})
    assert "every write without it is refused" in the_difference(demanding).seen
    assert the_difference(demanding).refuses_writes
    alone = LiveIndex(replace(races.indexes["idx_name"].index, key="only_one"))
    assert "overwrites" in the_difference(with_table(live, indexes={**races.indexes, "only_one": alone})).seen


def test_a_table_without_room_is_told_with_figures_and_gets_nothing():
    live = whole()
    races = live.tables["races"]
    live = with_table(live, columns=without(races.columns, "name"), indexes=without(races.indexes, "idx_name"),
                      bytes_used=65_200)  # fmt: skip
    plan = plan_schema(SCHEMA, live)
    assert plan.steps == ()
    assert plan.differences[0].seen == ("its rows are 65200 bytes wide and would be 65601; at most 65535 is possible")
    assert [difference.refuses_writes for difference in plan.differences] == [True, False]
    assert plan.differences[1].seen == "waits for name"
    roomy = with_table(live, bytes_max=0)
    assert len(plan_schema(SCHEMA, roomy).steps) == 2


def test_a_new_table_that_cannot_fit_is_not_begun():
    wide = platform_schema("db", (Table("wide", tuple(text(f"c{n}", 16_000) for n in range(2))),), ())
    plan = plan_schema(wide, LiveSchema(has_database=True))
    assert plan.steps == ()
    assert "a row is 129071 bytes wide" in plan.differences[0].seen


# How a table may stand when somebody else, or an older release, has been at it.
SIZES = st.sampled_from([50, 100, 150])
STANDING = st.fixed_dictionaries(
    {
        "missing": st.sets(st.sampled_from([column.name for column in RACES.columns])),
        "without_indexes": st.sets(st.sampled_from(["idx_start", "idx_name"])),
        "size": SIZES,
        "required": st.booleans(),
        "default": st.sampled_from([0, 1, None]),
        "lowest": st.sampled_from([-(2**63), -LARGEST, 0]),
        "highest": st.sampled_from([2**31 - 1, LARGEST, 2**63 - 1]),
        "open": st.booleans(),
        "has_table": st.booleans(),
    }
)


def standing(given_):
    live = whole()
    if not given_["has_table"]:
        return replace(live, tables=without(live.tables, "races"))
    races = live.tables["races"]
    columns = dict(races.columns)
    columns["name"] = LiveColumn(replace(columns["name"].column, size=given_["size"], required=given_["required"]))
    columns["distance"] = LiveColumn(
        replace(
            columns["distance"].column,
            default=given_["default"],
            lowest=given_["lowest"],
            highest=given_["highest"],
        )
    )
    columns["open"] = LiveColumn(replace(columns["open"].column, default=given_["open"]))
    gone = given_["missing"]
    indexes = {
        key: index
        for key, index in races.indexes.items()
        if key not in given_["without_indexes"] and gone.isdisjoint(index.index.columns)
    }
    columns = without(columns, *gone)
    used = row_bytes(column.column for column in columns.values())
    return with_table(live, columns=columns, indexes=indexes, bytes_used=used)


def after(live, steps):
    """The live schema with the steps taken."""
    tables = dict(live.tables)
    for step in steps:
        if isinstance(step, CreateTable):
            table = step.table
            tables[table.table_id] = LiveTable(
                table.table_id, table.permissions, table.row_security, True, {}, {}, 1067, 65_535
            )
        elif isinstance(step, CreateColumn | UpdateColumn):
            table = tables[step.table_id]
            columns = {**table.columns, step.column.key: LiveColumn(step.column)}
            tables[step.table_id] = replace(table, columns=columns)
        elif isinstance(step, CreateIndex):
            table = tables[step.table_id]
            assert set(step.index.columns) <= set(table.columns)
            tables[step.table_id] = replace(table, indexes={**table.indexes, step.index.key: LiveIndex(step.index)})
    return replace(live, tables=tables)


@given(STANDING)
def test_whatever_stands_a_plan_adds_never_narrows_and_is_done_after_one_run(given_):
    live = standing(given_)
    plan = plan_schema(SCHEMA, live)
    then = after(live, plan.steps)
    again = plan_schema(SCHEMA, then)
    assert again.steps == ()
    assert set(again.differences) <= set(plan.differences)
    for table_id, table in live.tables.items():
        for key, was in table.columns.items():
            is_now = then.tables[table_id].columns[key].column
            assert (is_now.type, is_now.required, is_now.array) == (
                was.column.type, was.column.required, was.column.array
            )  # fmt: skip
            assert (is_now.size or 0) >= (was.column.size or 0)
            if was.column.lowest is not None:
                assert is_now.lowest <= was.column.lowest
                assert is_now.highest >= was.column.highest
        assert set(table.indexes) <= set(then.tables[table_id].indexes)
    told = {difference.about for difference in again.differences}
    for column in SCHEMA.tables[0].columns:
        found = then.tables["races"].columns[column.key].column
        assert f"column races.{column.key}" in told or (found.type, found.size) == (column.type, column.size)


def test_a_relationship_of_another_schema_is_told_because_it_refuses_bulk_writes() -> None:
    live = whole()
    races = live.tables["races"]
    other = replace(races.columns["odds"].column, key="meetings", type="relationship")
    [difference] = plan_schema(
        SCHEMA, with_table(live, columns={**races.columns, "meetings": LiveColumn(other)})
    ).differences
    assert difference.about == "column races.meetings"
    assert difference.refuses_writes
    assert "refuses bulk writes" in difference.seen
    in_our_place = with_column("name", type="relationship", size=None)
    [difference] = plan_schema(SCHEMA, in_our_place).differences
    assert difference.refuses_writes
