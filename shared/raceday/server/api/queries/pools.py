"""What is in the pools of a race, in cents."""

from __future__ import annotations

from raceday.server.api.queries.query import Query, instant, json_value

_TOTALS = ("win", "place", "quinella", "trifecta", "exacta", "first4")
_COUNTED = " + ".join(f"(coalesce(p.{pool}_pool_total, 0) > 0)::integer" for pool in _TOTALS)
_AMOUNTS = ", ".join(f"coalesce(p.{pool}_pool_total, 0) AS {pool}_pool_total" for pool in _TOTALS)

OF_RACE = Query(
    "pools of a race",
    f"""
    SELECT (
        SELECT to_json(said) FROM (
            SELECT p.race_id AS race_pool_id, p.race_id, {_AMOUNTS},
                coalesce(p.total_race_pool, 0) AS total_race_pool, coalesce(p.currency, '$') AS currency,
                coalesce(p.multi_leg_pool_total, 0) AS multi_leg_pool_total,
                {json_value("p.multi_leg_pools")} AS multi_leg_pools, coalesce(p.has_data, false) AS has_data,
                r.status IN ('Open', 'Closed', 'Interim') AS is_live, {_COUNTED} AS extracted_pools, (
                    SELECT poll.data_quality_score FROM race_polls poll
                    WHERE poll.race_id = r.race_id AND poll.polled_at = r.last_poll_time LIMIT 1
                ) AS data_quality_score,
                {instant("p.last_updated")} AS last_updated, {instant("p.created_at")} AS created_at,
                {instant("p.updated_at")} AS updated_at
            FROM race_pools p WHERE p.race_id = r.race_id
        ) AS said
    )::text FROM races r WHERE r.race_id = %s""",  # noqa: S608
    lambda day: (day.race_id,),
)
QUERIES = (OF_RACE,)
