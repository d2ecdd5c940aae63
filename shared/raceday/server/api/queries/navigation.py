"""The races beside a race, in the order of start and id: none of those that start at once is missed."""

from __future__ import annotations

from raceday.server.api.queries.query import Query, instant
from raceday.server.api.queries.races import NOT_OVER


def _neighbour(condition: str, order: str) -> str:
    return f"""(
        SELECT to_json(said) FROM (
            SELECT r.race_id, r.name, r.race_number, {instant("r.start_time")} AS start_time, r.meeting_id,
                m.meeting_name
            FROM races r LEFT JOIN meetings m ON m.meeting_id = r.meeting_id
            WHERE {condition} ORDER BY r.start_time {order}, r.race_id {order} LIMIT 1
        ) AS said
    )"""  # noqa: S608


NAVIGATION = Query(
    "navigation",
    f"""
    SELECT json_build_object(
        'previousRace', {_neighbour("(r.start_time, r.race_id) < (here.start_time, here.race_id)", "DESC")},
        'nextRace', {_neighbour("(r.start_time, r.race_id) > (here.start_time, here.race_id)", "ASC")},
        'nextScheduledRace', {_neighbour(f"{NOT_OVER} AND r.start_time >= %s", "ASC")}
    )::text FROM races here WHERE here.race_id = %s""",  # noqa: S608
    lambda day: (day.now, day.race_id),
)
QUERIES = (NAVIGATION,)
