"""What clients of the predecessors read: field names, shapes and paths, and a document that is valid OpenAPI."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from openapi_spec_validator import validate
from pydantic.alias_generators import to_snake

from api_day import FIRST, ServedDay, on_day
from contract.store_examples import DAY, meeting
from raceday.server.api.app import create_app
from raceday.server.api.queries import QUERIES
from raceday.server.api.settings import ApiSettings
from raceday.server.metrics import ServerMetrics

RACE = FIRST.race_id
MEETING = meeting().meeting_id
FIELDS = {
    f"/api/meetings?date={DAY}": "meeting_id meeting_name country race_type date status",
    f"/api/meetings/{MEETING}": "meeting_id meeting_name country race_type date status track_condition weather "
    "created_at updated_at",
    f"/api/races?meetingId={MEETING}": "race_id name race_number start_time status meeting_id",
    "/api/races/next-scheduled": "race_id meeting_id name race_number start_time status actual_start created_at "
    "updated_at",
    f"/api/races/{RACE}": "race_id meeting_id name race_number start_time actual_start status distance "
    "track_condition weather type created_at updated_at",
    f"/api/entrants?raceId={RACE}": "entrant_id name runner_number win_odds place_odds hold_percentage is_scratched "
    "odds_history money_flow_history jockey trainer_name silk_url_64x64 silk_url_64 silk_url_128 silk_colours "
    "fixed_win_odds fixed_place_odds pool_win_odds pool_place_odds win_pool_amount place_pool_amount",
    f"/api/race-pools?raceId={RACE}": "win_pool_total place_pool_total quinella_pool_total trifecta_pool_total "
    "exacta_pool_total first4_pool_total total_race_pool currency data_quality_score extracted_pools last_updated "
    "race_pool_id is_live created_at updated_at",
    f"/api/race-results?raceId={RACE}": "race_id results_available results_data dividends_data fixed_odds_data "
    "result_status result_time photo_finish stewards_inquiry protest_lodged created_at updated_at",
    f"/api/money-flow-timeline?raceId={RACE}": "success documents total race_id entrant_ids pool_type bucketed_data "
    "interval_coverage next_cursor next_created_at limit created_after message query_optimizations",
    "/api/user-alert-configs": "user_id indicators toggle_all audible_alerts_enabled",
}
TIMELINE_ROW = (
    "id race_id entrant_id type time_interval time_to_start interval_type hold_percentage incremental_win_amount "
    "incremental_place_amount win_pool_amount place_pool_amount win_pool_percentage place_pool_percentage "
    "fixed_win_odds fixed_place_odds pool_win_odds pool_place_odds event_timestamp polling_timestamp created_at "
    "winPoolAmount placePoolAmount"
)
INDICATOR = (
    "indicator_id user_id indicator_type percentage_range_min percentage_range_max color is_default enabled "
    "display_order audible_alerts_enabled created_at updated_at"
)


def first(said: Any) -> dict[str, Any]:
    """Return the object of an answer, or its first one."""
    return said[0] if isinstance(said, list) else said


def test_every_field_that_clients_read_is_there(postgres_url):
    async def steps(day: ServedDay) -> None:
        for path, fields in FIELDS.items():
            missing = set(fields.split()) - set(first((await day.get(path)).json()))
            assert not missing, f"{path} lacks {missing}"
        timeline = (await day.get(f"/api/money-flow-timeline?raceId={RACE}")).json()
        assert set(TIMELINE_ROW.split()) <= set(timeline["documents"][0])
        indicators = (await day.get("/api/user-alert-configs")).json()["indicators"]
        assert set(INDICATOR.split()) == set(indicators[0])
        runner = (await day.get(f"/api/entrants?raceId={RACE}")).json()[0]
        assert {"odds", "type", "timestamp"} == set(runner["odds_history"][0])
        assert {"hold_percentage", "win_pool_amount", "timestamp"} <= set(runner["money_flow_history"][0])
        soon = (await day.get("/api/races/upcoming")).json()
        assert {"races", "total", "timestamp", "window"} == set(soon)
        beside = (await day.get(f"/api/races/navigation?raceId={RACE}")).json()
        assert {"race_id", "name", "start_time", "meeting_name"} <= set(beside["nextRace"])

    on_day(postgres_url, steps)


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    state: Any = SimpleNamespace(metrics=ServerMetrics(), log=None)
    return create_app(state, ApiSettings(api_keys=("key",))).openapi()


def operations(document: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Return every operation with its name."""
    return [
        (f"{method} {path}", operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def test_the_document_is_valid(document):
    assert document["openapi"].startswith("3.1")
    validate(document)


def test_parameters_have_examples_and_say_their_other_spelling(document):
    for name, operation in operations(document):
        for parameter in operation["parameters"]:
            assert parameter["description"], name
            assert "example" in parameter, name
            snake = to_snake(parameter["name"])
            if parameter["in"] == "query" and snake != parameter["name"]:
                assert f"Also read as `{snake}`" in parameter["description"]


def test_every_error_is_documented_in_one_shape(document):
    for name, operation in operations(document):
        assert {"200", "400", "405", "500", "503"} <= set(operation["responses"]), name
        assert "422" not in operation["responses"]
        for status, answer in operation["responses"].items():
            if status >= "400" and not (name == "get /health" and status == "503"):
                assert answer["content"]["application/json"]["schema"]["$ref"].endswith("/ErrorAnswer"), name
    assert "HTTPValidationError" not in document["components"]["schemas"]


def test_keys_are_documented_where_they_are_wanted(document):
    assert document["security"] == [{"key": []}, {"bearer": []}]
    assert set(document["components"]["securitySchemes"]) == {"key", "bearer"}


def test_nothing_is_left_out_of_an_answer(document):
    """What is not known is null: every field of every answer is required."""
    sent = {"SentRange", "SentRanges"}
    for name, shape in document["components"]["schemas"].items():
        if name not in sent and "properties" in shape:
            assert set(shape["required"]) == set(shape["properties"]), name


def test_queries_name_their_columns():
    """A star may only stand for what the statement itself has listed before, or for times."""
    assert len({query.name for query in QUERIES}) == len(QUERIES)
    for query in QUERIES:
        sql = query.sql
        for listed in ("count(*)", "SELECT f.*", "SELECT * FROM found", "* 1000000"):
            sql = sql.replace(listed, "")
        assert "*" not in sql, query.name
