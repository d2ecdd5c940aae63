"""How a race ended: its placings and dividends as JSON values."""

from __future__ import annotations

from raceday.server.api.queries.query import Query, instant, json_value

OF_RACE = Query(
    "result of a race",
    f"""
    SELECT (
        SELECT to_json(said) FROM (
            SELECT n.race_id, coalesce(n.results_available, false) AS results_available, n.result_status,
                {instant("n.result_time")} AS result_time, {json_value("n.results_data")} AS results_data,
                {json_value("n.dividends_data")} AS dividends_data,
                {json_value("n.fixed_odds_data")} AS fixed_odds_data,
                coalesce(n.photo_finish, false) AS photo_finish,
                coalesce(n.stewards_inquiry, false) AS stewards_inquiry,
                coalesce(n.protest_lodged, false) AS protest_lodged, n.protest_reason,
                {json_value("n.substitutes")} AS substitutes,
                {instant("n.created_at")} AS created_at, {instant("n.updated_at")} AS updated_at
            FROM race_results n WHERE n.race_id = r.race_id
        ) AS said
    )::text FROM races r WHERE r.race_id = %s""",  # noqa: S608
    lambda day: (day.race_id,),
)
QUERIES = (OF_RACE,)
