"""Row events: which functions they run, under which name, with which body."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raceday.host.event_names import check_pattern, header_name, matches
from raceday.host.row_body import event_body
from raceday.store.events import RowEvent

RUNNER = "0a1b2c3d-0000-4000-8000-000000000001"
NOW = datetime(2026, 11, 22, 4, 0, 0, 123456, tzinfo=UTC)


def event(action="update", table="entrants", row_id=RUNNER, **row):
    return RowEvent(table=table, row_id=row_id, action=action, row=row)


BOTH_GENERATIONS = [
    "databases.*.collections.entrants.documents.*.update",
    "databases.*.tables.entrants.rows.*.update",
    "databases.raceday-db.tables.entrants.rows.*.update",
    f"databases.raceday-db.collections.entrants.documents.{RUNNER}.update",
    "databases.*.tables.*.rows.*",
    "databases.*.collections.entrants.documents.*",
    "databases.raceday-db.tables.entrants",
    "databases.*.collections.*",
    "databases.*",
]


@pytest.mark.parametrize("pattern", BOTH_GENERATIONS)
def test_patterns_of_both_generations_match_an_update(pattern):
    check_pattern(pattern)
    assert matches(pattern, "raceday-db", event("update"))


@pytest.mark.parametrize("pattern", BOTH_GENERATIONS)
def test_an_upsert_is_no_update_and_only_patterns_without_an_action_see_it(pattern):
    assert matches(pattern, "raceday-db", event("upsert")) is not pattern.endswith(".update")


@pytest.mark.parametrize(
    "pattern",
    [
        "databases.other.tables.entrants.rows.*.update",
        "databases.*.tables.races.rows.*.update",
        "databases.*.tables.entrants.rows.someone-else.update",
        "databases.*.tables.entrants.rows.*.delete",
        "databases.*.tables.entrants.rows.*.create",
        "databases.other",
    ],
)
def test_other_databases_tables_rows_and_actions_do_not_match(pattern):
    check_pattern(pattern)
    assert not matches(pattern, "raceday-db", event("update"))


@given(
    st.sampled_from(["create", "update", "upsert", "delete"]),
    st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,35}", fullmatch=True),
)
def test_any_row_id_is_matched_by_a_star_even_with_dots(action, row_id):
    assert matches("databases.*.tables.entrants.rows.*", "raceday-db", event(action, row_id=row_id))


@pytest.mark.parametrize(
    ("pattern", "because"),
    [
        ("databases.*.tables.entrants.rows.*.upsert", "refuses .upsert"),
        ("tablesdb.raceday-db.tables.entrants.rows.*.update", "not tablesdb"),
        ("functions.daily-meetings.executions.*.create", "cannot subscribe to function events"),
        ("users.*.create", "not a row event"),
        ("databases.*.tables.entrants.documents.*.update", "not a row event"),
        ("databases.*.tables", "not a row event"),
        ("databases.*.tables.entrants.rows.*.updated", "not a row event"),
        ("databases..tables.entrants", "not a row event"),
        ("databases", "not a row event"),
    ],
)
def test_patterns_the_platform_refuses_are_refused_with_a_reason(pattern, because):
    with pytest.raises(ValueError, match=because):
        check_pattern(pattern)


@pytest.mark.parametrize(
    ("action", "name"),
    [
        ("create", f"databases.raceday-db.collections.entrants.documents.{RUNNER}.create"),
        ("update", f"databases.raceday-db.tables.entrants.rows.{RUNNER}.update"),
        ("upsert", f"databases.raceday-db.tables.entrants.rows.{RUNNER}.upsert"),
        ("delete", f"databases.raceday-db.tables.entrants.rows.{RUNNER}.delete"),
    ],
)
def test_the_header_names_the_event_as_observed(action, name):
    assert header_name("raceday-db", event(action)) == name


def test_the_body_is_the_row_with_the_platforms_own_columns():
    body = json.loads(event_body(event(winOdds=4.2, lastUpdated=NOW, isScratched=None), "raceday-db", NOW))
    assert body == {
        "$id": RUNNER,
        "$tableId": "entrants",
        "$databaseId": "raceday-db",
        "$updatedAt": "2026-11-22T04:00:00.123+00:00",
        "$permissions": [],
        "winOdds": 4.2,
        "lastUpdated": "2026-11-22T04:00:00.123+00:00",
        "isScratched": None,
    }


def test_a_value_no_column_can_hold_is_an_error():
    with pytest.raises(TypeError, match="set"):
        event_body(event(odds={1.5}), "raceday-db", NOW)
